"""suspend and release: who may do nothing, who must not be suspended, and what is asked when the day has come."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from plumbline.core.calls import Call
from plumbline.core.control import Control
from plumbline.core.targets import Target
from plumbline.decisions.suspensions import REVOKES
from plumbline.handlers import suspension_notices
from tests.fakes import ACCOUNT, MALLORY, NOBODY_AT_ALL, NOW, House, Lamps

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
POLICY = f"arn:aws:iam::{ACCOUNT}:policy/plumbline/plumbline-suspended"
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
WHY = ("--reason", "made himself a key")
SSO = "AWSReservedSSO_Admin_0123456789abcdef"
PATHS = {
    SSO: "/aws-reserved/sso.amazonaws.com/",
    "AWSServiceRoleForSupport": "/aws-service-role/support.amazonaws.com/",
    "plumbline-react": "/plumbline/",
    "ci": "/cicd/",
}


@dataclass
class Account(Lamps):
    """Users and roles of any name but `nobody`; some have paths."""

    holds: set[tuple[str, str]] = field(default_factory=set)

    def read(self, call: Call) -> Any:
        """See Lamps."""
        if call.service != "iam":
            return super().read(call)
        self._maybe_fail(call)
        if call.operation == "GetAccountAuthorizationDetails":  # nobody is an administrator, so nobody is the last
            return NOBODY_AT_ALL
        name = str(call.parameters.get("UserName", call.parameters.get("RoleName", "")))
        kind, path = "Role" if "RoleName" in call.parameters else "User", PATHS.get(name, "/")
        if call.operation != f"Get{kind}":
            return {"Groups": [], "PolicyNames": [], "AttachedPolicies": []}
        arn = f"arn:aws:iam::{ACCOUNT}:{kind.lower()}{path}{name}"
        return {kind: {f"{kind}Name": name, "Path": path, "Arn": arn}} if name != "nobody" else None

    def hands(
        self, control: Control, target: Target, calls: Sequence[Call], resources: Sequence[str]
    ) -> Callable[[Call], bool]:
        """Writes of IAM, as far as the hands of a suspension may make them."""
        assert {call.action for call in calls} <= control.writes
        assert [target.id] == [one.rpartition("/")[2] for one in resources]

        def act(call: Call) -> bool:
            self._maybe_fail(call)
            self.calls.append(call)
            holder = (target.id, str(call.parameters.get("PolicyArn", call.parameters.get("PolicyName"))))
            (self.holds.add if call.operation.startswith("Attach") else self.holds.discard)(holder)
            return True

        return act


def _house() -> tuple[House, Account]:
    account = Account({"hall": {"on": ["a"]}})
    return House(aws=account, operators=(ANN,)), account


def _said(text: str) -> str:
    return " ".join(text.split())


def test_a_user_is_suspended_and_released() -> None:
    house, account = _house()
    answer = house.type("suspend", "user/mallory", *WHY)
    assert answer.ok
    assert {("mallory", POLICY)} == account.holds
    (one,) = house.ledger.suspended
    assert ("suspended", NOW + 7 * DAY, ()) == (one.stage, one.until, answer.perform)
    assert f"SUSPENDED {one.id} user mallory since 2026-03-02" in _said(house.type("status").text)
    assert house.type("release", one.id).ok
    assert (set(), []) == (account.holds, house.ledger.suspended)
    assert ["suspended: user mallory", "released: user mallory"] == house.alerts.subjects
    assert f"plumbline release {one.id}" in house.alerts.letters[0].body


def test_whoever_a_finding_names_is_suspended() -> None:
    house, account = _house()
    house.settle()
    house.type("suspend", house.finding.short, *WHY)
    assert {("mallory", POLICY)} == account.holds
    assert house.finding.id == house.ledger.suspended[0].finding


@pytest.mark.parametrize(
    "typed", ["role/ci", f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/session", f"arn:aws:iam::{ACCOUNT}:role/cicd/ci"]
)
def test_of_a_role_the_sessions_are_ended_by_the_person_himself(typed: str) -> None:
    house, account = _house()
    answer = house.type("suspend", typed, *WHY)
    assert {("ci", POLICY)} == account.holds
    (call,), (done, number, ticket) = answer.perform, answer.then
    document = json.loads(call["parameters"]["PolicyDocument"])
    assert ("iam", "put-role-policy", "ci", REVOKES) == (
        call["service"], call["operation"], call["parameters"]["RoleName"], call["parameters"]["PolicyName"],
    )  # fmt: skip
    assert {"DateLessThan": {"aws:TokenIssueTime": "2026-03-02T09:30:00Z"}} == document["Statement"][0]["Condition"]
    assert ("done", house.ledger.suspended[0].id, True) == (done, number, answer.ok)
    assert "no session of role ci from before is good any more" in house.type(done, number, ticket).text
    assert not house.type(done, number, ticket).ok


@pytest.mark.parametrize(("after", "left"), [(HOUR, True), (13 * HOUR, False)])
def test_ended_sessions_stay_ended_after_a_release(after: timedelta, left: bool) -> None:  # noqa: FBT001
    house, account = _house()
    house.type("suspend", "role/ci", *WHY)
    account.holds.add(("ci", REVOKES))
    answer = house.type("release", "role/ci", now=NOW + after)
    assert ({("ci", REVOKES)} if left else set()) == account.holds
    assert left is ("delete-role-policy" in answer.text)


@pytest.mark.parametrize(
    ("typed", "instead"),
    [
        (f"arn:aws:iam::{ACCOUNT}:root", "no policy of the account binds its root user"),
        ("arn:aws:iam::444455556666:user/eve", "of account 444455556666"),
        (f"arn:aws:sts::{ACCOUNT}:federated-user/eve", "neither a user nor a role"),
        (f"role/{SSO}", "Disable the user there"),
        ("role/AWSServiceRoleForSupport", "only an AWS service uses this role"),
        ("role/plumbline-react", "a role of Plumbline itself"),
        ("user/nobody", "IAM knows no user nobody"),
        ("ZZZZ", "there is no finding"),
    ],
)
def test_who_cannot_be_suspended_and_what_to_do_instead(typed: str, instead: str) -> None:
    house, account = _house()
    answer = house.type("suspend", typed, *WHY)
    assert (False, [], set()) == (answer.ok, house.ledger.suspended, account.holds)
    assert instead in _said(answer.text)


def test_nobody_suspends_himself_or_an_operator() -> None:
    house, account = _house()
    house.operators = (ANN, f"arn:aws:iam::{ACCOUNT}:user/bo")
    said = [house.type("suspend", f"user/{one}", *WHY, by=ANN) for one in ("ann", "bo")]
    assert [False, False] == [one.ok for one in said]
    assert "this is you" in said[0].text
    assert "`operators` in baseline.yaml names this user" in _said(said[1].text)
    assert set() == account.holds


def test_nobody_is_suspended_while_nobody_can_see_who_would_be_left() -> None:
    house, account = _house()
    account.fails["GetAccountAuthorizationDetails"] = ["AccessDenied"]
    answer = house.type("suspend", "user/mallory", *WHY)
    assert (False, [], set()) == (answer.ok, house.ledger.suspended, account.holds)
    assert "who else could come in as an administrator cannot be seen" in _said(answer.text)


def test_what_aws_refuses_leaves_nobody_on_the_list() -> None:
    house, account = _house()
    account.fails["AttachUserPolicy"] = ["LimitExceeded"]
    answer = house.type("suspend", "user/mallory", *WHY)
    assert (False, []) == (answer.ok, house.ledger.suspended)
    assert "as many managed policies as IAM lets it" in _said(answer.text)


def test_it_is_written_down_before_it_is_made() -> None:
    house, account = _house()
    seen: list[str] = []
    whole = account.hands

    def watched(*given: Any) -> Callable[[Call], bool]:
        seen.extend(one.stage for one in house.ledger.suspended)
        return whole(*given)

    account.hands = watched  # type: ignore[method-assign, assignment]
    house.type("suspend", "user/mallory", *WHY)
    house.type("release", "user/mallory")
    assert ["attaching", "releasing"] == seen


def test_a_reason_is_asked_for_and_suspending_again_moves_the_day() -> None:
    house, _ = _house()
    assert not house.type("suspend", "user/mallory").ok
    house.type("suspend", "user/mallory", *WHY)
    (one,) = house.ledger.suspended
    assert house.type("suspend", one.id, "--days", "30", *WHY).ok
    assert [(one.id, NOW + 30 * DAY)] == [(each.id, each.until) for each in house.ledger.suspended]


def test_nothing_is_lifted_when_the_day_has_come_and_it_is_asked_each_week() -> None:
    house, account = _house()
    house.type("suspend", "user/mallory", *WHY)
    asked = [suspension_notices.tell_due(house.plumbline, now=NOW + days * DAY) for days in (1, 7, 8, 14)]
    assert [0, 1, 0, 1] == asked
    assert ["suspended: user mallory", *["still suspended: user mallory"] * 2] == house.alerts.subjects
    assert {("mallory", POLICY)} == account.holds


def test_who_a_service_acted_for_cannot_be_named_by_a_finding() -> None:
    house, account = _house()
    house.settle(cause=replace(MALLORY, service="cloudformation.amazonaws.com"))
    answer = house.type("suspend", house.finding.short, *WHY)
    assert (False, set()) == (answer.ok, account.holds)
