"""iam-role-trust: a role that anybody can assume is told of, stopped while it is new, and closed by a person."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from moto.iam.models import iam_backends

from plumbline.controls.iam.iam_role_trust import CONTROL, FOREIGN, describe, detect, observe, plan, survey
from plumbline.core.calls import Call
from plumbline.core.control import Deviation
from plumbline.core.giving import Maker, maker
from plumbline.core.targets import GLOBAL, Target
from plumbline.engine.case import Outcome
from plumbline.engine.planning import GIVES, planned
from tests.rig import NOW, Broken
from tests.story import ACCOUNT, Story, World, world

DOOR = Target(ACCOUNT, GLOBAL, "iam-role", "door")
OWN = f"arn:aws:iam::{ACCOUNT}:root"
SUSPENSION = f"arn:aws:iam::{ACCOUNT}:policy/plumbline/plumbline-suspended"
READY = "nothing keeps anybody from using it"
KNOWN: dict[str, Any] = {"accounts": []}
GITHUB = "token.actions.githubusercontent.com"


def _trust(principal: Any, **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"} | more
    return {"Version": "2012-10-17", "Statement": [statement]}


def _role(world: World, trust: dict[str, Any], *, used: bool = False, days: int = 0) -> Target:
    iam = world.client("iam")
    denied = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
    iam.create_policy(PolicyName="plumbline-suspended", Path="/plumbline/", PolicyDocument=json.dumps(denied))
    iam.create_role(RoleName="door", Path="/team/", AssumeRolePolicyDocument=json.dumps(trust))
    (role,) = iam_backends[ACCOUNT]["aws"].roles.values()
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    role.last_used = now if used else None
    role.create_date = now - timedelta(days=days)
    return DOOR


def _github(world: World) -> Target:
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{GITHUB}"
    return _role(world, _trust({"Federated": provider}, Action="sts:AssumeRoleWithWebIdentity"), days=9)


STORIES = (
    Story("a new role is open to anybody", CONTROL.id, lambda told: _role(told, _trust("*"))),
    Story("GitHub's tokens are anybody's", CONTROL.id, _github, alert_only=True),
    Story("another account", CONTROL.id, lambda told: _role(told, _trust({"AWS": "444455556666"})), alert_only=True),
)


def _seen(told: World) -> Any:
    return observe(told.accounts.eyes(ACCOUNT, GLOBAL), DOOR)


def test_a_new_role_that_is_open_is_stopped_by_plumbline_and_closed_by_a_person() -> None:
    with world() as told:
        _role(told, _trust("*"))
        state = _seen(told)
    assert Deviation("can be assumed by anybody", ("anybody", READY)) == detect(state, KNOWN)
    mine = planned(CONTROL, DOOR, state, KNOWN)
    held = {"RoleName": "door", "PolicyArn": SUSPENSION}
    assert (Call("iam", "AttachRolePolicy", held),) == mine.do
    assert (Call("iam", "DetachRolePolicy", held, absent=("NoSuchEntity",)),) == mine.undo
    assert {"anybody": GIVES} == mine.left
    assert [Maker.GIVING, Maker.PERSON] == [maker(call) for call in plan(DOOR, state, KNOWN).do]


def test_once_it_is_stopped_the_trust_alone_is_left_to_a_person() -> None:
    with world() as told:
        _role(told, _trust("*"))
        told.client("iam").attach_role_policy(RoleName="door", PolicyArn=SUSPENSION)
        state = _seen(told)
    assert Deviation("can be assumed by anybody", ("anybody",)) == detect(state, KNOWN)
    assert planned(CONTROL, DOOR, state, KNOWN).by_person
    assert "it lets in anybody; it is suspended" == describe(state)


@pytest.mark.parametrize(("used", "days"), [(True, 0), (False, 2)])
def test_what_may_be_in_use_is_not_stopped(used: bool, days: int) -> None:  # noqa: FBT001
    """AWS remembers for 400 days whether a role was used, so an old one may be used yet."""
    with world() as told:
        _role(told, _trust("*"), used=used, days=days)
        state = _seen(told)
    repair = planned(CONTROL, DOOR, state, KNOWN)
    assert (True, ["UpdateAssumeRolePolicy"]) == (repair.by_person, [call.operation for call in repair.do])


def test_the_repair_puts_the_account_in_the_place_of_anybody_and_leaves_whom_it_names() -> None:
    with world() as told:
        _role(told, _trust({"AWS": ["*", "444455556666"], "Service": "ec2.amazonaws.com"}), used=True)
        state = _seen(told)
    repair = plan(DOOR, state, {"accounts": ["444455556666"]})
    (written,) = [json.loads(call.parameters["PolicyDocument"]) for call in repair.do]
    assert _trust({"AWS": [OWN, "444455556666"], "Service": "ec2.amazonaws.com"}) == written
    assert "puts this account in the place of anybody in the role's trust" == repair.summary


def test_who_was_deleted_is_left_out_and_said_for_aws_takes_no_trust_that_names_him() -> None:
    with world() as told:
        _role(told, _trust({"AWS": ["*", "AROADBQP57FF2AEXAMPLE"]}), used=True)
        repair = plan(DOOR, _seen(told), KNOWN)
    said = [json.loads(call.parameters["PolicyDocument"])["Statement"][0] for call in (*repair.do, *repair.undo)]
    assert [{"AWS": [OWN]}, {"AWS": ["*"]}] == [one["Principal"] for one in said]
    assert repair.summary.endswith(
        "; AROADBQP57FF2AEXAMPLE stand for deleted users or roles, and AWS takes no trust that names them"
    )


def test_of_githubs_tokens_a_person_hears_what_to_add() -> None:
    with world() as told:
        _github(told)
        state = _seen(told)
    assert Deviation(f"can be assumed by anybody with a token of {GITHUB}", (f"anybody with a token of {GITHUB}",)) == (
        detect(state, KNOWN)
    )
    assert (
        f"whose tokens are meant only you can know; add a condition on {GITHUB}:sub to its trust"
        == plan(DOOR, state, KNOWN).refusal
    )


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            KNOWN,
            Deviation(
                "can be assumed by account 444455556666, which the baseline does not name",
                ("account 444455556666",),
                FOREIGN,
            ),
        ),
        ({"accounts": ["444455556666"]}, None),
        ({"accounts": ["777788889999"]}, "told"),
    ],
)
def test_another_account_is_told_unless_the_baseline_names_it(settings: Any, expected: Any) -> None:
    with world() as told:
        _role(told, _trust({"AWS": "arn:aws:iam::444455556666:role/tool"}))
        found = detect(_seen(told), settings)
    assert bool(found) if expected == "told" else expected == found


def test_the_organisations_management_account_needs_no_line() -> None:
    with world() as told:
        organization = told.client("organizations").create_organization(FeatureSet="ALL")["Organization"]
        management = organization["MasterAccountId"]
        state = {"open": [["foreign", f"account {management}", management]], "management": management}
    assert detect(state | {"new": False, "suspended": False}, KNOWN) is None


@pytest.mark.parametrize("path", ["/aws-reserved/sso.amazonaws.com/", "/aws-service-role/x.amazonaws.com/"])
def test_what_nobody_but_aws_can_change_is_left_out(path: str) -> None:
    with world() as told:
        trust = json.dumps(_trust({"AWS": "*"}))
        told.client("iam").create_role(RoleName="door", Path=path, AssumeRolePolicyDocument=trust)
        eyes = told.accounts.eyes(ACCOUNT, GLOBAL)
        assert (None, {}) == (observe(eyes, DOOR), survey(eyes))


def test_a_role_that_is_not_open_costs_one_read() -> None:
    with world() as told:
        _role(told, _trust({"AWS": OWN}))
        told.calls.clear()
        assert detect(_seen(told), KNOWN) is None
        assert ["GetRole"] == [call.operation for call in told.calls]


def test_of_a_role_in_use_the_change_is_proposed_and_nothing_is_written() -> None:
    story = Story("in use", CONTROL.id, lambda told: _role(told, _trust({"AWS": ["*", OWN]}), used=True))
    with world() as told:
        broken = Broken.tell(story, told)
        settled = broken.install().engine.settle(broken.wake(), now=NOW)
        written = broken.rig.writes
    assert settled.finding
    assert settled.finding.proposal
    assert (Outcome.TOLD, [], ["UpdateAssumeRolePolicy"]) == (
        settled.outcome,
        written,
        [call.operation for call in settled.finding.proposal.plan.do],
    )
