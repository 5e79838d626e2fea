"""When somebody is reminded, where the clock that a finding runs on changes with what is wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from plumbline.baseline.rules import Rule
from plumbline.core.cause import Cause, Origin
from plumbline.core.clock import Clock, Response
from plumbline.core.control import Deviation
from plumbline.core.targets import Target
from plumbline.findings.clocks import due_telling
from plumbline.findings.finding import open_finding

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=timezone.utc)
TARGET = Target("111122223333", "global", "lamp", "hall")
_HOURS = st.lists(st.integers(1, 40), min_size=1, max_size=4, unique=True).map(sorted)


def _clock(hours: list[int]) -> Clock:
    return Clock(remind=tuple(timedelta(hours=one) for one in hours))


@given(_HOURS, _HOURS, st.lists(st.tuples(st.integers(0, 50), st.sampled_from(["default", "wild"])), max_size=8))
def test_nobody_is_reminded_of_an_hour_that_he_was_reminded_behind(
    default: list[int], wild: list[int], looks: list[tuple[int, str]]
) -> None:
    """Whichever clock it ran on then: each reminder is of a later hour than the one before."""
    rule = Rule(Response.ALERT, {"default": _clock(default), "wild": _clock(wild)}, {})
    finding = open_finding(
        "lamp-off", TARGET, Deviation("is on", ("a",)), origin=Origin.EVENT, cause=Cause(), now=NOW, before=None
    )
    finding, said = replace(finding, told=("opened",)), [0]
    for hour, clock in sorted(looks):
        finding = replace(finding, deviation=replace(finding.deviation, clock=clock))
        telling = due_telling(rule, finding, NOW + timedelta(hours=hour))
        if telling:
            said.append(int(telling.removeprefix("reminded ").removesuffix("h")))
            finding = replace(finding, told=("opened", telling))
    assert said == sorted(set(said))
