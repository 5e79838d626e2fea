"""What a role may, and who may be it: asked by services that act in a role which somebody gave them.

Source: IAM user guide, "Policy evaluation logic" and "IAM roles: Creating a role to delegate permissions to an AWS
service".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.iam_evaluator import EvalContext
from ministack.core.responses import get_region
from ministack.services import iam

_ROLE = ":role/"


@dataclass(frozen=True, slots=True)
class Role:
    """A role that exists, as a service acts in it.

    Attributes:
        account: whose it is.
        name: without its path.
        arn: its ARN, with its path.
        session: the name of the session that the service begins.
    """

    account: str
    name: str
    arn: str
    session: str = "session"
    _record: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def acts_as(self) -> str:
        """The ARN of the session."""
        return f"arn:aws:sts::{self.account}:assumed-role/{self.name}/{self.session}"

    def trusts_service(self, service: str, context: Mapping[str, str]) -> bool:
        """Whether an AWS service may be this role.

        Args:
            service: such as `events.amazonaws.com`.
            context: the condition keys the service sends, such as `aws:SourceArn`.
        """
        asked = _context("", "Service", "", "sts:AssumeRole", self.arn, context)
        decided = iam_evaluator.evaluate_resource_policy(self._trust, asked, service=service)
        return bool(decided.decision == "Allow")

    def trusts(self, other: Role) -> bool:
        """Whether another role may be this one, by this one's trust policy and by what the other may."""
        asked = _context(other.acts_as, "AssumedRole", other.account, "sts:AssumeRole", self.arn, {})
        named = iam_evaluator.evaluate_resource_policy(self._trust, asked).decision == "Allow"
        return named and other.may("sts:AssumeRole", self.arn)

    def may(
        self, action: str, resource: str, context: Mapping[str, Any] | None = None, *, policy: object = None
    ) -> bool:
        """Whether the role may do something, by its policies, its boundary and the policy of what it does it to.

        Args:
            action: by IAM's name.
            resource: an ARN.
            context: condition keys of the request.
            policy: of the resource, which may be in another account; None where it has none.
        """
        asked = _context(self.acts_as, "AssumedRole", self.account, action, resource, context or {})
        limits = iam_evaluator._permissions_boundary(iam._roles, self.name, self.account)
        given = iam_evaluator._gather_role_policies(self.name, self.account)
        decided = iam_evaluator.evaluate(asked, given, *limits)
        owner = resource.split(":")[4] or None
        return bool(
            iam_evaluator.combine_resource_policy(decided, asked, policy, owner, limits=tuple(limits)).decision
            == "Allow"
        )

    @property
    def _trust(self) -> object:
        return self._record.get("AssumeRolePolicyDocument", "")


def find(arn: str, session: str = "session") -> Role | None:
    """The role of an ARN; None where there is none.

    Args:
        arn: of a role of any account.
        session: what the session of whoever acts in it is called.
    """
    if _ROLE not in arn:
        return None
    account, name = arn.split(":")[4], arn.rpartition("/")[2]
    record = iam._roles.get_scoped(account, None, name)
    return Role(account, name, record["Arn"], session, record) if record and record["Arn"] == arn else None


def named(account: str, name: str, session: str = "session") -> Role | None:
    """The role of a name in an account, whatever its path; None where there is none."""
    record = iam._roles.get_scoped(account, None, name)
    return Role(account, name, record["Arn"], session, record) if record else None


def _context(
    principal: str, kind: str, account: str, action: str, resource: str, keys: Mapping[str, Any]
) -> EvalContext:
    return EvalContext(
        principal_arn=principal,
        principal_type=kind,
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=get_region(),
        service_context={name.lower(): value for name, value in keys.items()},
    )
