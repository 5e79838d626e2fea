"""Commands that stop all repairs, or those of a control, for a while, and let them go on: pause, resume."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from plumbline.alerts import decisions, wording
from plumbline.decisions.exemptions import (
    ANY,
)
from plumbline.decisions.pauses import Pause
from plumbline.findings import clocks
from plumbline.findings.finding import MAX_ATTEMPTS, Finding, Status
from plumbline.findings.restraints import EVERY_CONTROL
from plumbline.handlers.operate.asked import Answer, Asked, control_of
from plumbline.handlers.operate.lists import NOT_TO_WAIT, paragraphs
from plumbline.handlers.operate.typed import Typed, text_of, until_of

PAUSE_EXAMPLE = "pause --hours 4 --reason 'migration until noon'"


def pause(asked: Asked, typed: Typed) -> Answer:
    """Repair nothing for a while."""
    control = control_of(asked, typed.word) if typed.words else ANY
    until = until_of(
        asked,
        typed,
        most_days=asked.plumbline.engine.baseline.patience.pause_days,
        setting="pauses.max_days",
        example=PAUSE_EXAMPLE,
    )
    made = Pause(until, text_of(typed, "reason", PAUSE_EXAMPLE), asked.by)
    before, version = asked.plumbline.ledger.all_pauses(asked.account)
    running = {name: one for name, one in before.items() if one.until > asked.now}
    asked.plumbline.ledger.save_pauses(asked.account, {**running, control: made}, version)
    trouble = asked.tell(decisions.paused(control, made, asked.plumbline.engine.deployment.sender))
    text = (
        f"Paused: {decisions.repairs(control)}, until {wording.moment(until)}. Plumbline goes on watching and telling. "
        "A repair that is running at this moment is finished."
    )
    old = running.get(control)
    replaces = wording.table({"Replaces": f"the pause until {wording.moment(old.until)}: {old.reason}"}) if old else ""
    end = f"To go on before that, type: plumbline resume{'' if control == ANY else f' {control}'}"
    return Answer(
        paragraphs(text, replaces, end, trouble),
        {"control": control, "pause": made.to_json(), "replaces": old.to_json() if old else None},
    )


@dataclass(frozen=True, slots=True)
class _Resumed:
    """What a resume took away."""

    pauses: Mapping[str, Pause]
    counted: Mapping[str, int]
    fights: Sequence[Finding]
    given_up: Sequence[Finding]

    @property
    def nothing(self) -> bool:
        return not (self.pauses or self.counted or self.fights or self.given_up)


def resume(asked: Asked, typed: Typed) -> Answer:
    """Lift a pause, count this hour's repairs anew, and let fights be tried again."""
    control = control_of(asked, typed.word) if typed.words else ANY
    before, version = asked.plumbline.ledger.all_pauses(asked.account)
    running = {name: one for name, one in before.items() if one.until > asked.now}
    lifted = {name: one for name, one in running.items() if control in (ANY, name)}
    if lifted:
        left = {name: one for name, one in running.items() if name not in lifted}
        asked.plumbline.ledger.save_pauses(asked.account, left, version)
    waiting = [
        one for one in asked.open_findings() if control in (ANY, one.control) and one.status is not Status.EXEMPT
    ]
    fights = _forget_fights(asked, waiting)
    given_up = _forgive_tries(asked, [one for one in waiting if one.id not in {fight.id for fight in fights}])
    done = _Resumed(lifted, _forget_counts(asked, control), fights, given_up)
    still = running.get(EVERY_CONTROL) if control != ANY else None
    held = (
        f"All repairs are paused until {wording.moment(still.until)}. To lift that too, type: plumbline resume"
        if still
        else ""
    )
    if done.nothing:
        text = f"There was nothing to resume: {decisions.repairs(control)} go on as they are."
        return Answer(paragraphs(text, held))
    for one in waiting:
        if one not in (*done.fights, *done.given_up) and _waits(asked, one):
            asked.put(replace(one, due=asked.now))
    facts = {
        "Pauses lifted": "; ".join(f"{decisions.repairs(name)}, {one.reason}" for name, one in lifted.items()),
        "Counted anew": "; ".join(f"{decisions.repairs(name)}, {count} so far" for name, count in done.counted.items()),
        "Fights": ", ".join(one.short for one in done.fights),
        "Tried again": ", ".join(one.short for one in done.given_up),
    }
    trouble = asked.tell(decisions.resumed(control, facts, asked.by, asked.plumbline.engine.deployment.sender))
    text = (
        f"Resumed: {decisions.repairs(control)}. What is due is repaired with the next sweep.\n{wording.table(facts)}"
    )
    return Answer(
        paragraphs(text, NOT_TO_WAIT, held, trouble),
        {
            "control": control,
            "pauses": list(lifted),
            "counters": dict(done.counted),
            "fights": [one.id for one in done.fights],
            "tried_again": [one.id for one in done.given_up],
        },
    )


def _forget_counts(asked: Asked, control: str) -> Mapping[str, int]:
    """Count the repairs of this clock hour anew; what was counted so far."""
    ledger, now = asked.plumbline.ledger, asked.now
    known = {EVERY_CONTROL, *asked.plumbline.engine.controls}
    spent = ledger.spent_in(asked.account, now)
    counted = {name: n for name, n in spent.items() if n and name in known and control in (ANY, name)}
    for name in counted:
        ledger.forget_spent(asked.account, name, now)
        # the next time the breaker stops repairs within this hour is news again
        ledger.told(f"breaker#{name}#{_hour(now):%Y-%m-%dT%H}", now=now, within=timedelta(0))
    return counted


def _forget_fights(asked: Asked, waiting: Sequence[Finding]) -> Sequence[Finding]:
    """Let the targets that somebody fought over be repaired again."""
    return [
        one
        for one in waiting
        if "fight" in one.told
        and asked.put(
            replace(one, told=tuple(told for told in one.told if told != "fight"), repaired_at=(), due=asked.now)
        )
    ]


def _forgive_tries(asked: Asked, waiting: Sequence[Finding]) -> Sequence[Finding]:
    """Let repairs that did not hold, several times, be tried again."""
    return [
        one
        for one in waiting
        if one.tries >= MAX_ATTEMPTS and asked.put(replace(one, forgiven=len(one.repairs), then="", due=asked.now))
    ]


def _waits(asked: Asked, finding: Finding) -> bool:
    """Whether a finding's repair was due, and only a pause or a breaker put it off."""
    control = asked.plumbline.engine.controls.get(finding.control)
    acts = clocks.acts_at(asked.plumbline.engine.rule(control.id), finding) if control else None
    return acts is not None and acts <= asked.now and finding.due is not None and finding.due > asked.now


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)
