"""The ledger on DynamoDB: conditions, races, and what it answers when DynamoDB does not."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest

from plumbline.adapters.dynamodb import Table
from plumbline.baseline.rules import Breakers
from plumbline.core.cause import Origin
from plumbline.core.control import Deviation
from plumbline.core.errors import Conflict, LedgerDown
from plumbline.decisions.exemptions import Exemption
from plumbline.decisions.pauses import Pause
from plumbline.findings.adoption import Adoption
from plumbline.findings.brief import Brief
from plumbline.findings.budgets import LETTERS, Budget
from plumbline.findings.digested import Digested
from plumbline.findings.finding import Finding, Status, open_finding
from plumbline.findings.hearing import Hearing
from plumbline.findings.stored import from_json, to_json
from plumbline.findings.sweeps import Lasts, Sweep
from tests.fakes import ACCOUNT, LAMP, MALLORY, NOW, House, Sweeps

HOUR = timedelta(hours=1)


def _spends(limits: Breakers) -> Mapping[str, int]:
    return Budget().most("lamp-off", limits)


def _finding() -> Finding:
    return open_finding(
        "lamp-off", LAMP, Deviation("is on", ("a",)), origin=Origin.EVENT, cause=MALLORY, now=NOW, before=None
    )


def test_an_empty_ledger_knows_nothing(table: Table) -> None:
    assert table.brief("lamp-off", LAMP, NOW) == Brief()


def test_a_finding_comes_back_as_it_was_saved(table: Table) -> None:
    saved = table.save(_finding(), now=NOW)
    assert table.brief("lamp-off", LAMP, NOW).finding == saved == replace(_finding(), version=1)


def test_a_whole_life_survives_the_ledger() -> None:
    house = House()
    house.settle()
    assert from_json(to_json(house.finding)) == house.finding


def test_whatever_is_written_says_which_form_it_has(table: Table) -> None:
    """Every writer once; what the embedded account's ledger holds after all tests is looked at there."""
    first = table.save(_finding(), now=NOW, spend=_spends(Breakers()), alert=LETTERS)
    closed = replace(first, status=Status.RESOLVED, due=None)
    again = replace(_finding(), first_seen=NOW + HOUR, id="Z", version=table.save(closed, now=NOW).version)
    table.save(again, now=NOW, bury=closed)
    table.bury(closed, now=NOW)
    table.once("key", now=NOW, within=HOUR)
    table.told("other", now=NOW, within=HOUR)
    table.exempt(ACCOUNT, Exemption("lamp-off", "*", "ann", "because", NOW + HOUR), NOW)
    table.save_pauses(ACCOUNT, {"*": Pause(NOW + HOUR, "because", "me")}, 0)
    table.save_suspensions(ACCOUNT, (), 0)
    table.forget_spent(ACCOUNT, "anew", NOW)
    table.adopt(ACCOUNT, "lamp-off", Adoption("mark").to_json())
    table.note_hearing(ACCOUNT, Hearing())
    table.note_sweep(ACCOUNT, NOW)
    table.note_digested(ACCOUNT, Digested())
    items = boto3.client("dynamodb", region_name="us-east-1").scan(TableName="ledger")["Items"]
    kinds = {one["sk"]["S"].partition("#")[0] for one in items}
    assert {
        "finding", "history", "spent", "key", "other", "exempt", "exemptions", "pauses", "suspensions", "adopted",
        "heard", "swept", "digest",
    } == kinds  # fmt: skip
    forms = {kind: {"N": "2" if kind == "exemptions" else "1"} for kind in kinds}
    assert forms == {one["sk"]["S"].partition("#")[0]: one.get("v") for one in items}


def test_what_a_later_version_wrote_is_refused_and_never_misread(table: Table) -> None:
    table.save(_finding(), now=NOW)
    dynamodb = boto3.client("dynamodb", region_name="us-east-1")
    (item,) = dynamodb.scan(TableName="ledger")["Items"]
    dynamodb.put_item(TableName="ledger", Item={**item, "v": {"N": "3"}})
    for read in (
        lambda: table.brief("lamp-off", LAMP, NOW),
        lambda: table.open_findings(ACCOUNT),
        lambda: table.lives(ACCOUNT),
        lambda: table.by_id(ACCOUNT, item["id"]["S"]),
    ):
        with pytest.raises(
            LedgerDown, match=r"later version of Plumbline wrote finding#.*Deploy the later version again"
        ):
            read()


def test_what_version_0_1_wrote_says_nothing_of_its_form_and_is_read(table: Table) -> None:
    saved = table.save(_finding(), now=NOW)
    dynamodb = boto3.client("dynamodb", region_name="us-east-1")
    (item,) = dynamodb.scan(TableName="ledger")["Items"]
    dynamodb.put_item(TableName="ledger", Item={name: value for name, value in item.items() if name != "v"})
    assert saved == table.brief("lamp-off", LAMP, NOW).finding


