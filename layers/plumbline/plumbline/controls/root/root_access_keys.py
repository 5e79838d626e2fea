"""The root user has no access key.

Holds: root has no access key, active or not. A key that was made and deleted again before anybody looked is told too.
Why: a key of root's can do everything, from anywhere and without a second factor, no policy of the account limits it,
and nothing needs one. Whoever finds it in a script, a backup or a repository has the account.
Repair: none; no call but root's own deletes it. You are told at once and each day, with what to choose where.
Undo: none; nothing is changed.
Source: IAM user guide, Root user best practices, and Delete access keys for the root user; IAM API reference,
GetAccountSummary; CIS AWS Foundations Benchmark, 2.4.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import timedelta

from plumbline.controls.root._root import BY_ROOT, CENTRALLY, SIGN_IN, credentials, found, its_own
from plumbline.core.calls import Ask, Plan
from plumbline.core.cause import Event
from plumbline.core.clock import Clock, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.targets import State, Target

KIND = "root-access-keys"


def locate(detail: Event) -> Iterable[Target]:
    """The root user, where it is about a key of its own."""
    return its_own(detail, KIND)


def find(ask: Ask) -> Iterable[Target]:
    """The account has one."""
    return found(ask, KIND)


def observe(ask: Ask, _target: Target) -> State:
    """Whether root has a key; AWS tells neither how many nor which."""
    return {"keys": credentials(ask)["keys"]}


def detect(state: State, _settings: Settings) -> Deviation | None:
    """Any."""
    assert state is not None  # noqa: S101 - an account always has a root user
    return Deviation("has an access key", ("access key",)) if state["keys"] else None


def announced(_ask: Ask, detail: Event, state: State, _settings: Settings) -> str:
    """A key that was made, where root has none any more."""
    made = detail.get("eventName") == "CreateAccessKey" and [*locate(detail)]
    return "was given an access key" if made and state is not None and not state["keys"] else ""


def describe(state: State) -> str:
    """Whether there is one."""
    return "root has an access key" if state and state["keys"] else "root has no access key"


def plan(_target: Target, _state: State, _settings: Settings, _facts: Container[str] = EVERY, /) -> Plan:
    """Only root can: what to choose where."""
    return Plan(
        refusal=f"only root can. {SIGN_IN}; in the section Access keys select the key, and under Actions choose "
        "Delete, then Deactivate, type the key's id, and choose Delete (IAM user guide, Delete access keys for the "
        "root user). Where something may be using it, choose Deactivate alone first, which can be taken back, and give "
        f"that a role. Or {CENTRALLY}"
    )


CONTROL = Control(
    id="root-access-keys",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.CRITICAL,
    response=Response.ALERT,
    clocks={"default": Clock(every=timedelta(days=1), escalate=timedelta(days=1))},
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    wakes_on=(
        On("iam.amazonaws.com", ("CreateAccessKey", "DeleteAccessKey", "UpdateAccessKey"), locate, match=BY_ROOT),
    ),
    reads=frozenset({"iam:GetAccountSummary"}),
    writes=frozenset(),
    noun="the root user",
    find=find,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    announces=announced,
    answers={"cis-7.0": ("2.4",), "ssb": ("ACCT.02",)},
)
