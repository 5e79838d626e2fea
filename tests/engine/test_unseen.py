"""What cannot be looked at is a finding: told, listed, exempted and escalated like any other, and never repaired."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from plumbline.baseline.rules import Letters
from plumbline.core.cause import Cause, Origin
from plumbline.core.clock import CANNOT_BE_LOOKED_AT, FOUND_BY_SWEEP, NEVER, UNSEEN, Clock, Response
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.decisions.exemptions import Exemption
from plumbline.engine.case import Settled
from plumbline.engine.undoing import undo
from plumbline.findings import stored
from plumbline.findings.adoption import Adoption, mark
from plumbline.findings.finding import DIGEST, LEASE, Finding, Status
from plumbline.findings.unseen import LASTING, PASSING_FOR, TOLD, UNMADE
from plumbline.handlers.announce import events
from plumbline.wakes.messages import Wake
from tests.fakes import ACCOUNT, CONTROL, LAMP, MALLORY, NOW, House

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WEEK = Clock(remind=(DAY, 3 * DAY, 6 * DAY), escalate=7 * DAY, act=7 * DAY)
NOBODY = Cause()
ALL_LAMPS = Target(ACCOUNT, GLOBAL, "lamp", "*")


def hide(house: House, code: str = "AccessDenied") -> None:
    """Nobody can look at a lamp any more."""
    house.aws.fails["GetLamp"] = [code] * 999


def show(house: House) -> None:
    """Everybody can again."""
    house.aws.fails.clear()


def _hidden(**options: object) -> House:
    house = House(**options)  # type: ignore[arg-type]
    hide(house)
    return house


def _sweep(house: House, at: timedelta) -> str:
    return house.settle(origin=Origin.SWEEP, now=NOW + at, cause=NOBODY)


# --- a finding of its own ---------------------------------------------------------------------------


def test_what_an_event_led_to_and_cannot_be_looked_at_is_told_at_once_with_its_actor() -> None:
    house = _hidden()
    assert house.settle() == "unknown"
    assert house.alerts.subjects == ["cannot look: lamp hall, lamps:GetLamp is refused (AccessDenied) (by mallory)"]
    (alert,) = house.alerts.letters
    assert ("high", "lamp-off", "cannot-look", "false") == tuple(
        alert.attributes[name] for name in ("severity", "control", "outcome", "escalation")
    )
    text = " ".join(alert.body.split())
    assert "Plumbline cannot look at lamp hall since Monday 2 March 2026, 09:30 UTC." in text
    assert "Who mallory, arn:aws:iam::111122223333:user/mallory" in text
    assert "AWS said lamps:GetLamp was refused: AccessDenied: no" in text
    assert f"plumbline exempt {house.finding.short} --days 7" in text
    assert house.aws.writes == []


def test_it_is_listed_like_any_other() -> None:
    house = _hidden()
    house.settle()
    short = house.finding.short
    answers = {word: house.type(*word.split()).text for word in ("findings", f"show {short}", "plan", "status")}
    assert "lamp hall cannot be looked at: lamps:GetLamp is refused (AccessDenied)" in answers["findings"]
    assert "Unseen since" in answers[f"show {short}"]
    assert "Not known" in answers["plan"]
    assert f"1 of these cannot be looked at. See: plumbline show {short}" in answers["status"]
    (listed,) = house.type("findings").data["findings"]
    assert listed["unseen_since"] == NOW.isoformat()


def test_two_targets_are_two_findings_each_told_by_name() -> None:
    house = _hidden()
    house.aws.lamps["attic"] = {"on": []}
    for lamp in (LAMP, replace(LAMP, id="attic")):
        house.engine.settle(Wake("lamp-off", lamp, Origin.EVENT, MALLORY), now=NOW)
    assert [subject.split(",")[0] for subject in house.alerts.subjects] == [
        "cannot look: lamp hall",
        "cannot look: lamp attic",
    ]


def test_it_is_told_once_reminded_escalated_and_never_repaired() -> None:
    house = _hidden()
    house.settle()
    for hours in (1, 24, 25, 72, 73, 24 * 7, 24 * 7 + 1, 24 * 30):
        _sweep(house, hours * HOUR)
        house.engine.digest(ACCOUNT, now=NOW + hours * HOUR)
    assert house.finding.told == ("opened", "reminded 72h", "escalated")
    assert [one.attributes["escalation"] for one in house.alerts.letters] == ["false", "false", "false", "true"]
    assert (house.aws.writes, house.finding.first_seen) == ([], NOW)


def test_its_clock_is_the_baselines() -> None:
    house = _hidden(clocks={"default": NEVER, UNSEEN: Clock(remind=(HOUR,))})
    house.settle()
    assert [_sweep(house, hours * HOUR) for hours in (1, 2, 200)] == ["listed", "unknown", "unknown"]
    assert house.finding.outbox == f"{DIGEST}reminded 1h"


def test_many_that_a_sweep_finds_are_told_in_one_e_mail_that_names_all() -> None:
    house = _hidden()
    house.aws.lamps = {f"l{number}": {"on": []} for number in range(200)}
    for name in house.aws.lamps:
        house.engine.settle(Wake("lamp-off", replace(LAMP, id=name), Origin.SWEEP), now=NOW)
    assert house.alerts.letters == []
    house.engine.digest(ACCOUNT, now=NOW)
    (alert,) = house.alerts.letters
    assert alert.subject == "[Plumbline] digest: 200 things cannot be looked at, the worst is high"
    assert all(f"lamp {name} " in alert.body for name in house.aws.lamps)


def test_a_storm_of_events_folds_too() -> None:
    house = _hidden(letters=Letters(per_hour=1))
    house.settle()
    house.engine.settle(Wake("lamp-off", replace(LAMP, id="attic"), Origin.EVENT, MALLORY), now=NOW)
    assert len(house.alerts.letters) == 1
    assert house.ledger.findings[("lamp-off", replace(LAMP, id="attic"))].awaits_digest


def test_when_it_can_be_seen_and_is_in_line_it_is_over() -> None:
    house = _hidden()
    house.settle()
    show(house)
    house.aws.lamps["hall"]["on"] = []
    assert _sweep(house, HOUR) == "resolved"
    assert (house.finding.status, len(house.alerts.letters)) == (Status.RESOLVED, 1)


def test_what_is_gone_is_over_and_no_finding() -> None:
    house = House()
    house.aws.lamps.clear()
    assert _sweep(house, HOUR) == "compliant"
    assert house.ledger.findings == {}


def test_an_exemption_silences_it_and_it_is_listed_all_the_same() -> None:
    until = NOW + 10 * DAY
    house = _hidden(exemptions=(Exemption("*", str(LAMP), "ann", "because", until),))
    assert [house.settle(), _sweep(house, 8 * DAY)] == ["exempt", "exempt"]
    assert (house.alerts.letters, house.finding.status, house.finding.due) == ([], Status.EXEMPT, until)
    assert _sweep(house, 11 * DAY) == "listed"


def test_a_person_exempts_it_by_its_id() -> None:
    house = _hidden()
    house.settle()
    assert house.type("exempt", house.finding.short, "--days", "7", "--owner", "ann", "--reason", "meant").ok
    before = len(house.alerts.letters)
    assert [_sweep(house, hours * HOUR) for hours in (1, 24, 72)] == ["exempt"] * 3
    assert len(house.alerts.letters) == before


def test_settings_that_except_a_target_by_name_silence_it() -> None:
    house = _hidden()
    house.settle()
    house.control = replace(CONTROL, excepted=lambda target, _settings: target.id == "hall")
    assert [_sweep(house, HOUR), _sweep(house, 2 * HOUR)] == ["resolved", "compliant"]
    assert house.finding.status is Status.RESOLVED


@pytest.mark.parametrize("code", sorted(LASTING))
def test_no_other_try_is_made_where_none_can_help(code: str) -> None:
    house = _hidden()
    hide(house, code)
    settled = house.engine.settle(Wake("lamp-off", LAMP, Origin.EVENT, MALLORY), now=NOW)
    assert (False, 1) == (settled.again, len(house.alerts.letters))


# --- what passes ------------------------------------------------------------------------------------


def test_what_passes_comes_back_and_is_nobodys_business() -> None:
    house = _hidden()
    hide(house, "ThrottlingException")
    settled = house.engine.settle(Wake("lamp-off", LAMP, Origin.EVENT, MALLORY), now=NOW)
    assert ("unknown", True, {}, []) == (
        settled.outcome.value,
        settled.again,
        house.ledger.findings,
        house.alerts.letters,
    )


def test_what_does_not_pass_for_hours_is_told() -> None:
    house = House()
    hide(house, "InternalError")
    told = []
    for hours in range(5):
        settled = house.engine.settle(Wake("lamp-off", LAMP, Origin.SWEEP), now=NOW + hours * HOUR)
        told.append((settled.again, house.finding.awaits_digest))
    assert told == [(True, False)] * 3 + [(False, True)] * 2
    assert house.finding.first_seen == NOW
    assert PASSING_FOR == 3 * HOUR


def test_what_passed_leaves_no_word() -> None:
    house = House()
    hide(house, "InternalError")
    _sweep(house, 0 * HOUR)
    show(house)
    house.aws.lamps["hall"]["on"] = []
    assert _sweep(house, HOUR) == "resolved"
    assert house.alerts.letters == []


# --- a mistake of the control -----------------------------------------------------------------------


def test_a_mistake_of_a_control_is_told_like_a_refusal_and_says_where_it_is() -> None:
    def detect(state: State, _settings: object) -> None:
        raise KeyError(state and sorted(state))

    house = House(control=replace(CONTROL, detect=detect))
    settled = house.engine.settle(Wake("lamp-off", LAMP, Origin.EVENT, MALLORY), now=NOW)
    assert ("unknown", False) == (settled.outcome.value, settled.again)
    (alert,) = house.alerts.letters
    assert alert.subject == "[Plumbline] cannot look: lamp hall, its control failed (KeyError) (by mallory)"
    assert "lamp-off failed by a mistake of its own: KeyError: ['on'] at test_unseen[.]py:" in " ".join(
        alert.body.split()
    )


# --- an open finding --------------------------------------------------------------------------------


def test_an_open_finding_keeps_its_life_its_reminders_and_its_escalation() -> None:
    house = House(clocks={"default": WEEK})
    house.settle()
    hide(house)
    for days in (0.5, 1, 2, 3, 6, 6.5, 7, 8):
        _sweep(house, days * DAY)
        house.engine.digest(ACCOUNT, now=NOW + days * DAY)
    assert [subject.split(":")[0] for subject in house.alerts.subjects] == [
        "found", "digest", "reminder", "reminder", "reminder", "escalated",
    ]  # fmt: skip
    finding = house.finding
    assert (finding.first_seen, finding.last_seen, finding.deviation.summary) == (NOW, NOW, "is on")
    assert (house.aws.writes, finding.status, UNMADE in finding.told) == ([], Status.OPEN, True)
    assert "repair is due, and waits until it can be seen" in " ".join(house.alerts.letters[-1].body.split())


def test_that_it_turned_unseen_is_told_at_once_where_an_event_led_there() -> None:
    house = House(clocks={"default": WEEK})
    house.settle()
    hide(house)
    erin = replace(MALLORY, who="erin", action="PutLampPolicy")
    house.settle(now=NOW + HOUR, cause=erin)
    assert house.alerts.subjects[-1] == "cannot look: lamp hall is on (by erin)"
    text = " ".join(house.alerts.letters[-1].body.split())
    assert "So it was when it was last seen. Since Monday 2 March 2026, 10:30 UTC Plumbline cannot look at it" in text
    assert "Unseen after Monday 2 March 2026, 09:29 UTC, by PutLampPolicy of erin" in text
    assert house.settle(now=NOW + 2 * HOUR, cause=erin) == "unknown"
    assert len(house.alerts.letters) == 2
    assert (house.finding.told, house.finding.cause) == (("opened", TOLD), MALLORY)


def test_a_repair_that_comes_due_unseen_is_told_and_made_once_it_can_be_seen() -> None:
    house = House(clocks={"default": Clock(act=7 * DAY)})
    house.settle()
    hide(house)
    house.settle(now=NOW + DAY)
    assert [_sweep(house, days * DAY) for days in (6, 7, 8)] == ["unknown", "unknown", "unknown"]
    assert [subject.split(":")[0] for subject in house.alerts.subjects] == ["found", "cannot look", "cannot look"]
    assert house.aws.writes == []
    show(house)
    assert _sweep(house, 9 * DAY) == "repaired"
    assert house.finding.first_seen == NOW


def test_what_is_still_wrong_when_it_can_be_seen_is_the_same_finding() -> None:
    house = House(clocks={"default": WEEK})
    house.settle()
    first = house.finding
    hide(house)
    house.settle(now=NOW + HOUR)
    show(house)
    _sweep(house, 2 * HOUR)
    assert (first.id, NOW, None, ("opened",)) == (
        house.finding.id,
        house.finding.first_seen,
        house.finding.unseen,
        house.finding.told,
    )


def test_a_second_time_in_the_dark_is_news() -> None:
    house = House(clocks={"default": WEEK})
    house.settle()
    for hours in (1, 3):
        hide(house)
        house.settle(now=NOW + hours * HOUR)
        show(house)
        _sweep(house, (hours + 1) * HOUR)
    assert [subject.split(":")[0] for subject in house.alerts.subjects] == ["found", "cannot look", "cannot look"]


def _as(house: House, status: Status, **changes: object) -> None:
    house.ledger.findings[("lamp-off", LAMP)] = replace(house.finding, status=status, **changes)  # type: ignore[arg-type]


def test_a_leased_finding_is_left_to_whoever_holds_it() -> None:
    house = House(clocks={"default": WEEK})
    house.settle()
    _as(house, Status.ACTING, lease=NOW + LEASE)
    hide(house)
    settled = house.engine.settle(Wake("lamp-off", LAMP, Origin.EVENT, MALLORY), now=NOW)
    assert ("held", True) == (settled.outcome.value, settled.again)


@pytest.mark.parametrize(
    ("status", "ends", "told"),
    [
        (Status.ACTING, Status.FAILED, "repair failed"),
        (Status.NOT_CONVERGED, Status.NOT_CONVERGED, "not converged"),
        (Status.UNDOING, Status.OPEN, "undo cut short"),
    ],
)
def test_of_what_was_begun_somebody_hears_though_nobody_can_look(status: Status, ends: Status, told: str) -> None:
    house = House()
    house.settle()
    _as(house, status, lease=None, closed_at=None, told=())
    hide(house)
    _sweep(house, HOUR)
    assert (ends, told) == (house.finding.status, house.alerts.subjects[-1].split(":")[0])
    writes = len(house.aws.writes)
    _sweep(house, 2 * HOUR)
    assert (writes, house.finding.is_unseen) == (len(house.aws.writes), True)


def test_a_failed_repair_keeps_its_tries_and_is_not_tried_unseen() -> None:
    house = House()
    house.aws.fails["SwitchOff"] = ["AccessDenied"]
    house.settle()
    hide(house)
    assert [_sweep(house, hours * HOUR) for hours in (1, 2, 25)] == ["unknown"] * 3
    assert (house.finding.tries, house.aws.writes) == (1, [])
    assert [subject.split(":")[0] for subject in house.alerts.subjects] == ["repair failed", "cannot look", "escalated"]


def test_an_exempt_finding_stays_exempt_unseen() -> None:
    until = NOW + DAY
    house = House(exemptions=(Exemption("lamp-off", str(LAMP), "ann", "because", until),))
    house.settle()
    hide(house)
    assert (_sweep(house, HOUR), house.finding.status) == ("exempt", Status.EXEMPT)
    assert (_sweep(house, 2 * DAY), house.finding.status) == ("unknown", Status.OPEN)
    assert house.alerts.subjects[-1].startswith("cannot look: lamp hall is on")


def test_what_waits_for_the_digest_waits_on_and_stands_there_as_unseen() -> None:
    house = House(clocks={"default": WEEK})
    house.settle(origin=Origin.ADOPTION, cause=NOBODY)
    hide(house)
    assert _sweep(house, HOUR) == "unknown"
    house.engine.digest(ACCOUNT, now=NOW + HOUR)
    assert "unseen since 2026-03-02 10:30 UTC (AccessDenied)" in " ".join(house.alerts.letters[0].body.split())


def test_an_alert_that_was_cut_short_is_sent() -> None:
    house = House(clocks={"default": WEEK})
    house.settle()
    _as(house, Status.OPEN, told=(), outbox="opened", lease=NOW)
    hide(house)
    _sweep(house, HOUR)
    assert house.finding.told == (TOLD, "opened")
    assert house.alerts.subjects[-1] == "cannot look: lamp hall is on"


# --- what comes to light ----------------------------------------------------------------------------

SWEPT = {"default": Clock(act=timedelta(0)), FOUND_BY_SWEEP: WEEK}


def _comes_to_light(house: House, at: timedelta, origin: Origin = Origin.SWEEP) -> Finding:
    show(house)
    house.settle(origin=origin, now=NOW + at, cause=MALLORY if origin is Origin.EVENT else NOBODY)
    return house.finding


def test_what_comes_to_light_is_a_new_life_with_its_own_notice() -> None:
    house = _hidden(clocks={"default": WEEK})
    house.settle()
    blind = house.finding
    found = _comes_to_light(house, 30 * DAY)
    assert (found.first_seen, found.told, house.aws.writes) == (NOW + 30 * DAY, ("opened",), [])
    (buried,) = house.ledger.history
    assert (buried.id, buried.status, buried.closed_at) == (blind.id, Status.RESOLVED, NOW + 30 * DAY)
    assert (_sweep(house, 36 * DAY), house.aws.writes) == ("told", [])
    assert _sweep(house, 37 * DAY) == "repaired"


def test_what_was_hidden_for_longer_than_a_day_is_as_old_as_nobody_knows() -> None:
    house = _hidden(clocks=SWEPT)
    house.settle()
    assert (_comes_to_light(house, 2 * DAY, Origin.EVENT).origin, house.aws.writes) == (Origin.SWEEP, [])


def test_what_was_hidden_for_less_is_as_young_as_its_event() -> None:
    """Whoever blinds Plumbline for a minute gains no week."""
    house = _hidden(clocks=SWEPT)
    house.settle()
    assert _comes_to_light(house, HOUR, Origin.EVENT).status is Status.REPAIRED


def test_what_the_first_sweep_could_not_see_was_there_before() -> None:
    house = _hidden()
    house.settle(origin=Origin.ADOPTION, cause=NOBODY)
    found = _comes_to_light(house, 30 * DAY, Origin.EVENT)
    assert (found.origin, found.grace_until, found.adopted) == (Origin.ADOPTION, NOW + 37 * DAY, ("a",))
    assert house.aws.writes == []


def test_what_was_seen_in_line_since_is_no_longer_of_before() -> None:
    house = _hidden()
    house.settle(origin=Origin.ADOPTION, cause=NOBODY)
    house.aws.lamps["hall"]["on"] = []
    _comes_to_light(house, DAY)
    house.aws.lamps["hall"]["on"] = ["a"]
    assert house.settle(now=NOW + 2 * DAY) == "repaired"


def test_a_repair_can_be_undone_though_its_target_was_unseen_since() -> None:
    house = House()
    house.settle()
    repaired = house.finding
    hide(house)
    _sweep(house, HOUR)
    show(house)
    _sweep(house, 2 * HOUR)
    undone = undo(house.engine, house.ledger, repaired, now=NOW + 3 * HOUR)
    assert (undone.finding.id, undone.finding.status, undone.restored) == (repaired.id, Status.UNDONE, True)
    assert [one.deviation.clock for one in house.ledger.history if one.id != repaired.id] == [UNSEEN]
    assert "undone" in house.type("show", repaired.short).text


def test_what_an_undo_left_in_its_grace_has_it_still_after_a_time_in_the_dark() -> None:
    house = House(clocks={"default": Clock(act=timedelta(0))})
    house.settle(origin=Origin.ADOPTION, cause=NOBODY)
    house.aws.lamps["hall"]["on"] = ["a", "b"]
    house.settle(now=NOW + HOUR)
    undo(house.engine, house.ledger, house.finding, now=NOW + 2 * HOUR)
    house.ledger.exemptions.clear()
    hide(house)
    _sweep(house, 3 * HOUR)
    show(house)
    house.aws.lamps["hall"]["on"] = ["a"]
    _sweep(house, 4 * HOUR)
    assert (house.finding.spared(NOW + 4 * HOUR), house.aws.lamps["hall"]["on"]) == (frozenset({"a"}), ["a"])


# --- what cannot even be listed ---------------------------------------------------------------------


def _expand(house: House, at: timedelta = timedelta(0), origin: Origin = Origin.SWEEP) -> Settled | tuple[Wake, ...]:
    expanded = house.engine.expand(Wake("lamp-off", Target(ACCOUNT, GLOBAL, "*", "*"), origin), now=NOW + at)
    return expanded if isinstance(expanded, Settled) else tuple(expanded)


def test_what_cannot_be_listed_is_a_finding_that_stands_for_it() -> None:
    house = House()
    house.aws.fails["ListLamps"] = ["AccessDenied"] * 9
    settled = _expand(house)
    assert isinstance(settled, Settled)
    assert ("listed", False) == (settled.outcome.value, settled.again)
    assert house.ledger.findings[("lamp-off", ALL_LAMPS)].is_open
    assert "what lamp-off watches cannot be looked at: lamps:ListLamps is refused" in house.type("findings").text
    assert "Not known" in house.type("plan").text
    house.aws.fails.clear()
    assert "It can be listed now" in house.type("plan").text
    assert [wake.target for wake in _expand(house, HOUR)] == [LAMP]  # type: ignore[union-attr]
    assert house.ledger.findings[("lamp-off", ALL_LAMPS)].status is Status.RESOLVED


def test_a_control_that_is_switched_off_has_nothing_that_cannot_be_listed() -> None:
    house = House()
    house.aws.fails["ListLamps"] = ["AccessDenied"]
    _expand(house)
    house.response = Response.OFF
    (wake,) = house.plumbline.switched_off(ACCOUNT)
    house.engine.expand(wake, now=NOW + HOUR)
    assert house.ledger.findings[("lamp-off", ALL_LAMPS)].status is Status.RESOLVED


def test_what_an_event_does_not_name_and_nobody_can_see_is_told_together() -> None:
    house = _hidden()
    house.aws.lamps["attic"] = {"on": []}
    house.ledger.marks["lamp-off"] = Adoption(mark(house.engine.rule("lamp-off"))).to_json()
    wakes = _expand(house, origin=Origin.EVENT)
    assert [one.origin for one in wakes] == [Origin.SWEEP] * 2  # type: ignore[union-attr]


# --- what is kept, and what other programs hear -----------------------------------------------------


def test_the_ledger_gives_back_what_it_was_given_and_reads_what_0_1_wrote() -> None:
    house = _hidden()
    house.settle()
    text = stored.to_json(house.finding)
    assert stored.from_json(text) == house.finding
    old = text.replace('"unseen":', '"nothing":')
    assert stored.from_json(old) == replace(house.finding, unseen=None)


def _images(before: Finding | None, after: Finding) -> dict[str, object]:
    def image(one: Finding) -> dict[str, object]:
        return {"body": {"S": stored.to_json(one)}}

    return {"dynamodb": {"NewImage": image(after), **({"OldImage": image(before)} if before else {})}}


def test_programs_hear_that_it_opened_and_that_it_is_over_when_another_life_begins() -> None:
    house = _hidden(clocks={"default": WEEK})
    house.settle()
    blind = house.finding
    (opened,) = events(_images(None, replace(blind, told=())), {"lamp-off": CONTROL})
    assert ("opened", NOW.isoformat(), blind.id) == (opened["transition"], opened["unseenSince"], opened["finding"])
    found = _comes_to_light(house, HOUR)
    heard = [
        (one["finding"], one["transition"], one["status"])
        for one in events(_images(blind, replace(found, told=())), {})
    ]
    assert heard == [(blind.id, "resolved", "resolved"), (found.id, "opened", "open")]


def test_programs_hear_that_an_open_finding_cannot_be_seen_any_more() -> None:
    house = House(clocks={"default": WEEK})
    house.settle()
    before = house.finding
    hide(house)
    house.settle(now=NOW + HOUR)
    assert [one["transition"] for one in events(_images(before, house.finding), {})] == ["unseen"]


def test_its_clock_is_what_is_documented() -> None:
    assert Clock(remind=(DAY, 3 * DAY), escalate=7 * DAY, act=None) == CANNOT_BE_LOOKED_AT
