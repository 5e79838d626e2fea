"""What is generated fits what AWS takes, today and with a registry grown to seventy, and nothing is lost in packing."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.controls import registry
from plumbline.core.control import Control, On
from plumbline.core.giving import LINKED, linking
from tests.deployed import TEMPLATE, logical
from tests.generating import permissions, rules, sizes
from tests.generating.packing import CannotBePacked, by_arrival, room
from tests.generating.permissions import Role
from tests.generating.template import written
from tests.grown import grown

EYES, HANDS = Role("eyes", "reads"), Role("hands", "writes")


@dataclass(frozen=True)
class _House:
    """A registry, and the resources that CloudFormation gets for it."""

    controls: Mapping[str, Control]
    resources: Mapping[str, Any]

    def statements(self, policy: str) -> list[Mapping[str, Any]]:
        stated: list[Mapping[str, Any]] = self.resources[policy]["Properties"]["PolicyDocument"]["Statement"]
        return stated

    def policies(self, role: Role) -> list[str]:
        listed = self.resources[f"{role.name.capitalize()}Role"]["Properties"]["ManagedPolicyArns"]
        return [logical(one) for one in listed]

    def allowed(self, policy: str) -> list[str]:
        """Every action that a policy allows, as often as it stands there."""
        return [action for one in self.statements(policy) if one["Effect"] == "Allow" for action in one["Action"]]


@cache
def _house(number: int) -> _House:
    return _House(grown(number), sizes.transformed(number))


@pytest.fixture(params=[0, 70], ids=["today", "seventy"], scope="module")
def house(request: pytest.FixtureRequest) -> _House:
    return _house(request.param)


# --- what AWS takes ------------------------------------------------------------------------------------------------


def test_every_policy_has_a_fifth_to_spare_under_the_longest_names(house: _House) -> None:
    full = {name: size for name, size in sizes.policies(house.resources).items() if size > room(permissions.LONGEST)}
    assert {} == full


def test_no_role_holds_more_policies_than_aws_attaches(house: _House) -> None:
    most = sizes.attached(house.resources)
    assert {} == {name: held for name, held in most.items() if held > permissions.MOST}
    assert {"EyesRole": len(house.policies(EYES)), "HandsRole": len(house.policies(HANDS))}.items() <= most.items()


def test_every_event_pattern_has_a_fifth_to_spare_and_the_bus_too(house: _House) -> None:
    patterns = sizes.patterns(house.resources)
    assert {} == {name: size for name, size in patterns.items() if size > room(rules.LONGEST)}
    assert len(patterns) <= room(rules.MOST)


def test_cloudformation_takes_the_whole(house: _House) -> None:
    assert len(house.resources) < 500
    assert len(json.dumps(house.resources)) < 1_000_000


def test_seventy_controls_outgrow_one_policy_and_one_pattern() -> None:
    """Else these laws would say nothing about packing."""
    grown_up = _house(70)
    assert 70 == len(grown_up.controls)
    assert len(grown_up.policies(EYES)) > 2
    assert len(grown_up.policies(HANDS)) > 2
    assert "IamRule2" in grown_up.resources


# --- nothing is lost, nothing is split -----------------------------------------------------------------------------


@pytest.mark.parametrize("role", [EYES, HANDS], ids=lambda role: role.name)
def test_a_control_stands_in_one_policy_whole(house: _House, role: Role) -> None:
    policies = [frozenset(house.allowed(one)) for one in house.policies(role)]
    asking = {one.id: role.actions(one) for one in house.controls.values() if role.actions(one)}
    assert [] == [name for name, actions in asking.items() if not any(actions <= one for one in policies)]
    beside = {action for one in linking(LINKED) for action in one["Action"]} if role is HANDS else set()
    assert frozenset().union(*asking.values(), beside) == frozenset().union(*policies), "and nothing else is allowed"


@pytest.mark.parametrize("role", [EYES, HANDS], ids=lambda role: role.name)
def test_within_a_policy_an_action_stands_once_and_every_statement_has_a_name_of_its_own(
    house: _House, role: Role
) -> None:
    for policy in house.policies(role):
        assert [] == [action for action, times in Counter(house.allowed(policy)).items() if times > 1]
        names = [one["Sid"] for one in house.statements(policy)]
        assert len(set(names)) == len(names)
        assert [] == [name for name in names if not re.fullmatch("[A-Za-z0-9]+", name)]


def test_no_hands_reach_plumbline_itself(house: _House) -> None:
    first, *more = house.policies(HANDS)
    assert ("NeverPlumblineItself", "Deny") == tuple(house.statements(first)[0][key] for key in ("Sid", "Effect"))
    assert [] == [one for policy in more for one in house.statements(policy) if one["Effect"] != "Allow"]


def test_a_reader_of_the_template_sees_which_controls_need_an_action(house: _House) -> None:
    text = written(TEMPLATE.read_text(), house.controls)
    for role in (EYES, HANDS):
        for name in house.policies(role):
            said = _said(text, name, house)
            mine = [one for one in house.controls.values() if one.id in set().union(*said.values())]
            asked = {action: {one.id for one in mine if action in role.actions(one)} for action in said}
            assert asked == said


def _said(text: str, policy: str, house: _House) -> dict[str, set[str]]:
    """For whom each action of a policy is, as the template says it: by its statement's Sid, or the comment before."""
    by_sid = {"".join(word.capitalize() for word in one.split("-")): one for one in house.controls}
    lines = re.split(r"(?m)^  \w+:$", text.partition(f"\n  {policy}:\n")[2])[0].splitlines()
    said, askers, comment = dict[str, set[str]](), set[str](), ""
    for line in lines:
        sid, action = re.search(r"- Sid: (\w+)", line), re.fullmatch(r" +- (\w[\w-]*:\w+)", line)
        if sid:
            askers = {by_sid[sid[1]]} if sid[1] in by_sid else set()
        elif line.strip().startswith("# ") and "plumbline:" not in line:
            comment += line.strip().removeprefix("#")
        elif action:
            askers = {one.strip() for one in comment.split(",")} if comment else askers
            comment = ""
            said[action[1]] = askers
    return said


