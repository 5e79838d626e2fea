"""A question as it was typed, and the answer: parsing, refusals, finding the finding."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from typing import Any, Protocol

from plumbline.alerts import wording
from plumbline.alerts.wording import Letter
from plumbline.compose import Plumbline
from plumbline.core.control import Control
from plumbline.core.errors import AwsRefusal, Conflict, PlumblineError
from plumbline.decisions.exemptions import ANY
from plumbline.findings.finding import SHORT, Finding, spoken

ALL = "all"
_LONGEST_TEXT = 300
_LONGEST_NUMBER = 6
_WIDTH = 78


class Refused(PlumblineError):
    """What was typed cannot be done. The message says why and what to type instead."""


class Outlet(Protocol):
    """A queue."""

    def send(self, bodies: Sequence[str], *, delay: int = 0) -> None:
        """Send messages, or raise."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What of the stack only people's questions need.

    Attributes:
        units: takes the pieces of a sweep; None where there is no queue.
        topics: ARNs of the topics that people are told through.
    """

    units: Outlet | None = None
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answers.

    Attributes:
        text: for people.
        data: the same for scripts, JSON-like.
        ok: whether what was asked was done.
    """

    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    ok: bool = True


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks whom, and when.

    Attributes:
        by: who asks, as that person's shell says: a claim, no proof. Lambda does not tell.
    """

    plumbline: Plumbline
    desk: Desk
    by: str
    now: datetime

    @property
    def account(self) -> str:
        """The account that is asked about."""
        return self.plumbline.account

    def open_findings(self) -> list[Finding]:
        """All that is open, worst first, then what is due soonest."""
        return by_urgency(self.plumbline, self.plumbline.ledger.open_findings(self.account))

    def put(self, finding: Finding) -> bool:
        """Write a finding that nobody is settling; False where somebody was faster: the next sweep judges it."""
        if finding.is_leased(self.now):
            return False
        try:
            self.plumbline.ledger.save(finding, now=self.now)
        except Conflict:
            return False
        return True

    def tell(self, letter: Letter) -> str:
        """Send a letter; why it could not be sent, for the answer, as what it tells of is done already."""
        try:
            self.plumbline.engine.alerts.send(letter)
        except AwsRefusal as error:
            return f"The e-mail about this could not be sent: {error}"
        return ""


@dataclass(frozen=True, slots=True)
class Typed:
    """The words behind a command: those that stand alone, those behind an option, and options that stand alone."""

    words: Sequence[str] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()

    @property
    def word(self) -> str:
        """The first word that stands alone; empty where none does."""
        return self.words[0] if self.words else ""


@dataclass(frozen=True, slots=True)
class Command:
    """One thing a person can type.

    Attributes:
        usage: what to type, without `plumbline`.
        gist: what it does, for the list of all commands.
        run: does it.
        least: the fewest words that must stand behind the command.
        most: the most.
        options: options with a value, such as `--days 7`.
        flags: options without one.
        example: one as it could be typed.
    """

    usage: str
    gist: str
    run: Callable[[Asked, Typed], Answer]
    least: int = 0
    most: int = 0
    options: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    example: str = ""

    def read(self, words: Sequence[str]) -> Typed:
        """The words behind the command, sorted.

        Raises:
            Refused: an option is unknown or lacks its value, or there are too few words or too many.
        """
        alone: list[str] = []
        options: dict[str, str] = {}
        flags: set[str] = set()
        left = list(words)
        while left:
            word = left.pop(0)
            name, has_value, value = word.removeprefix("--").partition("=")
            if not word.startswith("--"):
                alone.append(word)
            elif name in self.flags and not has_value:
                flags.add(name)
            elif name not in self.options:
                raise Refused(f"'{wording.clean(word, 40)}' is no option here; type: plumbline {self.usage}")
            elif name in options:
                raise Refused(f"--{name} stands there twice; type: plumbline {self.usage}")
            elif has_value or (left and not left[0].startswith("--")):
                options[name] = value if has_value else left.pop(0)
            else:
                raise Refused(f"--{name} needs something behind it; type: plumbline {self.usage}")
        if not self.least <= len(alone) <= self.most:
            raise Refused(f"type: plumbline {self.usage}")
        return Typed(alone, options, frozenset(flags))


def finding_of(asked: Asked, typed: str) -> Finding:
    """The finding that a person means.

    Raises:
        Refused: there is none, or more than one.
    """
    prefix = spoken(typed)
    if len(prefix) < SHORT or not (prefix.isascii() and prefix.isalnum()):
        raise Refused(
            f"'{wording.clean(typed, 40)}' is no finding's id; ids have {SHORT} or more letters or digits, as 7F3K. "
            "Type: plumbline findings"
        )
    same = {one.id: one for one in asked.plumbline.ledger.by_id(asked.account, prefix)}
    found = sorted(same.values(), key=lambda one: (not one.is_open, -one.first_seen.timestamp()))
    if not found:
        raise Refused(f"there is no finding {prefix}. Ids stand in the e-mails and in: plumbline findings")
    if len(found) > 1:
        longer = "\n".join(f"  {one.id}  {one.control}  {wording.clean(str(one.target), 60)}" for one in found)
        raise Refused(f"{len(found)} findings begin with {prefix}; type more of its id:\n{longer}")
    return found[0]


def control_of(asked: Asked, typed: str) -> str:
    """The id of the control that a person means, or `*` for all of them.

    Raises:
        Refused: there is no such control.
    """
    known = asked.plumbline.engine.controls
    if typed in (ALL, ANY):
        return ANY
    if typed in known:
        return typed
    near = difflib.get_close_matches(typed, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"write one of: all, {', '.join(known)}"
    raise Refused(f"there is no control '{wording.clean(typed, 60)}'; {hint}")


def text_of(typed: Typed, option: str, example: str) -> str:
    """What stands behind an option that must not be empty.

    Raises:
        Refused: it is missing or empty.
    """
    text = " ".join(typed.options.get(option, "").split())[:_LONGEST_TEXT]
    if not text:
        raise Refused(f"--{option} is missing or empty; the next reader needs it. Type: plumbline {example}")
    return text


def until_of(asked: Asked, typed: Typed, *, most_days: int, setting: str, example: str) -> datetime:
    """The end that a person gave.

    Args:
        asked: for the time.
        typed: with one of the options hours, days, until.
        most_days: the longest time allowed.
        setting: where in baseline.yaml that stands.
        example: what to type instead.

    Raises:
        Refused: there is none, more than one, one that cannot be read, one in the past, or one too far away.
    """
    given = [name for name in ("hours", "days", "until") if name in typed.options]
    if len(given) != 1:
        why = "nothing goes on for ever, so say until when" if not given else "say until when in one way only"
        raise Refused(f"{why}. Type: plumbline {example}")
    value = typed.options[given[0]]
    limit = asked.now + timedelta(days=most_days)
    until = _day(value, asked.now, example) if given[0] == "until" else _later(given[0], value, asked.now, example)
    if until is None or until.date() > limit.date() or (given[0] != "until" and until > limit):
        raise Refused(
            f"{wording.clean(value, 40)}{'' if given[0] == 'until' else f' {given[0]}'} is longer than the {most_days} "
            f"days that baseline.yaml allows ({setting}); type at most --days {most_days} or --until {limit:%Y-%m-%d}"
        )
    return until


def _later(unit: str, value: str, now: datetime, example: str) -> datetime | None:
    """None: so far away that it need not be computed."""
    if not (value.isascii() and value.isdigit()) or not int(value[:_LONGEST_NUMBER]):
        raise Refused(
            f"'{wording.clean(value, 40)}' is no number of {unit}; write a whole number from 1. "
            f"Type: plumbline {example}"
        )
    if len(value) > _LONGEST_NUMBER:
        return None
    return now + (timedelta(hours=int(value)) if unit == "hours" else timedelta(days=int(value)))


def _day(value: str, now: datetime, example: str) -> datetime:
    try:
        day = date.fromisoformat(value)
        until = datetime.combine(day, time(23, 59, 59), timezone.utc)
    except ValueError:
        try:
            until = datetime.fromisoformat(value)
            until = until.astimezone(timezone.utc) if until.tzinfo else until.replace(tzinfo=timezone.utc)
        except (ValueError, OverflowError) as error:
            raise Refused(
                f"'{wording.clean(value, 40)}' is no day of the calendar; write one such as "
                f"{now + timedelta(days=7):%Y-%m-%d}. Type: plumbline {example}"
            ) from error
    if until <= now:
        raise Refused(
            f"{wording.clean(value, 40)} has passed; write a later day, such as {now + timedelta(days=7):%Y-%m-%d}"
        )
    return until


def by_urgency(plumbline: Plumbline, found: Sequence[Finding]) -> list[Finding]:
    """Worst first, then what is due soonest."""
    never = datetime.max.replace(tzinfo=timezone.utc)

    def rank(one: Finding) -> tuple[int, datetime, str]:
        control = plumbline.engine.controls.get(one.control)
        return (control.severity.rank if control else 0, one.due or never, one.id)

    return sorted(found, key=rank)


def name_of(control: Control | None, finding: Finding) -> str:
    """A finding's target as a person would call it."""
    return control.name(finding.target) if control else str(finding.target)


