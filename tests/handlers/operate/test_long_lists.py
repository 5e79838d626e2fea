"""Lists that are too long for one answer: what each command says of 20,000 findings, and how the rest is had."""

from __future__ import annotations

import json
import random
import re
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.compose import Plumbline
from plumbline.controls.index import Index
from plumbline.core.cause import Origin
from plumbline.core.clock import Clock
from plumbline.core.control import Control, Deviation, Severity
from plumbline.core.targets import Target
from plumbline.decisions.exemptions import Exemption, any_covering, covering
from plumbline.decisions.suspensions import Suspension
from plumbline.findings.finding import Finding, Repair, Status, open_finding
from plumbline.findings.unseen import Unseen
from plumbline.handlers.operate import commands, pages, pauses
from plumbline.handlers.operate.asked import Answer
from plumbline.wakes.messages import Wake
from tests.fakes import ACCOUNT, CONTROL, LAMP, MALLORY, NOW, House, Lamps
from tests.fakes import LampEyes as Eyes

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
#: One control of each severity, and one whose findings this version knows no control of.
CONTROLS: Mapping[str, Control] = {
    f"{one.value}-lamp": replace(CONTROL, id=f"{one.value}-lamp", severity=one, kinds=("lamp", "iam-user"))
    for one in Severity
}
GONE = "gone-lamp"
NAMES = (*CONTROLS, GONE)
REGIONS = ("us-east-1", "eu-west-1", "global")
RANKS = {one.value: one.rank for one in Severity} | {"?": 0}
WHY = ("--days", "7", "--owner", "ann", "--reason", "party")


@dataclass
class Crowd(House):
    """A house with a control of each severity, in which very much is open."""

    @property
    def plumbline(self) -> Plumbline:
        """See House."""
        known = super().engine
        rule = known.baseline.rules[self.control.id]
        baseline = replace(known.baseline, rules=dict.fromkeys(CONTROLS, rule))
        engine = replace(known, controls=CONTROLS, baseline=baseline)
        return replace(super().plumbline, engine=engine, index=Index.of(CONTROLS))

    def opens(self, number: int, rng: random.Random) -> Finding:
        """One more finding, of whichever kind."""
        control = rng.choice(NAMES)
        target = Target(ACCOUNT, rng.choice(REGIONS), rng.choice(("lamp", "iam-user")), f"Lamp-{number:05}")
        wrong = Deviation(f"is on: {'b' * rng.choice((1, 80))}", (f"b{number}",))
        made = open_finding(
            control,
            target,
            wrong,
            origin=Origin.ADOPTION,
            cause=MALLORY,
            now=NOW - rng.randrange(9) * HOUR,
            before=None,
        )
        finding = replace(
            made,
            status=rng.choice((Status.OPEN, Status.OPEN, Status.FAILED, Status.EXEMPT)),
            due=rng.choice((None, NOW + rng.randrange(90) * HOUR)),
            told=rng.choice((("opened",), ("opened",), ("opened", "fight"))),
            unseen=Unseen(NOW, "lamps:GetLamp", "AccessDenied", "no") if rng.random() < 0.1 else None,
            grace_until=NOW + DAY,
            adopted=wrong.items,
        )
        self.ledger.findings[control, target] = finding
        return finding

    def closes(self, finding: Finding) -> None:
        """Somebody puts right what was wrong."""
        self.ledger.findings[finding.control, finding.target] = replace(finding, status=Status.RESOLVED)


def crowd(count: int, *, closed: int = 0, exemptions: int = 0, seed: int = 7) -> Crowd:
    """A house with so many findings that are open, lives that are over, and exemptions."""
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    house = Crowd(aws=Lamps(), clocks={"default": Clock(act=48 * HOUR)})
    for number in range(count):
        house.opens(number, rng)
    for number in range(count, count + closed):
        house.closes(house.opens(number, rng))
    made = [
        Exemption(
            rng.choice((*CONTROLS, "*")), f"*/lamp/Lamp-{n:05}*", "ann", "party", NOW + (1 + n % 60) * DAY, f"X{n:04}"
        )
        for n in range(exemptions)
    ]
    typed = exemptions * 3 // 5
    house.ledger.exemptions, house.exemptions = made[:typed], tuple(replace(one, id="") for one in made[typed:])
    return house


