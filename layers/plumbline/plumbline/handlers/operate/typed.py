"""A command as it was typed: parsing, and refusing what cannot be meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone

from plumbline.alerts import wording
from plumbline.handlers.operate.asked import Answer, Asked, Refused

_LONGEST_TEXT = 300


_LONGEST_NUMBER = 6


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
