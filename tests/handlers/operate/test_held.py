"""Suspended by a person, by a control, or by both: each lifts its own, and the policy goes with the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from plumbline.controls.iam._suspending import suspension
from plumbline.core.calls import Call
from plumbline.core.cause import Cause, Origin
from plumbline.core.control import Deviation
from plumbline.core.targets import GLOBAL, Target
from plumbline.findings.finding import Finding, Repair, Status, open_finding
from tests.fakes import ACCOUNT, NOBODY_AT_ALL, NOW, House
from tests.handlers.operate.test_suspending import ANN, POLICY, WHY, Account

EVE = Target(ACCOUNT, GLOBAL, "iam-user", "eve")
NOT_YET = {
    "arn": f"arn:aws:iam::{ACCOUNT}:user/eve",
    "policy": POLICY,
    "suspended": False,
    "full": False,
    "keys": [],
    "password": False,
    "left": None,
}


@dataclass
class Carrying(Account):
    """The same, whose bulk read shows who carries what."""

    names: Sequence[str] = ("eve", "mallory")

    def read(self, call: Call) -> Any:
        """See Lamps."""
        if call.operation != "GetAccountAuthorizationDetails":
            return super().read(call)
        self._maybe_fail(call)
        users = [
            {
                "UserName": name,
                "Arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
                "AttachedManagedPolicies": [{"PolicyArn": arn} for who, arn in self.holds if who == name],
            }
            for name in self.names
        ]
        return {**NOBODY_AT_ALL, "UserDetailList": users} if call.parameters["Filter"] == ["User"] else NOBODY_AT_ALL


def _suspended_by_a_control(control: str = "iam-idle-users") -> Finding:
    found = open_finding(
        control, EVE, Deviation("is idle", ("suspended",)), origin=Origin.SWEEP, cause=Cause(), now=NOW, before=None
    )
    made = Repair(NOW, suspension(EVE, NOT_YET, {}, ("suspended",)), before=NOT_YET, done=1, held=True)
    return replace(found, status=Status.REPAIRED, repairs=(made,), closed_at=NOW, version=1)


def _house() -> tuple[House, Carrying]:
    account = Carrying({"hall": {"on": ["a"]}})
    return House(aws=account, operators=(ANN,)), account


def _both() -> tuple[House, Carrying, Finding, str]:
    """A control has suspended eve, and then a person has."""
    house, account = _house()
    finding = _suspended_by_a_control()
    house.ledger.findings[finding.control, EVE] = finding
    account.holds.add(("eve", POLICY))
    assert house.type("suspend", "user/eve", *WHY).ok
    return house, account, finding, house.ledger.suspended[0].id


def _said(text: str) -> str:
    return " ".join(text.split())


def test_a_release_leaves_the_suspension_of_a_control_and_says_what_lifts_it() -> None:
    house, account, finding, number = _both()
    answer = house.type("release", number)
    assert (True, [], {("eve", POLICY)}) == (answer.ok, house.ledger.suspended, account.holds)
    stands = "iam-idle-users has suspended user eve as well, and that stands: it may do nothing."
    instead = f"To let it act again, type: plumbline undo {finding.short}"
    assert f"{number} is off the list, and nothing else has changed. {stands} {instead}" == _said(answer.text)
    assert stands in _said(house.alerts.letters[-1].body)


def test_an_undo_does_not_lift_what_a_person_has_suspended_as_well() -> None:
    house, account, finding, number = _both()
    for words in (("undo", finding.short), ("undo", finding.short, "--force")):
        answer = house.type(*words)
        assert (False, {("eve", POLICY)}) == (answer.ok, account.holds)
        assert f"plumbline release {number}" in answer.text
        assert f"plumbline undo {finding.short}" in answer.text
    assert finding == house.ledger.findings[finding.control, EVE]


def test_the_same_undo_is_not_refused_for_somebody_elses_suspension() -> None:
    house, _, finding, number = _both()
    house.type("release", number)
    house.type("suspend", "user/mallory", *WHY)
    assert "as well, as S" not in house.type("undo", finding.short).text


def test_a_release_lifts_it_once_the_control_lets_go() -> None:
    house, account, finding, number = _both()
    undone = tuple(replace(one, undone=NOW) for one in finding.repairs)
    house.ledger.findings[finding.control, EVE] = replace(finding, status=Status.UNDONE, repairs=undone)
    assert house.type("release", number).ok
    assert set() == account.holds


def test_whom_only_a_control_has_suspended_is_let_go_by_an_undo() -> None:
    house, account = _house()
    finding = _suspended_by_a_control("account-roster")
    house.ledger.findings[finding.control, EVE] = finding
    account.holds.add(("eve", POLICY))
    answer = house.type("release", "user/eve")
    assert (False, {("eve", POLICY)}) == (answer.ok, account.holds)
    stands = "account-roster has suspended user eve, and that stands: it may do nothing."
    assert f"{stands} To let it act again, type: plumbline undo {finding.short}" == _said(answer.text)


def test_status_lists_both_and_whom_nobody_knows_of() -> None:
    house, account, finding, number = _both()
    account.holds.add(("mallory", POLICY))
    answer = house.type("status")
    assert (
        f"SUSPENDED {number} user eve since 2026-03-02; {finding.short} user eve by iam-idle-users; user mallory by "
        "nobody that Plumbline knows of" in _said(answer.text)
    )
    assert [
        {"user": "eve", "control": "iam-idle-users", "finding": finding.short},
        {"user": "mallory", "control": "", "finding": ""},
    ] == answer.data["suspended_by_controls"]
    assert f"whom a control SUSPENDED, type: plumbline undo {finding.short}" in _said(answer.text)


def test_status_says_who_could_not_be_seen() -> None:
    house, account = _house()
    account.fails["GetAccountAuthorizationDetails"] = ["AccessDenied"]
    assert "SUSPENDED who else is suspended cannot be seen" in _said(house.type("status").text)


def test_who_is_suspended_twice_by_a_person_is_asked_about_as_ever() -> None:
    house, _, _, number = _both()
    again = house.type("suspend", number, "--days", "30", *WHY)
    assert (True, NOW + timedelta(days=30)) == (again.ok, house.ledger.suspended[0].until)