def size(answer: Answer) -> int:
    """How long an answer is as the function gives it."""
    return len(json.dumps(answer.to_json()))


# --- how long an answer is -----------------------------------------------------------------------------------------


def _typed(house: Crowd) -> Iterator[tuple[str, ...]]:
    """Each command that there is, about as much as it can be about."""
    some = next(one for one in house.ledger.findings.values() if one.is_open and one.control in CONTROLS)
    several: Mapping[str, Sequence[tuple[str, ...]]] = {
        "show": [(some.short,)],
        "plan": [(), (some.short,)],
        "who": [("acme-data",)],
        "undo": [(some.short,)],
        "approve": [(some.short,)],
        "done": [(some.short, "T1CKET")],
        "enforce": [(), ("--yes",)],
        "exempt": [("*/*/*/Lamp-*", "--control", "all", *WHY)],
        "unexempt": [("X0000",), ("*/*/*/Lamp-*",)],
        "pause": [("--hours", "1", "--reason", "x")],
        "resume": [(), ("--all",)],
        "suspend": [("user/mallory", "--reason", "x")],
        "release": [("nobody",)],
        "help": [(), ("findings",)],
    }
    for name in sorted(commands.COMMANDS, key=lambda one: (commands.COMMANDS[one].changes, one)):
        for words in several.get(name, [()]):
            yield name, *words


def test_no_answer_is_longer_than_a_function_may_give_with_20000_findings() -> None:
    house = crowd(20_000, exemptions=490)
    house.aws.buckets = ("acme-data",)
    too_long = []
    for words in _typed(house):
        for asked in {words, (*words, "--json")} if not commands.COMMANDS[words[0]].changes else {words}:
            answer = house.type(*asked)
            if size(answer) > commands.LONGEST:
                too_long.append((asked, size(answer)))
    assert [] == too_long


def test_work_grows_no_faster_than_the_list() -> None:
    """Ten times as much takes no more than thirty times as many steps, whatever is typed."""
    steps: dict[str, list[int]] = {}
    for count in (300, 3000):
        house = crowd(count, closed=count, exemptions=100)
        house.aws.buckets = ("acme-data",)
        for number, words in enumerate(_typed(house)):
            steps.setdefault(f"{number} {words[0]}", []).append(_steps(partial(house.type, *words)))
    assert {} == {kind: (few, many) for kind, (few, many) in steps.items() if many > 30 * few}


def _steps(do: Callable[[], object]) -> int:
    """How many functions of Python's are called on the way, comparisons of findings among them."""
    seen = 0

    def count(_frame: object, event: str, _arg: object) -> None:
        nonlocal seen
        seen += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        do()
    finally:
        sys.setprofile(before)
    return seen


def test_what_is_longer_all_the_same_is_cut_and_says_so() -> None:
    house = crowd(1)
    (finding,) = house.ledger.findings.values()
    plan = CONTROL.plan(finding.target, {"on": ["a"]}, {})
    repairs = tuple(Repair(NOW, plan, {"on": ["x" * 900_000]}, error="y" * 900_000) for _ in range(3))
    house.ledger.findings[finding.control, finding.target] = replace(finding, repairs=repairs)
    for words in (("show", finding.short), ("show", finding.short, "--json")):
        answer = house.type(*words)
        assert (True, True) == (size(answer) <= commands.LONGEST, "more than one answer holds" in str(answer.to_json()))


# --- status --------------------------------------------------------------------------------------------------------


