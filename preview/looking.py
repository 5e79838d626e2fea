"""The sweep without a deployment: reads, judges, plans, and stops there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from plumbline.adapters.accounts import Accounts
from plumbline.adapters.clients import ClientFactory
from plumbline.adapters.reach import Regions
from plumbline.alerts import wording
from plumbline.alerts.finding import spelled_out
from plumbline.alerts.listing import NEXT
from plumbline.baseline.rules import Baseline, Rule
from plumbline.controls import registry
from plumbline.core.calls import Plan
from plumbline.core.clock import FOUND_BY_SWEEP, Response
from plumbline.core.control import Control
from plumbline.core.errors import AwsRefusal
from plumbline.core.reach import Reach, forwarding, governed
from plumbline.core.targets import State, Target
from plumbline.decisions.exemptions import covering
from plumbline.engine.planning import planned
from plumbline.engine.surveying import is_excepted, survey
from plumbline.sweep.units import units


@dataclass(frozen=True, slots=True)
class Row:
    """One thing out of line.

    Attributes:
        what: the target and what is wrong with it.
        would: what Plumbline would do.
        when: when, counted from its first sweep.
        date: the day that this is, if it were deployed now, as in `2026-12-03`; empty where it never comes by itself.
        region: where it is, of a target that is called after its region; else empty.
        alike: `what`, said of several regions; empty where it is no such target.
    """

    severity: str
    control: str
    target: str
    what: str
    would: str
    when: str
    date: str = ""
    region: str = ""
    alike: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {name: getattr(self, name) for name in self.__slots__ if name not in ("region", "alike")}


def together(rows: Iterable[Row]) -> list[Row]:
    """Rows that only their region tells apart as one, whose target is the list of regions; else as they come."""
    groups: dict[object, list[Row]] = {}
    for number, one in enumerate(rows):
        said = (one.control, one.alike, one.would, one.when, one.date) if one.alike else number
        groups.setdefault(said, []).append(one)
    return [_everywhere(group) if len(group) > 1 else group[0] for group in groups.values()]


def _everywhere(group: Sequence[Row]) -> Row:
    return replace(group[0], what=group[0].alike, target=", ".join(sorted(one.region for one in group)))


@dataclass(frozen=True, slots=True)
class Blind:
    """Something that could not be looked at, and why."""

    control: str
    target: str
    why: str


def reach(clients: ClientFactory, account: str, region: str, stack: str, baseline: Baseline, now: datetime) -> Reach:
    """The regions as they will be once it is deployed: those that the baseline governs, each with its forwarder.

    Args:
        clients: makes clients with the caller's credentials.
        account: the account they belong to.
        region: the home region.
        stack: the stack's name.
        baseline: what must hold.
        now: the time, in UTC.

    Raises:
        AwsRefusal: EC2 does not say which regions are switched on.
    """
    usable = Regions(clients, account, region, stack, "").usable()
    names = baseline.regions or usable
    return Reach(now, governed(Reach(), names, forwarding(region, names, usable), now))


def look(
    aws: Accounts,
    account: str,
    baseline: Baseline,
    *,
    grace: timedelta,
    now: datetime,
    swept: Sequence[str] = (),
) -> Iterator[Row | Blind]:
    """Everything out of line, and everything that could not be seen.

    Args:
        aws: eyes with the caller's own credentials.
        account: the account they belong to.
        baseline: what must hold.
        grace: adoption's grace, for the column that says when.
        now: the time, in UTC, for exemptions.
        swept: the regions whose own settings are looked at; those that the baseline names, else home, when empty.
    """
    controls = registry.index()
    for unit in units(account, aws.home, controls.entries, baseline, swept):
        ask = aws.eyes(account, unit.region)
        for control_id in unit.controls:
            control, rule = controls[control_id], baseline.rules[control_id]
            try:
                seen = survey(control, ask, partial(is_excepted, control, rule))
            except AwsRefusal as error:
                yield Blind(control_id, unit.region, str(error))
                continue
            yield from (Blind(control_id, str(target), "AWS refused to show it") for target in seen.unreadable)
            for target, state in seen.states.items():
                if not covering(baseline.exemptions, control_id, target, now):
                    yield from _rows(control, rule, target, state, grace, now)


def _rows(control: Control, rule: Rule, target: Target, state: State, grace: timedelta, now: datetime) -> Iterator[Row]:
    deviation = control.detect(state, rule.settings)
    if deviation is None:
        return
    plan = planned(control, target, state, rule.settings)  # as a stack does it that was not told otherwise
    name = deviation.clock
    if name == "default" and FOUND_BY_SWEEP in rule.clocks:
        name = FOUND_BY_SWEEP
    clock = rule.clocks.get(name) or rule.clocks["default"]
    act, response = clock.act, max(rule.response, clock.mode or rule.response, key=lambda one: one.caution)
    if plan.by_person and response is Response.ENFORCE:  # what gives rights is given with a person's
        response = Response.PROPOSE
    yield Row(
        severity=control.severity.value,
        control=control.id,
        target=str(target),
        what=wording.clean(f"{control.name(target)} {deviation.summary}"),
        would=_would(plan),
        when=_when(response, plan, act, grace),
        date=_date(response, plan, act, grace, now),
        **_by_region(control, target, deviation.summary),
    )


def _by_region(control: Control, target: Target, summary: str) -> dict[str, str]:
    """What `together` needs to know of a target that is called after its region."""
    if "{region}" not in control.noun or target.is_pattern:
        return {}
    name = control.name(replace(target, region="each of these regions"))
    return {"region": target.region, "alike": wording.clean(f"{name} {summary}")}


def _would(plan: Plan) -> str:
    rest = f"; not repaired: {spelled_out(plan.left)}" if plan.left else ""
    return wording.clean(f"only tell: {plan.refusal}" if plan.refusal else f"{plan.summary}{rest}", NEXT)


def _date(response: Response, plan: Plan, act: timedelta | None, grace: timedelta, now: datetime) -> str:
    acts = act is not None and not plan.refusal and response is Response.ENFORCE
    return f"{now + max(act or grace, grace):%Y-%m-%d}" if acts else ""


def _when(response: Response, plan: Plan, act: timedelta | None, grace: timedelta) -> str:
    if plan.refusal or act is None or response in (Response.ALERT, Response.OBSERVE):
        return "never; tells"
    if response is Response.PROPOSE:
        return "when a person approves"
    days = max(act, grace).total_seconds() / 86400
    return "at once" if not days else f"after {days:g} day{'s' * (days != 1)}"
