"""A batch of records: duplicates, failures, and what comes back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from plumbline.controls import registry
from plumbline.core.cause import Origin
from plumbline.core.clock import Clock, utc
from plumbline.core.control import Looks
from plumbline.core.errors import LedgerDown, MalformedWake
from plumbline.decisions.exemptions import Exemption
from plumbline.findings.adoption import Adoption, mark
from plumbline.findings.hearing import Hearing
from plumbline.findings.sweeps import Sweep
from plumbline.handlers.react import ComeBack, Reaction
from plumbline.handlers.silence import Silence
from plumbline.handlers.sweep import Sweeper
from plumbline.sweep.units import Unit
from plumbline.wakes.messages import Task, Wake
from tests.fakes import CONTROL, LAMP, MALLORY, NOW, House, Letterbox, Memory
from tests.recorded import folder
from tests.rig import Rig, at_once
from tests.story import ACCOUNT as WORLD
from tests.story import world


@dataclass
class Log:
    """A logger that keeps its lines."""

    lines: list[tuple[object, dict[str, Any]]] = field(default_factory=list)

    def info(self, msg: object, /, *, extra: Mapping[str, object] | None = None) -> None:
        """See plumbline.reacting.Log."""
        self.lines.append((msg, dict(extra or {})))

    error = info


@dataclass
class Outlet:
    """A queue that keeps what is put onto it."""

    bodies: list[str] = field(default_factory=list)
    delays: list[int] = field(default_factory=list)

    def send(self, bodies: Sequence[str], *, delay: int = 0) -> None:
        """See plumbline.sweeping.Outlet."""
        self.bodies += bodies
        self.delays += [delay] * len(bodies)


def _record(body: str, tries: int = 1) -> dict[str, Any]:
    return {
        "messageId": "m-1",
        "receiptHandle": "r-1",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(tries)},
    }


def _reaction(house: House) -> tuple[Reaction, Log, list[tuple[str, int]]]:
    log, later = Log(), []
    return Reaction(house.plumbline, log, lambda: NOW, lambda *one: later.append(one)), log, later


DIGEST = Task.DIGEST.to_json()
WAKE = Wake("lamp-off", LAMP, Origin.SWEEP, MALLORY).to_json()


def test_a_duplicate_within_a_batch_is_settled_once() -> None:
    house = House()
    reaction, _, _ = _reaction(house)
    for _ in range(3):
        reaction.record(_record(WAKE))
    assert len([call for call in house.aws.calls if call.operation == "GetLamp"]) == 2  # before and after the repair


def test_what_there_is_no_time_for_comes_back_at_once_and_is_not_begun() -> None:
    house, later, done = House(), list[tuple[str, int]](), list[str]()
    reaction = Reaction(house.plumbline, Log(), lambda: NOW, lambda *one: later.append(one), done.append, lambda: 9_000)
    with pytest.raises(ComeBack, match="all the time there was"):
        reaction.record(_record(WAKE, tries=3))
    assert (later, done) == ([("r-1", 1)], ["r-1"])
    assert (house.aws.calls, house.ledger.saves, house.alerts.letters) == ([], [], [])


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "7",
        "[]",
        "null",
        '{"a": 1}',
        '{"plumbline-wake": 1}',
        WAKE.replace('"lamp-off"', "[]"),
        WAKE.replace('"lamp-off"', "7"),
        WAKE.replace("lamp-off", "no-such"),
        WAKE.replace(str(LAMP), "nowhere"),
        json.dumps({"detail-type": "AWS API Call via CloudTrail", "detail": "null"}),
    ],
)
def test_a_message_nobody_understands_fails_alone_with_its_reason_logged(body: str) -> None:
    reaction, log, later = _reaction(House())
    with pytest.raises(MalformedWake):
        reaction.record(_record(body))
    assert [line[0] for line in log.lines] == ["malformed message"]
    assert log.lines[0][1]["reason"]
    assert later == [("r-1", 15)]


def test_what_an_event_announced_is_looked_at_again_as_soon_as_aws_must_show_it() -> None:
    """An administrator was made five seconds ago, and nothing of it is to be seen."""
    event = json.loads((folder("iam-admin-grants") / "AttachUserPolicy.json").read_text())
    event["account"] = event["detail"]["recipientAccountId"] = event["detail"]["userIdentity"]["accountId"] = WORLD
    since, later = utc(event["detail"]["eventTime"]), list[tuple[str, int]]()
    with world() as told:
        control = registry.load()["iam-admin-grants"]
        plumbline = Rig(told, in_moto=True).install({control.id: at_once(control)}, controls={control.id: control})
        reaction = Reaction(plumbline, Log(), lambda: since + timedelta(seconds=5), lambda *one: later.append(one))
        with pytest.raises(ComeBack):
            reaction.record(_record(json.dumps(event)))
    assert [("r-1", 26)] == later


def test_a_digest_is_told_when_it_is_asked_for() -> None:
    house = House()
    house.settle(origin=Origin.ADOPTION)
    reaction, log, _ = _reaction(house)
    reaction.record(_record(DIGEST))
    assert house.alerts.subjects == ["digest: 1 thing there before Plumbline, severity high"]
    assert log.lines == [("task done", {"task": "digest", "told": 1})]


def test_a_digest_that_waits_is_asked_for_by_the_next_sweep() -> None:
    house = House()
    house.settle(origin=Origin.ADOPTION)
    sweeper, _, wakes = _sweeper(house)
    sweeper.piece(Unit("111122223333", "global", ("lamp-off",), last=True).to_json())
    assert wakes.bodies == [DIGEST]


def test_an_exemption_that_ends_soon_is_told_of_once() -> None:
    house = House()
    until = NOW + timedelta(days=5)
    house.ledger.exempt(LAMP.account, Exemption("lamp-off", str(LAMP), "ann", "party", until), NOW)
    unit = Unit("111122223333", "global", ("lamp-off",), last=True).to_json()
    for _ in range(2):
        sweeper, _, wakes = _sweeper(house)
        sweeper.piece(unit)
        for body in wakes.bodies:
            _reaction(house)[0].record(_record(body))
    assert [one for one in house.alerts.subjects if "ends soon" in one] == [
        "exemption ends soon: global/lamp/hall from lamp-off, until 2026-03-07"
    ]


def test_the_week_is_told_once() -> None:
    house = House()
    house.settle()
    reaction, _, _ = _reaction(house)
    for _ in range(2):
        reaction.record(_record(Task.WEEKLY.to_json()))
    assert house.alerts.subjects[1:] == ["week: 1 repaired, 0 open, 0 exempt"]


def test_a_task_that_does_not_exist_is_malformed() -> None:
    reaction, _, _ = _reaction(House())
    with pytest.raises(MalformedWake, match="does not exist"):
        reaction.record(_record('{"plumbline-task": "dance"}'))


def test_what_has_to_come_back_comes_back_later_each_time() -> None:
    house = House()
    waits = []
    for tries in (1, 2, 3, 4):
        house.aws.fails["GetLamp"] = ["Throttling"]
        reaction, _, later = _reaction(house)
        with pytest.raises(ComeBack, match="Throttling"):
            reaction.record(_record(WAKE, tries))
        waits += later
    assert [seconds for _, seconds in waits] == [15, 30, 60, 120]


def test_one_wake_of_a_record_that_fails_does_not_stop_the_next() -> None:
    house = House()
    house.aws.lamps["attic"] = {"on": ["z"]}
    house.aws.fails["GetLamp"] = ["", "Throttling"]  # the survey sees hall, not attic
    house.ledger.marks["lamp-off"] = Adoption(mark(house.engine.baseline.rules["lamp-off"])).to_json()
    reaction, log, _ = _reaction(house)
    pattern = Wake("lamp-off", LAMP.__class__(LAMP.account, LAMP.region, "lamp", "*"), Origin.EVENT).to_json()
    reaction.record(_record(pattern))
    outcomes = {line[1]["target"].rpartition("/")[2]: line[1]["outcome"] for line in log.lines}
    assert outcomes == {"hall": "repaired", "attic": "repaired"}


def test_a_ledger_that_is_down_keeps_the_message() -> None:
    house = House()
    house.ledger.down = True
    reaction, log, _ = _reaction(house)
    with pytest.raises(LedgerDown):
        reaction.record(_record(WAKE))
    assert log.lines[-1][0] == "not settled"
    assert house.aws.writes == []


def test_an_event_nobody_cares_about_is_done_with() -> None:
    event = {"source": "aws.dance", "detail-type": "AWS API Call via CloudTrail", "detail": {"eventName": "DanceTango"}}
    reaction, log, _ = _reaction(House())
    reaction.record(_record(json.dumps(event)))
    assert log.lines == []


def _sweeper(house: House, milliseconds: int = 300_000) -> tuple[Sweeper, Outlet, Outlet]:
    units, wakes = Outlet(), Outlet()
    return Sweeper(house.plumbline, units, wakes, Log(), lambda: NOW, lambda: milliseconds), units, wakes


def test_a_sweep_begins_with_its_units() -> None:
    house = House()
    sweeper, units, _ = _sweeper(house)
    assert sweeper.begin() == {"units": 1}
    begun = NOW.isoformat()
    assert Unit.from_json(units.bodies[0]) == Unit(
        "111122223333", "global", ("lamp-off",), last=True, sweep=begun, number=0, of=1
    )
    assert [Sweep(begun, 1)] == house.ledger.sweeps.known("111122223333")


@pytest.mark.parametrize(
    ("looks", "sweeps"),
    [(Looks.DAILY, [True, True, True]), (Looks.WEEKLY, [False, False, True]), (Looks.EACH_SWEEP, [True] * 3)],
)
def test_what_is_not_looked_at_by_each_sweep_is_left_to_one_and_not_before_somebody_has_looked(
    looks: Looks, sweeps: list[bool]
) -> None:
    house = House(control=replace(CONTROL, looks=looks))

    def begun(hour: int, days: int = 0) -> tuple[str, ...]:
        units = Outlet()
        at = NOW.replace(hour=hour) + timedelta(days=days)
        Sweeper(house.plumbline, units, Outlet(), Log(), lambda: at, lambda: 300_000).begin()
        unit = Unit.from_json(units.bodies[0])
        assert unit.last, "the sweep is over all the same"
        return unit.controls

    assert begun(9) == ("lamp-off",), "nobody has looked at it yet"
    sweeper, _, _ = _sweeper(house)
    sweeper.piece(Unit("111122223333", "global", ("lamp-off",), last=True).to_json())
    saturday = 5  # days after a Monday
    assert sweeps == [bool(begun(5, saturday + days)) for days in range(3)]
    others = [bool(begun(hour, saturday + days)) for days in range(3) for hour in (4, 6)]
    assert others == [looks is Looks.EACH_SWEEP] * 6


@pytest.mark.parametrize("looks", [Looks.DAILY, Looks.WEEKLY])
def test_what_has_come_due_does_not_wait_for_the_one_sweep_that_looks(looks: Looks) -> None:
    house = House(control=replace(CONTROL, looks=looks), clocks={"default": Clock(act=timedelta(hours=3))})
    house.settle()
    sweeper, _, _ = _sweeper(house)
    sweeper.piece(Unit("111122223333", "global", ("lamp-off",), last=True).to_json())

    def begun(after: timedelta) -> tuple[str, ...]:
        units = Outlet()
        Sweeper(house.plumbline, units, Outlet(), Log(), lambda: NOW + after, lambda: 300_000).begin()
        return Unit.from_json(units.bodies[0]).controls

    assert [(), (), ("lamp-off",)] == [begun(timedelta(hours=hours)) for hours in (1, 2, 3)]


def test_what_the_first_sweep_found_stays_adopted_until_it_is_settled_and_what_is_new_is_not() -> None:
    house = House()
    unit = Unit("111122223333", "global", ("lamp-off",), last=True).to_json()

    def swept() -> list[str]:
        sweeper, _, wakes = _sweeper(house)
        sweeper.piece(unit)
        return [json.loads(body).get("origin", "digest") for body in wakes.bodies]

    assert [swept(), swept()] == [["adoption", "digest"], ["adoption", "digest"]], "the wake may be lost"
    house.settle(origin=Origin.ADOPTION)
    house.engine.digest(LAMP.account, now=NOW)
    house.aws.lamps["attic"] = {"on": ["z"]}
    assert swept() == ["sweep"]
    assert (house.ledger.swept, house.aws.writes) == (NOW, [])


@pytest.mark.parametrize(("lamps", "delay"), [(1, 30), (100, 50), (10_000, 900)])
def test_the_digest_of_a_first_sweep_waits_for_as_long_as_settling_takes(lamps: int, delay: int) -> None:
    house = House()
    house.aws.lamps = {f"lamp-{number}": {"on": ["a"]} for number in range(lamps)}
    sweeper, _, wakes = _sweeper(house)
    sweeper.piece(Unit("111122223333", "global", ("lamp-off",), last=True).to_json())
    assert (wakes.bodies[-1], wakes.delays[-1]) == (DIGEST, delay)


def test_a_first_sweep_that_saw_no_list_has_not_been_made() -> None:
    house = House()
    house.aws.fails["ListLamps"] = ["AccessDenied"]
    unit = Unit("111122223333", "global", ("lamp-off",)).to_json()
    bodies = []
    for _ in range(2):
        sweeper, _, wakes = _sweeper(house)
        sweeper.piece(unit)
        bodies.append(json.loads(wakes.bodies[0]))
    assert [(one["target"], one["origin"]) for one in bodies] == [
        ("111122223333/global/*/*", "adoption"),
        (str(LAMP), "adoption"),
    ]


def test_a_list_refused_while_adoption_waits_keeps_the_grace() -> None:
    house = House()
    unit = Unit("111122223333", "global", ("lamp-off",)).to_json()
    _sweeper(house)[0].piece(unit)
    house.aws.fails["ListLamps"] = ["AccessDenied"]
    sweeper, _, wakes = _sweeper(house)
    sweeper.piece(unit)
    asked = json.loads(wakes.bodies[0])
    assert (asked["target"], asked["origin"]) == ("111122223333/global/*/*", "adoption")


def test_a_control_that_no_longer_exists_is_not_looked_with() -> None:
    house = House()
    sweeper, units, wakes = _sweeper(house)
    sweeper.piece(Unit("111122223333", "global", ("gone",), last=True).to_json())
    assert (units.bodies, wakes.bodies, house.ledger.swept) == ([], [], NOW)


def test_what_was_sent_under_a_control_s_earlier_id_is_understood() -> None:
    """A deployment may rename a control while a wake or a unit waits."""
    house = House(control=replace(CONTROL, id="lamp-dark", aliases=("lamp-off", "lamp-out")))
    reaction, log, _ = _reaction(house)
    reaction.record(_record(WAKE))
    assert [("settled", "lamp-dark", "repaired")] == [(what, x["control"], x["outcome"]) for what, x in log.lines]
    sweeper, units, _ = _sweeper(house, milliseconds=10_000)
    sweeper.piece(Unit("111122223333", "global", ("lamp-off", "gone", "lamp-out")).to_json())
    assert [Unit("111122223333", "global", ("lamp-dark",))] == [Unit.from_json(body) for body in units.bodies]


def test_a_unit_without_time_left_sends_itself_back() -> None:
    house = House()
    sweeper, units, wakes = _sweeper(house, milliseconds=10_000)
    unit = Unit("111122223333", "global", ("lamp-off",), last=True)
    sweeper.piece(unit.to_json())
    assert [Unit.from_json(body) for body in units.bodies] == [unit]
    assert (wakes.bodies, house.ledger.swept) == ([], None)


def test_a_list_that_aws_refuses_becomes_a_wake_for_the_whole_control() -> None:
    house = House()
    house.aws.fails["ListLamps"] = ["AccessDenied"]
    sweeper, _, wakes = _sweeper(house)
    sweeper.piece(Unit("111122223333", "global", ("lamp-off",)).to_json())
    assert json.loads(wakes.bodies[0])["target"] == "111122223333/global/*/*"


def test_an_open_finding_that_is_not_due_wakes_nobody() -> None:
    house = House()
    house.settle(origin=Origin.ADOPTION)
    house.engine.digest(LAMP.account, now=NOW)
    house.ledger.marks["lamp-off"] = Adoption("x").to_json()
    sweeper, _, wakes = _sweeper(house)
    sweeper.piece(Unit("111122223333", "global", ("lamp-off",)).to_json())
    assert wakes.bodies == []


@pytest.mark.parametrize("change", ["fixed", "gone", "worse"])
def test_an_open_finding_that_looks_different_now_is_looked_at(change: str) -> None:
    house = House()
    house.settle(origin=Origin.ADOPTION)
    house.ledger.marks["lamp-off"] = Adoption(mark(house.engine.baseline.rules["lamp-off"])).to_json()
    if change == "gone":
        del house.aws.lamps["hall"]
    else:
        house.aws.lamps["hall"]["on"] = {"fixed": [], "worse": ["a", "b"]}[change]
    sweeper, _, wakes = _sweeper(house)
    sweeper.piece(Unit("111122223333", "global", ("lamp-off",)).to_json())
    assert [json.loads(body)["target"] for body in wakes.bodies] == [str(LAMP)]


@pytest.mark.parametrize("refused", [False, True])
def test_a_list_that_lags_behind_wakes_nobody_for_what_is_as_it_was(*, refused: bool) -> None:
    """IAM's credential report is hours old and leaves out what is younger."""
    house = House()
    house.settle(origin=Origin.ADOPTION)
    house.engine.digest(LAMP.account, now=NOW)
    house.ledger.marks["lamp-off"] = Adoption(mark(house.engine.baseline.rules["lamp-off"])).to_json()
    house.aws.listed = []
    house.aws.fails["GetLamp"] = ["AccessDenied"] if refused else []
    sweeper, _, wakes = _sweeper(house)
    sweeper.piece(Unit("111122223333", "global", ("lamp-off",)).to_json())
    assert [json.loads(body)["target"] for body in wakes.bodies] == ([str(LAMP)] if refused else [])


