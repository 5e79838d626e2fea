"""What a person types, and what comes back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.baseline.rules import Breakers
from plumbline.core.cause import Origin
from plumbline.core.clock import Clock, Response
from plumbline.core.roster import Person
from plumbline.findings.budgets import Budget
from plumbline.findings.finding import Status
from plumbline.handlers.operate import commands
from plumbline.handlers.operate.commands import Connections
from plumbline.sweep.units import Unit
from plumbline.wakes.messages import Wake
from tests.fakes import ACCOUNT, CONTROL, LAMP, MALLORY, NOW, House, Lamps

ROOT = Path(__file__).parents[3]

HOUR = timedelta(hours=1)


@pytest.fixture
def repaired() -> House:
    house = House()
    house.settle()
    return house


def test_undo_puts_back_what_was_and_tells() -> None:
    house = House()
    house.settle()
    answer = house.type("undo", house.finding.short)
    assert answer.ok, answer.text
    assert house.aws.lamps["hall"]["on"] == ["a"]
    assert house.finding.status is Status.UNDONE
    assert house.alerts.subjects[-1] == "undone: lamp hall was on"


def test_what_was_undone_is_left_alone_for_a_day_and_then_judged_afresh(repaired: House) -> None:
    repaired.type("undo", repaired.finding.short)
    assert [repaired.settle(now=NOW + 23 * HOUR), repaired.settle(now=NOW + 24 * HOUR)] == ["exempt", "repaired"]


@pytest.mark.parametrize("typed", ["lower", "spaced"])
def test_an_id_may_be_typed_as_it_was_heard(repaired: House, typed: str) -> None:
    short = repaired.finding.short
    heard = {"lower": short.lower(), "spaced": f" {short} "}[typed].replace("0", "o").replace("1", "l")
    assert repaired.type("undo", heard).ok


def test_undo_is_refused_when_the_target_changed_since(repaired: House) -> None:
    repaired.aws.lamps["hall"]["on"] = ["b"]
    answer = repaired.type("undo", repaired.finding.short)
    assert not answer.ok
    assert "as Plumbline left it: no bulb lit" in answer.text
    assert "as it is now:         b lit" in answer.text
    assert f"plumbline undo {repaired.finding.short} --force" in answer.text
    assert repaired.aws.writes == ["SwitchOff a"]


def test_force_undoes_all_the_same(repaired: House) -> None:
    repaired.aws.lamps["hall"]["on"] = ["b"]
    assert repaired.type("undo", repaired.finding.short, "--force").ok
    assert repaired.aws.lamps["hall"]["on"] == ["b", "a"]


def test_undo_twice_says_so(repaired: House) -> None:
    repaired.type("undo", repaired.finding.short)
    answer = repaired.type("undo", repaired.finding.short)
    assert (answer.ok, "has been undone already" in answer.text) == (False, True)


def test_half_a_repair_can_be_undone() -> None:
    house = House()
    house.aws.lamps["hall"]["on"] = ["a", "b", "c"]
    house.aws.fails["SwitchOff"] = ["", "AccessDenied"]
    house.settle()
    assert house.aws.lamps["hall"]["on"] == ["b", "c"]
    assert house.type("undo", house.finding.short).ok
    assert sorted(house.aws.lamps["hall"]["on"]) == ["a", "b", "c"]


def test_an_undo_that_aws_refuses_half_way_says_what_stands(repaired: House) -> None:
    repaired.aws.fails["SwitchOn"] = ["AccessDenied"]
    answer = repaired.type("undo", repaired.finding.short)
    assert not answer.ok
    assert "AWS refused a part of the undo" in answer.text
    assert repaired.type("undo", repaired.finding.short, "--force").ok


def test_nothing_repaired_nothing_to_undo() -> None:
    house = House(clocks={"default": Clock()})
    house.settle()
    answer = house.type("undo", house.finding.short)
    assert (answer.ok, "has repaired nothing" in answer.text) == (False, True)


def test_an_earlier_life_cannot_be_undone(repaired: House) -> None:
    first = repaired.finding
    repaired.aws.lamps["hall"]["on"] = ["a"]
    repaired.settle(now=NOW + HOUR)
    answer = repaired.type("undo", first.id)
    assert not answer.ok
    assert f"plumbline show {repaired.finding.short}" in answer.text


def test_an_undo_during_a_repair_waits() -> None:
    house = House()
    answers = []
    house.aws.on_write = lambda: answers.append(house.type("undo", house.finding.short))
    house.settle()
    assert "being settled at this moment" in answers[0].text


def test_the_exemption_stands_before_the_undo_writes(repaired: House) -> None:
    seen = []
    repaired.aws.on_write = lambda: seen.append(bool(repaired.ledger.exemptions))
    repaired.type("undo", repaired.finding.short)
    assert seen == [True]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("undo",), "say which finding. It is written so:\n  plumbline undo FINDING [--force]\nFor example"),
        (("undo", "7F"), "is no finding's id"),
        (("undo", "7F3K"), "there is no finding 7F3K"),
        (("show", "$(rm -rf)"), "is no finding's id"),
        (("findings", "all"), "'all' is one word too many. It is written so:\n  plumbline findings"),
        (("explode",), "there is no command 'explode'"),
        ((), "Plumbline understands:"),
    ],
)
def test_what_cannot_be_done_says_what_to_type(words: tuple[str, ...], says: str) -> None:
    assert says in House().type(*words).text


@pytest.mark.parametrize("request_", [None, 7, [], {"command": 7}, {"command": [1]}, {"command": "show 'x"}, "status"])
def test_no_request_at_all_is_an_answer_and_never_a_crash(request_: object) -> None:
    answer = commands.answer(House().plumbline, request_, now=NOW)
    assert answer.text
    assert answer.ok is False


def test_a_ledger_that_is_down_is_an_answer_too() -> None:
    house = House()
    house.ledger.down = True
    answer = house.type("status")
    assert (answer.ok, answer.text) == (False, "the ledger is down")


def test_two_ids_that_begin_alike_ask_for_more(repaired: House) -> None:
    from dataclasses import replace

    other = replace(repaired.finding, id=repaired.finding.short + "ZZZZZZ")
    repaired.ledger.history.append(other)
    answer = repaired.type("show", repaired.finding.short)
    assert not answer.ok
    assert repaired.finding.id in answer.text
    assert other.id in answer.text


def test_status_says_what_is_watched_swept_and_open() -> None:
    house = House(clocks={"default": Clock(act=48 * HOUR)})
    house.settle()
    house.ledger.swept = NOW - timedelta(minutes=12)
    answer = house.type("status")
    assert answer.text.splitlines() == [
        "Plumbline, account 111122223333, us-east-1, mode enforce",
        "  controls    1: 1 enforce",
        "  last sweep  12 minutes ago, Monday 2 March 2026, 09:18 UTC",
        "  open        1: 1 high",
        "  repairs     0 in this clock hour, of at most 25",
        "  exempt      nothing",
        "  alarms      none is on",
        "",
        f"{house.finding.short}  high      open, next step 2026-03-04 09:30 UTC",
        "      lamp hall is on",
        "      2026-03-04 09:30 UTC: Plumbline switches off lamp hall",
    ]
    assert answer.data["open"][0]["target"] == str(LAMP)


def test_status_says_when_the_sweep_is_late() -> None:
    house = House()
    house.ledger.swept = NOW - 5 * HOUR
    assert "LATE" in house.type("status").text


def test_show_tells_everything(repaired: House) -> None:
    text = repaired.type("show", repaired.finding.short).text
    for fact in (
        "lamp hall is on",
        "repaired",
        "mallory",
        "198.51.100.7",
        "a lit",
        "no bulb lit",
        "lamps:SwitchOff",
        "undo",
    ):
        assert fact in text


def test_findings_of_a_quiet_house() -> None:
    assert House().type("findings").text == "Nothing is open: everything watched is in line with the baseline."


# --- status --------------------------------------------------------------------------------------------------------

ALERTS = "arn:aws:sns:us-east-1:111122223333:plumbline-alerts"
CONFIRMED = {"SubscriptionArn": f"{ALERTS}:1a2b", "Endpoint": "security@example.com"}
PENDING = {"SubscriptionArn": "PendingConfirmation", "Endpoint": "ciso@example.com"}


def _status(house: House, label: str) -> str:
    """What stands behind a label, folded lines as one."""
    one_line = house.type("status").text.replace("\n" + " " * 14, " ")
    return next((line[14:] for line in one_line.splitlines() if line.startswith(f"  {label}  ")), "")


def test_status_of_a_quiet_house_fits_the_window() -> None:
    house = House(connections=Connections(topics=(ALERTS,)))
    house.aws.subscriptions[ALERTS] = [CONFIRMED]
    assert house.type("status").text.splitlines() == [
        "Plumbline, account 111122223333, us-east-1, mode enforce",
        "  controls    1: 1 enforce",
        "  last sweep  not yet; the first one begins when the deployment is done",
        "  open        nothing",
        "  repairs     0 in this clock hour, of at most 25",
        "  exempt      nothing",
        "  alarms      none is on",
        "  e-mail      every address is confirmed",
    ]


def test_status_where_no_event_crosses_a_border_says_what_is_not_heard_there() -> None:
    answer = House(home="us-gov-east-1").type("status")
    said = " ".join(answer.text.split())
    assert "NOT HEARD Changes in IAM are not heard in us-gov-east-1" in said
    assert answer.data["not_heard"] in said
    for home in ("us-east-1", "ap-southeast-2"):
        answer = House(home=home).type("status")
        assert ("", False) == (answer.data["not_heard"], "NOT HEARD" in answer.text)


def test_status_says_what_keeps_repairs_back() -> None:
    house = House(breakers=Breakers(per_control=1, in_all=5))
    house.settle()
    house.aws.lamps["hall"]["on"] = ["b"]
    house.settle()
    house.type("pause", "--hours", "4", "--reason", "migration")
    house.type("exempt", "*/lamp/porch", "--control", "all", "--days", "7", "--owner", "ann", "--reason", "x")
    assert [_status(house, label) for label in ("repairs", "STOPPED", "PAUSED", "exempt")] == [
        "1 in this clock hour, of at most 5",
        "repairs of lamp-off, 1 in this clock hour",
        "all repairs until 2026-03-02 13:30 UTC: migration",
        "1, the next ends on 2026-03-09",
    ]
    assert [
        "To go on after STOPPED, type: plumbline resume --breakers",
        "To end the pause, type: plumbline resume",
        "What is exempt, type: plumbline exemptions",
    ] == house.type("status").text.splitlines()[-3:]
    data = house.type("status").data
    assert (["lamp-off"], {Budget.of(CONTROL, MALLORY).of_actor: 1, "lamp-off": 1, "*": 1}) == (
        data["stopped"],
        {name: count for name, count in data["repairs_this_hour"].items() if name != "letters"},
    )


def test_status_names_the_fights() -> None:
    house = House(breakers=Breakers(fight=1))
    for minutes in range(2):
        house.aws.lamps["hall"]["on"] = ["a"]
        house.settle(now=NOW + timedelta(minutes=minutes))
    short = house.finding.short
    assert f"{short}: somebody puts back what is repaired" == _status(house, "FIGHT")
    assert f"To see the FIGHT, type: plumbline show {short}" == house.type("status").text.splitlines()[-1]


def test_status_names_alarms_that_are_on() -> None:
    house = House()
    house.aws.alarms += ["plumbline-sweep-stopped", "plumbline-dead-letters"]
    assert _status(house, "alarms") == "ON: plumbline-dead-letters, plumbline-sweep-stopped. See docs/operating.md"


def test_status_says_that_work_waits_until_its_end_was_told() -> None:
    house = House()
    assert house.type("status").data["late"] is False
    house.ledger.told("late-wakes#lasts", now=NOW, within=timedelta(days=1))
    assert _status(house, "LATE") == "work waits for react longer than 15 minutes; see docs/operating.md"


@pytest.mark.parametrize(
    ("subscriptions", "says"),
    [
        ([CONFIRMED, PENDING], "ciso@example[.]com has not confirmed plumbline-alerts. Click the"),
        ([PENDING], "NOBODY HEARS plumbline-alerts. ciso@example[.]com has not confirmed"),
        ([], "NOBODY HEARS plumbline-alerts. Click the link in AWS's e-mail, or"),
    ],
)
def test_status_says_who_has_not_confirmed(subscriptions: list[dict[str, str]], says: str) -> None:
    house = House(connections=Connections(topics=(ALERTS,)))
    house.aws.subscriptions[ALERTS] = subscriptions
    assert _status(house, "e-mail").startswith(says)


_PEOPLE = (*(Person(name, email=f"{name.title()}@example.com") for name in ("ann", "bob", "eve")), Person("ci"))


@pytest.mark.parametrize(
    ("roster", "subscribed", "says", "unheard"),
    [
        ((), {}, "", []),
        ((Person("ci"),), {}, "", []),
        (
            _PEOPLE,
            {"ann": "arn:aws:sns:1", "Bob": "PendingConfirmation", "eve": "Deleted"},
            (
                "1 of 3 addresses of the roster hears of their own users; not confirmed: bob@example[.]com; "
                "not subscribed: eve@example[.]com"
            ),
            ["bob@example.com", "eve@example.com"],
        ),
        (
            _PEOPLE,
            dict.fromkeys(("ann", "bob", "eve", "gone"), "arn:aws:sns:1"),
            "3 of 3 addresses of the roster hear of their own users",
            [],
        ),
    ],
)
def test_status_says_which_people_of_the_roster_do_not_hear(
    roster: tuple[Person, ...], subscribed: Mapping[str, str], says: str, unheard: list[str]
) -> None:
    topic = ALERTS.replace("alerts", "people")
    house = House(roster=roster, connections=Connections(people=topic))
    house.aws.subscriptions[topic] = [
        {"Endpoint": f"{name}@example.com", "SubscriptionArn": arn} for name, arn in subscribed.items()
    ]
    assert says == _status(house, "people")
    answer = house.type("status")
    assert unheard == answer.data["people_unheard"]
    assert ("eve@example.com" in unheard) is ("--notification-endpoint eve@example\\.com" in answer.text)


def test_status_says_that_it_may_not_look_at_the_people() -> None:
    house = House(roster=_PEOPLE, connections=Connections(people=ALERTS))
    house.aws.fails |= {"ListSubscriptionsByTopic": ["AccessDenied"]}
    assert _status(house, "people").startswith("could not look: sns:ListSubscriptionsByTopic was refused: AccessDenied")


def test_what_status_may_not_look_at_is_said_and_hides_nothing_else() -> None:
    house = House(connections=Connections(topics=(ALERTS,)))
    house.aws.fails |= {"DescribeAlarms": ["AccessDenied"], "ListSubscriptionsByTopic": ["AccessDenied"]}
    answer = house.type("status")
    assert (True, None, None) == (answer.ok, answer.data["alarms"], answer.data["unconfirmed"])
    house.aws.fails |= {"DescribeAlarms": ["AccessDenied"], "ListSubscriptionsByTopic": ["AccessDenied"]}
    assert _status(house, "alarms").startswith("could not look: cloudwatch:DescribeAlarms was refused: AccessDenied")


# --- plan, sweep, enforce, approve ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("house", "says"),
    [
        (House(clocks={"default": Clock(act=48 * HOUR)}), "On Wednesday 4 March 2026, 09:30 UTC: it switches off"),
        (House(clocks={"default": Clock()}), "Nothing: Plumbline only tells about this."),
        (House(mode=Response.OBSERVE), "Nothing: Plumbline observes only. It would: it switches off lamp hall."),
        (House(response=Response.PROPOSE), "When a person approves it: it switches off lamp hall. Calls"),
        (House(aws=Lamps({"hall": {"on": ["a"], "stuck": True}})), "Nothing: the switch is stuck."),
        (
            House(aws=Lamps({"hall": {"on": ["a"]}}, sticky=True)),
            "With the next look, within the hour: it switches off",
        ),
    ],
    ids=["later", "never", "observed", "proposed", "refused", "now"],
)
def test_plan_says_what_would_be_done_and_changes_nothing(house: House, says: str) -> None:
    house.settle()
    writes, saves = list(house.aws.writes), len(house.ledger.saves)
    text = " ".join(house.type("plan", house.finding.short).text.split())
    assert says in text
    assert "Nothing was changed." in text
    assert (writes, saves) == (house.aws.writes, len(house.ledger.saves))


def test_plan_knows_exemptions_pauses_and_breakers() -> None:
    house = House(breakers=Breakers(per_control=1))
    house.settle()
    house.aws.lamps["hall"]["on"] = ["b"]
    house.settle()
    seen = ["used up" in house.type("plan").text]
    house.type("pause", "--hours", "1", "--reason", "x")
    seen.append("When the pause ends" in house.type("plan").text)
    house.type("exempt", house.finding.short, "--days", "7", "--owner", "ann", "--reason", "party")
    seen.append("ann exempted it until" in house.type("plan").text)
    assert [True] * 3 == seen


def test_plan_lists_the_calls_and_says_what_is_in_line_by_now() -> None:
    house = House(clocks={"default": Clock(act=48 * HOUR)})
    house.settle()
    assert 'lamps:SwitchOff {"Name": "hall", "Bulb": "a"}' in house.type("plan").text
    house.aws.lamps["hall"]["on"] = []
    assert "It is in line now; the next sweep closes it." in house.type("plan").text
    assert House().type("plan").text == "Nothing is open, so nothing would be done."


def test_plan_says_when_it_could_not_look() -> None:
    house = House(clocks={"default": Clock()})
    house.settle()
    house.aws.fails["GetLamp"] = ["AccessDenied"]
    assert "lamps:GetLamp was refused: AccessDenied" in house.type("plan").text


def test_a_sweep_is_sent_on_its_way() -> None:
    sent: list[str] = []

    class Units:
        def send(self, bodies: Sequence[str], *, delay: int = 0) -> None:
            sent.extend(bodies)

    answer = House(connections=Connections(Units())).type("sweep")
    assert (True, [("lamp-off",)]) == (answer.ok, [Unit.from_json(one).controls for one in sent])
    assert House().type("sweep").ok is False


@pytest.fixture
def adopted() -> House:
    """A lamp that was on before Plumbline looked for the first time."""
    house = House()
    house.settle(origin=Origin.ADOPTION)
    return house


@pytest.mark.parametrize("words", [(), ("lamp-off",), ("all",), ("ID",)])
def test_enforce_lists_first_and_ends_adoption_when_it_is_meant(adopted: House, words: tuple[str, ...]) -> None:
    words = tuple(adopted.finding.short if word == "ID" else word for word in words)
    asked = adopted.type("enforce", *words)
    assert (False, True) == (asked.ok, f"type: plumbline {' '.join(['enforce', *words, '--yes'])}" in asked.text)
    for fact in ("lamp hall is on", "With the next look, within the hour: it switches off lamp hall.", "Nothing was"):
        assert fact in asked.text
    assert adopted.settle(origin=Origin.SWEEP, now=NOW + HOUR) == "waiting"
    assert adopted.type("enforce", *words, "--yes", now=NOW + HOUR, by="arn:aws:iam::111122223333:user/ann").ok
    assert adopted.alerts.subjects == ["grace ended: 1 finding"]
    assert "By arn:aws:iam::111122223333:user/ann " in " ".join(adopted.alerts.letters[0].body.split())
    assert (None, NOW + HOUR) == (adopted.finding.grace_until, adopted.finding.due)
    assert "Grace ended by" in adopted.type("show", adopted.finding.short).text
    assert adopted.settle(origin=Origin.SWEEP, now=NOW + HOUR) == "repaired"


@pytest.mark.parametrize(
    "clock",
    [
        Clock(act=0 * HOUR),
        Clock(act=48 * HOUR),
        Clock(act=0 * HOUR, mode=Response.PROPOSE),
        Clock(act=0 * HOUR, remind=(24 * HOUR,)),
    ],
    ids=["at once", "waits", "proposed", "reminded"],
)
def test_a_grace_that_is_ended_before_the_digest_told_of_it_stays_ended(clock: Clock) -> None:
    """He has seen it in `plumbline findings`, and is quicker than the digest, which tells of it as it was."""
    late, early = (House(clocks={"default": clock, "found-by-sweep": clock}) for _ in range(2))
    for house, order in ((late, "digest, enforce"), (early, "enforce, digest")):
        house.settle(origin=Origin.ADOPTION)
        for step in order.split(", "):
            if step == "enforce":
                assert house.type("enforce", "--yes", now=NOW + HOUR).ok
            else:
                assert house.engine.digest(ACCOUNT, now=NOW + HOUR) == 1
    assert (early.finding.due, early.finding.grace_until) == (late.finding.due, late.finding.grace_until)
    assert early.finding.due == NOW + HOUR
    ended = [house.settle(origin=Origin.SWEEP, now=NOW + HOUR) for house in (late, early)]
    assert ended[0] == ended[1] != "listed"


def test_enforce_says_what_else_holds_a_repair_back(adopted: House) -> None:
    adopted.ledger.pauses["*"] = NOW + HOUR
    assert "When the pause ends, on Monday 2 March 2026, 10:30 UTC" in adopted.type("enforce").text
    adopted.ledger.pauses.clear()
    adopted.aws.lamps["hall"]["stuck"] = True
    assert "Nothing: the switch is stuck." in adopted.type("enforce").text
    adopted.aws.fails["GetLamp"] = ["AccessDenied"]
    assert "Not known, for it cannot be looked at: lamps:GetLamp was refused" in adopted.type("enforce").text


@pytest.mark.parametrize(("act", "expected"), [(48 * HOUR, 2), (0 * HOUR, 0)])
def test_enforce_says_how_to_have_sooner_what_waits_for_its_own_clock(act: timedelta, expected: int) -> None:
    house = House(clocks={"default": Clock(), "found-by-sweep": Clock(act=act)})
    house.settle(origin=Origin.ADOPTION)
    said = " ".join(" ".join(house.type("enforce", *words).text.split()) for words in ((), ("--yes",)))
    sooner = "To have it sooner, write `lamp-off: {clocks: {found-by-sweep: {act: 0}}}` below controls in baseline.yaml"
    assert expected == said.count(sooner)


def test_enforce_looks_at_twenty_and_names_the_others() -> None:
    house = House()
    for number in range(25):
        house.aws.lamps[f"l{number:02}"] = {"on": ["a"]}
        wake = Wake("lamp-off", replace(LAMP, id=f"l{number:02}"), Origin.ADOPTION)
        house.engine.settle(wake, now=NOW)
    text = house.type("enforce").text
    assert text.count("With the next look") == 20
    assert "The last 5 were not looked at again" in text


def test_enforce_has_nothing_to_end_where_nothing_was_adopted(repaired: House) -> None:
    for words in ((), ("lamp-off", "--yes"), (repaired.finding.short,)):
        assert "there is nothing to end" in repaired.type("enforce", *words).text
    assert "there is no control 'x'" in repaired.type("enforce", "x").text


def test_an_undo_brings_back_what_was_before_the_try_that_changed_something() -> None:
    house = House()
    house.aws.fails["SwitchOff"] = ["AccessDenied"]
    house.settle()
    house.aws.lamps["hall"]["on"] = ["a", "b"]  # somebody goes on between the tries
    assert house.settle(now=NOW + HOUR) == "repaired"
    answer = house.type("undo", house.finding.short, now=NOW + HOUR)
    assert "Undone: lamp hall is as it was before the repair" in answer.text
    assert sorted(house.aws.lamps["hall"]["on"]) == ["a", "b"]
    assert "it is as it was before" in " ".join(house.alerts.letters[-1].body.split())


def test_what_is_proposed_is_done_when_it_is_approved() -> None:
    house = House(response=Response.PROPOSE)
    house.settle()
    assert f"plumbline approve {house.finding.short}" in house.type("show", house.finding.short).text
    answer = house.type("approve", house.finding.short)
    assert (True, ["SwitchOff a"]) == (answer.ok, house.aws.writes)
    assert f"plumbline undo {house.finding.short}" in answer.text


def test_an_approval_is_refused_when_the_target_changed() -> None:
    house = House(response=Response.PROPOSE)
    house.settle()
    house.aws.lamps["hall"]["on"] = ["b"]
    answer = house.type("approve", house.finding.short)
    assert (False, []) == (answer.ok, house.aws.writes)
    assert "has changed since the repair was proposed" in answer.text


def test_nothing_proposed_nothing_to_approve(repaired: House) -> None:
    answer = repaired.type("approve", repaired.finding.short)
    assert (False, True) == (answer.ok, "Nothing is proposed" in answer.text)


def test_an_approval_that_aws_refuses_says_so() -> None:
    house = House(response=Response.PROPOSE)
    house.settle()
    house.aws.fails["SwitchOff"] = ["AccessDenied"]
    answer = house.type("approve", house.finding.short)
    assert (False, True) == (answer.ok, "AWS refused a part of it" in answer.text)


# --- how it is asked -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [("findings",), ("status",), ("exemptions",), ("plan",), ("undo", "7F3K"), ("help",)])
def test_every_command_answers_for_scripts_too(words: tuple[str, ...]) -> None:
    house = House()
    plain, script = house.type(*words), house.type(*words, "--json")
    assert (json.loads(script.text), plain.ok) == (dict(plain.data), script.ok)


def test_help_lists_every_command_and_each_explains_itself() -> None:
    house = House()
    text = house.type("help").text
    for name, command in commands.COMMANDS.items():
        assert f"plumbline {command.usage} {command.gist}" in " ".join(text.split())
        explained = house.type("help", name).text
        for one in (f"plumbline {command.usage} {command.gist}", f"For example, type: plumbline {command.example}"):
            assert one in " ".join(explained.split())
        assert [explained] * 2 == [house.type(name, "--help").text, house.type("-h", name).text]
    assert [(True, text)] * 2 == [(one.ok, one.text) for one in (house.type("--help"), house.type())]


def test_the_documents_list_every_command() -> None:
    readme, guide = ((ROOT / name).read_text() for name in ("README.md", "docs/operating.md"))
    for name in set(commands.COMMANDS) - {"help"}:
        assert f"plumbline {name}" in readme, name
        assert f"plumbline {name}" in guide, name


_WORDS = st.one_of(
    st.sampled_from(
        [
            *commands.COMMANDS,
            "--days",
            "--until",
            "--hours",
            "--owner",
            "--reason",
            "--control",
            "--all",
            "--after",
            "--page",
            "--severity",
            "--target",
            "--yes",
            "--json",
        ]
    ),
    st.sampled_from(
        ["lamp-off", "all", "*", str(LAMP), "*/lamp/*", "[", "[!a]*", "7", "0", "2026-03-05", "ID", "--=", ""]
    ),
    st.text(max_size=12),
)


@settings(max_examples=300)
@given(st.sampled_from(list(commands.COMMANDS)), st.lists(_WORDS, max_size=10))
def test_nothing_that_can_be_typed_crashes_it(name: str, words: list[str]) -> None:
    house = House(clocks={"default": Clock(act=48 * HOUR)})
    house.settle()
    answer = house.type(name, *(house.finding.short if word == "ID" else word for word in words))
    assert answer.text
    json.dumps(answer.data)


# --- an undo that does not go well ----------------------------------------------------------------------------------


def test_an_undo_whose_email_sns_refuses_stands_and_is_told_by_the_next_digest(repaired: House) -> None:
    repaired.alerts.down = True
    assert repaired.type("undo", repaired.finding.short).ok
    repaired.alerts.down = False
    assert (repaired.finding.status, repaired.aws.lamps["hall"]["on"]) == (Status.UNDONE, ["a"])
    assert repaired.engine.digest(LAMP.account, now=NOW + HOUR) == 1


def test_an_undo_that_dies_half_way_is_found_and_told_and_can_be_finished(repaired: House) -> None:
    class Killed(BaseException):
        pass

    def die() -> None:
        raise Killed

    repaired.aws.on_write = die
    with pytest.raises(Killed):
        repaired.type("undo", repaired.finding.short)
    repaired.aws.on_write = lambda: None
    assert repaired.finding.status is Status.UNDOING
    list(repaired.plumbline.sweep_and_settle(now=NOW + HOUR))
    assert repaired.alerts.subjects[-1].startswith("undo cut short: ")
    assert repaired.type("undo", repaired.finding.short, "--force", now=NOW + 2 * HOUR).ok
    assert repaired.aws.lamps["hall"]["on"] == ["a"]


def test_an_undo_that_aws_refuses_is_told_and_can_be_tried_again(repaired: House) -> None:
    repaired.aws.fails["SwitchOn"] = ["AccessDenied"]
    assert not repaired.type("undo", repaired.finding.short).ok
    assert repaired.alerts.subjects[-1].startswith("undo failed: ")
    repaired.settle(now=NOW + HOUR)
    assert repaired.type("undo", repaired.finding.short, "--force", now=NOW + 2 * HOUR).ok


def test_an_undo_of_what_a_person_mended_since_asks_for_force() -> None:
    house = House()
    house.aws.lamps["hall"]["on"] = ["a", "b"]
    house.aws.fails["SwitchOff"] = ["", "AccessDenied"]
    house.settle()
    house.aws.lamps["hall"]["on"] = []
    assert "--force" in house.type("undo", house.finding.short, now=NOW + HOUR).text


def test_an_undo_that_does_not_bring_back_what_was_says_so(repaired: House) -> None:
    repaired.aws.lamps["hall"]["on"] = ["z"]
    answer = repaired.type("undo", repaired.finding.short, "--force")
    assert "still not as it was" in " ".join(answer.text.split())
    assert "still not as it was" in " ".join(repaired.alerts.letters[-1].body.split())
