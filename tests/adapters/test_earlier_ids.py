"""A control has another id than before: what the ledger holds under the earlier one goes on under today's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

import boto3
import pytest
from moto import mock_aws

from plumbline.adapters.dynamodb import Table
from plumbline.baseline.rules import Baseline
from plumbline.compose import in_one_process
from plumbline.controls.index import Index
from plumbline.core.cause import Origin
from plumbline.core.clock import AT_ONCE, Clock, Response
from plumbline.core.control import Control, Deviation
from plumbline.core.errors import Conflict
from plumbline.decisions.exemptions import Exemption, exactly
from plumbline.decisions.pauses import Pause
from plumbline.findings.adoption import Adoption
from plumbline.findings.finding import DIGEST, Finding, Status, open_finding
from plumbline.handlers import exemption_notices
from tests.fakes import ACCOUNT, CONTROL, LAMP, MALLORY, NOW, House, Lamps, Letterbox, Memory
from tests.story import make_table

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEK = {"default": Clock(remind=(DAY,), escalate=2 * DAY, act=7 * DAY)}
EARLIER, TODAY = CONTROL.id, "lamp-dark"
RENAMED = replace(CONTROL, id=TODAY, aliases=("lamp-out", EARLIER))


@pytest.fixture
def before(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    """The ledger as the version before the renaming uses it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        make_table("ledger", "us-east-1")
        yield Table(
            lambda _account, region, service, *_: boto3.client(service, region_name=region), "ledger", "us-east-1"
        )


@pytest.fixture
def table(before: Table) -> Table:
    """The same ledger as the version after the renaming uses it."""
    return replace(before, renamed={"lamp-out": TODAY, EARLIER: TODAY})


def _house(ledger: Table, control: Control, clocks: Mapping[str, Clock] | None = None, **more: Any) -> House:
    """A house with a real ledger; its control was swept long ago."""
    made = House(ledger=cast("Memory", ledger), control=control, clocks=clocks or {"default": AT_ONCE}, **more)
    if control.id == EARLIER:
        _sweep(made)
    return made


def _sweep(house: House) -> None:
    """Look with the house's control, and record how far its first sweep has come."""
    for unit in house.plumbline.units():
        for look in house.plumbline.look(unit, now=NOW):
            house.plumbline.looked(unit, replace(look, adoption=replace(look.adoption, pending=frozenset())))


def _both(before: Table, table: Table, clocks: Mapping[str, Clock] | None = None) -> tuple[House, House]:
    """One account, before and after the renaming."""
    aws, alerts = Lamps({"hall": {"on": ["a"]}}), Letterbox()
    return (
        _house(before, CONTROL, clocks, aws=aws, alerts=alerts),
        _house(table, RENAMED, clocks, aws=aws, alerts=alerts),
    )


def _finding(control: str = EARLIER) -> Finding:
    return open_finding(
        control, LAMP, Deviation("is on", ("a",)), origin=Origin.EVENT, cause=MALLORY, now=NOW, before=None
    )


def _today(finding: Finding) -> Finding:
    return replace(finding, control=TODAY)


def test_an_open_finding_goes_on_its_clocks_with_it(before: Table, table: Table) -> None:
    then, now = _both(before, table, WEEK)
    then.settle()
    (was,) = before.open_findings(ACCOUNT)
    outcomes = [now.settle(now=NOW + days * DAY) for days in (0, 1, 2, 7)]
    assert ["waiting", "told", "told", "repaired"] == outcomes
    assert ["found", "last reminder", "escalated", "repaired"] == [one.split(":")[0] for one in now.alerts.subjects]
    (one,) = table.lives(ACCOUNT)
    assert (TODAY, was.id, was.first_seen, Status.REPAIRED) == (one.control, one.id, one.first_seen, one.status)


def test_it_is_listed_once_and_found_by_its_id(before: Table, table: Table) -> None:
    saved = before.save(_finding(), now=NOW)
    expected = [_today(saved)]
    assert expected == [table.brief(TODAY, LAMP, NOW).finding]
    assert expected == list(table.open_findings(ACCOUNT))
    assert expected == list(table.by_id(ACCOUNT, saved.short))
    assert expected == list(table.lives(ACCOUNT))


def test_what_is_written_to_it_is_written_to_it_alone(before: Table, table: Table) -> None:
    saved = table.save(_today(before.save(_finding(), now=NOW)), now=NOW)
    assert _today(replace(_finding(), version=2)) == saved
    assert [saved] == list(table.lives(ACCOUNT)) == list(table.open_findings(ACCOUNT))
    table.save(replace(saved, status=Status.RESOLVED), now=NOW)
    assert [] == list(table.open_findings(ACCOUNT))


