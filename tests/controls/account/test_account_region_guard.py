"""account-region-guard: groups of the baseline carry the denial of other regions, once regions are declared."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from plumbline.controls.account.account_region_guard import CONTROL, detect, part, plan
from plumbline.core.targets import GLOBAL, Target
from plumbline.rights.account import Principal
from plumbline.rights.effective import may
from tests.deployed import STACK, as_deployed, properties, transformed
from tests.story import ACCOUNT, Story, World

TARGET = Target(ACCOUNT, GLOBAL, "iam-groups", "baseline")
OWN = f"arn:aws:iam::{ACCOUNT}:policy/plumbline/plumbline"
GROUPS = {"administrators": ["AdministratorAccess"], "team": ["ReadOnlyAccess"], "gone": ["ReadOnlyAccess"]}
SAID = {"account-regions": {"allowed": ["eu-west-2", "eu-west-1"]}, "iam-groups": {"groups": GROUPS}}
SETTINGS = {"elsewhere": SAID}


def _unguarded(world: World) -> Target:
    iam = world.client("iam")
    denied = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_policy(
            PolicyName="plumbline-regions",
            Path="/plumbline/",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [denied]}),
        )
    for name in ("administrators", "team"):
        with suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_group(GroupName=name)
    return TARGET


STORIES = (Story("a group may do things anywhere", CONTROL.id, _unguarded, settings=SETTINGS),)


def _state(**groups: list[str]) -> dict[str, Any]:
    return {"partition": "aws", "guard": f"{OWN}-guard", "groups": {"administrators": [], **groups}}


def test_a_group_without_it_is_told_and_gets_it_and_the_administrators_do_not() -> None:
    found = detect(_state(team=[], others=[]), SETTINGS)
    assert found
    assert "lets users do things outside eu-west-1, eu-west-2" == found.summary
    assert ("team does not carry the region guard",) == found.items
    (step,) = plan(TARGET, _state(team=[]), SETTINGS).steps
    assert {"GroupName": "team", "PolicyArn": f"{OWN}-regions"} == step.do.parameters
    assert ["DetachGroupPolicy"] == [call.operation for call in step.undo]
    assert detect(_state(team=[f"{OWN}-regions"]), SETTINGS) is None


def test_nothing_is_held_as_long_as_no_region_is_declared_or_the_control_that_declares_them_is_off() -> None:
    for said in ({}, {"iam-groups": {"groups": GROUPS}}, {**SAID, "account-regions": {"allowed": []}}):
        assert detect(_state(team=[]), {"elsewhere": said}) is None
    assert detect(_state(team=[]), {}) is None


def test_without_the_groups_of_the_baseline_there_is_nobody_to_carry_it() -> None:
    assert detect(_state(team=[]), {"elsewhere": {"account-regions": {"allowed": ["eu-west-1"]}}}) is None


def test_a_group_is_known_in_any_spelling() -> None:
    (step,) = plan(TARGET, _state(TEAM=[]), SETTINGS).steps
    assert "TEAM" == step.do.parameters["GroupName"]


def test_a_full_group_holds_up_no_other() -> None:
    said = {**SAID, "iam-groups": {"groups": {**GROUPS, "more": ["ReadOnlyAccess"]}}}
    state = _state(team=[f"arn:aws:iam::{ACCOUNT}:policy/p{number}" for number in range(10)], more=[])
    repair = plan(TARGET, state, {"elsewhere": said})
    assert ["more"] == [call.parameters["GroupName"] for call in repair.do]
    assert ["team does not carry the region guard"] == list(repair.left)


def test_an_undo_asks_about_the_groups_that_were_given_it_and_nothing_else() -> None:
    made = plan(TARGET, _state(team=[]), SETTINGS)
    assert part(_state(team=[]), made) != part(_state(team=[f"{OWN}-regions"]), made)
    assert part(_state(team=[]), made) == part(_state(team=["x"], others=[]), made)


# --- the text, as the stack makes it ---------------------------------------------------------------------------------


def _user() -> Principal:
    says = as_deployed(
        properties("AWS::IAM::ManagedPolicy")["RegionsPolicy"]["PolicyDocument"], transformed()["Resources"], STACK
    )
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    return Principal("arn:aws:iam::111122223333:user/ann", "ann", "user", (everything, says))


def test_nothing_can_be_done_in_other_regions_but_where_a_service_has_none() -> None:
    """Source: AWS IAM user guide, AWS: Denies access to AWS based on the requested Region."""
    for action, region, allowed in (
        ("ec2:RunInstances", "us-east-1", False),
        ("ec2:RunInstances", "eu-west-2", True),
        ("s3:PutObject", "us-west-2", False),
        ("iam:ListUsers", "us-east-1", True),
        ("route53:ListHostedZones", "us-east-1", True),
        ("ce:GetCostAndUsage", "us-east-1", True),
        ("s3:ListAllMyBuckets", "us-east-1", True),
        ("sagemaker:CreateNotebookInstance", "ap-southeast-2", False),
    ):
        assert allowed is bool(may(_user(), action, "*", {"aws:RequestedRegion": region})), f"{action} in {region}"
