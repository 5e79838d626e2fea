"""A command as it was typed: parsing, and refusing what cannot be meant, with what to type instead."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, timezone

from plumbline.alerts import wording
from plumbline.alerts.shell import pasted
from plumbline.handlers.operate.asked import Answer, Asked, Refused
from plumbline.handlers.operate.lists import wrapped

_LONGEST_TEXT = 300
_LONGEST_NUMBER = 6
#: What word processors and chats make of `--` and of straight quotes.
_DASHES = "\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}"
_CURLY = "\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}\N{LEFT SINGLE QUOTATION MARK}"


@dataclass(frozen=True, slots=True)
class Typed:
    """The words behind a command: those that stand alone, those behind an option, and options that stand alone."""

    words: Sequence[str] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    flags: frozenset[str] = frozenset()
    command: str = ""

    @property
    def word(self) -> str:
        """The first word that stands alone; empty where none does."""
        return self.words[0] if self.words else ""

    def again(
        self,
        *words: str,
        options: Mapping[str, str] | None = None,
        without: Sequence[str] = (),
        flags: Sequence[str] = (),
    ) -> str:
        """The same command as it can be pasted, so that nothing that was typed is lost; see `repeated`."""
        return pasted(*self.repeated(*words, options=options, without=without, flags=flags))

    def repeated(
        self,
        *words: str,
        options: Mapping[str, str] | None = None,
        without: Sequence[str] = (),
        flags: Sequence[str] = (),
    ) -> tuple[str, ...]:
        """The same command, word by word.

        Args:
            words: what stands alone in it; as it was typed where there are none.
            options: those to add or to change.
            without: those to leave out.
            flags: those to add.
        """
        given = {name: text for name, text in {**self.options, **(options or {})}.items() if name not in without}
        behind = [
            word
            for name, text in given.items()
            for word in ((f"--{name}={text}",) if text.startswith("--") else (f"--{name}", text))
        ]
        alone = [f"--{one}" for one in sorted({*self.flags, *flags})]
        return (self.command, *(words or self.words), *behind, *alone)


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
        example: one as it can be pasted, without `plumbline`.
        changes: whether it changes anything, now or by what follows from it: then who types it has to be proven.
    """

    usage: str
    gist: str
    run: Callable[[Asked, Typed], Answer]
    least: int = 0
    most: int = 0
    options: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    example: str = ""
    changes: bool = False

    @property
    def name(self) -> str:
        """The command itself."""
        return self.usage.split()[0]

    def read(self, words: Sequence[str]) -> Typed:
        """The words behind the command, sorted.

        Raises:
            Refused: an option is unknown or lacks its value, or there are too few words or too many.
        """
        typed, left = Typed(command=self.name), list(words)
        while left:
            word = left.pop(0)
            name, has_value, value = word.removeprefix("--").partition("=")
            if not word.startswith("--") and not _is_dashed(word):
                typed = replace(typed, words=(*typed.words, word))
            elif name in self.flags and not has_value:
                typed = replace(typed, flags=typed.flags | {name})
            elif name not in self.options:
                raise Refused(self._no_option(word))
            elif name in typed.options:
                raise Refused(f"--{name} stands there twice; keep one. {self.how}")
            elif has_value or (left and not left[0].startswith("--")):
                typed = replace(typed, options={**typed.options, name: value if has_value else left.pop(0)})
            else:
                raise Refused(f"--{name} needs something behind it. {self.how}")
        if len(typed.words) > self.most:
            raise Refused(self._too_many(typed))
        if len(typed.words) < self.least:
            what = self.usage.split()[1].replace("|", " or ")
            raise Refused(f"say which {what.lower()}. {self.how}")
        return typed

    @property
    def how(self) -> str:
        """How it is written, and an example; the end of a refusal."""
        written = "\n".join(usage_of(self.usage))
        return f"It is written so:\n{written}\nFor example, type: plumbline {self.example}"

    def _no_option(self, word: str) -> str:
        known = [f"--{one}" for one in (*self.options, *self.flags)]
        plain = "--" + word.partition("=")[0].lstrip(f"-{_DASHES}")
        near = difflib.get_close_matches(plain.lower(), known, n=1)
        hint = f"; did you mean {near[0]}?" if near else "."
        return f"'{wording.clean(word, 40)}' is no option here{hint} {self.how}"

    def _too_many(self, typed: Typed) -> str:
        extra = typed.words[self.most]
        why = f"'{wording.clean(extra, 40)}' is one word too many"
        if any(mark in word for word in (*typed.words, *typed.options.values()) for mark in _CURLY):
            return f"{why}: the quotes are curly ones, which a shell does not know; write straight ones. {self.how}"
        spaces = " what has spaces needs quotes, as in --reason 'moves in May'." if "reason" in self.options else ""
        return f"{why};{spaces} {self.how}" if spaces else f"{why}. {self.how}"