def test_of_two_writers_one_wins(before: Table, table: Table) -> None:
    found = _today(before.save(_finding(), now=NOW))
    table.save(found, now=NOW)
    with pytest.raises(Conflict):
        table.save(found, now=NOW)


def test_the_version_before_still_finds_what_the_version_after_wrote(before: Table, table: Table) -> None:
    """A deployment may be taken back."""
    saved = table.save(replace(_today(before.save(_finding(), now=NOW)), told=("opened",)), now=NOW)
    assert replace(saved, control=EARLIER) == before.brief(EARLIER, LAMP, NOW).finding


def _next_life(table: Table, closed: Finding) -> Finding:
    later = NOW + HOUR
    fresh = open_finding(
        TODAY, LAMP, Deviation("is on"), origin=Origin.EVENT, cause=MALLORY, now=later, before=_today(closed)
    )
    return table.save(fresh, now=later, bury=_today(closed))


def test_the_next_life_begins_under_the_new_id(before: Table, table: Table) -> None:
    closed = before.save(replace(_finding(), status=Status.REPAIRED), now=NOW)
    fresh = _next_life(table, closed)
    assert fresh == table.brief(TODAY, LAMP, NOW).finding
    assert [fresh] == list(table.open_findings(ACCOUNT))
    assert {fresh.id: TODAY, closed.id: TODAY} == {one.id: one.control for one in table.lives(ACCOUNT)}
    assert 2 == len(table.lives(ACCOUNT)), "each life is kept once"
    assert [_today(closed)] == list(table.by_id(ACCOUNT, closed.id))
    assert table.save(replace(fresh, told=("opened",)), now=NOW, bury=_today(closed)), "whoever began it may go on"


def test_of_two_who_begin_the_next_life_one_wins(before: Table, table: Table) -> None:
    closed = before.save(replace(_finding(), status=Status.REPAIRED), now=NOW)
    fresh = _next_life(table, closed)
    with pytest.raises(Conflict):
        _next_life(table, closed)
    table.save(replace(fresh, status=Status.REPAIRED), now=NOW)
    with pytest.raises(Conflict):
        _next_life(table, closed)


def test_what_goes_on_counts_before_what_is_over(before: Table, table: Table) -> None:
    """After a deployment that was taken back both ids may hold something; whatever is open has to end."""
    closed = before.save(replace(_finding(), status=Status.REPAIRED), now=NOW)
    fresh = table.save(replace(_next_life(table, closed), status=Status.REPAIRED), now=NOW)
    again = before.save(replace(_finding(), version=closed.version), now=NOW)
    assert _today(again) == table.brief(TODAY, LAMP, NOW).finding
    before.save(replace(again, status=Status.RESOLVED), now=NOW)
    assert fresh == table.brief(TODAY, LAMP, NOW).finding


def test_a_next_life_can_begin_whatever_both_ids_hold(before: Table, table: Table) -> None:
    first = before.save(replace(_finding(), status=Status.REPAIRED), now=NOW)
    second = _next_life(table, first)
    for _ in range(3):
        second = table.save(replace(second, status=Status.REPAIRED), now=NOW)
    third = replace(_finding(), first_seen=NOW + 2 * HOUR, status=Status.RESOLVED, version=first.version)
    before.save(third, now=NOW)
    house = _house(table, RENAMED)
    assert "told" == house.settle(now=NOW + 3 * HOUR)
    assert [NOW + 3 * HOUR] == [one.first_seen for one in table.open_findings(ACCOUNT)]


def test_what_was_repaired_before_counts_in_a_fight(before: Table, table: Table) -> None:
    then, now = _both(before, table)
    outcomes = [then.settle()]
    for minutes in (10, 20, 30):
        now.aws.lamps["hall"]["on"] = ["a"]
        outcomes.append(now.settle(now=NOW + minutes * timedelta(minutes=1)))
    assert ["repaired", "repaired", "repaired", "stopped"] == outcomes


def test_an_earlier_life_that_is_written_back_into_the_history_stays_where_it_is(before: Table, table: Table) -> None:
    first = before.save(replace(_finding(), status=Status.REPAIRED, outbox=f"{DIGEST}repaired"), now=NOW)
    second = open_finding(
        EARLIER, LAMP, Deviation("is on"), origin=Origin.EVENT, cause=MALLORY, now=NOW + HOUR, before=first
    )
    before.save(second, now=NOW, bury=first)
    assert [_today(first)] == list(table.awaiting_digest(ACCOUNT))[:1]
    table.bury(replace(_today(first), outbox="", told=("repaired",)), now=NOW)
    assert [] == list(table.awaiting_digest(ACCOUNT))
    assert 2 == len(table.lives(ACCOUNT))


