"""Why a deviation is not repaired now: the one place that says so, for `settle`, `approve` and `plan`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from plumbline.baseline.rules import Baseline, Rule
from plumbline.core.calls import Plan
from plumbline.core.clock import Response
from plumbline.decisions.exemptions import Exemption, covering
from plumbline.findings import clocks
from plumbline.findings.brief import Brief
from plumbline.findings.budgets import EVERY_CONTROL
from plumbline.findings.finding import FIGHT_WINDOW, MAX_ATTEMPTS, Finding


class Why(str, Enum):
    """What holds a repair back. Each is judged only where none of those before it holds."""

    EXEMPT = "exempt"
    NO_PLAN = "no plan"  # there is no safe repair
    ALERT = "alert"  # the baseline wants to be told, no more
    OBSERVE = "observe"  # everything but the writes
    UNHEARD = "unheard"  # nobody has ever confirmed that alerts reach him
    UNTOLD = "untold"  # nobody has heard yet of what was there before Plumbline
    NOT_DUE = "not due"
    PROPOSE = "propose"  # a person decides
    PAUSED = "paused"
    TRIED = "tried"  # it did not hold, several times
    FIGHT = "fight"  # somebody puts it back each time
    SPENT = "spent"  # this hour's repairs are used up


#: What holds a repair back that a person approves: what somebody said, and the breakers.
_OF_AN_APPROVAL = frozenset({Why.EXEMPT, Why.ALERT, Why.OBSERVE, Why.UNHEARD, Why.PAUSED, Why.FIGHT, Why.SPENT})


@dataclass(frozen=True, slots=True)
class Restraint:
    """One thing that holds a repair back.

    Attributes:
        why: which.
        until: when it ends by itself; None where it does not.
        exemption: the one in force, where it is that.
        recent: the repairs of the last day, where they are too many.
        of: the counter that is used up: a control's, an actor's, or that of all (see budgets.py).
        proposes: whether a person decides when it is due.
    """

    why: Why
    until: datetime | None = None
    exemption: Exemption | None = None
    recent: tuple[datetime, ...] = field(default=())
    of: str = ""
    proposes: bool = False


def restraint(
    rule: Rule, baseline: Baseline, finding: Finding, plan: Plan, known: Brief, now: datetime
) -> Restraint | None:
    """The first thing that holds a repair back now; None when it is time.

    Args:
        rule: what the baseline says of the control, no bolder than the stack's mode.
        baseline: limits and reviewed exemptions.
        finding: the deviation, as it was just seen.
        plan: its repair.
        known: what the ledger knows.
        now: the time, in UTC.
    """
    return next(_restraints(rule, baseline, finding, plan, known, now), None)


def restraint_of_approval(
    rule: Rule, baseline: Baseline, finding: Finding, plan: Plan, known: Brief, now: datetime
) -> Restraint | None:
    """The same for a repair that a person has just approved, who needs no clock; see `restraint`."""
    found: Iterable[Restraint] = _restraints(rule, baseline, finding, plan, known, now)
    return next((one for one in found if one.why in _OF_AN_APPROVAL), None)


def _restraints(
    rule: Rule, baseline: Baseline, finding: Finding, plan: Plan, known: Brief, now: datetime
) -> Iterator[Restraint]:
    exemption = covering((*known.exemptions, *baseline.exemptions), finding.control, finding.target, now)
    if exemption:
        yield Restraint(Why.EXEMPT, exemption.until, exemption)
    if plan.refusal:
        yield Restraint(Why.NO_PLAN)
    acts = clocks.acts_at(rule, finding)
    proposes = plan.by_person or clocks.response_of(rule, finding) is Response.PROPOSE
    if acts is None or rule.response in (Response.ALERT, Response.OFF):
        yield Restraint(Why.ALERT)
    if rule.response is Response.OBSERVE:
        yield Restraint(Why.OBSERVE, acts)
    yield from _before_time(finding, known, now, acts, proposes=proposes)
    if proposes:
        yield Restraint(Why.PROPOSE)
    until = max((known.pauses[one] for one in (EVERY_CONTROL, finding.control) if one in known.pauses), default=now)
    if until > now:
        yield Restraint(Why.PAUSED, until)
    if finding.tries >= MAX_ATTEMPTS:
        yield Restraint(Why.TRIED)
    yield from _breakers(baseline, finding, known, now)


def _before_time(
    finding: Finding, known: Brief, now: datetime, acts: datetime | None, *, proposes: bool
) -> Iterator[Restraint]:
    if not known.hearing.ever:
        yield Restraint(Why.UNHEARD, acts, proposes=proposes)
    # Of a rule that an upgrade brought somebody has to hear first, whatever grace there is.
    if known.adoption.new or (finding.unheard and finding.is_adopted):
        yield Restraint(Why.UNTOLD, acts, proposes=proposes)
    if acts is not None and acts > now:
        yield Restraint(Why.NOT_DUE, acts, proposes=proposes)


def _breakers(baseline: Baseline, finding: Finding, known: Brief, now: datetime) -> Iterator[Restraint]:
    limits, recent = baseline.breakers, finding.recent_repairs(now)
    if len(recent) >= known.budget.fight(limits):
        yield Restraint(Why.FIGHT, min(recent) + FIGHT_WINDOW, recent=recent)
    hour = now.replace(minute=0, second=0, microsecond=0)
    most = known.budget.most(finding.control, limits, left=is_left(finding, now))
    spent = {
        known.budget.of_actor: known.spent_by_actor,
        finding.control: known.spent,
        known.budget.of_all: known.spent_in_all,
    }
    used_up = next((name for name in most if spent[name] >= most[name]), None)
    if used_up is not None:
        yield Restraint(Why.SPENT, hour + timedelta(hours=1), of=used_up)


def is_left(finding: Finding, now: datetime) -> bool:
    """Whether a breaker left a finding in an earlier clock hour."""
    return finding.left is not None and finding.left < now.replace(minute=0, second=0, microsecond=0)