def usage_of(usage: str) -> list[str]:
    """How a command is written, as wide as a window."""
    first, *rest = wrapped(f"plumbline {usage}", " " * 6)
    return [first[4:], *rest]


def _is_dashed(word: str) -> bool:
    """Whether a word begins as an option may: with a hyphen, or with what a word processor makes of two."""
    return len(word) > 1 and word[0] in f"-{_DASHES}"


def text_of(typed: Typed, option: str) -> str:
    """What stands behind an option that must not be empty.

    Raises:
        Refused: it is missing or empty.
    """
    text = " ".join(typed.options.get(option, "").split())[:_LONGEST_TEXT]
    if not text:
        again = typed.again(options={option: {"owner": "WHO", "reason": "WHY"}[option]})
        raise Refused(f"--{option} is missing or empty; the next reader needs it. Type: {again}")
    return text


def until_of(asked: Asked, typed: Typed, *, most_days: int, setting: str) -> datetime:
    """The end that a person gave.

    Args:
        asked: for the time.
        typed: with one of the options hours, days, until.
        most_days: the longest time allowed.
        setting: where in baseline.yaml that stands.

    Raises:
        Refused: there is none, more than one, one that cannot be read, one in the past, or one too far away.
    """
    given = [name for name in ("hours", "days", "until") if name in typed.options]
    if len(given) != 1:
        why = "nothing goes on for ever, so say until when" if not given else "say until when in one way only"
        kept = typed.options.get(given[0], "") if given else ""
        raise Refused(f"{why}. Type: {_ending(typed, given[0] if given else 'days', kept or '1')}")
    value = typed.options[given[0]]
    limit = asked.now + timedelta(days=most_days)
    until = _day(typed, value, asked.now) if given[0] == "until" else _later(typed, given[0], value, asked.now)
    if until is None or until.date() > limit.date() or (given[0] != "until" and until > limit):
        raise Refused(
            f"{wording.clean(value, 40)}{'' if given[0] == 'until' else f' {given[0]}'} is longer than the {most_days} "
            f"days that baseline.yaml allows ({setting}); the last day is {limit:%Y-%m-%d}. "
            f"Type: {_ending(typed, 'days', str(most_days))}"
        )
    return until


def _ending(typed: Typed, option: str, value: str) -> str:
    """The same command with another end."""
    others = [one for one in ("hours", "days", "until") if one != option]
    return typed.again(options={option: value}, without=others)


def _later(typed: Typed, unit: str, value: str, now: datetime) -> datetime | None:
    """None: so far away that it need not be computed."""
    if not (value.isascii() and value.isdigit()) or not int(value[:_LONGEST_NUMBER]):
        raise Refused(
            f"'{wording.clean(value, 40)}' is no number of {unit}; write a whole number from 1. "
            f"Type: {_ending(typed, unit, '1')}"
        )
    if len(value) > _LONGEST_NUMBER:
        return None
    return now + (timedelta(hours=int(value)) if unit == "hours" else timedelta(days=int(value)))


def _day(typed: Typed, value: str, now: datetime) -> datetime:
    instead = _ending(typed, "until", f"{now + timedelta(days=7):%Y-%m-%d}")
    try:
        day = date.fromisoformat(value)
        until = datetime.combine(day, time(23, 59, 59), timezone.utc)
    except ValueError:
        try:
            until = datetime.fromisoformat(value)
            until = until.astimezone(timezone.utc) if until.tzinfo else until.replace(tzinfo=timezone.utc)
        except (ValueError, OverflowError) as error:
            raise Refused(
                f"'{wording.clean(value, 40)}' is no day of the calendar; write one as year, month and day. "
                f"Type: {instead}"
            ) from error
    if until <= now:
        raise Refused(f"{wording.clean(value, 40)} has passed; write a later day. Type: {instead}")
    return until