@pytest.mark.parametrize("goes_on", [False, True])
def test_what_waits_for_the_digest_is_told_once(before: Table, table: Table, *, goes_on: bool) -> None:
    waiting = replace(_finding(), status=Status.REPAIRED, outbox=f"{DIGEST}repaired")
    closed = before.save(waiting, now=NOW)
    if goes_on:
        _next_life(table, closed)
    assert [_today(closed)] == list(table.awaiting_digest(ACCOUNT))
    house = _house(table, RENAMED)
    assert (1, 0) == (house.engine.digest(ACCOUNT, now=NOW), house.engine.digest(ACCOUNT, now=NOW + HOUR))
    assert 1 == len(house.alerts.letters)


def test_the_week_counts_it(before: Table, table: Table) -> None:
    then, now = _both(before, table)
    then.settle()
    now.alerts.letters.clear()
    now.engine.weekly(ACCOUNT, now=NOW + HOUR)
    assert ["week: 1 repaired, 0 open, 0 exempt"] == [one.split("] ")[-1] for one in now.alerts.subjects]


def test_a_repair_is_undone(before: Table, table: Table) -> None:
    then, now = _both(before, table)
    then.settle()
    (repaired,) = table.lives(ACCOUNT)
    answer = now.type("undo", repaired.short, now=NOW + HOUR)
    assert (True, ["a"]) == (answer.ok, now.aws.lamps["hall"]["on"]), answer.text
    (undone,) = table.lives(ACCOUNT)
    assert (Status.UNDONE, repaired.id) == (undone.status, undone.id)
    assert "exempt" == now.settle(now=NOW + 2 * HOUR)


def test_it_is_shown_under_the_new_id(before: Table, table: Table) -> None:
    then, now = _both(before, table)
    then.settle()
    (repaired,) = table.lives(ACCOUNT)
    answer = now.type("show", repaired.short)
    assert (True, TODAY) == (answer.ok, answer.data["control"]), answer.text


@pytest.mark.parametrize("earlier", RENAMED.aliases)
def test_an_exemption_from_it_goes_on(before: Table, table: Table, earlier: str) -> None:
    left_alone = Exemption(earlier, exactly(LAMP), "ann", "party", NOW + DAY, "X123")
    before.exempt(ACCOUNT, left_alone, NOW)
    expected = replace(left_alone, control=TODAY)
    assert (expected,) == table.all_exemptions(ACCOUNT)
    assert (expected,) == table.brief(TODAY, LAMP, NOW).exemptions
    assert "exempt" == _house(table, RENAMED).settle()
    assert (expected,) == table.brief("another", LAMP, NOW).exemptions


def test_the_beginning_of_a_reviewed_exemption_is_told_once(before: Table, table: Table) -> None:
    """The build puts today's id into those of baseline.yaml; what was told of them stands under the earlier one."""
    reviewed = Exemption(EARLIER, "*/lamp/a#1", "ann", "party", NOW + 30 * DAY)
    assert 1 == exemption_notices.tell_due(_house(before, CONTROL, exemptions=(reviewed,)).plumbline, now=NOW)
    compiled = replace(reviewed, control=TODAY)
    assert 0 == exemption_notices.tell_due(_house(table, RENAMED, exemptions=(compiled,)).plumbline, now=NOW)


def test_a_pause_of_it_goes_on(before: Table, table: Table) -> None:
    pauses = {EARLIER: Pause(NOW + 2 * HOUR, "move"), "*": Pause(NOW + HOUR, "all")}
    before.save_pauses(ACCOUNT, pauses, 0)
    assert ({TODAY: pauses[EARLIER], "*": pauses["*"]}, 1) == table.all_pauses(ACCOUNT)
    assert {TODAY: NOW + 2 * HOUR, "*": NOW + HOUR} == table.brief(TODAY, LAMP, NOW).pauses


@pytest.mark.parametrize("hours", [1, 3])
def test_of_pauses_under_two_ids_the_longer_holds(before: Table, table: Table, hours: int) -> None:
    before.save_pauses(ACCOUNT, {TODAY: Pause(NOW + hours * HOUR), EARLIER: Pause(NOW + 2 * HOUR)}, 0)
    assert {TODAY: NOW + max(hours, 2) * HOUR} == table.brief(TODAY, LAMP, NOW).pauses


