"""Somebody can open a support case.

Holds: a user or role that can be used by a person may open a support case, by all of its policies together: by
`AWSSupportAccess`, by `AdministratorAccess`, or by anything else that allows `support:CreateCase`. A user counts where
he has a console password; a role where somebody can use it: a user of that kind, a provider of identities that is
there, another account, or Identity Center. A group that nobody is in opens nothing, and no service and no machine opens
a case. Of AWS's own policies those count that are made for people: AdministratorAccess, AWSSupportAccess, Billing,
PowerUserAccess and SupportUser. Plumbline looks with each sweep, since nothing is lost by an hour.
Why: when an account is taken over or locked, AWS Support is who can help, and only somebody of the account can ask.
Root can, and is what nobody should have to use then. It is too late to find out on that day.
Repair: none; whom to choose is for you. Attach `AWSSupportAccess` to a group that somebody is in, or to a role that
somebody can use.
Undo: none; nothing is changed.
Source: CIS AWS Foundations; AWS Support user guide, Manage access to AWS Support Center; AWS managed policy reference.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from plumbline.controls.iam._principals import EVERYTHING, GONE, policies_held
from plumbline.controls.iam._way_in import WaysIn
from plumbline.core.calls import Ask, Call, Plan
from plumbline.core.clock import Clock, Response
from plumbline.core.control import EVERY, Control, Deviation, Scope, Settings, Severity
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.rights.account import Principal, account_of
from plumbline.rights.documents import Document
from plumbline.rights.effective import Memo, may
from plumbline.rights.way_in import doors, is_of_another_account, is_of_center, shut

KIND = "iam-support"
_OPENING = "support:CreateCase"
#: AWS's own policies for people that allow it, beside AdministratorAccess, whose text is known anyhow.
#: Source: AWS managed policy reference.
_ALLOWING = ("AWSSupportAccess", "PowerUserAccess", "job-function/Billing", "job-function/SupportUser")
_ALLOWED: Document = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "support:*", "Resource": "*"}],
}


@dataclass(frozen=True, slots=True)
class _People:
    """Those who might come in, as `way_in.People`; whoever has a console password can.

    Attributes:
        ask: performs reads.
        ways_in: knows the account's users and providers.
    """

    ask: Ask
    ways_in: WaysIn

    def lacks(self, user: str) -> str:
        """See `way_in.People`; MFA is another rule's business."""
        profile = self.ask(Call("iam", "GetLoginProfile", {"UserName": user}, absent=GONE))
        return "" if profile else "has no console password"

    def providers(self) -> frozenset[str]:
        """See `way_in.People`."""
        return self.ways_in.providers()

    def management(self) -> str | None:
        """Of no account here has it to be known whose it is."""
        return ""

    def users(self, role: Principal) -> Iterable[Principal]:
        """See `way_in.People`."""
        return self.ways_in.users(role)


def find(ask: Ask) -> Iterable[Target]:
    """The account has one right to open cases, whoever has it."""
    yield Target(ask.account, GLOBAL, KIND, "case")


def observe(ask: Ask, _target: Target) -> State:
    """The first who can open a case; where there is none, who may, and why nobody can."""
    everything = ask(EVERYTHING)
    account = account_of(everything, managed=_texts(everything))
    people, memo = _People(ask, ask.once(WaysIn)), Memo()
    unusable: dict[str, str] = {}
    # roles first, of which most say in their trust who comes in: of a user it has to be asked
    for one in sorted(account.principals.values(), key=lambda one: (one.kind, one.name)):
        if one.kind == "group" or not may(one, _OPENING, memo=memo):
            continue
        why = _unusable(one, people)
        if not why:
            return {"able": f"{one.kind} {one.name}", "unusable": {}}
        unusable[f"{one.kind} {one.name}"] = why
    return {"able": "", "unusable": unusable}


def _texts(everything: Mapping[str, Any]) -> dict[str, Document]:
    """What those of AWS's own policies say that somebody holds and that count here."""
    return {
        arn: _ALLOWED
        for arn in policies_held(everything)
        if ":iam::aws:policy/" in arn and arn.partition(":policy/")[2] in _ALLOWING
    }


def _unusable(one: Principal, people: _People) -> str:
    """Why nobody comes in as a user or role, as it reads after its name; empty where somebody does."""
    if one.kind == "user":
        return people.lacks(one.name)
    if is_of_center(one):
        return ""
    shut_for = ["" if is_of_another_account(door, one) else shut(door, one, people) for door in doors(one.trust)]
    return "" if "" in shut_for else next(iter(shut_for), "lets nobody in")


def detect(state: State, _settings: Settings) -> Deviation | None:
    """Nobody can."""
    assert state is not None  # noqa: S101 - an account always has a state
    return None if state["able"] else Deviation("is nobody's", ("nobody can open a support case",))


def describe(state: State) -> str:
    """Who can, or who may and cannot."""
    assert state is not None  # noqa: S101 - an account always has a state
    if state["able"]:
        return f"{state['able']} can"
    named = [f"{name} may, and {why}" for name, why in state["unusable"].items()]
    more = f"; and {len(named) - _FEW} more" if len(named) > _FEW else ""
    return "; ".join(named[:_FEW]) + more if named else "no policy lets anybody"


_FEW = 3


def plan(_target: Target, _state: State, _settings: Settings, _facts: Container[str] = EVERY, /) -> Plan:
    """None: what to do, and whom to choose, is a person's."""
    return Plan(
        refusal="whom to choose is for you: attach AWSSupportAccess to a group in which somebody has a console "
        "password, or to a role that somebody can use"
    )


CONTROL = Control(
    id="iam-support-role",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.LOW,
    response=Response.ALERT,
    clocks={"default": Clock(remind=(timedelta(days=7),), escalate=timedelta(days=30))},
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    wakes_on=(),
    reads=frozenset(
        {
            "iam:GetAccountAuthorizationDetails",
            "iam:GetLoginProfile",
            "iam:ListOpenIDConnectProviders",
            "iam:ListSAMLProviders",
        }
    ),
    writes=frozenset(),
    noun="the right to open a support case",
    find=find,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    answers={"cis-7.0": ("2.15",)},
)