@pytest.mark.parametrize("body", ["", "{", "[]", '{"plumbline-unit": 1}', '{"account": "1"}'])
def test_a_unit_nobody_understands_is_malformed(body: str) -> None:
    with pytest.raises(MalformedWake):
        Unit.from_json(body)


def test_one_broken_control_does_not_hide_what_the_others_see() -> None:
    house = House()
    house.aws.fails["ListLamps"] = []

    def broken(_call: object) -> object:
        raise KeyError("Arn")

    house.aws.read = broken  # type: ignore[method-assign, assignment]
    sweeper, _, wakes = _sweeper(house)
    unit = Unit("111122223333", "global", ("lamp-off",), last=True)
    sweeper.piece(unit.to_json())
    assert [json.loads(body).get("target") for body in wakes.bodies] == ["111122223333/global/*/*", None], (
        "what failed is looked at once more, which makes a finding of it, and is told with the digest"
    )
    assert house.ledger.swept == NOW, "the rest of the unit was looked through"


@pytest.mark.parametrize(
    ("heard", "known", "is_silent"),
    [
        (True, Hearing(), False),
        (False, Hearing(), True),
        (None, Hearing(), True),
        (False, Hearing(NOW), True),
        (None, Hearing(NOW), False),
        (True, Hearing(NOW, NOW), False),
    ],
)
def test_each_sweep_tells_elsewhere_that_nobody_hears(
    heard: bool | None,  # noqa: FBT001 -- what SNS answers
    known: Hearing,
    is_silent: bool,  # noqa: FBT001 -- what is known then
) -> None:
    house, watchdog = House(alerts=Letterbox(heard=heard), ledger=Memory(heard=known)), Letterbox()
    house.aws.lamps["hall"]["on"] = []
    sweeper, _, wakes = _sweeper(house)
    unit = Unit("111122223333", "global", ("lamp-off",), last=True).to_json()
    replace(sweeper, silence=Silence(house.engine, watchdog)).piece(unit)
    assert ["unheard"] * is_silent == [one.attributes["outcome"] for one in watchdog.letters]
    assert ["unheard"] * is_silent == [json.loads(body)["plumbline-task"] for body in wakes.bodies]
    assert is_silent == (house.ledger.heard.silent is not None)


def test_a_watchdog_that_takes_nothing_stops_no_sweep_and_the_next_one_tells() -> None:
    house, watchdog = House(alerts=Letterbox(heard=False)), Letterbox(down=True)
    sweeper, _, wakes = _sweeper(house)
    sweeper = replace(sweeper, silence=Silence(house.engine, watchdog))
    unit = Unit("111122223333", "global", ("lamp-off",), last=True).to_json()
    sweeper.piece(unit)
    assert NOW == house.ledger.swept
    assert "unheard" in str(wakes.bodies)
    watchdog.down = False
    sweeper.piece(unit)
    assert ["unheard: nobody has ever confirmed, nothing is repaired"] == watchdog.subjects


def test_react_tells_of_it_when_the_sweep_asks() -> None:
    house = House(alerts=Letterbox(heard=False))
    reaction, _, _ = _reaction(house)
    reaction.record(_record(Task.UNHEARD.to_json()))
    assert ["unheard: nobody has ever confirmed, nothing is repaired"] == house.alerts.subjects
