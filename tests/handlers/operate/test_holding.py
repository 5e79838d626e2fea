"""Exemptions and pauses: what a person types, what it does to the next repair, and who is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.baseline.rules import Breakers
from plumbline.core.cause import Origin
from plumbline.core.clock import Clock, Response
from plumbline.core.errors import AwsRefusal, Conflict, TooLarge
from plumbline.core.targets import Target
from plumbline.decisions.exemptions import (
    Exemption,
    covers_nothing,
    due_notices,
    exactly,
    granted,
    kept,
    matches_everything,
)
from plumbline.decisions.pauses import Pause
from plumbline.findings.finding import Status
from plumbline.handlers import exemption_notices
from tests.fakes import ACCOUNT, CONTROL, LAMP, NOW, House, Lamps, Memory

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EXEMPT = ("--days", "7", "--owner", "ann", "--reason", "party")
LATER = {"default": Clock(act=2 * HOUR)}


@pytest.fixture
def waiting() -> House:
    """A lamp that is on, told of, and repaired in two hours."""
    house = House(clocks=LATER)
    house.settle()
    return house


def _exemption(days: float = 30, id_: str = "XAAAA", told: tuple[str, ...] = ()) -> Exemption:
    return Exemption("lamp-off", str(LAMP), "ann", "party", NOW + days * DAY, id_, told)


# --- exempt --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["finding", "target", "pattern"])
def test_what_is_exempt_is_listed_and_not_repaired_until_the_day_is_over(waiting: House, what: str) -> None:
    words = {
        "finding": (waiting.finding.short,),
        "target": (str(LAMP), "--control", "lamp-off"),
        "pattern": ("*/lamp/h*", "--control", "all"),
    }[what]
    answer = waiting.type("exempt", *words, *EXEMPT, by="arn:aws:iam::111122223333:user/ann")
    assert answer.ok, answer.text
    assert (Status.EXEMPT, NOW + 7 * DAY) == (waiting.finding.status, waiting.finding.due)
    assert [waiting.settle(now=NOW + 7 * DAY - HOUR), waiting.settle(now=NOW + 7 * DAY)] == ["exempt", "repaired"]


def test_an_exemption_says_all_about_itself_and_is_told(waiting: House) -> None:
    answer = waiting.type("exempt", waiting.finding.short, *EXEMPT, by="arn:aws:iam::111122223333:user/ann")
    (made,) = waiting.ledger.exemptions
    assert answer.text.splitlines() == [
        f"Exempt as {made.id}. It is still watched and listed; nothing of it is repaired.",
        "  Exempt      111122223333/global/lamp/hall",
        "  From        lamp-off",
        "  Until       Monday 9 March 2026, 09:30 UTC",
        "  Owner       ann",
        "  Reason      party",
        f"  Covers now  {waiting.finding.short}",
        f"To end it before its time, type: plumbline unexempt {made.id}",
    ]
    alert = waiting.alerts.letters[-1]
    assert alert.subject == ("[Plumbline] exempt: global/lamp/hall from lamp-off, until 2026-03-09")
    for fact in ("ann", "party", "Made by  arn:aws:iam::111122223333:user/ann\n", f"plumbline unexempt {made.id}"):
        assert fact in alert.body


def test_until_a_day_means_until_it_is_over(waiting: House) -> None:
    waiting.type("exempt", waiting.finding.short, "--until", "2026-03-05", "--owner", "ann", "--reason", "x")
    assert [f"{one.until:%d %H:%M}" for one in waiting.ledger.exemptions] == ["05 23:59"]


def test_a_repair_that_was_begun_is_told_though_the_target_is_exempt_by_now() -> None:
    house = House(aws=Lamps({"hall": {"on": ["a"]}}, sticky=True))
    house.settle()
    assert house.finding.status is Status.NOT_CONVERGED
    house.type("exempt", house.finding.short, *EXEMPT)
    house.aws.lamps["hall"]["on"] = []
    assert house.settle(origin=Origin.SWEEP, now=NOW + HOUR) == "repaired"


def test_the_same_again_replaces_it(waiting: House) -> None:
    waiting.type("exempt", waiting.finding.short, *EXEMPT)
    first = waiting.ledger.exemptions[0].id
    answer = waiting.type("exempt", waiting.finding.short, *EXEMPT[2:], "--days", "9", now=NOW + HOUR)
    assert (1, True) == (len(waiting.ledger.exemptions), f"Replaces    {first}" in answer.text)


def test_an_exemption_that_does_not_fit_into_the_ledger_is_refused(waiting: House) -> None:
    waiting.ledger = _Full()
    waiting.settle()
    answer = waiting.type("exempt", waiting.finding.short, *EXEMPT)
    assert (False, []) == (answer.ok, waiting.ledger.exemptions)
    assert "End some of them first, or type a shorter reason. Type: plumbline exemptions" in " ".join(
        answer.text.split()
    )


class _Full(Memory):
    """A ledger that takes no more exemptions of a target."""

    def exempt(self, _account: str, exemption: Exemption, now: datetime, *, instead: bool = False) -> None:
        raise TooLarge("what is exempt of one target", 360_001, 360_000)


@pytest.mark.parametrize(
    ("target", "count", "says"),
    [
        (str(LAMP), 5_000, "there are 5000 exemptions, the most there may be. End some, or let one pattern take"),
        ("*/lamp/x*", 2_000, "there are 2000 exemptions by pattern, the most there may be. End some, or name targets"),
    ],
)
def test_so_many_exemptions_that_nobody_would_read_them_are_refused(target: str, count: int, says: str) -> None:
    house = House()
    many = range(count)
    pattern = "*/lamp/*-{}" if target.startswith("*") else "111122223333/global/lamp/{}"
    house.ledger.exemptions += [replace(_exemption(id_=f"X{one:04}"), target=pattern.format(one)) for one in many]
    answer = house.type("exempt", target, "--control", "lamp-off", *EXEMPT)
    assert (False, True, count) == (
        answer.ok, says in " ".join(answer.text.split()), len(house.ledger.exemptions)
    )  # fmt: skip


def test_everything_may_be_exempt_when_it_is_meant(waiting: House) -> None:
    assert waiting.type("exempt", "*", "--control", "all", "--all", *EXEMPT).ok
    assert waiting.settle(now=NOW + 3 * HOUR) == "exempt"


def test_an_undone_target_of_any_name_is_left_alone() -> None:
    odd = replace(LAMP, id="[b]ill*?")
    assert [Exemption("*", exactly(odd), "", "", NOW).covers("x", one) for one in (odd, LAMP)] == [True, False]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "say which finding or target or pattern. It is written so: plumbline exempt FINDING|TARGET|PATTERN"),
        (("7F3K", *EXEMPT), "there is no finding 7F3K"),
        (("hall", *EXEMPT), "there is no finding HA11"),
        (("lamp/hall", "--control", "all", *EXEMPT), "is no target; write account/region/kind/id"),
        (("999999999999/global/lamp/x", "--control", "all", *EXEMPT), f"this Plumbline holds account {ACCOUNT}"),
        ((str(LAMP), *EXEMPT), "say from which rule: --control ID, or --control all"),
        ((str(LAMP), "--control", "lamp-of", *EXEMPT), "there is no control 'lamp-of'; did you mean lamp-off?"),
        (("prod-*", "--control", "all", *EXEMPT), "no target begins with 'prod-'"),
        (("*", "--control", "all", *EXEMPT), "covers everything"),
        (
            ("*/*", "--control", "lamp-off", *EXEMPT),
            "type: plumbline exempt '*/*' --control lamp-off --days 7 --owner ann --reason party --all",
        ),
        ((f"{ACCOUNT}/*", "--control", "all", *EXEMPT), "covers everything"),
        (("ID", "--owner", "ann", "--reason", "x"), "nothing goes on for ever, so say until when"),
        (("ID", "--days", "7", "--until", "2026-03-09", "--owner", "a", "--reason", "x"), "in one way only"),
        (("ID", "--days", "0", *EXEMPT[2:]), "'0' is no number of days"),
        (("ID", "--days", "soon", *EXEMPT[2:]), "'soon' is no number of days"),
        (("ID", "--days", "91", *EXEMPT[2:]), "91 days is longer than the 90 days that baseline.yaml allows"),
        (
            ("ID", "--days", "9" * 400, *EXEMPT[2:]),
            "is 2026-05-31. Type: plumbline exempt ID --days 90 --owner ann --reason party",
        ),
        (
            ("ID", "--until", "2026-03-01", *EXEMPT[2:]),
            "has passed; write a later day. Type: plumbline exempt ID --until 2026-03-09",
        ),
        (("ID", "--until", "2026-02-30", *EXEMPT[2:]), "is no day of the calendar"),
        (("ID", "--until", "9999-12-31", *EXEMPT[2:]), "longer than the 90 days"),
        (("ID", "--until", "9999-12-31T23:59-23:00", *EXEMPT[2:]), "is no day of the calendar"),
        (("ID", "--until", "0001-01-01T00:00", *EXEMPT[2:]), "has passed"),
        (("ID", *EXEMPT[:4], "--reason", "  "), "--reason is missing or empty"),
        (("ID", *EXEMPT[:4]), "--reason is missing or empty"),
        (("ID", "--days", "7", "--reason", "x"), "--owner is missing or empty"),
        (("ID", "--dyas", "7"), "'--dyas' is no option here"),
        (("ID", "--days"), "--days needs something behind it"),
        (("ID", "--days", "7", "--days", "8"), "--days stands there twice"),
    ],
)
def test_a_bad_exemption_is_refused_with_what_to_type(waiting: House, words: tuple[str, ...], says: str) -> None:
    answer = waiting.type("exempt", *(waiting.finding.short if word == "ID" else word for word in words))
    assert says.replace(" ID ", f" {waiting.finding.short} ") in " ".join(answer.text.split())
    assert (False, [], "opened") == (answer.ok, waiting.ledger.exemptions, waiting.finding.told[-1])


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [("*", True), ("*/*/*", True), ("1*", True), ("111122223333/*/*", True), ("*/s3-bucket/*", False), ("*/x", False)],
)
def test_a_pattern_that_covers_everything_is_recognised(pattern: str, *, expected: bool) -> None:
    assert expected is matches_everything(pattern, ACCOUNT)


class _Raced(Memory):
    """A ledger in which others change what is exempt of the same target again and again."""

    def exempt(self, _account: str, exemption: Exemption, now: datetime, *, instead: bool = False) -> None:
        raise Conflict("somebody else wrote first")


def test_two_who_exempt_at_once_are_told_apart() -> None:
    answer = House(ledger=_Raced()).type("exempt", str(LAMP), "--control", "all", *EXEMPT)
    assert (False, True) == (answer.ok, "Type the same again in two minutes" in " ".join(answer.text.split()))


def test_an_email_that_cannot_be_sent_does_not_hide_what_was_done(waiting: House) -> None:
    waiting.alerts.down = True
    answer = waiting.type("exempt", waiting.finding.short, *EXEMPT)
    assert (True, True) == (answer.ok, "The e-mail about this could not be sent" in answer.text)


# --- unexempt, exemptions ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["id", "lower case", "without X", "target", "finding"])
def test_an_exemption_ended_early_is_judged_with_the_next_sweep(waiting: House, how: str) -> None:
    waiting.type("exempt", waiting.finding.short, *EXEMPT)
    id_ = waiting.ledger.exemptions[0].id
    word = {
        "id": id_,
        "lower case": id_.lower(),
        "without X": id_[1:],
        "target": str(LAMP),
        "finding": waiting.finding.short,
    }[how]
    answer = waiting.type("unexempt", word, now=NOW + 3 * HOUR)
    assert answer.ok, answer.text
    assert ([], NOW + 3 * HOUR) == (waiting.ledger.exemptions, waiting.finding.due)
    assert waiting.alerts.subjects[-1].startswith("exemption ended: ")
    assert waiting.settle(origin=Origin.SWEEP, now=NOW + 3 * HOUR) == "repaired"


def test_what_another_exemption_covers_stays_exempt(waiting: House) -> None:
    waiting.type("exempt", waiting.finding.short, *EXEMPT)
    waiting.type("exempt", str(LAMP), "--control", "all", *EXEMPT)
    mine = next(one.id for one in waiting.ledger.exemptions if one.control == "lamp-off")
    which = waiting.type("unexempt", str(LAMP)).text.splitlines()
    assert ("2 exemptions fit:", 4) == (which[0], len(which))
    assert which[-1].startswith("Say which. Type: plumbline unexempt X")
    assert waiting.type("unexempt", str(LAMP), "--control", "lamp-off").data["ended"]["id"] == mine
    assert waiting.settle(now=NOW + 3 * HOUR) == "exempt"


@pytest.mark.parametrize("word", ["X0000", "*/nothing/*", str(LAMP)])
def test_what_is_not_exempt_cannot_be_ended(word: str) -> None:
    answer = House().type("unexempt", word)
    said = " ".join(answer.text.split())
    assert (answer.ok, said) == (False, f"there is no exemption '{word}'. Type: plumbline exemptions")


def test_what_stands_in_the_baseline_is_ended_there() -> None:
    house = House(exemptions=(Exemption("*", "*/hall", "bob", "move", NOW + DAY),))
    assert "is exempt in baseline.yaml; remove it there" in house.type("unexempt", "*/hall").text


def test_exemptions_are_listed_with_owner_reason_and_end() -> None:
    house = House(exemptions=(Exemption("*", "*/porch", "bob", "move", NOW + DAY),))
    house.ledger.exemptions += [_exemption(7), _exemption(-1, "XGONE")]
    assert house.type("exemptions").text.splitlines() == [
        "baseline.yaml  every rule, until 2026-03-03 09:30 UTC",
        "      */porch",
        "      bob: move",
        "XAAAA  lamp-off, until 2026-03-09 09:30 UTC",
        "      111122223333/global/lamp/hall",
        "      ann: party",
        "",
        "To end one before its time, type: plumbline unexempt XAAAA",
    ]
    assert House().type("exemptions").text == "Nothing is exempt."


# --- their end -----------------------------------------------------------------------------------------------------


def test_a_notice_is_due_a_week_before_the_end_and_at_the_end() -> None:
    def due(days: float, *told: str) -> list[str]:
        return [notice for _, notice in due_notices([_exemption(days, told=told)], NOW)]

    assert [due(8), due(7), due(7, "expiring"), due(0), due(-1, "expiring"), due(-1, "expired")] == [
        [],
        ["expiring"],
        [],
        ["expired"],
        ["expired"],
        [],
    ]


def test_a_short_exemption_is_not_reminded_of_and_ids_differ() -> None:
    bare = Exemption("lamp-off", str(LAMP), "ann", "party", NOW + 7 * DAY)
    first = granted(bare, (), NOW)
    second = granted(bare, (first,), NOW)
    assert (("expiring",), True) == (first.told, first.id != second.id)


def test_each_notice_is_sent_once_and_the_ended_one_forgotten() -> None:
    house = House()
    house.ledger.exemptions += [_exemption(8), _exemption(90, "XBBBB")]
    told = [exemption_notices.tell_due(house.plumbline, now=NOW + days * DAY) for days in (0, 1, 2, 8, 9)]
    assert told == [0, 1, 0, 1, 0]
    assert house.alerts.subjects == [
        "exemption ends soon: global/lamp/hall from lamp-off, until 2026-03-10",
        "exemption ended: global/lamp/hall from lamp-off, until 2026-03-10",
    ]
    assert [one.id for one in house.ledger.exemptions] == ["XBBBB"]


def test_the_sweep_learns_when_somebody_has_to_be_told() -> None:
    house = House()
    house.ledger.exemptions.append(_exemption(8))
    due = [len(list(exemption_notices.due(house.ledger, (), ACCOUNT, NOW + days * DAY))) for days in (0, 1)]
    assert due == [0, 1]


@pytest.mark.parametrize("command", ["exempt", "unexempt"])
def test_a_command_cut_short_after_its_first_write_is_made_good_by_the_next_sweep(command: str) -> None:
    """The exemption is written or removed, and the function dies before it gets to the findings."""
    house = House(clocks={"default": Clock(act=5 * DAY)})
    house.settle()
    if command == "exempt":
        house.ledger.exemptions.append(_exemption(8))
    else:
        house.ledger.exemptions.append(_exemption(8))
        house.settle(now=NOW + HOUR)
        house.ledger.exemptions.clear()
    list(house.plumbline.sweep_and_settle(now=NOW + 2 * HOUR))
    assert house.finding.status is (Status.EXEMPT if command == "exempt" else Status.OPEN)


def test_an_exemption_of_the_baseline_is_told_when_it_begins_a_week_before_it_ends_and_at_its_end() -> None:
    reviewed = Exemption("lamp-off", str(LAMP), "bob", "museum", NOW + 20 * DAY)
    house = House(exemptions=(reviewed,), clocks={"default": Clock(act=5 * DAY)})
    house.settle()
    days = (0, 1, 13, 14, 20, 21, 400)
    due = [len(list(exemption_notices.due(house.ledger, (reviewed,), ACCOUNT, NOW + 19 * DAY)))]
    told = [exemption_notices.tell_due(house.plumbline, now=NOW + day * DAY) for day in days]
    assert (due, told) == ([2], [1, 0, 1, 0, 1, 0, 0])
    assert list(exemption_notices.due(house.ledger, (reviewed,), ACCOUNT, NOW + 22 * DAY)) == [], (
        "no sweep asks for it again"
    )
    assert house.alerts.subjects == [
        f"{verb}: global/lamp/hall from lamp-off, until 2026-03-22"
        for verb in ("exempt", "exemption ends soon", "exemption ended")
    ]
    alert = " ".join(house.alerts.letters[0].body.split())
    assert "Open findings that this covers now: 1" in alert
    assert "baseline.yaml; to end it now, remove it there and deploy" in alert
    assert "unexempt" not in alert


def test_a_letter_that_was_not_sent_is_sent_the_next_time() -> None:
    house = House()
    house.ledger.exemptions.append(_exemption(3))
    house.alerts.down = True
    with pytest.raises(AwsRefusal):
        exemption_notices.tell_due(house.plumbline, now=NOW)
    house.alerts.down = False
    assert exemption_notices.tell_due(house.plumbline, now=NOW + HOUR) == 1


def test_two_at_once_tell_once() -> None:
    house = House()
    house.ledger.exemptions.append(_exemption(3))
    assert house.ledger.once("exemption#XAAAA#expiring", now=NOW, within=timedelta(seconds=90))
    assert exemption_notices.tell_due(house.plumbline, now=NOW) == 0


def test_an_end_that_nobody_was_told_of_is_not_forgotten() -> None:
    gone = _exemption(-1)
    assert kept([gone, _exemption(-1, told=("expired",))], NOW) == (gone,)


# --- pause, resume -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [(), ("lamp-off",), ("all",)])
def test_a_pause_holds_repairs_back_and_ends_by_itself(words: tuple[str, ...]) -> None:
    house = House()
    ann = "arn:aws:iam::111122223333:user/ann"
    answer = house.type("pause", *words, "--hours", "4", "--reason", "migration", by=ann)
    assert answer.ok, answer.text
    assert [house.settle(), house.settle(now=NOW + 4 * HOUR)] == ["told", "repaired"]
    assert house.alerts.subjects[0] == f"paused: {'repairs of lamp-off' if 'lamp-off' in words else 'all repairs'}"
    for fact in ("migration", "user/ann", "plumbline resume"):
        assert fact in house.alerts.letters[0].body


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--reason", "x"), "so say until when. Type: plumbline pause --reason x --days 1"),
        (("--hours", "4"), "--reason is missing or empty"),
        (
            ("--days", "8", "--reason", "x"),
            "8 days is longer than the 7 days that baseline.yaml allows (pauses.max_days)",
        ),
        (("--until", "2026-03-01", "--reason", "x"), "has passed"),
        (("lamps", "--hours", "4", "--reason", "x"), "there is no control 'lamps'"),
        (("a", "b", "--hours", "4", "--reason", "x"), "'b' is one word too many; what has spaces needs quotes"),
    ],
)
def test_a_bad_pause_is_refused_with_what_to_type(words: tuple[str, ...], says: str) -> None:
    house = House()
    answer = house.type("pause", *words)
    assert says in " ".join(answer.text.split())
    assert (False, {}) == (answer.ok, house.ledger.pauses)


def test_a_pause_that_replaces_one_says_so(waiting: House) -> None:
    waiting.type("pause", "--hours", "8", "--reason", "migration")
    other = waiting.type("pause", "lamp-off", "--hours", "2", "--reason", "y")
    answer = waiting.type("pause", "--hours", "4", "--reason", "shorter")
    row = "  Replaces  the pause until Monday 2 March 2026, 17:30 UTC: migration"
    assert [row in one.text.splitlines() for one in (other, answer)] == [False, True]
    later = waiting.type("pause", "--hours", "1", "--reason", "z", now=NOW + 5 * HOUR)
    assert "Replaces" not in later.text, "that one was over"


def test_resume_lifts_a_pause_and_what_was_due_goes_on(waiting: House) -> None:
    waiting.type("pause", "--days", "1", "--reason", "x")
    assert waiting.settle(now=NOW + 2 * HOUR) == "waiting"
    answer = waiting.type("resume", now=NOW + 2 * HOUR)
    assert answer.ok
    assert ({}, NOW + 2 * HOUR) == (waiting.ledger.pauses, waiting.finding.due)
    assert waiting.alerts.subjects[-1] == "resumed: all repairs"
    assert waiting.settle(origin=Origin.SWEEP, now=NOW + 2 * HOUR) == "repaired"


def test_one_control_does_not_resume_while_all_are_paused() -> None:
    house = House()
    house.ledger.pauses |= {"*": Pause(NOW + DAY, "x"), "lamp-off": Pause(NOW + DAY, "y")}
    answer = house.type("resume", "lamp-off")
    assert "All repairs are paused until Tuesday 3 March 2026, 09:30 UTC" in answer.text
    assert list(house.ledger.pauses) == ["*"]


def test_resume_counts_anew_and_the_breaker_is_told_of_again_when_it_trips_again() -> None:
    house = House(breakers=Breakers(per_control=1, in_all=5))
    house.settle()
    house.aws.lamps["hall"]["on"] = ["b"]
    assert house.settle() == "stopped"
    assert house.finding.due == NOW.replace(minute=0) + HOUR
    assert house.type("resume", "lamp-off").data["counters"] == {"lamp-off": 1}
    assert house.finding.due == NOW
    assert house.settle() == "repaired"
    house.aws.lamps["hall"]["on"] = ["c"]
    assert house.settle() == "stopped"
    assert [one for one in house.alerts.subjects if one.startswith("stopped")] == [
        "stopped: 1 repair of lamp-off in one hour, 1 thing left",
        "stopped: 1 repair of lamp-off in one hour, 1 thing left",
    ]


def test_resume_lets_a_fight_be_tried_again() -> None:
    house = House(breakers=Breakers(fight=2))
    for minutes in (0, 1, 2):
        house.aws.lamps["hall"]["on"] = ["a"]
        house.settle(now=NOW + timedelta(minutes=minutes))
    assert "fight" in house.finding.told
    assert house.type("resume", "--fights", now=NOW + HOUR).data["fights"] == [house.finding.id]
    assert house.settle(now=NOW + HOUR) == "repaired"


def test_nothing_to_resume_is_no_news() -> None:
    house = House()
    assert house.type("resume").text == "There was nothing to resume: all repairs go on as they are."
    assert house.alerts.letters == []


def test_an_unreadable_ledger_is_an_answer(waiting: House) -> None:
    waiting.ledger.down = True
    for words in (("exempt", "*/lamp/*", "--control", "all", *EXEMPT), ("exemptions",), ("resume",), ("status",)):
        assert (False, "the ledger is down") == (waiting.type(*words).ok, waiting.type(*words).text)


def test_modes_that_never_write_can_be_paused_too() -> None:
    assert House(mode=Response.OBSERVE).type("pause", "--hours", "1", "--reason", "x").ok


@pytest.mark.parametrize("control", ["lamp-off", "all"])
def test_a_target_of_a_kind_that_no_rule_knows_is_refused_with_those_there_are(control: str) -> None:
    answer = House().type("exempt", f"{ACCOUNT}/global/lmap/hall", "--control", control, *EXEMPT)
    assert (answer.ok, "'lmap'; write one of: lamp" in " ".join(answer.text.split())) == (False, True)


S3 = replace(CONTROL, id="s3", kinds=("s3-bucket",), noun="bucket {id}")
KEYS = replace(CONTROL, id="keys", kinds=("iam-user", "iam-access-key"), noun="key {last} of {first}")
SEEN = replace(CONTROL, id="seen", kinds=("root-session",), noun="root", witness=lambda detail: detail)
BOTH = {one.id: one for one in (S3, KEYS, SEEN)}


@pytest.mark.parametrize(
    ("control", "pattern"),
    [
        ("s3", "*/s3-buckets/logs-*"),
        ("s3", "*/bucket/logs-*"),
        ("s3", f"{ACCOUNT}/*/iam-user/bob"),
        ("s3", "*/bucket/*"),  # no region is called so
        ("s3", "*/s3-bucket/"),
        ("s3", "*/s3-bucket/logs/2026"),  # no name of a bucket holds a slash
        ("s3", "*/S3-Bucket/logs-*"),
        ("s3", "999999999999/*/s3-bucket/*"),
        ("s3", "?1112222333/*/s3-bucket/*"),
        ("s3", f"{ACCOUNT}/us-east-1/[!s]3-bucket/*"),
        ("*", f"{ACCOUNT}/global/lmap/*"),
        ("*", f"{ACCOUNT}/us-east-?/iam-usr/bob"),
        ("gone", "*"),
    ],
)
def test_a_pattern_that_can_cover_nothing_is_known(control: str, pattern: str) -> None:
    assert covers_nothing(control, pattern, BOTH, ACCOUNT)


@pytest.mark.parametrize(
    ("control", "pattern"),
    [
        ("s3", "*/s3-bucket/logs-*"),
        ("s3", "*logs*"),
        ("s3", "*/*/*/*"),
        ("s3", "*/s3-bucket"),  # a bucket may be called so
        ("s3", "*/us-gov-west-1/*"),
        ("s3", "1*t/x"),
        ("s3", f"{ACCOUNT}/us-*/s3-b[!x]cket/[]a]*"),
        ("s3", "[!2-9]11122223333/[a-z]?-east-1/s3-bucket/[["),
        ("keys", f"{ACCOUNT}/global/iam-access-key/bob/*"),
        ("keys", "*/bob/*"),  # bob's keys
        ("keys", "*/s3-bucket/*"),  # a user of that name has keys
        ("seen", "*/2026-03-02T09/198.51.100.7"),
        ("*", "*/lmap/*"),
    ],
)
def test_a_pattern_that_may_cover_something_is_let_through(control: str, pattern: str) -> None:
    assert covers_nothing(control, pattern, BOTH, ACCOUNT) == ""


@settings(max_examples=300)
@given(
    st.text(st.sampled_from("1/*?[]!-ab3s"), max_size=24),
    st.sampled_from(("global", "us-east-1", "us-gov-west-1", "mx-central-12")),
    st.text(st.sampled_from("ab-[]!?"), min_size=1, max_size=4),
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from("*?")), max_size=6),
)
def test_what_covers_something_is_never_taken_for_nothing(
    pattern: str, region: str, name: str, holes: list[tuple[int, str]]
) -> None:
    target = Target(ACCOUNT, region, "s3-bucket", name)
    text = str(target)
    for at, wild in holes:
        text = text[:at] + wild + text[at + 1 :]
    for one in (pattern, text, exactly(target)):
        if Exemption("s3", one, "", "", NOW).covers("s3", target):
            assert covers_nothing("s3", one, BOTH, ACCOUNT) == covers_nothing("s3", one, BOTH) == ""


def test_a_pattern_that_can_cover_nothing_is_refused_with_one_that_can() -> None:
    words = [
        " ".join(House().type("exempt", pattern, "--control", "lamp-off", *EXEMPT).text.split())
        for pattern in ("*/lmap/hall-*", "*/bucket/*")
    ]
    assert [
        f"'{pattern}' covers nothing: it fits no target of lamp-off: targets read account/region/kind/id, and the "
        f"kinds are lamp. Type: plumbline exempt '{instead}' --control lamp-off --days 7 --owner ann --reason party"
        for pattern, instead in (("*/lmap/hall-*", "*/lamp/hall-*"), ("*/bucket/*", "*/lamp/NAME"))
    ] == words


def test_an_exemption_of_the_baseline_that_covers_nothing_is_marked_and_told() -> None:
    other = "999999999999/global/lamp/hall"
    house = House(exemptions=(Exemption("lamp-off", other, "ann", "moved", NOW + 40 * DAY), _exemption(50, "")))
    listed = house.type("exemptions")
    assert listed.text.splitlines()[:4] == [
        "baseline.yaml  lamp-off, until 2026-04-11 09:30 UTC",
        f"      {other}",
        "      ann: moved",
        f"      COVERS NOTHING: it means another account than this one, {ACCOUNT}",
    ]
    why = f"it means another account than this one, {ACCOUNT}"
    assert [why, ""] == [one["covers_nothing"] for one in listed.data["exemptions"]]
    status = " ".join(house.type("status").text.split())
    assert "exempt 2, the next ends on 2026-04-11; 1 covers NOTHING" in status
    assert status.endswith("What is exempt, type: plumbline exemptions")
    assert exemption_notices.tell_due(house.plumbline, now=NOW) == 2
    bodies = [" ".join(one.body.split()) for one in house.alerts.letters]
    assert [True, False] == [f"This exemption covers nothing: {why}." in one for one in bodies]
