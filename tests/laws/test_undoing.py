"""What an undo asks for: that what was repaired is as it was left, and nothing of anything else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from plumbline.controls.billing._alarms import repaired
from plumbline.engine import undoing
from plumbline.findings.finding import Finding, Status
from tests.rig import NOW, Broken
from tests.story import World, stories, world

LATER = NOW + timedelta(minutes=5)
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
READ = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def _another_group(told: World) -> None:
    told.client("iam").create_group(GroupName="visitors")


def _the_group(told: World) -> None:
    told.client("iam").attach_group_policy(GroupName="data-scientists", PolicyArn=READ)


def _another_administrator(told: World) -> None:
    told.client("iam").create_user(UserName="bob")
    told.client("iam").add_user_to_group(GroupName="administrators", UserName="bob")


def _the_same_right_again(told: World) -> None:
    told.client("iam").put_user_policy(UserName="mallory", PolicyName="z", PolicyDocument=_EVERYTHING)


_EVERYTHING = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'


def _alarm(name: str, threshold: float) -> Callable[[World], None]:
    def put(told: World) -> None:
        alarm: dict[str, Any] = dict(repaired(None, name, "arn:aws:sns:us-east-1:123456789012:x", threshold))
        told.client("cloudwatch").put_metric_alarm(**alarm)

    return put


CASES = {
    "iam-groups: one policy too few and one too many": (_another_group, _the_group),
    "iam-groups: a fresh account": (_another_group, _the_group),
    "iam-admin-grants: AdministratorAccess attached to a user": (_another_administrator, _the_same_right_again),
    "billing-alarm: its threshold is raised": (_alarm("bill", 5.0), _alarm("plumbline-billing", 3.0)),
}


def _repaired(name: str, told: World) -> tuple[Broken, Any, Finding]:
    (story,) = (one for one in stories() if str(one) == name)
    broken = Broken.tell(story, told)
    plumbline = broken.install()
    finding = plumbline.engine.settle(broken.wake(), now=NOW).finding
    assert finding is not None
    assert finding.status is Status.REPAIRED
    return broken, plumbline, finding


@pytest.mark.parametrize("name", CASES)
def test_what_happened_to_something_else_is_no_reason_to_refuse(name: str) -> None:
    with world() as told:
        broken, plumbline, finding = _repaired(name, told)
        CASES[name][0](told)
        done = broken.undone(plumbline, finding, now=LATER)
        assert (done.finding.status, done.restored) == (Status.UNDONE, True)


@pytest.mark.parametrize("name", CASES)
def test_what_happened_to_what_was_repaired_is(name: str) -> None:
    with world() as told:
        broken, plumbline, finding = _repaired(name, told)
        CASES[name][1](told)
        with pytest.raises(undoing.CannotUndo, match="has changed since Plumbline repaired it"):
            undoing.undo(plumbline.engine, plumbline.ledger, finding, now=LATER)
        assert broken.undone(plumbline, finding, now=LATER, force=True)