def test_status_counts_all_and_lists_the_worst_twenty_with_what_lists_the_rest() -> None:
    house = crowd(400)
    waiting = [one for one in house.ledger.open_findings(ACCOUNT) if one.status is not Status.EXEMPT]
    answer = house.type("status")
    data = answer.data
    assert (20, 20, len(waiting)) == (data["listed"], len(data["open"]), data["open_count"])
    assert (20, 400 - len(waiting)) == (len(data["exempt"]), data["exempt_count"])
    for kind in ("severity", "control", "status"):
        assert len(waiting) == sum(data["counts"][kind].values())
    assert f"{len(waiting) - 20} more are open. To list all, type: plumbline findings --open" in answer.text
    assert house.type("findings", "--open").data["count"] == len(waiting)


def test_what_is_fought_over_or_unseen_comes_first_and_then_what_is_due_soonest() -> None:
    house = crowd(400)
    listed = house.type("status").data["open"]
    ranks = [
        (RANKS[one["severity"]], not (one["fight"] or one["unseen_since"]), one["due"] or "9999") for one in listed
    ]
    assert sorted(ranks) == ranks


def _everywhere(count: int) -> House:
    """One setting that is off in so many regions."""
    house = House(control=replace(CONTROL, noun="setting in {region}"))
    for number in range(count):
        target = replace(LAMP, region=f"region-{number:02}")
        made = open_finding(
            CONTROL.id, target, Deviation("is off", ("a",)), origin=Origin.ADOPTION, cause=MALLORY, now=NOW, before=None
        )
        house.ledger.findings[CONTROL.id, target] = made
    return house


def test_one_setting_of_many_regions_is_one_row_of_status_however_many_they_are() -> None:
    answer = _everywhere(33).type("status")
    assert "setting in each of 33 regions is off" in answer.text
    assert "more are open" not in answer.text
    assert all(f"region-{number:02}:" in answer.text for number in range(33))


def test_a_page_says_of_how_many_regions_it_names_some() -> None:
    house = _everywhere(70)
    first = house.type("findings")
    assert "setting in 50 of 70 regions is off" in first.text
    last = max(house.ledger.findings.values(), key=lambda one: (one.first_seen, one.id))
    (behind,) = re.findall(r"--after (\w+)", first.text)
    assert "setting in 20 of 70 regions is off" in house.type("findings", "--after", behind).text
    assert last.short not in first.text


def test_status_of_few_lists_all_of_them_and_nothing_more() -> None:
    house = crowd(12)
    answer = house.type("status")
    assert answer.data["open_count"] == answer.data["listed"] == len(answer.data["open"])
    assert "more are open" not in answer.text


# --- pages ---------------------------------------------------------------------------------------------------------


def _walked(house: Crowd, *words: str, between: Callable[[], object] = lambda: None) -> Iterator[Mapping[str, Any]]:
    """Every page that a script gets, by the command that each hands back."""
    asked: Sequence[str] | None = words
    while asked:
        answer = house.answer({"command": list(asked)})
        assert answer.ok, answer.text
        yield answer.data
        asked = answer.data["next"]
        between()


_FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "control": st.sampled_from((*NAMES, "*", "all", "*-lamp", "[hl]*", "critical-*")),
        "severity": st.sampled_from([one.value for one in Severity]),
        "target": st.sampled_from(("*/lamp/*", "*/iam-user/lamp-000*", "LAMP-0001", "eu-west-1", "*/global/*/*[37]")),
        "state": st.sampled_from(("open", "exempt", "fight")),
    },
)


def _naively(one: Finding, given: Mapping[str, str]) -> bool:
    """What a filter means, in the fewest words."""
    control = CONTROLS.get(one.control)
    rank = control.severity.rank if control else 0
    target, pattern = str(one.target), given.get("target", "*")
    if one.target.kind == "iam-user":
        target, pattern = target.lower(), pattern.lower()
    fights = "fight" in one.told and one.status is not Status.EXEMPT
    state = given.get("state")
    return all(
        (
            given.get("control") in (None, "all") or fnmatchcase(one.control, given["control"]),
            "severity" not in given or rank <= Severity(given["severity"]).rank,
            fnmatchcase(target, pattern) or ("*" not in pattern and pattern in target),
            state is None or {"open": one.status is not Status.EXEMPT, "exempt": one.status is Status.EXEMPT,
                              "fight": fights}[state],
        )
    )  # fmt: skip


