"""What a person at three in the morning needs of an answer: the truth, in a window of 80 columns, and what to type."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plumbline import __version__
from plumbline.baseline.rules import Breakers
from plumbline.core.calls import Call, Plan, Step
from plumbline.core.cause import Cause, Origin
from plumbline.core.clock import Clock, Response
from plumbline.core.control import Deviation
from plumbline.core.targets import Target
from plumbline.decisions.pauses import Pause
from plumbline.findings.budgets import Budget
from plumbline.findings.finding import Finding, Status, open_finding
from plumbline.handlers.operate.lists import columns
from plumbline.wakes.messages import Wake
from tests.fakes import ACCOUNT, CONTROL, LAMP, MALLORY, NOW, House, Lamps

OF_MALLORY = Budget.of(CONTROL, MALLORY).of_actor

ROOT = Path(__file__).parents[3]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LATER = {"default": Clock(act=48 * HOUR)}
ANN = "arn:aws:iam::111122223333:user/ann"


@pytest.fixture
def house() -> House:
    """A lamp that is on and repaired later."""
    made = House(clocks=LATER)
    made.settle()
    return made


def _fight() -> House:
    house = House(breakers=Breakers(fight=1, per_control=9))
    for minutes in range(2):
        house.aws.lamps["hall"]["on"] = ["a"]
        house.settle(now=NOW + timedelta(minutes=minutes))
    return house


def _two(house: House) -> Finding:
    """A second finding, which is exempt."""
    other = replace(LAMP, id="porch")
    house.aws.lamps["porch"] = {"on": ["a"]}
    house.engine.settle(Wake("lamp-off", other, Origin.EVENT, MALLORY), now=NOW)
    house.type("exempt", str(other), "--control", "lamp-off", "--days", "7", "--owner", "ann", "--reason", "party")
    return house.ledger.findings["lamp-off", other]


# --- show ----------------------------------------------------------------------------------------------------------


def _calls(house: House) -> list[str]:
    """The calls of a finding's repair, each with what is said to have become of it."""
    text = house.type("show", house.finding.short).text
    return re.findall(r"(?m)^    (\S.*?)  +lamps:SwitchOff .*\"Bulb\": \"(\w)\"", text) and [
        " ".join(one) for one in re.findall(r"(?m)^    (\S.*?)  +lamps:SwitchOff .*\"Bulb\": \"(\w)\"", text)
    ]


def test_show_says_of_each_call_what_became_of_it() -> None:
    house = House(aws=Lamps({"hall": {"on": ["a", "b", "c"]}}))
    house.aws.fails["SwitchOff"] = ["", "AccessDenied"]
    house.settle()
    assert ["made a", "refused b", "not made c"] == _calls(house)
    assert "SwitchOff was refused: AccessDenied" in house.type("show", house.finding.short).text


def test_show_says_that_nothing_was_made_where_the_writing_role_was_refused() -> None:
    house = House()
    house.aws.fails["AssumeRole"] = ["AccessDenied"]
    house.settle()
    assert ["not made a"] == _calls(house)


def test_show_says_that_all_was_made_though_aws_still_shows_the_old_state() -> None:
    house = House(aws=Lamps({"hall": {"on": ["a"]}}, sticky=True))
    house.settle()
    assert ["made a"] == _calls(house)


def test_show_does_not_know_what_a_function_did_that_died() -> None:
    house = House()

    def die() -> None:
        raise KeyboardInterrupt

    house.aws.on_write = die
    with pytest.raises(KeyboardInterrupt):
        house.settle()
    assert ["perhaps made a"] == _calls(house)
    house.aws.on_write = lambda: None
    house.ledger.pauses["*"] = NOW + DAY
    house.settle(now=NOW + HOUR)
    assert ["perhaps made a"] == _calls(house)


def test_show_says_that_what_is_proposed_was_not_made() -> None:
    house = House(response=Response.PROPOSE)
    house.settle()
    text = house.type("show", house.finding.short).text
    assert '  Proposed\n    not made      lamps:SwitchOff {"Name": "hall", "Bulb": "a"}' in text


def test_show_tells_all_that_a_list_tells_and_more(house: House) -> None:
    _two(house)
    for one in house.ledger.open_findings(ACCOUNT):
        listed = house.type("findings", "--target", str(one.target)).data["findings"][0]
        shown = house.type("show", one.short).text
        missing = [
            fact
            for fact in (listed["control"], listed["severity"], listed["target"], listed["status"], listed["summary"],
                         listed["next"])
            if fact not in " ".join(shown.split())
        ]  # fmt: skip
        assert [] == missing
    exempt = house.type(
        "show", next(one.short for one in house.ledger.open_findings(ACCOUNT) if one.due == NOW + 7 * DAY)
    )
    assert re.search(r"Exempt +X\w{4}, until Monday 9 March 2026, 09:30 UTC, by ann: party", exempt.text)