def test_it_is_not_adopted_afresh(before: Table, table: Table) -> None:
    then, now = _both(before, table)
    body = before.adopted(ACCOUNT)[EARLIER]
    assert {TODAY: body} == table.adopted(ACCOUNT)
    assert Adoption.from_json(body) == table.brief(TODAY, LAMP, NOW).adoption
    assert "repaired" == now.settle(), "what is adopted has a week's grace"
    table.adopt(ACCOUNT, TODAY, "later")
    assert {TODAY: "later"} == table.adopted(ACCOUNT)
    assert then.control.id in before.adopted(ACCOUNT)


def test_no_region_of_it_is_adopted_afresh(before: Table, table: Table) -> None:
    made = Adoption("m1")
    before.adopt(ACCOUNT, f"{EARLIER}@eu-west-1", made.to_json())
    assert {f"{TODAY}@eu-west-1": made.to_json()} == table.adopted(ACCOUNT)
    regions = [table.brief(TODAY, LAMP, NOW, f"{TODAY}@{one}").adoption for one in ("eu-west-1", "eu-west-2")]
    assert [made, Adoption()] == regions


def test_the_sweep_sees_what_it_knows_already(before: Table, table: Table) -> None:
    then, now = _both(before, table, WEEK)
    then.settle()
    now.settle()  # judged under the rule of today
    wakes = [
        wake for unit in now.plumbline.units() for look in now.plumbline.look(unit, now=NOW) for wake in look.wakes
    ]
    assert [] == wakes


@pytest.mark.parametrize("typed", [TODAY, *RENAMED.aliases])
def test_people_may_go_on_typing_the_earlier_id(table: Table, typed: str) -> None:
    house = _house(table, RENAMED, WEEK, mode=Response.OBSERVE)
    words = ("--days", "7", "--owner", "ann", "--reason", "party")
    exempted = house.type("exempt", str(LAMP), "--control", typed, *words)
    assert (True, TODAY) == (exempted.ok, exempted.data["exemption"]["control"]), exempted.text
    ended = house.type("unexempt", str(LAMP), "--control", typed)
    assert (True, TODAY) == (ended.ok, ended.data["ended"]["control"]), ended.text
    paused = house.type("pause", typed, "--hours", "4", "--reason", "party")
    assert (True, TODAY) == (paused.ok, paused.data["control"]), paused.text
    resumed = house.type("resume", typed)
    assert (True, [TODAY]) == (resumed.ok, resumed.data["pauses"]), resumed.text


@pytest.mark.parametrize("earlier", ["lamp-off", "lamps"])
def test_the_grace_of_a_control_is_ended_by_its_earlier_id(before: Table, table: Table, earlier: str) -> None:
    """Even by one that reads like the id of a finding."""
    control = replace(RENAMED, aliases=(EARLIER, earlier))
    house = _house(replace(table, renamed={EARLIER: TODAY, earlier: TODAY}), control)
    before.save(replace(_finding(), grace_until=NOW + DAY, adopted=("a",)), now=NOW)
    (found,) = table.open_findings(ACCOUNT)
    answer = house.type("enforce", earlier, "--yes")
    assert {"enforced": [found.id], "enforced_count": 1} == answer.data, answer.text


def test_a_whole_plumbline_knows_the_earlier_ids_of_its_controls(before: Table) -> None:
    made = in_one_process(
        account=ACCOUNT,
        region="us-east-1",
        table="ledger",
        topic="arn:aws:sns:us-east-1:111122223333:alerts",
        clients=before.clients,
        clock=lambda: NOW,
        baseline=Baseline({}),
        index=Index.of({TODAY: RENAMED}),
    )
    assert {"lamp-out": TODAY, EARLIER: TODAY} == made.ledger.renamed


@dataclass
class _Counted:
    """A client that notes which keys are asked for."""

    keys: list[str] = field(default_factory=list)

    def can_paginate(self, _method: str) -> bool:
        return False

    def batch_get_item(self, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803 - as boto3 takes it
        self.keys += [key["sk"]["S"] for key in RequestItems["ledger"]["Keys"]]
        return {"Responses": {"ledger": []}}


@pytest.mark.parametrize(("control", "more"), [("another", []), (TODAY, ["lamp-out", EARLIER])])
def test_only_a_control_with_earlier_ids_has_more_read(control: str, more: Sequence[str]) -> None:
    client = _Counted()
    Table(lambda *_: client, "ledger", "us-east-1", renamed={"lamp-out": TODAY, EARLIER: TODAY}).brief(
        control, LAMP, NOW
    )
    mine = [key.split("#")[1] for key in client.keys if key.startswith(("finding#", "adopted#"))]
    assert (sorted(2 * [control, *more]), 5) == (sorted(mine), len(client.keys) - len(mine))
