"""The sweep: reads in bulk, compares with the ledger, and says what has to be looked at. Writes nothing to the account.

Events only make Plumbline fast; the sweep makes it sure. It sends a wake for a new deviation, for a finding that is
due, and for an open finding that looks compliant now. Judging and repairing stay with `Engine.settle`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from plumbline.baseline.rules import Rule
from plumbline.core.calls import Ask
from plumbline.core.cause import Origin
from plumbline.core.clock import Response
from plumbline.core.control import Control
from plumbline.core.errors import AwsRefusal
from plumbline.core.stretch import WHOLE, Stretch
from plumbline.core.targets import ALL, GLOBAL, State, Target
from plumbline.engine.surveying import Survey, Visit, is_excepted, judged, look_along, survey
from plumbline.findings import clocks
from plumbline.findings.adoption import Adoption, mark
from plumbline.findings.finding import Finding, Status
from plumbline.findings.stored import same_plan
from plumbline.findings.sweeps import Lasts
from plumbline.ports import Eyes
from plumbline.wakes.messages import Wake

#: Of what has a finding, and nobody could look at.
_UNKNOWN = AwsRefusal("NotLookedAt", "there was no time to look at it")


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger knows that bears on a control's part of a sweep.

    Attributes:
        findings: the open ones of this control in this account.
        is_exempt: whether anything exempts a target from a control now, what baseline.yaml exempts included.
        adoption: how far the first sweep had come; what it is about gets adoption's grace.
        lasts: what need not be looked at again yet.
    """

    findings: Sequence[Finding] = ()
    is_exempt: Callable[[str, Target], bool] = lambda _control, _target: False
    adoption: Adoption = field(default_factory=Adoption)
    lasts: Lasts = field(default_factory=Lasts)


@dataclass(frozen=True, slots=True)
class Looked:
    """What one control saw in one unit.

    Attributes:
        wakes: what has to be looked at.
        adoption: how far its first sweep has come now.
        unseen: how many of its targets could not be looked at.
    """

    wakes: tuple[Wake, ...]
    adoption: Adoption
    unseen: int = 0


def look(
    control: Control,
    rule: Rule,
    eyes: Eyes,
    known: Known,
    more: Callable[[], bool] = lambda: True,
    *,
    now: datetime,
    at_once: int = 1,
) -> Looked:
    """What one control sees in one unit: the wakes it needs, and how far its first sweep has come.

    A read that AWS refuses becomes a wake, for the whole control where not even a list could be had: settle then finds
    out, and tells. A first sweep that got no list has not been made; what is open goes on, each finding by itself.

    Args:
        control: what to look with.
        rule: what the baseline says of it.
        eyes: shared by the unit's controls.
        known: what the ledger knows.
        more: whether there is time to look at one more that has a finding and is in no list.
        now: the time, in UTC.
        at_once: how many of those are looked at at a time.
    """
    findings = {one.target for one in known.findings}
    try:
        seen = survey(control, eyes, lambda one: one not in findings and is_excepted(control, rule, one))
    except AwsRefusal:
        return unlisted(control, rule, eyes, known)
    missing = out_of_sight(control, eyes, known, (*seen.states, *seen.unreadable))
    along = look_along({one: [Visit(control, listed=False)] for one in missing}, eyes, more, at_once=at_once)
    if control.id in along.broken:
        raise along.broken[control.id]
    if missing:
        seen = replace(seen, missed=along.seen[control.id].missed)
    return compared(control, rule, eyes.region, seen, known, now=now)


def out_of_sight(control: Control, ask: Ask, known: Known, listed: Iterable[Target]) -> list[Target]:
    """What has a finding and is in no list: it was deleted, or the list is old.

    IAM's credential report, for one, does not know keys that are younger than itself.

    Args:
        control: whose targets.
        ask: the eyes.
        known: what the ledger knows.
        listed: all that is in a list; of patterns each stands for what it covers.
    """
    if control.observe is None:
        return []
    here = set(listed)
    mine = (one.target for one in known.findings if _in_unit(one.target, ask.region) and not one.target.is_pattern)
    return [one for one in mine if one not in here and replace(one, id=f"{one.id.partition('/')[0]}/{ALL}") not in here]


