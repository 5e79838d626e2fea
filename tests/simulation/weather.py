"""What goes wrong, and how often. One value for each history; the quiet phase at its end has none of it."""

from __future__ import annotations

import random
from dataclasses import dataclass


class Killed(BaseException):
    """The process is gone: nothing catches this, as nothing runs after a kill."""


class Refused(Exception):
    """A modelled service answers with an error code."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Weather:
    """Probabilities, each for one effect, event or message; `stale` is the longest lag of a read in seconds.

    Attributes:
        kill: the process dies at an effect, before or after it took place.
        meet: something else happens at an effect: another settle, a person.
        throttle: a call is refused and did not happen.
        lost_answer: a call happened and is answered with an error.
        deny: a read or write of the account is refused for lack of permission.
        partial: the ledger leaves out a part of a batch it was asked for.
        outage: a service goes away for a while, for each step.
        late: an event comes minutes to hours late.
        double: an event or message is delivered twice.
        lost: an event never comes.
        vague: an event does not say what it was about.
        junk: a message nobody understands arrives, for each step.
        missed: an hourly sweep does not happen.
        fat: the ledger has no room for a finding, for a while or for good; for each step.
        little: how many targets react looks through itself, where an event names none; 0 for as many as it likes.
    """

    kill: float = 0
    meet: float = 0
    throttle: float = 0
    lost_answer: float = 0
    deny: float = 0
    partial: float = 0
    outage: float = 0
    late: float = 0
    double: float = 0
    lost: float = 0
    vague: float = 0
    junk: float = 0
    missed: float = 0
    stale: float = 0
    fat: float = 0
    little: int = 0


QUIET = Weather()


def forecast(rng: random.Random) -> Weather:
    """The weather of one history: every fourth is free of faults, the others mix them in different strengths."""
    kind = rng.random()
    if kind < 0.12:
        return QUIET
    if kind < 0.25:  # nothing fails, but everything meets and comes in any order
        return Weather(meet=0.1, late=0.2, double=0.2, lost=0.2, vague=0.1, little=rng.choice((0, 1)))

    if kind < 0.33:  # only the account says no, to some
        return Weather(meet=0.03, deny=0.04)

    def rate(most: float) -> float:
        return rng.choice((0, 0.2, 1)) * most

    return Weather(
        kill=rate(0.02),
        meet=rate(0.08),
        throttle=rate(0.03),
        lost_answer=rate(0.02),
        deny=rate(0.02),
        partial=rate(0.02),
        outage=rate(0.08),
        late=rate(0.4),
        double=rate(0.3),
        lost=rate(0.4),
        vague=rate(0.2),
        junk=rate(0.1),
        missed=rate(0.3),
        stale=rng.choice((0, 0, 5, 40)),
        fat=rate(0.15),
        little=rng.choice((0, 1, 2)),
    )
