"""What is large: kept exactly where DynamoDB takes it, told where it does not, and never in the way of anything else.

Amazon DynamoDB Developer Guide, "Quotas in Amazon DynamoDB": an item has 400 KB at most, a page of a query 1 MB.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any, cast

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plumbline.adapters.dynamodb import Table
from plumbline.baseline.rules import Breakers, Letters
from plumbline.controls.iam import iam_admin_grants
from plumbline.core.cause import Cause, Origin
from plumbline.core.clock import Clock
from plumbline.core.control import Deviation
from plumbline.core.errors import TooLarge
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.decisions.exemptions import Exemption
from plumbline.findings.adoption import Adoption, mark
from plumbline.findings.finding import Finding, Repair, Status, open_finding
from plumbline.findings.hearing import Hearing
from plumbline.findings.stored import to_json
from plumbline.handlers.announce import events
from plumbline.wakes.messages import Wake
from tests.fakes import ACCOUNT, CONTROL, LAMP, MALLORY, NOW, House, Lamps, Memory
from tests.story import defaults

_NUMBERS = count()
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def table(table: Table) -> Table:
    """One that knows that somebody hears."""
    table.note_hearing(ACCOUNT, Hearing(NOW))
    return table


def _house(table: Table, *names: str, **state: Any) -> House:
    """Lamps that are on, and whatever else there is to say of each; the first sweep was made long ago."""
    lamps = {name: {"on": ["a"], **state} for name in names or (LAMP.id,)}
    house = House(
        ledger=cast("Memory", table),
        aws=Lamps(lamps),
        breakers=Breakers(10_000, 10_000, 10_000, 10_000),
        letters=Letters(per_hour=10_000),
    )
    table.adopt(ACCOUNT, CONTROL.id, Adoption(mark(house.engine.rule(CONTROL.id))).to_json())
    return house


def _held_by(roles: int) -> State:
    """A policy of the account that many roles hold, as the control sees it."""
    roles_of = [f"platform/team-{number % 40}/service-{number}-role" for number in range(roles)]
    return {
        "kind": "policy",
        "name": f"arn:aws:iam::{ACCOUNT}:policy/ci/deploy",
        "version": "v2",
        "back_to": None,
        "reasons": ["it may do everything"],
        "holders": [{"kind": "role", "name": name, "groups": [], "keeper": ""} for name in roles_of],
        "administrators": [
            {"kind": "role", "name": name, "groups": [], "keeper": "", "direct": True, "through": [], "unusable": ""}
            for name in ["aws-reserved/sso.amazonaws.com/AWSReservedSSO_AdministratorAccess_1", *roles_of]
        ],
    }


@pytest.mark.parametrize("roles", [1, 680])
def test_the_repair_of_a_policy_that_many_roles_hold_is_kept_with_its_undo(table: Table, roles: int) -> None:
    control, state = iam_admin_grants.CONTROL, _held_by(roles)
    target, wants = Target(ACCOUNT, GLOBAL, "policy", "ci/deploy"), defaults(control)
    deviation = control.detect(state, wants)
    assert deviation is not None
    found = open_finding(control.id, target, deviation, origin=Origin.EVENT, cause=MALLORY, now=NOW, before=None)
    repair = Repair(at=NOW, plan=control.plan(target, state, wants), before=state, after=_held_by(roles), looked=True)
    assert roles == len(repair.plan.steps)
    saved = table.save(replace(found, status=Status.ACTING, repairs=(repair,)), now=NOW, spend={control.id: 10})
    assert json.loads(to_json(saved)) == json.loads(to_json(_known(table, control.id, target)))


def _known(table: Table, control: str, target: Target) -> Finding:
    found = table.brief(control, target, NOW).finding
    assert found is not None
    return found


def _text(size: int, *, alike: bool) -> str:
    return "role/deploy " * (size // 12) if alike else random.Random(size).randbytes(size // 2).hex()  # noqa: S311


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.integers(min_value=0, max_value=5_000_000), alike=st.booleans())
def test_a_state_of_any_size_is_kept_exactly_or_told(table: Table, size: int, alike: bool) -> None:  # noqa: FBT001
    target = replace(LAMP, id=f"lamp-{next(_NUMBERS)}")  # hypothesis tells the same story several times
    house = _house(table, target.id, text=_text(size, alike=alike))
    before = house.aws.eyes(ACCOUNT, GLOBAL)
    was = CONTROL.observe(before, target) if CONTROL.observe else None
    settled = house.engine.settle(Wake(CONTROL.id, target, Origin.EVENT, MALLORY), now=NOW)
    known = _known(table, CONTROL.id, target)
    if settled.outcome.value == "repaired":
        (repair,) = known.repairs
        assert (was, {**(was or {}), "on": []}) == (repair.before, repair.after)
        assert house.type("undo", known.id).ok
        assert was == CONTROL.observe(before, target) if CONTROL.observe else None
        return
    assert "told" == settled.outcome.value
    (alert,) = house.alerts.letters
    assert alert.subject.startswith(f"[Plumbline] too large: lamp {target.id} is on")
    assert ("too-large", CONTROL.id) == (alert.attributes["outcome"], alert.attributes["control"])
    assert f"{target}" in alert.body.replace("\n", "")
    assert ([], ()) == (house.aws.writes, known.repairs)
    assert known.id in {one.id for one in table.open_findings(ACCOUNT)}


def test_what_does_not_fit_is_told_once_with_its_size_and_tried_again_each_day(table: Table) -> None:
    house = _house(table, text=_text(1_500_000, alike=False))
    assert ["told"] * 3 == [house.settle(now=NOW + days * DAY) for days in range(3)]
    alert, escalated = house.alerts.letters
    assert ("false", "true") == (alert.attributes["escalation"], escalated.attributes["escalation"])
    status = house.type("status")
    assert [_hall(table).short] == status.data["too_large"]
    assert "told, and not repaired, for no undo could be kept" in " ".join(status.text.split())
    body = " ".join(alert.body.split())
    assert "does not fit into its ledger" in body
    assert " bytes, and 390,000 are the most" in body
    assert (("opened", "too large", "escalated"), NOW + 3 * DAY) == (_hall(table).told, _hall(table).due)
    house.aws.lamps["hall"]["text"] = "short again"
    assert "repaired" == house.settle(now=NOW + 3 * DAY)


def _hall(table: Table) -> Finding:
    """What the ledger holds about the lamp."""
    return _known(table, CONTROL.id, LAMP)


def test_other_targets_go_on(table: Table) -> None:
    house = _house(table, "hall", "attic")
    house.aws.lamps["hall"]["text"] = _text(1_500_000, alike=False)
    outcomes = [one.outcome.value for one in house.plumbline.sweep_and_settle(now=NOW)]
    assert ["repaired", "told"] == sorted(outcomes)


def test_so_many_facts_that_not_even_they_fit_are_told_and_stand_as_a_stub(table: Table) -> None:
    house = _house(table)
    bulbs = [random.Random(number).randbytes(40).hex() for number in range(12_000)]  # noqa: S311
    house.aws.lamps["hall"]["on"] = bulbs
    assert "told" == house.settle()
    found = _hall(table)
    assert ("is on", ("12000 facts, too many to keep",)) == (found.deviation.summary, found.deviation.items)
    assert ["too large"] == [one.split(":")[0] for one in house.alerts.subjects]
    assert "told" == house.settle(now=NOW + HOUR)
    assert 1 == len(house.alerts.letters)


def test_what_has_no_room_even_for_a_stub_is_told_once_a_month_and_status_says_so(table: Table) -> None:
    """A sort key has 1,024 bytes at most: Amazon DynamoDB Developer Guide, quotas."""
    house = _house(table)
    target = replace(LAMP, id="x" * 1_100)
    house.aws.lamps[target.id] = {"on": ["a"]}
    wake = Wake(CONTROL.id, target, Origin.EVENT, MALLORY)
    times = [NOW + hours * HOUR for hours in (0, 1, 25, 700, 721)]
    assert ["told"] * 5 == [house.engine.settle(wake, now=at).outcome.value for at in times]
    assert ["too large", "escalated", "too large"] == [one.split(":")[0] for one in house.alerts.subjects]
    status = house.type("status", now=NOW + 722 * HOUR)
    assert (1, True) == (status.data["too_large_count"], "TOO LARGE" in status.text)


def _grown(house: House) -> Target:
    house.aws.lamps["hall"]["text"] = _text(1_500_000, alike=False)
    return LAMP


def _of_many_facts(house: House) -> Target:
    house.aws.lamps["hall"]["on"] = [random.Random(number).randbytes(40).hex() for number in range(12_000)]  # noqa: S311
    return LAMP


def _nowhere_to_keep(house: House) -> Target:
    house.aws.lamps["x" * 1_100] = {"on": ["a"]}
    return replace(LAMP, id="x" * 1_100)


_WAITS = Clock(escalate=2 * DAY, act=timedelta(0))


@pytest.mark.parametrize("grows", [_grown, _of_many_facts, _nowhere_to_keep])
@pytest.mark.parametrize(
    ("clock", "expected"),
    [
        (Clock(act=timedelta(0)), {0: ("too large", "false")}),
        (_WAITS, {0: ("too large", "false"), 48: ("escalated", "true")}),
        (Clock(escalate=timedelta(0), act=timedelta(0)), {0: ("too large", "true")}),
    ],
)
def test_the_escalation_address_hears_once_of_what_does_not_fit_where_its_clock_has_a_time_for_that(
    table: Table, grows: Callable[[House], Target], clock: Clock, expected: Mapping[int, tuple[str, str]]
) -> None:
    house = _house(table)
    house.clocks = {"default": clock}
    assert expected == _heard(house, grows(house))


@pytest.mark.parametrize("grows", [_of_many_facts, _nowhere_to_keep])
def test_of_what_is_exempt_it_hears_nothing(table: Table, grows: Callable[[House], Target]) -> None:
    house = _house(table)
    house.clocks, target = {"default": _WAITS}, grows(house)
    house.exemptions = (Exemption(CONTROL.id, str(target), "ann", "why", NOW + 30 * DAY),)
    assert {0: ("too large", "false")} == _heard(house, target)


def _heard(house: House, target: Target) -> dict[int, tuple[str, str]]:
    """After how many hours which e-mail came, and whether the escalation address gets it."""
    heard: dict[int, tuple[str, str]] = {}
    for hour in (0, 1, 47, 48, 49, 200):
        house.alerts.letters.clear()
        house.engine.settle(Wake(CONTROL.id, target, Origin.EVENT, MALLORY), now=NOW + hour * HOUR)
        for alert in house.alerts.letters:
            heard[hour] = (alert.subject.removeprefix("[Plumbline] ").split(":")[0], alert.attributes["escalation"])
    return heard


def test_a_state_that_has_grown_while_it_was_repaired_is_left_out_and_the_undo_asks_for_force(table: Table) -> None:
    house = _house(table)
    house.aws.on_write = lambda: house.aws.lamps["hall"].update(text=_text(1_500_000, alike=False))
    assert "repaired" == house.settle()
    assert 1 == len(house.alerts.letters), "told once, not each hour"
    (repair,) = _hall(table).repairs
    assert (False, {"on": ["a"]}) == (repair.looked, repair.before)
    assert "--force" in house.type("undo", _hall(table).short).text
    assert house.type("undo", _hall(table).short, "--force").ok


def test_other_programs_hear_of_what_does_not_fit(table: Table) -> None:
    house = _house(table, text=_text(1_500_000, alike=False))
    house.settle()
    item = next(iter(_items("finding#")))
    details = events({"dynamodb": {"NewImage": item}}, {CONTROL.id: CONTROL})
    assert ["opened", "too-large"] == [one["transition"] for one in details]


def _items(prefix: str) -> Sequence[Any]:
    client = boto3.client("dynamodb", region_name="us-east-1")
    found: Sequence[Any] = client.scan(TableName="ledger")["Items"]
    return [one for one in found if one["sk"]["S"].startswith(prefix)]


# --- lists -----------------------------------------------------------------------------------------------------------


def test_five_thousand_keys_at_adoption_are_known_one_by_one_and_none_is_adopted_again(table: Table) -> None:
    house = _house(table, *(f"AKIA{number:016}" for number in range(5_000)))
    table.adopt(ACCOUNT, CONTROL.id, Adoption().to_json())
    (unit,) = house.plumbline.units()
    looks = list(house.plumbline.look(unit, now=NOW))
    look = looks[-1]
    house.plumbline.looked(unit, look)
    assert 5_000 == len(look.adoption.pending)
    assert max(len(json.dumps(one, default=str)) for one in _items("adopted#")) < 20_000
    waits = table.brief(CONTROL.id, replace(LAMP, id="AKIA0000000000004711"), NOW).adoption
    assert f"{ACCOUNT}/global/lamp/AKIA0000000000004711" in waits.pending
    assert "AKIA-new" not in str(table.brief(CONTROL.id, replace(LAMP, id="AKIA-new"), NOW).adoption.pending)
    again = list(house.plumbline.look(unit, now=NOW + HOUR))
    assert (look.adoption, look.adoption) == (again[0].before, again[-1].adoption)
    assert {Origin.ADOPTION} == {wake.origin for one in again for wake in one.wakes}
    for name in list(house.aws.lamps)[1:]:
        del house.aws.lamps[name]
    (last,) = house.plumbline.look(unit, now=NOW + 2 * HOUR)
    house.plumbline.looked(unit, last)
    assert 1 == len(Adoption.from_json(table.adopted(ACCOUNT)[CONTROL.id]).pending), "pieces of before count no more"


def test_an_adoption_that_version_0_1_wrote_in_one_item_is_read(table: Table) -> None:
    adoption = Adoption("mark", frozenset(f"{ACCOUNT}/global/lamp/{number}" for number in range(3_000)))
    item = {"pk": {"S": f"account#{ACCOUNT}"}, "sk": {"S": "adopted#lamp-off"}, "body": {"S": adoption.to_json()}}
    boto3.client("dynamodb", region_name="us-east-1").put_item(TableName="ledger", Item=item)
    assert adoption == Adoption.from_json(table.adopted(ACCOUNT)["lamp-off"])
    assert adoption == table.brief("lamp-off", LAMP, NOW).adoption


def test_a_list_of_more_than_a_page_is_read_to_its_end(table: Table) -> None:
    """A page of a query has 1 MB."""
    for number in range(12):
        target = replace(LAMP, id=f"lamp-{number}")
        facts = (random.Random(number).randbytes(75_000).hex(),)  # noqa: S311
        found = open_finding(
            CONTROL.id, target, Deviation("is on", facts), origin=Origin.EVENT, cause=Cause(), now=NOW, before=None
        )
        table.save(found, now=NOW)
    assert (12, 12) == (len(table.open_findings(ACCOUNT)), len(table.lives(ACCOUNT)))


def _exemption(number: int) -> Exemption:
    reason = random.Random(number).randbytes(1_000).hex()  # noqa: S311
    return Exemption("lamp-off", f"*/lamp/{number}", "ann", reason, NOW + DAY, f"X{number:04}")


def test_an_undo_that_cannot_be_followed_by_an_exemption_changes_nothing(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = _house(table)
    house.settle()
    before = _hall(table)
    with pytest.raises(TooLarge):
        table.exempt(ACCOUNT, replace(_exemption(0), reason="x" + _text(900_000, alike=False)), NOW)
    for one in map(_exemption, range(40)):
        table.exempt(ACCOUNT, replace(one, target=str(LAMP)), NOW)
    monkeypatch.setattr("plumbline.adapters.exemptions._LARGEST", 30_000)
    answer = house.type("undo", before.short)
    assert (False, []) == (answer.ok, house.aws.lamps["hall"]["on"]), answer.text
    assert "Nothing was undone" in answer.text
    after = _hall(table)
    assert replace(before, version=after.version) == after
