"""The inline policies that limit the sessions of one repair, each within what STS takes.

A repair gets one session wherever its actions and ARNs fit into one policy. Where they do not, its calls are divided
among several sessions, and each gets the ARNs that its own calls name: shorter, and narrower as well. An ARN is never
made wider to save characters. What cannot be divided further is refused before anything is written. Calls that take
rights and calls that give some have sessions of two roles.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from plumbline.core.calls import Call
from plumbline.core.control import Control
from plumbline.core.errors import AwsRefusal
from plumbline.core.giving import Maker, linking, maker

#: Characters of an inline session policy. Source: STS API reference, AssumeRole, Policy.
LONGEST = 2048
_WILD = re.compile(r"[*?]")
#: What IAM asks of whoever gives a role to a service, beside the call itself, and the parameter that does.
#: Source: IAM user guide, Grant a user permissions to pass a role to an AWS service.
_PASS, _ROLE = "iam:PassRole", "RoleArn"


@dataclass(frozen=True, slots=True)
class Session:
    """A part of a repair's calls, and the policy of the session that makes them.

    Attributes:
        control: the control whose declared writes are the most that is allowed.
        calls: the calls that this session makes.
        resources: the ARNs (IAM wildcards allowed) that it may make them on.
        by: whose session it is: that of the hands that take, of those that give, or of the house hands.
    """

    control: Control
    calls: tuple[Call, ...]
    resources: tuple[str, ...]
    by: Maker = Maker.TAKING

    @property
    def policy(self) -> str:
        """The policy as STS takes it: the actions of these calls that the control declares, on these ARNs."""
        actions = sorted({call.action for call in self.calls} & self.control.writes)
        statements = [{"Effect": "Allow", "Action": actions, "Resource": list(self.resources)}]
        passed = sorted({role for call in self.calls for role in _passed(call.parameters)})
        if passed and self.by is Maker.HOUSE:  # no other hands give anything a role
            statements.append({"Effect": "Allow", "Action": [_PASS], "Resource": passed})
        statements += linking(actions)
        return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))

    def parts(self) -> tuple[Session, ...]:
        """The same calls in sessions limited to the ARNs that their own calls name; empty where none is shorter."""
        middle = len(self.calls) // 2
        parts = [self.calls[:middle], self.calls[middle:]] if middle else [self.calls]
        named = tuple(replace(self, calls=calls, resources=named_by(calls, self.resources)) for calls in parts)
        return named if middle or named[0].resources != self.resources else ()


def sessions(
    control: Control, calls: Iterable[Call], resources: Sequence[str], *, converts: bool = False
) -> tuple[Session, ...]:
    """The sessions that make these calls, in the order of their first call: one for each service, region and role.

    Args:
        control: the one that repairs.
        calls: every call that will be made. Equal calls share a session.
        resources: the plan's ARNs. Nothing else is ever allowed.
        converts: as in `core.giving.maker`.

    Raises:
        AwsRefusal: a single call names more ARNs than a policy holds, or no role may make one of them. It is told as a
            refusal of sts:AssumeRole, for nothing has been tried by then.
    """
    clients: dict[tuple[str, str, Maker], dict[str, Call]] = {}
    for call in calls:
        by = maker(call, converts=converts)
        if control.house and by is Maker.TAKING:
            by = Maker.HOUSE
        if by is Maker.PERSON:
            raise AwsRefusal(
                "OnlyAPersonMay",
                f"{call.action} gives rights, and no role of Plumbline may make it. Nothing was written; a person must",
                Call("sts", "AssumeRole"),
            )
        clients.setdefault((call.region, call.service, by), {})[call.key] = call
    return tuple(
        part
        for (_, _, by), own in clients.items()
        for part in _fitting(Session(control, tuple(own.values()), tuple(dict.fromkeys(resources)), by))
    )


def named_by(calls: Iterable[Call], resources: Sequence[str]) -> tuple[str, ...]:
    """The ARNs of a plan that these calls need, in the plan's order.

    A call names an ARN when one of its parameters is an ARN of that pattern, or the name at the pattern's end. What
    ends in a wildcard may stand for anything, so it is always needed. Where a call names none, and nothing ends so,
    all of them are.
    """
    exact: dict[str, list[str]] = {}
    needed: set[str] = set()
    for arn in resources:
        if _WILD.search(_name(arn)):
            needed.add(arn)
        else:
            exact.setdefault(_name(arn), []).append(arn)
    may_be_anything = bool(needed)
    for call in calls:
        named = {arn for said in _strings(call.parameters) for arn in exact.get(_name(said), ()) if _means(said, arn)}
        if not named and not may_be_anything:
            return tuple(resources)
        needed |= named
    return tuple(arn for arn in resources if arn in needed)


def _fitting(session: Session) -> Iterator[Session]:
    """A session whose policy is not too long, or the parts of it that are not."""
    if len(session.policy) <= LONGEST:
        yield session
        return
    parts = session.parts()
    if not parts:
        raise AwsRefusal(
            "SessionPolicyTooLong",
            f"{session.calls[0].action} names {len(session.resources)} ARNs, which makes a session policy of "
            f"{len(session.policy):,} characters where STS takes {LONGEST:,}. Nothing was written; a person has to",
            Call("sts", "AssumeRole"),
        )
    for part in parts:
        yield from _fitting(part)


def _passed(value: Any) -> Iterator[str]:  # noqa: ANN401 - a call's parameters take any shape
    """The roles that a call gives to a service."""
    if isinstance(value, Mapping):
        if isinstance(value.get(_ROLE), str):
            yield value[_ROLE]
        for one in value.values():
            yield from _passed(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _passed(one)


def _means(said: str, arn: str) -> bool:
    """Whether a parameter that ends in this ARN's name is the name, with its path or without, or the ARN itself."""
    return arn.endswith(said) or re.fullmatch(_expression(arn), said) is not None


def _name(arn: str) -> str:
    """What stands at the end of an ARN: the name, after the kind and the path."""
    return arn.rpartition(":")[2].rpartition("/")[2]


def _expression(pattern: str) -> str:
    """A regular expression of what an IAM pattern matches."""
    return re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")


def _strings(value: Any) -> Iterator[str]:  # noqa: ANN401 - a call's parameters take any shape
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, Sequence):
        for one in value:
            yield from _strings(one)