def test_of_two_writers_one_wins(table: Table) -> None:
    table.save(_finding(), now=NOW)
    with pytest.raises(Conflict):
        table.save(_finding(), now=NOW)


@pytest.mark.parametrize("spend", [_spends(Breakers()), None])
def test_a_lost_race_spends_nothing(table: Table, spend: Mapping[str, int] | None) -> None:
    table.save(_finding(), now=NOW)
    with pytest.raises(Conflict):
        table.save(_finding(), now=NOW, spend=spend)
    assert table.brief("lamp-off", LAMP, NOW).spent == 0


def test_repairs_are_counted_by_the_hour_for_the_control_and_in_all(table: Table) -> None:
    first = table.save(_finding(), now=NOW, spend=_spends(Breakers()))
    table.save(first, now=NOW, spend=_spends(Breakers()))
    brief = table.brief("lamp-off", LAMP, NOW)
    other = table.brief("other", LAMP, NOW)
    later = table.brief("lamp-off", LAMP, NOW + HOUR)
    assert [(one.spent, one.spent_in_all) for one in (brief, other, later)] == [(2, 2), (0, 2), (0, 0)]


@pytest.mark.parametrize("limits", [Breakers(per_control=1), Breakers(in_all=1)])
def test_of_two_repairs_that_fit_one_by_one_and_not_together_the_second_is_not_begun(
    table: Table, limits: Breakers
) -> None:
    first = table.save(_finding(), now=NOW, spend=_spends(limits))
    with pytest.raises(Conflict):
        table.save(first, now=NOW, spend=_spends(limits))
    assert table.brief("lamp-off", LAMP, NOW) == Brief(finding=first, spent=1, spent_in_all=1)
    assert table.save(first, now=NOW + HOUR, spend=_spends(limits)), "the next hour has a budget of its own"


def test_an_earlier_life_is_kept_when_a_new_one_begins(table: Table) -> None:
    closed = table.save(replace(_finding(), status=Status.RESOLVED), now=NOW)
    fresh = open_finding(
        "lamp-off", LAMP, Deviation("is on"), origin=Origin.EVENT, cause=MALLORY, now=NOW + HOUR, before=closed
    )
    table.save(fresh, now=NOW + HOUR, bury=closed)
    assert {one.id for one in (*table.by_id(ACCOUNT, closed.id), *table.by_id(ACCOUNT, fresh.id))} == {
        closed.id,
        fresh.id,
    }


def test_only_open_findings_are_listed_as_open(table: Table) -> None:
    saved = table.save(_finding(), now=NOW)
    assert [one.id for one in table.open_findings(ACCOUNT)] == [saved.id]
    table.save(replace(saved, status=Status.REPAIRED), now=NOW)
    assert table.open_findings(ACCOUNT) == []


def test_a_finding_is_found_by_the_beginning_of_its_id(table: Table) -> None:
    saved = table.save(_finding(), now=NOW)
    assert [one.id for one in table.by_id(ACCOUNT, saved.short)] == [saved.id]


def test_of_two_who_write_pauses_one_wins(table: Table) -> None:
    table.save_pauses(ACCOUNT, {}, 0)
    with pytest.raises(Conflict):
        table.save_pauses(ACCOUNT, {}, 0)


def test_pauses_come_back_as_they_were_saved_and_the_engine_sees_their_end(table: Table) -> None:
    pause = Pause(NOW + HOUR, "migration", "arn:ann")
    table.save_pauses(ACCOUNT, {"*": pause}, 0)
    assert table.all_pauses(ACCOUNT) == ({"*": pause}, 1)
    assert table.brief("lamp-off", LAMP, NOW).pauses == {"*": NOW + HOUR}


def test_a_bare_end_is_a_pause_too(table: Table) -> None:
    _put("pauses", '{"*": "2026-03-02T10:30:00+00:00"}')
    assert table.brief("lamp-off", LAMP, NOW).pauses == {"*": NOW + HOUR}


@pytest.mark.parametrize("body", ['{"*": {}}', '{"*": {"until": "soon"}}', '{"*": 7}', "[]", "{"])
def test_an_unreadable_pause_is_a_ledger_that_is_down(table: Table, body: str) -> None:
    _put("pauses", body)
    with pytest.raises(LedgerDown, match="nothing is repaired"):
        table.brief("lamp-off", LAMP, NOW)
    with pytest.raises(LedgerDown, match="the pauses in the ledger cannot be read"):
        table.all_pauses(ACCOUNT)


def test_what_was_spent_this_hour_is_listed_and_can_be_forgotten(table: Table) -> None:
    table.save(_finding(), now=NOW, spend=_spends(Breakers()), alert=LETTERS)
    assert table.spent_in(ACCOUNT, NOW) == {"lamp-off": 1, "*": 1, "letters": 1}
    assert table.spent_in(ACCOUNT, NOW + HOUR) == {}
    table.forget_spent(ACCOUNT, "lamp-off", NOW)
    assert table.brief("lamp-off", LAMP, NOW).spent == 0