@settings(max_examples=40)
@given(given_=_FILTERS, seed=st.integers(0, 9))
def test_filters_list_what_they_mean_in_full_and_worst_first(given_: Mapping[str, str], seed: int) -> None:
    house = crowd(700, seed=seed)
    words = [
        word
        for name, value in given_.items()
        for word in ((f"--{value}",) if name == "state" else (f"--{name}", value))
    ]
    found = list(_walked(house, "findings", *words))
    listed = [one["id"] for part in found for one in part["findings"]]
    meant = {one.id for one in house.ledger.open_findings(ACCOUNT) if _naively(one, given_)}
    assert (sorted(meant), [len(meant)]) == (sorted(listed), sorted({part["count"] for part in found}))
    for is_exempt in (False, True):
        ranks = [RANKS[one["severity"]] for part in found for one in part["findings"]
                 if (one["status"] == "exempt") == is_exempt]  # fmt: skip
        assert sorted(ranks) == ranks


@settings(max_examples=25)
@given(seed=st.integers(0, 99), words=st.sampled_from([(), ("--open",), ("--severity", "high")]))
def test_whatever_comes_and_goes_meanwhile_what_stays_is_listed_once(seed: int, words: tuple[str, ...]) -> None:
    house = crowd(1400, seed=seed)
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    before = {one["id"] for part in _walked(house, "findings", *words) for one in part["findings"]}
    number = iter(range(5000, 9999))

    def happens() -> None:
        """Some are closed, the last that was listed among them, some opened; what stays is due at other times."""
        there = house.ledger.open_findings(ACCOUNT)
        for one in [*rng.sample(there, 90), *(one for one in there if one.id in last)]:
            house.closes(one)
        for one in house.ledger.open_findings(ACCOUNT):
            changed = replace(one, due=NOW + rng.randrange(99) * HOUR, told=rng.choice((("opened", "fight"), one.told)))
            house.ledger.findings[one.control, one.target] = changed
        for _ in range(90):
            house.opens(next(number), rng)

    listed: list[str] = []
    last: list[str] = []
    asked: Sequence[str] | None = ("findings", *words)
    while asked:
        data = house.answer({"command": list(asked)}).data
        listed += [one["id"] for one in data["findings"]]
        asked = data["next"]
        last = [asked[-1]] if asked else []
        happens()
    stays = before & {one.id for one in house.ledger.open_findings(ACCOUNT)}
    assert (len(listed), set()) == (len(set(listed)), stays - set(listed))


def test_a_person_is_shown_every_finding_by_typing_what_is_printed() -> None:
    house = crowd(230)
    seen: list[str] = []
    typed = ["plumbline", "findings"]
    for _ in range(5):
        text = house.type(*typed[1:]).text
        seen += re.findall(r"(?m)^([0-9A-Z]{4})  (?:critical|high|medium|low|\?)", text)
        found = re.search(r"For the next, type:\s+(plumbline .*)", text)
        typed = shlex.split(found[1]) if found else []
    assert ([], sorted(one.short for one in house.ledger.open_findings(ACCOUNT))) == (typed, sorted(seen))
    assert "201 to 230 of 230. These were the last." in text


