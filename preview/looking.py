"""The sweep without a deployment: reads, judges, plans, and stops there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from plumbline.adapters.accounts import Accounts
from plumbline.alerts import wording
from plumbline.alerts.finding import spelled_out
from plumbline.baseline.rules import Baseline, Rule
from plumbline.controls import registry
from plumbline.core.calls import Plan
from plumbline.core.clock import FOUND_BY_SWEEP, Response
from plumbline.core.control import Control
from plumbline.core.errors import AwsRefusal
from plumbline.core.targets import State, Target
from plumbline.decisions.exemptions import covering
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
    """

    severity: str
    control: str
    target: str
    what: str
    would: str
    when: str
    date: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Blind:
    """Something that could not be looked at, and why."""

    control: str
    target: str
    why: str


def look(aws: Accounts, account: str, baseline: Baseline, *, grace: timedelta, now: datetime) -> Iterator[Row | Blind]:
    """Everything out of line, and everything that could not be seen.

    Args:
        aws: eyes with the caller's own credentials.
        account: the account they belong to.
        baseline: what must hold.
        grace: adoption's grace, for the column that says when.
        now: the time, in UTC, for exemptions.
    """
    controls = registry.index()
    for unit in units(account, aws.home, controls.entries, baseline):
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
    plan = control.plan(target, state, rule.settings)
    name = deviation.clock
    if name == "default" and FOUND_BY_SWEEP in rule.clocks:
        name = FOUND_BY_SWEEP
    act = (rule.clocks.get(name) or rule.clocks["default"]).act
    yield Row(
        severity=control.severity.value,
        control=control.id,
        target=str(target),
        what=wording.clean(f"{control.name(target)} {deviation.summary}"),
        would=_would(plan),
        when=_when(rule, plan, act, grace),
        date=_date(rule, plan, act, grace, now),
    )


def _would(plan: Plan) -> str:
    rest = f"; not repaired: {spelled_out(plan.left)}" if plan.left else ""
    return wording.clean(f"only tell: {plan.refusal}" if plan.refusal else f"{plan.summary}{rest}")


def _acts(rule: Rule, plan: Plan, act: timedelta | None) -> bool:
    """Whether it is repaired without anybody's doing."""
    return not plan.refusal and act is not None and rule.response is Response.ENFORCE


def _date(rule: Rule, plan: Plan, act: timedelta | None, grace: timedelta, now: datetime) -> str:
    return f"{now + max(act, grace):%Y-%m-%d}" if act is not None and _acts(rule, plan, act) else ""


def _when(rule: Rule, plan: Plan, act: timedelta | None, grace: timedelta) -> str:
    if plan.refusal or act is None or rule.response in (Response.ALERT, Response.OBSERVE):
        return "never; tells"
    if rule.response is Response.PROPOSE:
        return "when a person approves"
    days = max(act, grace).total_seconds() / 86400
    return "at once" if not days else f"after {days:g} day{'s' * (days != 1)}"