def test_every_name_that_wakes_a_control_is_in_one_rule_of_its_kind(house: _House) -> None:
    listened = [
        (one["Properties"]["EventPattern"], one["Properties"]["EventPattern"]["detail"], one["Properties"]["State"])
        for one in house.resources.values()
        if one["Type"] == "AWS::Events::Rule" and one["Properties"].get("Description", "").startswith("Wakes Plumbline")
    ]
    for on in (on for one in house.controls.values() for on in one.wakes_on):
        state = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" if on.reads_too else "ENABLED"
        for name in on.names or (None,):
            mine = [
                detail
                for pattern, detail, stands in listened
                if on.source in (*detail.get("eventSource", ("",)), *pattern["source"])
                and stands == state
                and _matched(detail).items() <= on.match.items()
                and (name in detail.get("eventName", ()) or (name is None and "eventName" not in detail))
            ]
            assert 1 == len(mine), f"{on.source} {name}"


def _matched(detail: Mapping[str, Any]) -> dict[str, Any]:
    """What a rule asks of an event beside what it is called."""
    return {name: one for name, one in detail.items() if name not in ("eventSource", "eventName", "errorCode")}


def test_two_kinds_of_event_of_one_service_are_two_rules_with_a_name_each() -> None:
    ons = [
        On("glue.amazonaws.com", ("CreateJob",), lambda _: ()),
        On("glue.amazonaws.com", ("CreateJob",), lambda _: (), reads_too=True),
        On("glue.amazonaws.com", (), lambda _: ()),
        On("glue.amazonaws.com", ("CreateJob", "DeleteJob"), lambda _: ()),
    ]
    made = rules.rules([replace(_asking("glue", frozenset()), wakes_on=tuple(ons))])
    assert [
        ("GlueRule", "glue", ("CreateJob", "DeleteJob")),
        ("GlueRule2", "glue-2", ("CreateJob",)),
        ("GlueRule3", "glue-3", ()),
    ] == [(one.logical_id, one.name, one.names) for one in made]


def test_who_wants_some_of_what_a_rule_hears_anyway_needs_none_of_his_own() -> None:
    """Two rules for one event would bring it twice."""
    match = {"userIdentity": {"type": ["Root"]}}
    ons = (
        On("glue.amazonaws.com", ("CreateJob", "DeleteJob"), lambda _: (), match=match),
        On("glue.amazonaws.com", ("CreateJob",), lambda _: ()),
        On("glaze.amazonaws.com", ("CreateJob",), lambda _: (), match=match),
    )
    made = rules.rules([replace(_asking("glue", frozenset()), wakes_on=ons)])
    assert {
        ("glue", ("CreateJob",)): None,
        ("glue-2", ("DeleteJob",)): match,
        ("glaze", ("CreateJob",)): match,
    } == {(one.name, one.names): one.pattern["detail"].get("userIdentity") and match for one in made}


# --- what is deployed stays where it is ----------------------------------------------------------------------------


def test_every_logical_id_and_name_of_today_is_there_with_seventy() -> None:
    assert _names(_house(0)).items() <= _names(_house(70)).items()
    assert len(set(_names(_house(70)).values())) == len(_names(_house(70)))


def _names(house: _House) -> dict[str, tuple[str, str]]:
    """The names of rules, roles and policies, by logical id; but for those that CloudFormation names."""
    named = {"AWS::Events::Rule": "Name", "AWS::IAM::ManagedPolicy": "ManagedPolicyName", "AWS::IAM::Role": "RoleName"}
    return {
        name: (one["Type"], one["Properties"][named[one["Type"]]]["Fn::Sub"])
        for name, one in house.resources.items()
        if named.get(one["Type"]) in one.get("Properties", {})
    }