def _suspended(house: Crowd, count: int) -> None:
    """So many whom a person has suspended, and as many by nobody that anybody knows of."""
    house.ledger.suspended = [
        Suspension(f"S{n:04}", f"arn:aws:iam::{ACCOUNT}:user/u{n}", "x", "", NOW, NOW + DAY, "suspended")
        for n in range(count)
    ]
    policy = f"arn:aws:iam::{ACCOUNT}:policy/plumbline/plumbline-suspended"
    users = [
        {"UserName": name, "Arn": f"arn:aws:iam::{ACCOUNT}:user/{name}",
         "AttachedManagedPolicies": [{"PolicyArn": policy}]}
        for name in (f"z,{n:04}" for n in range(count))
    ]  # fmt: skip

    class Carried(Lamps):
        def eyes(self, account: str, region: str) -> Eyes:
            asked = super().eyes(account, region)
            asked.lamps = replace(self)
            asked.lamps.read = (  # type: ignore[method-assign]
                lambda call: {"UserDetailList": users} if "AccountAuth" in call.operation else self.read(call)
            )
            return asked

    house.aws = Carried()


@pytest.mark.parametrize(
    ("command", "key", "number"),
    [("exemptions", "exemptions", 490), ("suspensions", "suspensions", 1200), ("plan", "plans", 90)],
)
def test_every_other_list_is_had_whole_page_by_page(command: str, key: str, number: int) -> None:
    house = crowd(90, exemptions=490)
    _suspended(house, 600)
    parts = [one for part in _walked(house, command) for one in part[key]]
    assert (number, number) == (len(parts), len({json.dumps(one) for one in parts}))
    pages_, asked = 0, [command]
    while asked:
        text = house.type(*asked).text
        found = re.search(r"For the next, type:\s+plumbline (.*)", text)
        asked, pages_ = shlex.split(found[1]) if found else [], pages_ + 1
    assert -(-number // (20 if command == "plan" else pages.FOR_PEOPLE)) == pages_


def test_whom_a_person_suspended_comes_before_whom_a_rule_did() -> None:
    house = crowd(1)
    _suspended(house, 2)
    listed = [one["suspended_by"] for one in house.type("suspensions").data["suspensions"]]
    assert ["person", "person", "control", "control"] == listed
    data = house.type("status").data
    assert (4, 2, 2) == (data["suspended_count"], len(data["suspended"]), len(data["suspended_by_controls"]))


def test_exemptions_that_end_meanwhile_leave_none_of_the_others_out() -> None:
    house = crowd(1, exemptions=490)
    listed: list[str] = []
    asked: Sequence[str] = ("exemptions",)
    while asked:
        text = house.type(*asked).text
        listed += re.findall(r"(?m)^(X\d{4})  ", text)
        found = re.search(r"For the next, type:\s+plumbline (.*)", text)
        asked = shlex.split(found[1]) if found else ()
        house.ledger.exemptions = [one for one in house.ledger.exemptions if one.id not in (listed[-1], listed[0])]
    assert sorted(f"X{n:04}" for n in range(294)) == sorted(listed)


def test_a_page_behind_the_last_says_so() -> None:
    house = crowd(60)
    listed = house.type("findings", "--open").data["findings"]
    answer = house.type("findings", "--open", "--after", listed[-1]["id"])
    says = f"Nothing comes after that: {len(listed)} are listed before it. To begin again, type: plumbline findings"
    assert (True, True, []) == (answer.ok, says in " ".join(answer.text.split()), answer.data["findings"])


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("findings", "--control", "hihg-lamp"), "there is no control 'hihg-lamp'; did you mean high-lamp?"),
        (("findings", "--control", "s3-*"), "no control is called like 's3-*'; write one of: all, critical-lamp"),
        (("findings", "--severity", "worst"), "'worst' is no severity; write one of: critical, high, medium, low."),
        (("findings", "--open", "--after", "ZZZZ"), "'ZZZZ' is none. To begin again, type: plumbline findings --open"),
        (("findings", "--after", "page two"), "and 'page two' is none. To begin again, type: plumbline findings"),
        (("plan", "--after", "2"), "and '2' is none. To begin again, type: plumbline plan"),
        (("findings", "--page", "2"), "'--page' is no option here"),
        (("exemptions", "--after", "X7F3K"), "'X7F3K' is no place in this list; --after takes what the page before"),
        (("exemptions", "--after", "2026-99-01,X7F3K"), "says. Type: plumbline exemptions"),
        (("exemptions", "--after", "0001-01-01T00:00+23:59,X"), "says. Type: plumbline exemptions"),
        (("suspensions", "--after", "S7F3K"), "'S7F3K' is no place in this list"),
        (("plan", "7F3K", "--after", "7F3K"), "For one of them type: plumbline plan 7F3K"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_what_to_write(words: tuple[str, ...], says: str) -> None:
    answer = crowd(3, exemptions=5).type(*words)
    assert (False, True) == (answer.ok, says in " ".join(answer.text.split())), answer.text


def test_for_a_script_the_answer_names_the_next_command_and_else_does_not() -> None:
    house = crowd(700)
    assert "next" not in house.type("findings").to_json()
    answer = house.type("findings", "--severity", "low", "--json")
    assert (*answer.data["next"], "--json") == answer.to_json()["next"]
    assert "next" not in house.type("status", "--json").to_json()


# --- many exemptions -----------------------------------------------------------------------------------------------


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(("*", "a", "b")), st.sampled_from(
        ("*", "*/lamp/*", "*/iam-user/ANN", f"{ACCOUNT}/global/lamp/x", "*/[!l]*/x", "*/lamp/[[]x]", "[", "")
    ), st.integers(-1, 1)), max_size=6),
    st.sampled_from(("a", "b", "c")), st.sampled_from(("lamp", "iam-user")),
    st.sampled_from(("x", "ann", "[x]", "Ann")),
)  # fmt: skip
def test_asked_at_once_exemptions_cover_what_each_of_them_covers(
    made: list[tuple[str, str, int]], control: str, kind: str, name: str
) -> None:
    those = [Exemption(of, pattern, "ann", "x", NOW + days * DAY) for of, pattern, days in made]
    target = Target(ACCOUNT, "global", kind, name)
    expected = covering(those, control, target, NOW) is not None
    assert expected == any_covering(those, NOW)(control, target)