def unlisted(control: Control, rule: Rule, ask: Ask, known: Known) -> Looked:
    """What comes of a control whose targets AWS would not list; see `look`."""
    adoption, origin = known.adoption, Origin.SWEEP
    # settle cannot tell the targets apart: while any of them waits for its adoption, all have the grace
    if adoption.mark != mark(rule) or adoption.pending or adoption.upto:
        origin = Origin.ADOPTION
    listing = Wake(control.id, Target(ask.account, ask.region, ALL, ALL), origin)
    mine = (one.target for one in known.findings)
    left = (Wake(control.id, one, Origin.SWEEP) for one in mine if _in_unit(one, ask.region) and not one.is_pattern)
    return Looked((listing, *left), adoption, unseen=1)


def compared(
    control: Control,
    rule: Rule,
    region: str,
    seen: Survey,
    known: Known,
    stretch: Stretch = WHOLE,
    *,
    now: datetime,
) -> Looked:
    """What a control saw, compared with what the ledger knows; see `look`.

    Args:
        control: what was looked with.
        rule: what the baseline says of it.
        region: where it was looked; `global` for all there is.
        seen: the targets that were looked at.
        known: what the ledger knows.
        stretch: which targets those were: of others nothing is said.
        now: the time, in UTC.
    """
    adoption, findings = known.adoption, {one.target: one for one in known.findings if one.target in stretch}
    wanted = [
        one for one, state in seen.states.items() if _wants_a_look(control, rule, state, findings.get(one), known, now)
    ]
    unseen = [one for one in seen.unreadable if one in findings or not is_excepted(control, rule, one)]
    wanted += unseen
    # what has waited longest first: it may not have to wait behind what somebody does anew each hour
    wanted.sort(key=lambda one: findings[one].first_seen if one in findings else now)
    missing = [
        one for one in findings if one not in seen.states and one not in seen.unreadable and _in_unit(one, region)
    ]
    adopted = adoption.adopts(rule, wanted, findings)
    wakes = (
        *(Wake(control.id, one, Origin.ADOPTION if str(one) in adopted else Origin.SWEEP) for one in wanted),
        *(
            Wake(control.id, one, Origin.SWEEP, findings[one].cause)
            for one in missing
            if _has_changed(control, rule, seen, findings[one], known, now)
        ),
    )
    return Looked(wakes, adoption.after(rule, stretch, adopted), unseen=len(unseen))


def _has_changed(control: Control, rule: Rule, seen: Survey, finding: Finding, known: Known, now: datetime) -> bool:
    """Whether a target that no list shows is worth a wake: it was deleted, or the list is old."""
    # what could not be listed can be now; and what nobody had the time to look at is looked at by settle
    state = seen.missed.get(finding.target, _UNKNOWN)
    if finding.target.is_pattern or isinstance(state, AwsRefusal):
        return True
    return _wants_a_look(control, rule, state, finding, known, now)


def _wants_a_look(
    control: Control, rule: Rule, state: State, finding: Finding | None, known: Known, now: datetime
) -> bool:
    """Whether what the sweep saw differs from what the ledger knows."""
    try:
        deviation = judged(control, state, rule.settings)
    except AwsRefusal:  # a mistake of the control: settle tells of it
        return True
    if finding is None:
        return deviation is not None
    if deviation is None or finding.unseen is not None:
        return True
    is_due = finding.due is not None and finding.due <= now
    is_news = deviation.clock != finding.deviation.clock or set(deviation.items) != set(finding.deviation.items)
    # A person's command writes the exemption first, and may not get to the findings.
    covered = known.is_exempt(control.id, finding.target)
    changed = covered != (finding.status is Status.EXEMPT) or finding.under != rule.mark
    return is_due or is_news or changed or _proposes_what_is_past(control, rule, state, finding, now)


def _proposes_what_is_past(control: Control, rule: Rule, state: State, finding: Finding, now: datetime) -> bool:
    """Whether a person is offered a repair of what has changed since."""
    if finding.proposal is None or clocks.response_of(rule, finding) is not Response.PROPOSE:
        return False
    return not same_plan(finding.proposal.plan, control.plan(finding.target, state, rule.settings, finding.facts(now)))


def _in_unit(target: Target, region: str) -> bool:
    return region in (GLOBAL, target.region)
