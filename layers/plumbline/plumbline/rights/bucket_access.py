"""What a principal may do in a bucket of its account, by its own documents and the bucket's policy together. Pure.

Within one account either allows by itself, and a denial in either ends it. What a bucket's policy allows a user by his
ARN his permissions boundary does not limit; whom it names by the account's number it leaves to that account's policies.

Source: IAM user guide, Policy evaluation logic, "Evaluating identity-based policies with resource-based policies", and
Permissions boundaries for IAM entities, "Resource-based policies".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from plumbline.rights.account import Principal
from plumbline.rights.documents import Document, Statement, listed, statements
from plumbline.rights.effective import Context, Memo, Verdict, may
from plumbline.rights.trust import is_about


@dataclass(frozen=True, slots=True)
class Reach:
    """A principal in one bucket.

    Attributes:
        whole: it with what the bucket's policy says of it.
        named: a user who has a boundary, with what the policy allows by his ARN alone, which no boundary limits; else
            None.
    """

    whole: Principal
    named: Principal | None = None

    def may(self, action: str, resource: str, context: Context | None = None, *, memo: Memo | None = None) -> Verdict:
        """Whether it may; see `effective.may`."""
        verdict = may(self.whole, action, resource, context, memo=memo)
        if verdict or verdict.denied or self.named is None:
            return verdict
        return may(self.named, action, resource, context, memo=memo)


def reach(principal: Principal, policy: Document | None) -> Reach:
    """What a bucket's policy makes of a principal of the bucket's account.

    Args:
        principal: a user or a role, with its documents.
        policy: the bucket's; None where it has none.
    """
    said = statements(policy or {})
    denied = [one for one in said if one.get("Effect") == "Deny" and is_about(one, principal)]
    allowed = [one for one in said if one.get("Effect") == "Allow" and _allows_by_itself(one, principal)]
    version = (policy or {}).get("Version", "2008-10-17")
    denials: Document = {"Version": version, "Statement": denied}
    whole = replace(
        principal, documents=(*principal.documents, {"Version": version, "Statement": allowed}, denials), sources=()
    )
    by_arn = [one for one in allowed if principal.arn in _named(one)]
    if principal.kind != "user" or principal.boundary is None or not by_arn:
        return Reach(whole)
    alone: tuple[Document, ...] = ({"Version": version, "Statement": by_arn}, denials)
    return Reach(whole, replace(principal, documents=alone, sources=(), boundary=None))


def _allows_by_itself(statement: Statement, principal: Principal) -> bool:
    """Whether a statement gives a principal of the account something without the account's own policies doing so."""
    accounts = {principal.account, f"arn:{principal.partition}:iam::{principal.account}:root"}
    others = [one for one in _named(statement) if one not in accounts]
    return "NotPrincipal" not in statement and is_about({**statement, "Principal": {"AWS": others}}, principal)


def _named(statement: Statement) -> list[str]:
    written: Any = statement.get("Principal")
    return [str(one) for one in listed(written.get("AWS") if isinstance(written, Mapping) else written)]
