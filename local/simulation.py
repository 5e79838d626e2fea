"""IAM's policy simulator, which answers what the evaluator would decide without a call being made.

Stock, one resource is asked about, entities with a path are not found, and context is not read.
Source: IAM API reference, SimulatePrincipalPolicy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from ministack.core import iam_evaluator
from ministack.core.iam_evaluator import EvalContext
from ministack.core.responses import get_account_id, get_region
from ministack.services import iam

from local.entities import spelled

Parameters = Mapping[str, list[str]]
Response = tuple[int, dict[str, str], bytes]

_DECISIONS = {"Allow": "allowed", "Deny": "explicitDeny"}


def simulate_principal_policy(parameters: Parameters) -> Response:
    """SimulatePrincipalPolicy: each action on each resource, by a user's, group's or role's rights."""
    arn = (parameters.get("PolicySourceArn") or [""])[0]
    kind, _, path = arn.rpartition(":")[2].partition("/")
    entity = spelled(kind, path.rpartition("/")[2]) if kind in {"group", "role", "user"} else None
    if entity is None:
        return iam._error(404, "NoSuchEntity", escape(f"{arn} cannot be found."), ns="iam")  # type: ignore[no-any-return]
    policies, limits = _rights(kind, entity)
    results = "".join(
        _result(action, resource, _decide(arn, kind, action, resource, parameters, policies, limits))
        for action in _members(parameters, "ActionNames")
        for resource in _members(parameters, "ResourceArns") or ["*"]
    )
    body = f"<EvaluationResults>{results}</EvaluationResults><IsTruncated>false</IsTruncated>"
    name = "SimulatePrincipalPolicy"
    return iam._xml(200, f"{name}Response", f"<{name}Result>{body}</{name}Result>", ns="iam")  # type: ignore[no-any-return]


def _rights(kind: str, entity: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    account = get_account_id()
    if kind == "role":
        name = entity["RoleName"]
        return (
            iam_evaluator._gather_role_policies(name, account),
            iam_evaluator._permissions_boundary(iam._roles, name, account),
        )
    if kind == "user":
        name = entity["UserName"]
        return (
            iam_evaluator._gather_user_policies(name, account),
            iam_evaluator._permissions_boundary(iam._users, name, account),
        )
    documents = [*(iam._group_inline_policies.get(entity["GroupName"]) or {}).values()]
    documents += [
        iam_evaluator._resolve_managed_policy_document(one, account) for one in entity.get("AttachedPolicies", ())
    ]
    return [iam_evaluator.parse_policy_document(one) for one in documents if one], []


def _decide(
    arn: str,
    kind: str,
    action: str,
    resource: str,
    parameters: Parameters,
    policies: Sequence[Any],
    limits: Sequence[Any],
) -> str:
    given = dict(_context(parameters))
    known = {"aws:username": arn.rpartition("/")[2]} if kind == "user" else {}
    context = EvalContext(
        principal_arn=arn,
        principal_type="User",
        principal_account=get_account_id(),
        action=action,
        resource_arn=resource,
        region=get_region(),
        service_context=given,
        principal_keys={**known, **given},
    )
    decided = iam_evaluator.evaluate(context, list(policies), *limits).decision
    return _DECISIONS.get(decided, "implicitDeny")


def _context(parameters: Parameters) -> Iterator[tuple[str, Any]]:
    number = 1
    while f"ContextEntries.member.{number}.ContextKeyName" in parameters:
        start = f"ContextEntries.member.{number}"
        values = _members(parameters, f"{start}.ContextKeyValues")
        yield parameters[f"{start}.ContextKeyName"][0].lower(), values[0] if len(values) == 1 else values
        number += 1


def _members(parameters: Parameters, name: str) -> list[str]:
    found: list[str] = []
    while f"{name}.member.{len(found) + 1}" in parameters:
        found.append(parameters[f"{name}.member.{len(found) + 1}"][0])
    return found


def _result(action: str, resource: str, decision: str) -> str:
    return (
        f"<member><EvalActionName>{escape(action)}</EvalActionName><EvalResourceName>{escape(resource)}"
        f"</EvalResourceName><EvalDecision>{decision}</EvalDecision><MatchedStatements></MatchedStatements>"
        "<MissingContextValues></MissingContextValues></member>"
    )