def test_after_an_undo_the_new_finding_names_who_undid_it_and_does_not_accuse_plumbline() -> None:
    house = House()
    house.settle()
    first = house.finding.short
    house.type("undo", first, by=ANN)
    hands = "arn:aws:sts::111122223333:assumed-role/plumbline-hands/lamp-off"
    echo = Cause("SwitchOn", "plumbline-hands (session lamp-off)", hands, "2026-03-02T09:30:01Z", "x", "Boto3", "e-9")
    assert house.settle(cause=echo, now=NOW + timedelta(seconds=20)) == "exempt"
    expected = Cause(f"plumbline undo {first}", "ann", ANN, "2026-03-02T09:30:00+00:00")
    assert (expected, True) == (house.finding.cause, house.finding.short != first)
    text = " ".join(house.type("show", house.finding.short).text.split())
    assert f"Who ann, {ANN} When Monday 2 March 2026, 09:30 UTC, by plumbline undo {first}" in text
    assert "plumbline-hands" not in text


def test_the_sweep_names_who_undid_it_too() -> None:
    house = House()
    house.settle()
    house.type("undo", house.finding.short)
    house.settle(origin=Origin.SWEEP, cause=Cause(), now=NOW + HOUR)
    assert "root" == house.finding.cause.who


@pytest.mark.parametrize(
    ("at", "bulbs"),
    [("2026-03-02T10:29:00Z", ["a"]), ("2026-03-02T09:30:05Z", ["a", "b"]), ("hostile", ["a"])],
    ids=["later", "something new", "no time"],
)
def test_what_somebody_else_does_after_an_undo_is_his(at: str, bulbs: list[str]) -> None:
    house = House()
    house.settle()
    house.type("undo", house.finding.short, by=ANN)
    house.aws.lamps["hall"]["on"] = bulbs
    house.settle(cause=replace(MALLORY, at=at), now=NOW + HOUR)
    assert "mallory" == house.finding.cause.who


# --- findings, status ----------------------------------------------------------------------------------------------


def test_what_is_exempt_is_listed_and_not_counted_as_open(house: House) -> None:
    exempt = _two(house)
    answer = house.type("findings")
    assert answer.text.splitlines() == [
        "1 open: 1 high",
        "1 exempt: 1 high",
        "",
        f"{house.finding.short}  high      open, next step 2026-03-04 09:30 UTC",
        "      lamp hall is on",
        "      2026-03-04 09:30 UTC: Plumbline switches off lamp hall",
        "",
        "Exempt, and so left alone:",
        f"{exempt.short}  high      exempt, until 2026-03-09 09:30 UTC",
        "      lamp porch is on",
        "",
        f"Type: plumbline show {house.finding.short}",
    ]
    status = house.type("status")
    assert ([house.finding.id], [exempt.id]) == tuple(
        [one["id"] for one in status.data[key]] for key in ("open", "exempt")
    )
    assert "  open        1: 1 high\n" in status.text
    assert "  exempt      1, over 1 finding, the next ends on 2026-03-09\n" in status.text


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--open",), ["hall"]),
        (("--exempt",), ["porch"]),
        (("--open", "--exempt"), ["hall", "porch"]),
        (("--fight",), []),
        (("--control", "lamp-off"), ["hall", "porch"]),
        (("--control", "all", "--target", "*/lamp/p*"), ["porch"]),
        (("--target", "hal"), ["hall"]),
        (("--severity", "HIGH"), ["hall", "porch"]),
        (("--severity", "low"), ["hall", "porch"]),  # that and worse
        (("--severity", "critical"), []),
        (("--control", "lamp-*"), ["hall", "porch"]),
        (("--target", "*/LAMP/*"), []),
    ],
)
def test_findings_can_be_filtered(house: House, words: tuple[str, ...], expected: list[str]) -> None:
    _two(house)
    answer = house.type("findings", *words)
    assert expected == [one["target"].rpartition("/")[2] for one in answer.data["findings"]]
    if not expected:
        assert "Nothing like that is open. For all there is, type: plumbline findings" == answer.text


def test_a_fight_is_marked_everywhere_with_what_ends_it() -> None:
    house = _fight()
    short = house.finding.short
    assert f"{short}  high      FIGHT, next step 2026-03-03 09:30 UTC" in house.type("findings", "--fight").text
    assert [True] == [one["fight"] for one in house.type("findings").data["findings"]]
    for command in ("show", "plan"):
        answer = house.type(command, short, now=NOW + timedelta(minutes=2))
        assert "plumbline resume lamp-off --fights" in answer.text
    assert "a FIGHT: somebody puts back" in house.type("show", short).text


