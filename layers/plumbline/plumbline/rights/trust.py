"""Whom a role lets in, by its trust policy. Pure.

Source: IAM user guide, AWS JSON policy elements: Principal; Policy evaluation logic, "Evaluating
identity-based policies with resource-based policies".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from plumbline.rights.account import Principal
from plumbline.rights.conditions import Met, met
from plumbline.rights.documents import Document, Statement, allows, listed, statements
from plumbline.rights.effective import Memo, Request

#: Some services have a name for each region, and in China an ending of their own.
_SERVICE = re.compile(r"^([a-z0-9.-]+?)(?:\.[a-z]{2}(?:-[a-z]+)+-\d)?\.amazonaws\.com(?:\.cn)?$")
_ASSUME = "sts:AssumeRole"


class Trust:
    """The trust of roles, each read once."""

    def __init__(self, memo: Memo) -> None:
        self._memo = memo
        self._services: dict[str, frozenset[str]] = {}

    def services(self, role: Principal) -> frozenset[str]:
        """The services that may use a role, each under its plain name."""
        known = self._services.get(role.arn)
        if known is None:
            known = self._services[role.arn] = frozenset(_services(role.trust))
        return known

    def lets(self, role: Principal, principal: Principal) -> bool:
        """Whether a role's trust lets a principal of its account in that is allowed to assume it."""
        request = Request(principal, _ASSUME.lower(), role.arn, {})
        allowed = False
        for statement in statements(role.trust):
            if not allows(statement, _ASSUME) or not is_about(statement, principal):
                continue
            answer, _ = met(
                statement.get("Condition") or {}, request.value, lambda text: request.filled(text, widely=False)
            )
            if statement.get("Effect") == "Deny" and answer is Met.YES:
                return False
            allowed = allowed or (statement.get("Effect") == "Allow" and answer is not Met.NO)
        return allowed


def _services(trust: Document) -> Iterator[str]:
    for statement in statements(trust):
        principal = statement.get("Principal")
        if statement.get("Effect") != "Allow" or not allows(statement, _ASSUME):
            continue
        for one in listed(principal.get("Service")) if isinstance(principal, Mapping) else ():
            found = _SERVICE.match(str(one))
            yield f"{found[1]}.amazonaws.com" if found else str(one)


def is_about(statement: Statement, principal: Principal) -> bool:
    """Whether the principal part of a statement is about a principal of its account."""
    if "NotPrincipal" in statement:
        return not _names(statement["NotPrincipal"], principal)
    return _names(statement.get("Principal"), principal)


def _names(written: Any, principal: Principal) -> bool:  # noqa: ANN401 - policies hold anything
    those = written.get("AWS") if isinstance(written, Mapping) else written
    return any(_is(str(one), principal) for one in listed(those))


def _is(written: str, principal: Principal) -> bool:
    if written in {"*", principal.account, principal.arn, f"arn:{principal.partition}:iam::{principal.account}:root"}:
        return True
    session = f"arn:{principal.partition}:sts::{principal.account}:assumed-role/{principal.name}/"
    return principal.kind == "role" and written.startswith(session)
