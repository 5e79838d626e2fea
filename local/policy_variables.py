"""Policy variables and the condition keys of the caller, which the emulator takes literally or wrongly.

Stock: `${aws:username}` is text; `aws:PrincipalArn` of a role's session is the session; `aws:PrincipalType` of the root
is `Root`. AWS: a variable stands for the key's value in the request, in resources and in the values of conditions, in
documents of version 2012-10-17; an element whose variable has no value matches nothing.

Source: IAM user guide, "IAM policy elements: Variables and tags" and "AWS global condition context keys".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.iam_evaluator import EvalContext, ParsedStatement

from local.entities import spelled

_VERSION = "2012-10-17"
_VARIABLE = re.compile(r"\$\{([^{},]*?)(?:,\s*'([^']*)')?\}")
# `${*}`, `${?}` and `${$}` stand for the characters themselves.
_LITERALS = frozenset("*?$")
# No ARN and no value holds this character, so an element with it matches nothing.
_NOTHING = "\x00"
_PRINCIPAL_TYPES = {"Root": "Account"}
# What a person's or a role's own request always says, and what is otherwise in one that a service makes as itself.
_OF_A_DIRECT_CALL = {"aws:principalisawsservice": "false", "aws:viaawsservice": "false"}
_OF_A_SERVICE = {"aws:principalisawsservice": "true"}


def install() -> None:
    """Let the emulator's evaluator resolve variables, and know the caller as AWS does."""
    _remember_versions()
    _resolve_in_statements()
    _match_literal_characters()
    _know_the_caller()


def _remember_versions() -> None:
    """Stock: a document's version is forgotten. AWS: without the newer one, a variable is text."""
    parse = iam_evaluator.parse_policy_document

    def parse_with_version(document: Any) -> list[ParsedStatement]:  # noqa: ANN401
        statements: list[ParsedStatement] = parse(document)
        has_variables = _has_variables(document)
        for statement in statements:
            statement.has_variables = has_variables
        return statements

    iam_evaluator.parse_policy_document = parse_with_version


def _has_variables(document: object) -> bool:
    if isinstance(document, str):
        return "${" in document and _version(document) == _VERSION
    # What the emulator cut out of a resource policy no longer says which version it is.
    return isinstance(document, Mapping) and document.get("Version", _VERSION) == _VERSION


def _version(document: str) -> str:
    try:
        read = json.loads(document)
    except ValueError:
        return ""
    return str(read.get("Version", "")) if isinstance(read, Mapping) else ""


def _resolve_in_statements() -> None:
    first_match = iam_evaluator._first_match

    def first_match_resolved(
        context: EvalContext, statements: list[ParsedStatement], effect: str
    ) -> ParsedStatement | None:
        resolved = [_resolved(one, context) for one in statements if one.effect == effect]
        found: ParsedStatement | None = first_match(context, resolved, effect)
        return found

    iam_evaluator._first_match = first_match_resolved


def _resolved(statement: ParsedStatement, context: EvalContext) -> ParsedStatement:
    if not getattr(statement, "has_variables", True):
        return statement
    return replace(
        statement,
        resources=[_value(one, context) for one in statement.resources],
        not_resources=[_value(one, context) for one in statement.not_resources],
        conditions={
            operator: {key: [_value(one, context) for one in _listed(values)] for key, values in keys.items()}
            for operator, keys in statement.conditions.items()
        },
    )


def _value(text: str, context: EvalContext) -> str:
    """A resource or a value with its variables replaced; what a person wrote as `*` still stands for anything."""
    parts: list[str] = []
    end = 0
    for found in _VARIABLE.finditer(text):
        key, default = found.group(1), found.group(2)
        parts.append(text[end : found.start()])
        end = found.end()
        if key in _LITERALS:
            parts.append(found.group(0))
            continue
        value = iam_evaluator._resolve_condition_key(key, context)
        value = default if value is None else value
        if value is None or isinstance(value, list):
            return _NOTHING
        parts.append("".join(f"${{{one}}}" if one in _LITERALS else one for one in str(value)))
    return "".join([*parts, text[end:]])


def _match_literal_characters() -> None:
    """Stock: `*` and `?` are always wild. AWS: `${*}` is an asterisk, and so is one in a variable's value."""

    def compiled(pattern: str, ignore_case: bool) -> re.Pattern[str]:  # noqa: FBT001 -- the emulator's own signature
        key = (pattern, ignore_case)
        known = iam_evaluator._FNMATCH_CACHE.get(key)
        if known is None:
            known = re.compile(f"^{''.join(_expressions(pattern))}$", re.IGNORECASE | re.DOTALL if ignore_case else 0)
            iam_evaluator._FNMATCH_CACHE[key] = known
        return known  # type: ignore[no-any-return]

    iam_evaluator._fnmatch_compile = compiled


def _expressions(pattern: str) -> Iterator[str]:
    wild = {"*": ".*", "?": "."}
    for part in re.findall(r"\$\{[*?$]\}|.", pattern, re.DOTALL):
        yield re.escape(part[2]) if len(part) > 1 else wild.get(part, re.escape(part))


def _know_the_caller() -> None:
    resolve = iam_evaluator._resolve_condition_key

    def resolve_key(key: str, context: EvalContext) -> Any:  # noqa: ANN401
        name = key.lower()
        if name == "aws:principalarn":
            return _principal(context)
        if name == "aws:principaltype":
            return _PRINCIPAL_TYPES.get(context.principal_type, context.principal_type)
        if name in _OF_A_DIRECT_CALL:
            return {**_OF_A_DIRECT_CALL, **(_OF_A_SERVICE if context.principal_type == "Service" else {})}[name]
        return resolve(key, context)

    iam_evaluator._resolve_condition_key = resolve_key


def _principal(context: EvalContext) -> str:
    """The caller's ARN as policies know it: of a role's session, the role's, with its path."""
    _, marker, names = context.principal_arn.partition(":assumed-role/")
    if not marker:
        return str(context.principal_arn)
    name = names.partition("/")[0]
    role = spelled("role", name)
    return str(role["Arn"]) if role else f"arn:aws:iam::{context.principal_account}:role/{name}"


def _listed(values: object) -> list[str]:
    return [str(one) for one in values] if isinstance(values, list) else [str(values)]