# --- resume --------------------------------------------------------------------------------------------------------


def _all_at_once() -> House:
    """A fight, a breaker, and a pause."""
    house = House(breakers=Breakers(fight=1, per_control=1))
    for minutes in range(2):
        house.aws.lamps["hall"]["on"] = ["a"]
        house.settle(now=NOW + timedelta(minutes=minutes))
    house.ledger.pauses["*"] = Pause(NOW + DAY, "migration")
    return house


def test_resume_lifts_the_pause_alone_and_says_what_still_stands() -> None:
    house = _all_at_once()
    answer = house.type("resume", now=NOW + timedelta(minutes=5))
    assert answer.text.splitlines() == [
        "Resumed: all repairs. What is due is repaired with the next sweep.",
        "  Pauses lifted  all repairs, migration",
        "Not to wait for it, type: plumbline sweep",
        "To count this hour's repairs anew, type: plumbline resume --breakers",
        "To try the fights again, type: plumbline resume --fights",
    ]
    assert (["*"], {}, []) == tuple(answer.data[key] for key in ("pauses", "counters", "fights"))
    assert ("fight" in house.finding.told, {}) == (True, house.ledger.pauses)


def test_resume_without_a_pause_changes_nothing_and_says_what_holds_repairs_back() -> None:
    house = _all_at_once()
    house.ledger.pauses.clear()
    saves, answer = len(house.ledger.saves), house.type("resume", now=NOW + timedelta(minutes=5))
    assert answer.text.splitlines() == [
        "There is no pause, so nothing was changed. All repairs are held back by this:",
        "  Counted  repairs of lamp-off, 1 so far",
        f"  Fights   {house.finding.short}",
        "To count this hour's repairs anew, type: plumbline resume --breakers",
        "To try the fights again, type: plumbline resume --fights",
    ]
    assert (False, saves, []) == (answer.ok, len(house.ledger.saves), answer.data["fights"])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--breakers",), ([], ["*", OF_MALLORY, "lamp-off"], 0)),
        (("--fights",), ([], [], 1)),
        (("--all",), (["*"], ["*", OF_MALLORY, "lamp-off"], 1)),
        (("lamp-off",), ([], ["lamp-off"], 1)),  # as the e-mails of version 0.1 say
        (("lamp-off", "--fights"), ([], [], 1)),
        (("--tries",), ([], [], 0)),
    ],
)
def test_resume_does_what_it_is_asked_and_no_more(
    words: tuple[str, ...], expected: tuple[list[str], list[str], int]
) -> None:
    data = _all_at_once().type("resume", *words, now=NOW + timedelta(minutes=5)).data
    assert expected == (data["pauses"], sorted(data["counters"]), len(data["fights"]))


# --- how it is asked -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("stauts",), "there is no command 'stauts'; did you mean status? Type: plumbline status"),
        (("exmept", "*/a b", "--days", "7"), "did you mean exempt? Type: plumbline exempt '*/a b' --days 7"),
        (("pause", "lamp-of", "--hours", "1", "--reason", "x"), "did you mean lamp-off?"),
        (("findings", "--control", "lamp"), "there is no control 'lamp'; did you mean lamp-off?"),
        (("findings", "--severity", "hgih"), "critical, high, medium, low. Type: plumbline findings --severity high"),
        (("findings", "--opne"), "'--opne' is no option here; did you mean --open?"),
        (("undo", "7F3K", "--forec"), "did you mean --force?"),
        (("undo", "7F3K", "-f"), "'-f' is no option here; did you mean --force?"),
        (("exempt", "7F3K", "\N{EN DASH}days", "7"), "did you mean --days?"),
        (("exempt", "7F3K", "--reason", "\N{LEFT DOUBLE QUOTATION MARK}moves", "in", "May"),
         "the quotes are curly ones, which a shell does not know"),
        (("exempt", "7F3K", "--reason", "moves", "in", "May"), "what has spaces needs quotes"),
        (("exempt", "*/lamp/x y", "--control", "all", "--days", "7", "--reason", "it's"),
         """Type: plumbline exempt '*/lamp/x y' --control all --days 7 --reason 'it'"'"'s' --owner WHO"""),
        (("exempt", "*/lamp/*", "--days", "7", "--owner", "a b", "--reason", "--why"), "needs something behind it"),
        (("exempt", "*/lamp/*", "--days", "7", "--owner", "a b", "--reason=--why"),
         "Type: plumbline exempt '*/lamp/*' --days 7 --owner 'a b' --reason=--why --control all"),
        (("exempt", "lamp/hall", "--control", "all", "--days", "7", "--owner", "ann", "--reason", "x"),
         "Type: plumbline exempt '*/lamp/hall' --control all --days 7 --owner ann --reason x"),
    ],
)  # fmt: skip
def test_a_slip_is_answered_with_what_was_meant_and_nothing_of_it_is_lost(words: tuple[str, ...], says: str) -> None:
    answer = House().type(*words)
    assert (False, True) == (answer.ok, says in " ".join(answer.text.split())), answer.text