def brief(finding: Finding) -> dict[str, Any]:
    """A finding as scripts get it in lists."""
    return {
        "id": finding.id,
        "control": finding.control,
        "target": str(finding.target),
        "status": finding.status.value,
        "summary": finding.deviation.summary,
        "first_seen": finding.first_seen.isoformat(),
        "due": finding.due.isoformat() if finding.due else None,
    }


def rows(asked: Asked, found: Sequence[Finding]) -> list[str]:
    """Findings as people get them in lists, two lines each."""
    lines = []
    for one in found:
        control = asked.plumbline.engine.controls.get(one.control)
        severity = control.severity.value if control else "?"
        due = f"next step {one.due:%Y-%m-%d %H:%M} UTC" if one.due else "waits for a person"
        what = wording.clean(f"{name_of(control, one)} {one.deviation.summary}", 140)
        lines += [
            f"{one.short}  {severity:<8}  {one.status.value}, {due}",
            *wrapped(what, " " * 6),
            *(wrapped(wording.clean(one.then, 200), " " * 6) if one.then else ()),
        ]
    return lines


def paragraphs(*parts: str) -> str:
    """Parts of an answer, those that are empty left out."""
    return "\n".join(part for part in parts if part)


def folded(text: str) -> str:
    """An answer as wide as a window: sentences are folded; tables, lists and commands stay whole."""
    return "\n".join(part for line in text.split("\n") for part in _folded(line))


def _folded(line: str) -> Sequence[str]:
    if len(line) <= _WIDTH or line.startswith((" ", "plumbline ")):
        return [line]
    said, types, command = line.partition("ype: plumbline ")
    if types:
        return [*wrapped(f"{said}ype:"), f"  plumbline {command}"]
    return wrapped(line)


def wrapped(text: str, indent: str = "") -> Sequence[str]:
    """Lines as wide as a window, in which ARNs and long names stay whole."""
    return textwrap.wrap(
        text, _WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
