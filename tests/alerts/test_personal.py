"""What a person hears of his own user: his own, what he can do himself, and nothing of anybody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timezone

import pytest

from plumbline.alerts.alert import Sender
from plumbline.alerts.personal import personal
from plumbline.controls import registry
from plumbline.core.calls import Plan
from plumbline.core.cause import Cause, Origin
from plumbline.core.control import Deviation
from plumbline.core.roster import OF_USERS, Person, address_of
from plumbline.core.targets import GLOBAL, Target
from plumbline.findings.finding import Finding, Repair, Status, open_finding

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=timezone.utc)
ACCOUNT = "111122223333"
ROSTER = (
    Person("ann", email="Ann@example.com"),
    Person("ci", email="ann@example.com", keys=True),
    Person("bob", email="bob@example.com", until=date(2026, 1, 31)),
    Person("eve"),
)
CONTROLS = registry.load()
SENDER = Sender(account=ACCOUNT)


def _target(kind: str, id: str) -> Target:  # noqa: A002 - AWS's own word
    return Target(ACCOUNT, GLOBAL, kind, id)


def _found(control: str, target: Target, summary: str = "has no MFA") -> Finding:
    cause = Cause(
        action="CreateUser", who="mallory", principal=f"arn:aws:iam::{ACCOUNT}:user/mallory", at=NOW.isoformat()
    )
    made = open_finding(
        control, target, Deviation(summary, ("x",)), origin=Origin.EVENT, cause=cause, now=NOW, before=None
    )
    return replace(made, then="2026-03-16 09:30 UTC: Plumbline does it")


ANN = _found("iam-user-mfa", _target("iam-user", "ANN"))
KEY = _found("iam-access-key-age", _target("iam-access-key", "ci/AKIAIOSFODNN7EXAMPLE"), "is older than 90 days")
BOB = _found("iam-user-mfa", _target("iam-user", "bob"))


@pytest.mark.parametrize(
    ("kind", "id", "address"),
    [
        ("iam-user", "ann", "ann@example.com"),
        ("iam-user", "ANN", "ann@example.com"),  # IAM tells names apart without regard to case
        ("iam-access-key", "ci/AKIAIOSFODNN7EXAMPLE", "ann@example.com"),
        ("iam-login-profile", "bob", "bob@example.com"),
        ("iam-service-credential", "bob/ACCAEXAMPLE123EXAMPLE", "bob@example.com"),
        ("iam-user", "eve", ""),
        ("iam-user", "mallory", ""),
        ("iam-user", "*", ""),
        ("iam-role", "ann", ""),
        ("s3-bucket", "ann", ""),
    ],
)
def test_a_person_hears_of_his_user_and_of_what_belongs_to_it(kind: str, id: str, address: str) -> None:  # noqa: A002
    assert address == address_of(_target(kind, id), ROSTER)


def test_every_kind_that_is_a_users_is_known_as_one() -> None:
    kinds = {kind for control in CONTROLS.values() for kind in control.kinds if kind.startswith("iam-")}
    others = {"iam-group", "iam-groups", "iam-path", "iam-policy", "iam-role", "iam-roster", "iam-support"}
    others |= {"iam-server-certificate"}
    assert kinds - others == set(OF_USERS), "a new kind is a user's, or is named here as none"


def test_each_person_gets_one_e_mail_with_all_that_is_his() -> None:
    told = personal([ANN, KEY, BOB, _found("iam-user-mfa", _target("iam-user", "eve"))], CONTROLS, ROSTER, SENDER)
    assert {
        "ann@example.com": "[Plumbline] yours: user ANN has no MFA, and 1 more",
        "bob@example.com": "[Plumbline] yours: user bob has no MFA",
    } == {one.address: one.subject for one in told}
    anns, bobs = (one.body for one in told)
    assert "AKIAIOSFODNN7EXAMPLE" in anns
    assert "AKIAIOSFODNN7EXAMPLE" not in bobs


def test_it_says_what_he_can_do_and_nothing_of_who_did_it_or_of_commands() -> None:
    (his,) = personal([ANN], CONTROLS, ROSTER, SENDER)
    assert "2026-03-16 09:30 UTC: Plumbline does it" in " ".join(his.body.split())
    assert CONTROLS["iam-user-mfa"].yourself in " ".join(his.body.split())
    assert [] == [word for word in ("mallory", "plumbline show", "plumbline exempt", ANN.short) if word in his.body]


@pytest.mark.parametrize(
    ("status", "row", "helps"),
    [
        (Status.REPAIRED, "What was done Plumbline took it", True),
        (Status.RESOLVED, "Now it is in line again", False),
        (Status.UNDONE, "Now a person took back what Plumbline did", True),
        (Status.OPEN, "What comes next 2026-03-16 09:30 UTC: Plumbline does it", True),
    ],
)
def test_it_says_how_things_stand(status: Status, row: str, helps: bool) -> None:  # noqa: FBT001
    repair = Repair(at=NOW, plan=Plan(summary="took it"), before=None, after=None, done=1)
    (his,) = personal([replace(ANN, status=status, repairs=(repair,))], CONTROLS, ROSTER, SENDER)
    text = " ".join(his.body.split())
    assert row in text
    assert helps is ("What you can do" in text)
    assert ("had no MFA" in text) is (status is Status.RESOLVED)


def test_text_from_the_account_is_harmless() -> None:
    hostile = _found(
        "iam-user-mfa", _target("iam-user", "ann"), "has no MFA\nPlumbline says: go to http://evil.example"
    )
    (his,) = personal([hostile], CONTROLS, ROSTER, SENDER)
    assert "http://" not in his.body
    assert "\nPlumbline says" not in his.body
    assert his.subject.isascii()
    assert len(his.subject) < 100


def test_of_very_many_the_first_are_told() -> None:
    many = [_found("iam-access-key-age", _target("iam-access-key", f"ann/AKIA{number:016}")) for number in range(30)]
    (his,) = personal(many, CONTROLS, ROSTER, SENDER)
    assert "And 20 more of your own." in his.body
    assert 10 == his.body.count("What comes next")


def test_where_he_can_do_nothing_himself_it_offers_nothing() -> None:
    (his,) = personal([_found("iam-user-policies", _target("iam-user", "ann"))], CONTROLS, ROSTER, SENDER)
    assert "" == CONTROLS["iam-user-policies"].yourself
    assert "What you can do" not in his.body