def test_an_id_that_was_misread_is_answered_with_the_one_that_is_open(house: House) -> None:
    short = house.finding.short
    wrong = short[:3] + ("A" if short[3] != "A" else "B")
    assert (
        f"there is no finding {wrong}; did you mean {short}? Type: plumbline show {short}"
        == house.type("undo", wrong).text
    )


def test_the_id_of_an_exemption_is_known_as_one(house: House) -> None:
    id_ = _two(house).id and house.ledger.exemptions[0].id
    said = " ".join(house.type("show", id_).text.split())
    assert f"{id_} is an exemption and no finding. To end it, type: plumbline unexempt {id_}" == said


def test_it_says_its_version() -> None:
    answer = House().type("--version")
    assert (True, f"Plumbline {__version__}, account {ACCOUNT}, us-east-1") == (answer.ok, answer.text)
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__


# --- as wide as a window -------------------------------------------------------------------------------------------

_NAME = st.text(st.characters(codec="utf-8"), min_size=1, max_size=300).filter(lambda one: one.strip())


def answers(name: str) -> Iterator[tuple[str, str]]:
    """Each command's answer, where everything is called `name`."""
    target = Target(ACCOUNT, "ap-southeast-2", "lamp", name)

    def plan(*_: object) -> Plan:
        step = Step(Call("lamps", "SwitchOff", {"Name": name, "Bulb": name}))
        return Plan((step, step), (), f"switches off {name}", irreversible=name)

    control = replace(
        CONTROL,
        plan=plan,
        observe=lambda _ask, _target: {"on": [name]},
        detect=lambda _state, _settings: Deviation(f"is on: {name}", (name,)),
        describe=lambda _: name,
    )
    house = House(control=control, clocks=LATER, response=Response.PROPOSE)
    finding = open_finding(
        "lamp-off", target, Deviation(f"is on: {name}", (name,)), origin=Origin.EVENT, cause=replace(MALLORY, who=name,
        principal=name, tool=name), now=NOW, before=None,
    )  # fmt: skip
    house.ledger.findings["lamp-off", target] = replace(finding, then=name, told=("opened", "fight"), enforced_by=name)
    for words in (
        ("status",), ("findings",), ("show", finding.short), ("plan",), ("enforce",), ("help",), ("exemptions",),
        ("nothing",),
        *(("help", one) for one in ("exempt", "findings", "resume")),
        ("exempt", str(target), "--control", "all", "--days", "7", "--owner", name, "--reason", name),
        ("exemptions",), ("show", finding.short), ("pause", "--hours", "1", "--reason", name),
        ("status",), ("resume", "--all"),
        (name,), ("show", name), ("unexempt", name), ("exempt", name), ("findings", name, name),
    ):  # fmt: skip
        yield " ".join(words), house.type(*words).text


@settings(max_examples=40)
@given(_NAME)
@example("x" * 200)
@example("\u8868" * 100)
@example(f"arn:aws:iam::{ACCOUNT}:role/{'a-path/' * 20}deploy")
def test_every_answer_fits_a_window_of_80_columns_whatever_things_are_called(name: str) -> None:
    wide = [
        (words, line)
        for words, text in answers(name)
        for line in text.splitlines()
        if columns(line) > 80 and not line.lstrip().startswith("plumbline ")
    ]
    assert [] == wide
    assert [] == [text for _, text in answers(name) if any(ord(char) < 32 for char in text.replace("\n", ""))]


def test_a_line_may_be_wider_only_where_it_can_be_pasted() -> None:
    """A usage with its brackets cannot, so it is folded."""
    for words, text in answers("x" * 200):
        wide = [line for line in text.splitlines() if len(line) > 80]
        assert [] == [line for line in wide if "|" in line or "[" in line], words


def test_a_script_gets_whole_lines(house: House) -> None:
    house.ledger.findings["lamp-off", LAMP] = replace(house.finding, deviation=Deviation("x" * 300), status=Status.OPEN)
    assert "x" * 300 == json.loads(house.type("findings", "--json").text)["findings"][0]["summary"]
