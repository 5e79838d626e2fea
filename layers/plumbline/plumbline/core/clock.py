"""When, after it was first seen, a deviation is reminded of, escalated and repaired, and what is done then."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import Enum


class Response(str, Enum):
    """What Plumbline does about a deviation that is due."""

    ENFORCE = "enforce"  # repair, then tell
    PROPOSE = "propose"  # store the plan, tell, wait for a person's approval
    OBSERVE = "observe"  # everything but the writes: tell what would have been done
    ALERT = "alert"  # tell; a person repairs
    OFF = "off"  # neither watched nor told

    @property
    def caution(self) -> int:
        """0 acts by itself; higher does less. The more careful of two modes wins."""
        return list(Response).index(self)


@dataclass(frozen=True, slots=True)
class Clock:
    """When, after first seen, a finding is reminded of, escalated and repaired. None: never.

    Only consecutive time counts: a finding that closes and comes back starts afresh.

    Attributes:
        every: how often a person is reminded beside that, for as long as it is so; None: not again.
        mode: what is done when it is due, where that is more careful than the control's own mode; None: the same.
    """

    remind: tuple[timedelta, ...] = ()
    escalate: timedelta | None = None
    act: timedelta | None = None
    mode: Response | None = field(default=None, repr=False)
    every: timedelta | None = field(default=None, repr=False)

    def next_reminder(self, after: timedelta) -> timedelta | None:
        """When a person is reminded next, counted from first seen.

        Args:
            after: how long after first seen it is now.
        """
        coming = [one for one in self.remind if one > after]
        if self.every:
            coming.append(self.every * max(1, after // self.every + 1))
        return min(coming, default=None)

    def last_reminder(self, until: timedelta) -> timedelta | None:
        """When a person was to be reminded last, counted from first seen.

        Args:
            until: how long after first seen it is now.
        """
        passed = [one for one in self.remind if one <= until]
        if self.every and until >= self.every:
            passed.append(self.every * (until // self.every))
        return max(passed, default=None)


#: Repaired when it is seen. What is there a day later was held back, or could not be repaired: somebody has to know.
AT_ONCE = Clock(escalate=timedelta(days=1), act=timedelta(0))
NEVER = Clock()
#: The name of the clock that every control has for what it cannot look at, and what that is unless baseline.yaml says
#: otherwise. It never acts: nobody repairs what he cannot see.
UNSEEN = "cannot-be-looked-at"
CANNOT_BE_LOOKED_AT = Clock(remind=(timedelta(days=1), timedelta(days=3)), escalate=timedelta(days=7))
#: The clock of what no event announced, or what a stack's template asked for: see findings/clocks.py.
FOUND_BY_SWEEP = "found-by-sweep"
#: The clock of what a person's undo brought back, where a control has one: whoever is restored begins a new term.
RESTORED = "restored"
#: Nobody knows for how long it has been so, nor what relies on it by now: a week to say so.
FOUND = Clock(remind=(timedelta(days=3),), escalate=timedelta(days=7), act=timedelta(days=7))
#: The same where a week is too long for what stands open: told at once, repaired the next day.
FOUND_OPEN = Clock(escalate=timedelta(days=1), act=timedelta(days=1))
_UNITS = {"h": 1, "d": 24}
_DURATION = re.compile(r"^\s*(\d+)\s*(h|d)\s*$")


def utc(text: str) -> datetime:
    """The instant that an ISO 8601 text names; UTC where it names no zone.

    Raises:
        ValueError: the text names no instant, or one beyond the calendar.
    """
    at = datetime.fromisoformat(text)
    try:
        return at.replace(tzinfo=timezone.utc) if at.tzinfo is None else at.astimezone(timezone.utc)
    except OverflowError as error:
        raise ValueError(f"'{text}' lies beyond the calendar") from error


def instant(text: object) -> datetime | None:
    """The instant that an event claims; None where it names none: it may carry anything where a time belongs."""
    try:
        return utc(str(text))
    except ValueError:
        return None


def duration(text: str) -> timedelta:
    """The time that `7d`, `12h` or `0` stands for.

    Raises:
        ValueError: the text is none of these.
    """
    if str(text).strip() == "0":
        return timedelta(0)
    found = _DURATION.match(str(text))
    if not found:
        message = f"'{text}' is no duration; write hours or days, such as 12h or 7d"
        raise ValueError(message)
    return timedelta(hours=int(found[1]) * _UNITS[found[2]])
