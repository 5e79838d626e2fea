"""What becomes of a finding is told to other programs: once for each transition, from the ledger's own stream."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from plumbline.adapters.events import Bus
from plumbline.adapters.items import item_of
from plumbline.baseline.rules import Letters
from plumbline.controls.index import Index
from plumbline.core.cause import Origin
from plumbline.core.clock import AT_ONCE, Clock, Response
from plumbline.core.errors import AwsRefusal
from plumbline.decisions.exemptions import Exemption
from plumbline.findings.finding import Finding, Status
from plumbline.findings.hearing import Hearing
from plumbline.handlers import announce
from plumbline.handlers.announce import Announcer, events, transitions
from tests.deployed import ROOT
from tests.fakes import CONTROL, LAMP, NOW, House
from tests.handlers.test_react import Log

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
WEEK = {"default": Clock(remind=(DAY,), escalate=2 * DAY, act=7 * DAY)}
NAMES = {CONTROL.id: CONTROL}


def _record(before: Finding | None, after: Finding | None) -> dict[str, Any]:
    images = {"OldImage": before and item_of(before, NOW), "NewImage": after and item_of(after, NOW)}
    return {"eventName": "MODIFY", "dynamodb": {name: one for name, one in images.items() if one}}


def _announced(house: House) -> list[str]:
    """Every transition of every write to the ledger so far, in order."""
    writes: list[Finding | None] = [None, *house.ledger.saves]
    pairs = zip(writes, house.ledger.saves, strict=False)
    return [one["transition"] for before, after in pairs for one in events(_record(before, after), NAMES)]


def test_a_repair_is_opened_repairing_repaired() -> None:
    house = House()
    house.settle()
    assert _announced(house) == ["opened", "repairing", "repaired"]


def test_a_life_with_reminder_escalation_and_a_happy_end() -> None:
    house = House(clocks=WEEK)
    for days in (0, 1, 2):
        house.settle(now=NOW + days * DAY)
    house.aws.lamps["hall"]["on"] = []
    house.settle(now=NOW + 3 * DAY)
    assert _announced(house) == ["opened", "reminded", "escalated", "resolved"]


def test_what_fails_what_is_exempt_and_what_is_back() -> None:
    house = House(clocks={"default": AT_ONCE})
    house.aws.fails["SwitchOff"] = ["AccessDenied"]
    house.settle()
    house.exemptions = (Exemption("*", str(LAMP), "ann", "party", NOW + 2 * DAY),)
    house.settle(now=NOW + DAY)
    house.exemptions = ()
    house.settle(now=NOW + 3 * DAY)
    assert _announced(house) == ["opened", "repairing", "failed", "exempt", "repairing", "repaired"]


def test_a_proposal_is_announced_when_it_is_made_and_when_it_changes() -> None:
    house = House(response=Response.PROPOSE)
    house.settle()
    house.settle(now=NOW + HOUR)
    house.aws.lamps["hall"]["on"] = ["a", "b"]
    house.settle(now=NOW + 2 * HOUR)
    assert _announced(house) == ["opened", "proposed", "proposed"]


def test_a_new_life_over_an_old_one_is_opened() -> None:
    house = House()
    house.settle()
    house.aws.lamps["hall"]["on"] = ["a"]
    house.settle(now=NOW + DAY)
    assert _announced(house) == ["opened", "repairing", "repaired"] * 2


def test_a_fight_is_announced_once() -> None:
    house = House()
    for minutes in range(6):
        house.aws.lamps["hall"]["on"] = ["a"]
        house.settle(now=NOW + timedelta(minutes=minutes))
    assert _announced(house).count("fight") == 1


def test_an_exemption_that_ends_reopens_what_is_not_due() -> None:
    house = House(clocks=WEEK)
    house.settle()
    exempt = replace(house.finding, status=Status.EXEMPT)
    assert transitions(house.finding, exempt) == ["exempt"]
    assert transitions(exempt, house.finding) == ["reopened"]


def _dies() -> None:
    raise SystemExit


def _half_made() -> House:
    """A repair that was cut short after its first write."""
    house = House()
    house.aws.lamps["hall"]["on"] = ["a", "b"]
    house.aws.on_write = lambda: _dies() if house.aws.writes else None
    with pytest.raises(SystemExit):
        house.settle()
    house.aws.on_write = lambda: None
    return house


@pytest.mark.parametrize("dies", [False, True])
def test_a_repair_that_was_cut_short_has_failed_once_though_its_target_is_exempt_by_then(*, dies: bool) -> None:
    house = _half_made()
    house.exemptions = (Exemption("*", str(LAMP), "ann", "party", NOW + 2 * DAY),)
    if dies:  # between the claim and the letter
        house.alerts.down = True
        with pytest.raises(AwsRefusal):
            house.settle(now=NOW + DAY / 2)
        house.alerts.down = False
    house.settle(now=NOW + DAY)
    assert _announced(house) == ["opened", "repairing", "failed", "exempt"]


def test_a_failed_repair_whose_letter_never_left_is_announced_once() -> None:
    house = _half_made()
    house.ledger.pauses["*"] = NOW + 2 * DAY
    house.alerts.down = True
    with pytest.raises(AwsRefusal):
        house.settle(now=NOW + DAY / 4)
    house.exemptions = (Exemption("*", str(LAMP), "ann", "party", NOW + DAY),)
    with pytest.raises(AwsRefusal):
        house.settle(now=NOW + DAY / 2)
    house.exemptions, house.alerts.down = (), False
    house.settle(now=NOW + DAY)
    assert (_announced(house), house.alerts.subjects) == (
        ["opened", "repairing", "failed", "exempt"],
        ["repair failed: lamp hall is on (by mallory)"],
    )


def test_a_failure_that_waits_for_the_digest_is_announced_once() -> None:
    house = House(letters=Letters(per_hour=0))
    house.aws.fails["SwitchOff"] = ["AccessDenied"]
    house.settle()
    house.engine.digest(LAMP.account, now=NOW)
    assert _announced(house) == ["opened", "repairing", "failed"]


def test_what_was_new_beside_what_is_adopted_is_announced_as_repaired() -> None:
    house = House()
    house.settle(origin=Origin.ADOPTION)
    house.aws.lamps["hall"]["on"] = ["a", "b"]
    house.settle(now=NOW + HOUR)
    assert house.finding.status is Status.OPEN
    assert _announced(house) == ["opened", "repairing", "repaired"]


def test_each_failure_is_announced() -> None:
    house = House()
    house.aws.fails["SwitchOff"] = ["AccessDenied"] * 2
    house.settle()
    house.settle(now=NOW + DAY)
    assert _announced(house) == ["opened", *["repairing", "failed"] * 2]


def test_a_telling_is_announced_whatever_the_status() -> None:
    house = House(clocks=WEEK)
    house.settle()
    exempt = replace(house.finding, status=Status.EXEMPT)
    again = replace(exempt, told=(*exempt.told, "failed", "failed"))
    assert transitions(exempt, again) == ["failed"]
    once = replace(again, told=(*exempt.told, "failed"))
    assert transitions(once, again) == ["failed"]
    undo = replace(exempt, told=(*exempt.told, "undo failed"))
    assert transitions(exempt, undo) == ["undo-failed"]
    assert transitions(undo, replace(undo, told=(*undo.told, "undo failed"))) == ["undo-failed"]


def test_an_undo_that_aws_refuses_is_announced_and_so_is_one_that_was_cut_short() -> None:
    house = House()
    house.settle()
    house.aws.fails["SwitchOn"] = ["AccessDenied"]
    house.type("undo", house.finding.short)
    house.aws.on_write = _dies
    with pytest.raises(SystemExit):
        house.type("undo", house.finding.short, "--force")
    house.settle(origin=Origin.SWEEP, now=NOW + DAY / 2)
    assert _announced(house) == [
        *("opened", "repairing", "repaired"),
        *("undoing", "undo-failed", "exempt"),
        *("undoing", "undo-cut-short", "resolved"),
    ]


def test_the_guide_names_every_transition() -> None:
    guide = (ROOT / "docs" / "operating.md").read_text()
    statuses = [announce.NAMES.get(one, one.value) for one in Status]
    for name in ("opened", "proposed", *statuses, *announce.TOLD.values()):
        assert f"`{name}`" in guide, name


def test_what_is_forgotten_after_its_time_is_no_news() -> None:
    house = House()
    house.settle()
    assert list(events(_record(house.finding, None), NAMES)) == []


def test_an_event_says_what_where_who_and_how_bad_and_nothing_alive() -> None:
    house = House(clocks=WEEK)
    hostile = "https://evil.example/\n\x1b[31m"
    house.settle()
    finding = replace(house.finding, cause=replace(house.finding.cause, who=hostile))
    (event,) = events(_record(None, finding), NAMES)
    assert event == {
        "transition": "opened",
        "finding": finding.id,
        "version": 2,
        "control": "lamp-off",
        "severity": "high",
        "account": "111122223333",
        "region": "global",
        "target": "111122223333/global/lamp/hall",
        "deviation": "is on",
        "status": "open",
        "firstSeen": "2026-03-02T09:30:00+00:00",
        "due": "2026-03-03T09:30:00+00:00",
        "graceUntil": None,
        "cause": {
            "action": "SwitchOn",
            "who": "https[:]//evil[.]example/ [31m",
            "principal": "arn:aws:iam::111122223333:user/mallory",
            "at": "2026-03-02T09:29:58Z",
            "source": "198.51.100.7",
            "tool": "aws-cli/2",
            "eventId": "e-1",
        },
        "repairs": 0,
        "unseenSince": None,
    }


def test_a_control_that_no_longer_exists_is_announced_all_the_same() -> None:
    house = House(clocks=WEEK)
    house.settle()
    (event,) = events(_record(None, house.finding), {})
    assert (event["control"], event["severity"]) == ("lamp-off", "")


def test_what_was_recorded_under_an_earlier_id_is_announced_under_todays() -> None:
    house, client = House(clocks=WEEK), _Events()
    house.settle()
    index = Index.of({"lamp-dark": replace(CONTROL, id="lamp-dark", aliases=("lamp-off",))})
    Announcer(Bus(lambda *_: client, "us-east-1"), index, Log()).record(_record(None, house.finding))
    ((sent,),) = client.entries
    event = json.loads(sent["Detail"])
    assert ("opened", "lamp-dark", "high") == (event["transition"], event["control"], event["severity"])


@dataclass
class _Events:
    """A client of EventBridge."""

    answer: Mapping[str, Any] = field(default_factory=dict)
    entries: list[list[dict[str, str]]] = field(default_factory=list)

    def can_paginate(self, _method: str) -> bool:
        return False

    def put_events(self, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803 - as boto3 takes it
        self.entries.append(Entries)
        return dict(self.answer)


def test_events_go_to_the_default_bus_ten_at_a_time_in_plumblines_name() -> None:
    client = _Events()
    Bus(lambda *_: client, "us-east-1").put("Plumbline Finding", [{"n": n} for n in range(11)])
    assert [len(one) for one in client.entries] == [10, 1]
    first = client.entries[0][0]
    assert (first["Source"], first["DetailType"], json.loads(first["Detail"])) == (
        "plumbline",
        "Plumbline Finding",
        {"n": 0},
    )


def test_an_event_that_eventbridge_refuses_is_not_done_with() -> None:
    client = _Events({"FailedEntryCount": 1, "Entries": [{"ErrorCode": "ThrottlingException", "ErrorMessage": "slow"}]})
    with pytest.raises(AwsRefusal, match="slow"):
        Bus(lambda *_: client, "us-east-1").put("Plumbline Finding", [{}])


def test_nothing_to_announce_is_no_call() -> None:
    client = _Events()
    Bus(lambda *_: client, "us-east-1").put("Plumbline Finding", [])
    assert client.entries == []


def _heard(hearing: Hearing) -> dict[str, Any]:
    item = {"pk": {"S": f"account#{LAMP.account}"}, "sk": {"S": "heard"}, "body": {"S": hearing.to_json()}}
    return {"eventName": "MODIFY", "dynamodb": {"NewImage": item}}


@pytest.mark.parametrize(
    ("hearing", "transition", "ever", "since"),
    [
        (Hearing(NOW), "heard", True, None),
        (Hearing(NOW, NOW + HOUR), "unheard", True, (NOW + HOUR).isoformat()),
        (Hearing(None, NOW), "unheard", False, NOW.isoformat()),
    ],
)
def test_that_nobody_hears_is_an_event_of_its_own(
    hearing: Hearing,
    transition: str,
    ever: bool,  # noqa: FBT001 -- an answer
    since: str | None,
) -> None:
    client = _Events()
    Announcer(Bus(lambda *_: client, "us-east-1"), Index.of(NAMES), Log()).record(_heard(hearing))
    ((entry,),) = client.entries
    assert (
        "Plumbline Hearing",
        {"transition": transition, "account": LAMP.account, "everHeard": ever, "since": since},
    ) == (
        entry["DetailType"],
        json.loads(entry["Detail"]),
    )