def test_one_command_writes_a_thousand_findings_and_says_what_is_left() -> None:
    house = crowd(1500)
    (answer, left) = house.type("enforce", "--yes"), house.type("enforce")
    assert (False, 1000) == (answer.ok, answer.data["enforced_count"])
    assert f"{left.data['would_count']} are left. Type: plumbline enforce --yes" in " ".join(answer.text.split())
    assert house.type("enforce", "--yes").ok


def test_an_exemption_of_very_many_holds_at_once_and_says_which_are_listed_so_later() -> None:
    house = crowd(1500)
    answer = house.type("exempt", "*/*/*/Lamp-*", "--control", "all", *WHY)
    assert (True, 1500, 500) == (answer.ok, answer.data["covers_count"], len(answer.data["covers"]))
    said = "Of so many the first 1000 are listed as exempt from now on, the others once they are looked at."
    assert said in " ".join(answer.text.split())
    freed = house.type("unexempt", house.ledger.exemptions[0].id)
    assert (True, 1500, 500) == (freed.ok, freed.data["frees_count"], len(freed.data["frees"]))


def test_resume_writes_as_much_as_one_command_has_time_for_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(aws=Lamps({f"lamp-{number}": {"on": ["a"]} for number in range(3)}))
    house.type("pause", "--hours", "4", "--reason", "x")
    for name in house.aws.lamps:
        house.engine.settle(Wake(CONTROL.id, replace(LAMP, id=name), Origin.EVENT, MALLORY), now=NOW)
    monkeypatch.setattr(pauses, "MOST_WRITTEN", 2)
    answer = house.type("resume", now=NOW + timedelta(minutes=1))
    due = [one.due for one in house.ledger.findings.values()]
    assert (2, True) == (due.count(NOW + timedelta(minutes=1)), "3 were put off" in answer.text), answer.text
