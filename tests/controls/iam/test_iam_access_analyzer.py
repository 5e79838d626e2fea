"""iam-access-analyzer: in each region somebody looks for access from outside; what is there already is enough."""

from __future__ import annotations

from typing import Any

import pytest

from local.moto_analyzers import accessanalyzer_backends
from plumbline.controls.iam.iam_access_analyzer import CONTROL, detect, locate, observe, plan
from plumbline.core.calls import Call
from plumbline.core.control import Deviation
from plumbline.core.targets import Target
from tests.story import ACCOUNT, HOME, Story, World, world

HERE = Target(ACCOUNT, HOME, "access-analyzer", "external-access")
MISSING = Deviation("is not there: nobody looks for access from outside", ("no analyzer",))


def _made(world: World, name: str, kind: str, status: str = "ACTIVE") -> Target:
    world.client("accessanalyzer", HOME).create_analyzer(analyzerName=name, type=kind)
    accessanalyzer_backends[ACCOUNT][HOME].analyzers[name]["status"] = status
    return HERE


def _none(_world: World) -> Target:
    return HERE


STORIES = (
    Story("there is none", CONTROL.id, _none),
    Story(
        "one looks for what nobody uses, under our name",
        CONTROL.id,
        lambda told: _made(told, "plumbline-external-access", "ACCOUNT_UNUSED_ACCESS"),
    ),
    Story("one has failed", CONTROL.id, lambda told: _made(told, "own", "ACCOUNT", "FAILED"), alert_only=True),
)


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        ("ACCOUNT", "ACTIVE", None),
        ("ACCOUNT", "CREATING", None),
        ("ORGANIZATION", "ACTIVE", None),
        ("ACCOUNT", "DISABLED", Deviation("does not work: own is DISABLED", ("DISABLED",))),
        ("ACCOUNT_UNUSED_ACCESS", "ACTIVE", MISSING),
        ("ORGANIZATION_UNUSED_ACCESS", "ACTIVE", MISSING),
        ("ACCOUNT_INTERNAL_ACCESS", "ACTIVE", MISSING),
    ],
)
def test_whoever_looks_for_access_from_outside_is_enough(kind: str, status: str, expected: Any) -> None:
    with world() as told:
        _made(told, "own", kind, status)
        assert expected == detect(observe(told.accounts.eyes(ACCOUNT, HOME), HERE), {})


def test_one_that_works_counts_beside_one_that_does_not() -> None:
    with world() as told:
        _made(told, "a", "ACCOUNT", "FAILED")
        _made(told, "b", "ORGANIZATION")
        assert detect(observe(told.accounts.eyes(ACCOUNT, HOME), HERE), {}) is None


def test_each_region_has_its_own() -> None:
    with world() as told:
        _made(told, "own", "ACCOUNT")
        elsewhere = observe(told.accounts.eyes(ACCOUNT, "us-west-2"), Target(ACCOUNT, "us-west-2", HERE.kind, HERE.id))
    assert MISSING == detect(elsewhere, {})


def test_ours_takes_a_name_that_nobody_has_and_the_undo_deletes_no_other() -> None:
    with world() as told:
        _made(told, "plumbline-external-access", "ACCOUNT_UNUSED_ACCESS")
        state = observe(told.accounts.eyes(ACCOUNT, HOME), HERE)
    repair = plan(HERE, state, {})
    name = {"analyzerName": "plumbline-external-access-2"}
    made = Call("accessanalyzer", "CreateAnalyzer", {**name, "type": "ACCOUNT"}, absent=("ConflictException",))
    assert repair.do == (made,)
    assert repair.undo == (Call("accessanalyzer", "DeleteAnalyzer", name, absent=("ResourceNotFoundException",)),)
    assert repair.resources == (f"arn:*:access-analyzer:{HOME}:{ACCOUNT}:analyzer/plumbline-external-access-2",)


def test_a_deleted_one_is_looked_for_where_it_was_deleted() -> None:
    detail = {"recipientAccountId": ACCOUNT, "awsRegion": "eu-west-1", "eventName": "DeleteAnalyzer"}
    assert [HERE] == [*locate(detail)]