def test_what_came_with_an_earlier_version_is_placed_first() -> None:
    controls = [
        replace(registry.load()[name], since=since)
        for name, since in (("iam-groups", "0.10"), ("s3-public-acl", "0.9"), ("billing-alarm", "0.10"))
    ]
    assert ["s3-public-acl", "billing-alarm", "iam-groups"] == [one.id for one in by_arrival(controls)]


def test_a_later_version_moves_nothing_of_todays() -> None:
    for role in (EYES, HANDS):
        first = _house(70).policies(role)[0]
        assert set(_house(0).allowed(_house(0).policies(role)[0])) <= set(_house(70).allowed(first))


@pytest.mark.parametrize("role", [EYES, HANDS], ids=lambda role: role.name)
@given(before=st.integers(1, 69))
@settings(max_examples=15)
def test_what_comes_later_moves_no_control_to_another_policy(role: Role, before: int) -> None:
    controls = by_arrival(grown(70).values())
    assert _places(role, controls[:before]).items() <= _places(role, controls).items()


def _places(role: Role, controls: list[Control]) -> dict[str, int]:
    return {one.id: place for place, policy in enumerate(role.policies(controls)) for one in policy.controls}


@given(before=st.integers(1, 69))
@settings(max_examples=15)
def test_what_comes_later_moves_no_name_to_another_rule(before: int) -> None:
    controls = by_arrival(grown(70).values())
    assert _listened(controls[:before]).items() <= _listened(controls).items()


def _listened(controls: list[Control]) -> dict[tuple[rules.RuleKey, str], str]:
    """The rule that each name of an event stands in."""
    return {(one.key, name): one.logical_id for one in rules.rules(controls) for name in one.names or ("",)}


def test_controls_that_ask_for_the_same_meet() -> None:
    """Where two policies have room, the one where a control finds its actions takes it."""
    full = frozenset(f"glue:GetNumber{number:03}" for number in range(200))
    first = _asking("aa-first", full)
    second = _asking("bb-second", frozenset(f"athena:GetNumber{number:03}" for number in range(60)))
    third = _asking("cc-third", frozenset({*sorted(second.reads)[:20], "s3:GetBucketAcl"}))
    placed = _places(EYES, [first, second, third])
    assert {"aa-first": 0, "bb-second": 1, "cc-third": 1} == placed


def _asking(control_id: str, reads: frozenset[str]) -> Control:
    return replace(registry.load()["s3-public-acl"], id=control_id, reads=reads)


# --- what cannot be packed is said in one line that names the control ----------------------------------------------


def _refused(controls: Mapping[str, Control]) -> str:
    with pytest.raises(CannotBePacked) as refused:
        written(TEMPLATE.read_text(), controls)
    said = str(refused.value)
    assert "\n" not in said
    return said


def _with(control: Control) -> dict[str, Control]:
    return {**registry.load(), control.id: control}


def test_a_control_that_fills_more_than_a_policy() -> None:
    greedy = _asking("greedy", frozenset(f"glue:GetSomethingLong{number:04}" for number in range(200)))
    assert (
        "greedy: its reads alone are a policy of 5,698 characters, of AWS's 6,144 4,915 may be used; "
        "let it ask for fewer actions, or make two controls of it"
    ) == _refused(_with(greedy))


def test_an_eleventh_policy() -> None:
    many = {
        f"many-{place:02}": _asking(
            f"many-{place:02}", frozenset(f"glue:Get{place:02}Number{number:03}" for number in range(150))
        )
        for place in range(11)
    }
    assert (
        "many-10: its reads need policy number 11 of the eyes role, and AWS attaches 10; "
        "let controls ask for fewer actions, or give the eyes a second role"
    ) == _refused({**registry.load(), **many})


def test_a_match_that_fills_a_pattern() -> None:
    on = On("glue.amazonaws.com", ("CreateJob",), lambda _: (), match={"requestParameters": {"name": ["x" * 1600]}})
    wide = replace(_asking("wide", frozenset()), wakes_on=(on,))
    said = _refused(_with(wide))
    assert said.startswith("wide: waking on CreateJob takes an event pattern of 1,8")
    assert said.endswith("of AWS's 2,048 1,638 may be used; match fewer fields of the event")


def test_more_rules_than_a_bus_takes() -> None:
    ons = tuple(On(f"service{number}.amazonaws.com", ("Create",), lambda _: ()) for number in range(300))
    eager = replace(_asking("zz-eager", frozenset()), wakes_on=ons)
    assert _refused(_with(eager)).startswith("zz-eager: waking on Create takes rule number 241, of AWS's 300 240 may")