def test_letters_are_counted_for_as_many_hours_as_the_baseline_says(table: Table) -> None:
    long = replace(table, letter_hours=6)
    long.save(_finding(), now=NOW, alert=LETTERS)
    briefs = [long.brief("lamp-off", LAMP, NOW + hours * HOUR).letters for hours in (0, 2, 3)]
    assert briefs == [1, 1, 0], "from six o'clock until noon"


def _put(sk: str, body: str) -> None:
    item = {"pk": {"S": f"account#{ACCOUNT}"}, "sk": {"S": sk}, "body": {"S": body}}
    boto3.client("dynamodb", region_name="us-east-1").put_item(TableName="ledger", Item=item)


def test_somebody_is_told_once_within_the_time(table: Table) -> None:
    answers = [table.once("unknown#x", now=NOW + hours * HOUR, within=2 * HOUR) for hours in (0, 1, 2)]
    assert answers == [True, False, True]


def test_the_first_sweep_of_each_control_is_remembered(table: Table) -> None:
    table.adopt(ACCOUNT, "lamp-off", "m1")
    assert table.adopted(ACCOUNT) == {"lamp-off": "m1"}


@pytest.mark.parametrize(
    ("sk", "body"),
    [
        ("exemptions", '[{"control": "x"}]'),
        ("exemptions", '{"patterns": {"*": ["*"]}}'),
        ("exemptions", '{"patterns": {"*": {"*": "soon"}}}'),
        (f"exempt#{LAMP}", '[{"control": "x"}]'),
        (f"exempt#{LAMP}", "{"),
    ],
)
def test_an_unreadable_exemption_is_a_ledger_that_is_down(table: Table, sk: str, body: str) -> None:
    _put(sk, body)
    with pytest.raises(LedgerDown, match="the exemptions in the ledger cannot be read"):
        table.all_exemptions(ACCOUNT)
    with pytest.raises(LedgerDown, match="nothing is repaired"):
        table.brief("lamp-off", LAMP, NOW)


def test_half_an_answer_is_not_taken_for_a_whole_one() -> None:
    class Throttled:
        def can_paginate(self, _method: str) -> bool:
            return False

        def batch_get_item(self, **_: Any) -> dict[str, Any]:
            return {"Responses": {"ledger": []}, "UnprocessedKeys": {"ledger": {"Keys": [{}]}}}

    with pytest.raises(LedgerDown, match="throttled"):
        Table(lambda *_: Throttled(), "ledger", "us-east-1").brief("lamp-off", LAMP, NOW)


def test_a_ledger_that_does_not_exist_is_down(table: Table) -> None:
    with pytest.raises(LedgerDown):
        replace(table, name="nowhere").save(_finding(), now=NOW)


def test_what_a_sweep_has_done_adds_up_in_any_order_and_twice_is_once(table: Table) -> None:
    """As the fake adds it up, with which all else is tested: each is told the same."""
    earlier, later = (NOW - timedelta(hours=one) for one in (1, 0))
    steps = [
        Sweep(later.isoformat(), 3),
        Sweep(later.isoformat(), 3, places={"1": "eu-west-1 goes on with s3-tls-only"}),
        Sweep(later.isoformat(), 3, frozenset({"2"}), frozenset({"iam-groups in global"})),
        Sweep(earlier.isoformat(), 1, frozenset({"0"})),
        Sweep(later.isoformat(), 3, frozenset({"2"})),
        Sweep(later.isoformat(), 3, frozenset({"0", "1"}), frozenset({"s3-tls-only in eu-west-1"}), {"1": "further"}),
    ]
    fake = Sweeps()
    assert [fake.goes_on(ACCOUNT, one) for one in steps] == [table.sweeps.goes_on(ACCOUNT, one) for one in steps]
    assert fake.known(ACCOUNT) == table.sweeps.known(ACCOUNT)
    assert [True, True] == [one.is_through for one in table.sweeps.known(ACCOUNT)]
    assert [] == table.sweeps.known("444455556666")


@pytest.mark.parametrize("users", [0, 3, 5_000])
def test_what_need_not_be_looked_at_again_is_kept_for_as_many_users_as_iam_lets_an_account_have(
    table: Table, users: int
) -> None:
    """Source: IAM quotas: 5,000 users."""
    ids = [f"AIDA{hashlib.sha256(str(one).encode()).hexdigest()[:17].upper()}" for one in range(users)]
    lasts = Lasts("mark", {one: (NOW + timedelta(days=number % 7)).date() for number, one in enumerate(ids)})
    for times in range(2):
        assert (Lasts() if not times else lasts) == table.sweeps.lasting(ACCOUNT, "lamp-off")
        table.sweeps.keep(ACCOUNT, "lamp-off", lasts)
    assert Lasts() == table.sweeps.lasting(ACCOUNT, "lamp-cold")
    assert [] == table.sweeps.known(ACCOUNT)
