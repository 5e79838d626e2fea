"""Events only say where to look: the right rule hears them, the right target is found, nothing in them misleads."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.controls import registry
from plumbline.core.control import SIGN_IN, is_of_trail
from plumbline.core.targets import ALL, GLOBAL, Target
from plumbline.decisions.exemptions import covers_nothing, exactly
from plumbline.wakes import cloudtrail, messages
from tests.eventbridge import matches, patterns, rules_woken
from tests.recorded import Recorded, at, places, put, records, without

RECORDS = [pytest.param(one, id=str(one)) for one in records()]
_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
#: What stands where something else belongs. No plausible name is among them: a name that names is no mutilation.
HOSTILE: tuple[Any, ...] = (None, "", [], {}, ["x"], [None], {"x": 1}, True, False, 3.5)
#: Sources that are not AWS's own.
FOREIGN: tuple[Any, ...] = ("evil.app", "", "aws", "awsome.app", "AWS.iam", "x aws.iam", None, ["evil.app"], {})
MUTILATED: tuple[Any, ...] = (None, "null", {}, [], 7)
UNTRUSTED = ("requestParameters", "responseElements", "userIdentity", "additionalEventData", "serviceEventDetails")


def _woken(record: Recorded, event: dict[str, Any]) -> list[Target]:
    return [wake.target for wake in messages.from_event(event, {record.control: record.rule})]


def _harmless(record: Recorded, event: dict[str, Any]) -> bool:
    """Whether it wakes nothing, its own target, or every target of that kind.

    What only events can tell is a happening, named after its day or session: there is no thing to be taken for another.
    """
    own, any_of_its_kind = record.target(), record.rule.witness is not None
    return all(
        one in (own, *_under_its_old_name(record))
        or ((one.is_pattern or any_of_its_kind) and (one.account, one.kind) == (own.account, own.kind))
        for one in _woken(record, event)
    )


@cache
def _under_its_old_name(record: Recorded) -> tuple[Target, ...]:
    """What an event that renames is about when it does not say the new name: nothing was renamed then."""
    event = record.event()
    renamed = [path for path in places(event) if re.fullmatch("new(User|Group)Name", str(path[-1]))]
    return tuple(target for path in renamed for target in _woken(record, without(event, path)))


@pytest.mark.parametrize("record", RECORDS)
def test_a_rule_hears_it_and_its_one_target_is_found(record: Recorded) -> None:
    event = record.event()
    detail = event["detail"]
    assert rules_woken(event), "no rule of template.yaml hears this event: `make sync`"
    (target,) = _woken(record, event)
    assert event["account"] == target.account
    asked = (detail.get("requestParameters") or {}).get("CreateBucketConfiguration") or {}
    assert target.region in (GLOBAL, event["region"], detail.get("awsRegion"), asked.get("LocationConstraint"))
    assert target == Target.parse(str(target))


@pytest.mark.parametrize("record", RECORDS)
def test_an_exemption_of_it_is_not_taken_for_one_that_covers_nothing(record: Recorded) -> None:
    target, controls = record.target(), registry.load()
    if target.kind == ALL:  # it stands for targets of several kinds, and nobody can mean it
        return
    patterns_of_it = (exactly(target), f"*/{target.kind}/{target.id}", f"{target.account}/*/{target.id}")
    assert [""] * 3 == [covers_nothing(record.control, one, controls, target.account) for one in patterns_of_it]


@pytest.mark.parametrize("record", RECORDS)
def test_every_control_that_names_the_event_is_woken_by_it(record: Recorded) -> None:
    event = record.event()
    expected = {
        one.id
        for one in registry.load().values()
        if any(messages.concerns(on, event) and [*on.locate(messages.detail_of(event))] for on in one.wakes_on)
    }
    assert expected == {wake.control for wake in messages.from_event(event, registry.load())}
    assert record.control in expected


@pytest.mark.parametrize("record", RECORDS)
def test_an_event_that_somebody_else_put_on_the_bus_wakes_nothing(record: Recorded) -> None:
    for source in FOREIGN:
        forged = put(record.event(), ("source",), source)
        assert ([], []) == (rules_woken(forged), list(messages.from_event(forged, registry.load()))), source


@pytest.mark.parametrize("record", RECORDS)
def test_an_event_says_which_service_it_is_from(record: Recorded) -> None:
    event = record.event()
    if is_of_trail(event["detail-type"]):
        assert event["source"] == f"aws.{event['detail']['eventSource'].removesuffix('.amazonaws.com')}"
    else:
        assert {event["source"]} == {on.source for on in record.ons()}
    sourceless = without(event, ("source",))
    assert ([], []) == (rules_woken(sourceless), list(messages.from_event(sourceless, registry.load())))


@pytest.mark.parametrize("record", RECORDS)
def test_a_call_that_failed_wakes_nothing_but_roots(record: Recorded) -> None:
    failed = put(record.event(), ("detail", "errorCode"), "AccessDenied")
    is_call = failed["detail-type"] == "AWS API Call via CloudTrail"
    is_roots = is_call and cloudtrail.is_root(failed["detail"])
    assert (["root-activity"] if is_roots else []) == [
        wake.control for wake in messages.from_event(failed, registry.load())
    ]
    if is_call:  # there is no clause for sign-ins: a failed one says so elsewhere
        assert (["RootRule"] if is_roots else []) == rules_woken(failed)


def test_trying_is_doing_for_root_alone() -> None:
    assert {"root-activity"} == {one.id for one in registry.load().values() for on in one.wakes_on if on.failed_too}


@pytest.mark.parametrize("record", RECORDS)
def test_a_call_that_only_reads_wakes_nothing(record: Recorded) -> None:
    if not any(on.reads_too for on in record.ons()):
        assert [] == _woken(record, put(record.event(), ("detail", "readOnly"), True))


@pytest.mark.parametrize("record", RECORDS)
def test_whatever_is_missing_from_an_event_it_never_points_at_the_wrong_thing(record: Recorded) -> None:
    event = record.event()
    for name in (*UNTRUSTED, "recipientAccountId", "awsRegion", "eventVersion", "eventTime"):
        place = ("detail", name)
        if name in event["detail"]:
            assert _harmless(record, without(event, place)), f"without {name}"
        for value in MUTILATED:
            assert _harmless(record, put(event, place, value)), f"{name} is {value!r}"
    for identity in ({"type": "Unheard"}, {"accountId": event["account"]}, {"type": None, "sessionContext": None}):
        assert _harmless(record, put(event, ("detail", "userIdentity"), identity))


@pytest.mark.parametrize("record", RECORDS)
def test_an_odd_region_is_never_taken_for_one(record: Recorded) -> None:
    for odd in ("", "../../etc", "eu west 1", "us-east-1\n", "x" * 10_000, None, 7):
        regions = {target.region for target in _woken(record, put(record.event(), ("detail", "awsRegion"), odd))}
        assert {GLOBAL, ALL} >= {one for one in regions if not _REGION.fullmatch(one)}


@pytest.mark.parametrize("record", RECORDS)
@given(data=st.data())
@settings(max_examples=25)
def test_whatever_stands_where_something_else_belongs_it_never_points_at_the_wrong_thing(
    record: Recorded, data: st.DataObject
) -> None:
    event = record.event()
    texts_of_null = [path for path in places(event) if isinstance(at(event, path), dict | list)]
    for _ in range(data.draw(st.integers(1, 3))):
        left = [path for path in places(event) if path[0] == "detail" and path[1:2] and path[1] in UNTRUSTED]
        if not left:
            break
        path = data.draw(st.sampled_from(left))
        value = data.draw(st.sampled_from((*HOSTILE, "without", "null")))
        if value == "without":
            event = without(event, path)
        elif value != "null" or path in texts_of_null:
            event = put(event, path, value)
    assert _harmless(record, event)


def test_the_rules_are_what_eventbridge_takes() -> None:
    assert patterns()


def test_a_missing_field_is_not_matched_by_anything_but() -> None:
    """Where others fell: such a pattern drops root and IAM users, who have no sessionContext."""
    pattern = {
        "detail": {"userIdentity": {"sessionContext": {"sessionIssuer": {"userName": [{"anything-but": "plumbline"}]}}}}
    }
    assert not matches(pattern, {"detail": {"userIdentity": {"type": "Root"}}})
    named = [path for one in patterns().values() for path in places(one.get_pattern()) if path[-1] == "anything-but"]
    assert [] == [path for path in named if "sessionContext" in path]


@pytest.mark.parametrize(
    ("pattern", "detail", "expected"),
    [
        ({"a": ["x", "y"]}, {"a": "y"}, True),
        ({"a": ["x"]}, {"a": "z"}, False),
        ({"a": ["x"]}, {}, False),
        ({"a": [{"prefix": "ab"}]}, {"a": "abc"}, True),
        ({"a": [{"exists": False}]}, {}, True),
        ({"a": [{"exists": False}]}, {"a": "x"}, False),
        ({"a": [{"exists": False}, "x"]}, {}, True),
        ({"a": [{"exists": False}, "x"]}, {"a": "x"}, True),
        ({"a": [{"exists": False}, "x"]}, {"a": "y"}, False),
        ({"a": {"b": ["x"]}}, {"a": {"b": ["w", "x"]}}, True),
        ({"a": {"b": ["x"]}}, {"a": None}, False),
        ({"a": ["x"], "c": ["y"]}, {"a": "x"}, False),
    ],
)
def test_the_matcher_is_faithful(pattern: dict[str, Any], detail: dict[str, Any], expected: object) -> None:
    assert expected is matches({"detail": pattern}, {"detail": detail})


# --- whose events --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("record", RECORDS)
def test_an_event_of_another_account_wakes_nothing(record: Recorded) -> None:
    """Neither by the rules nor, should it reach the queue, by react: by its envelope, and by its record alone."""
    event = record.event()
    own = event["account"]
    assert messages.read(json.dumps(event), registry.load(), account=own), "its own does"
    stranger = {**event, "account": "444455556666", "detail": {**event["detail"], "recipientAccountId": "444455556666"}}
    assert ([], ()) == (rules_woken(stranger), messages.read(json.dumps(stranger), registry.load(), account=own))
    forwarded = {**event, "detail": {**event["detail"], "recipientAccountId": "444455556666"}}
    assert () == messages.read(json.dumps(forwarded), registry.load(), account=own)
    assert () == messages.read(json.dumps(without(event, ("account",))), registry.load(), account=own)


@pytest.mark.parametrize("record", RECORDS)
def test_a_sign_in_wakes_in_both_spellings(record: Recorded) -> None:
    """Source: EventBridge user guide, events delivered via CloudTrail, and the events themselves, which differ."""
    event = record.event()
    if event["detail-type"] in SIGN_IN:
        for spelt in SIGN_IN:
            heard = {**event, "detail-type": spelt}
            assert rules_woken(heard)
            assert record.control in {wake.control for wake in messages.from_event(heard, registry.load())}
