"""done: what a person has made, with rights of his own, of an approved repair or of an undo. The rest of it follows.

No role of Plumbline can make an administrator (see `core.giving`). So `approve` and `undo` answer with what gives
rights, the person makes it, and says so. What he says is not believed but looked at: the ledger records what AWS shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from plumbline.alerts import wording
from plumbline.alerts.shell import pasted
from plumbline.core.calls import Call, Plan
from plumbline.core.cause import Origin
from plumbline.core.errors import PlumblineError
from plumbline.engine.case import Case, Settled
from plumbline.engine.repairing import only_left
from plumbline.engine.settle import Engine
from plumbline.engine.surveying import observed
from plumbline.engine.undoing import LEFT_ALONE_FOR, Undone, finished
from plumbline.findings.brief import Brief
from plumbline.findings.finding import LEASE, Finding, Status
from plumbline.findings.tickets import TICKET_FOR, of_a_person, of_ours
from plumbline.wakes.messages import Wake


class NotBegun(PlumblineError):
    """There is nothing that a person was asked to make. The message says what to type instead."""


class NotSeen(PlumblineError):
    """What a person says he has made cannot be seen yet. The message says what to type."""


def done(
    engine: Engine, finding: Finding, ticket: str, *, now: datetime, by: str = "", failed: int = 0
) -> Settled | Undone:
    """Go on with what a person has made his part of.

    Args:
        engine: to observe, act and tell with.
        finding: the one that he was asked about.
        ticket: what the answer named.
        now: the time, in UTC.
        by: who says so.
        failed: the number, from 1, of the call that AWS refused to him; 0 where he made them all.

    Raises:
        NotBegun: nobody is asked for anything under this ticket, or no longer.
        NotSeen: AWS does not show what he has made; the ticket stays good.
        UndoFailed: AWS refused a part of the undo.
        AwsRefusal: the target cannot be looked at; the ticket stays good.
    """
    control = engine.controls[finding.control]
    brief = engine.ears.noted(engine.ledger.brief(control.id, finding.target, now), finding.target.account, now)
    current = brief.finding
    if current is None or current.id != finding.id or not ticket or current.ticket != ticket.upper():
        raise NotBegun(
            f"Nothing of {finding.short} waits for that. It may have taken too long, and been told of meanwhile. "
            f"Type: plumbline show {finding.short}"
        )
    if current.status is Status.UNDOING:
        return _undone(engine, current, now=now, by=by, failed=failed)
    return _repaired(engine, replace(brief, finding=current), now=now, by=by, failed=failed)


def _repaired(engine: Engine, brief: Brief, *, now: datetime, by: str, failed: int) -> Settled:
    """An approved repair once the person's part of it is made: the rest of it, if AWS shows that part."""
    current = brief.finding
    assert current is not None  # noqa: S101 - for the type checker; the caller has looked
    control, rule = engine.controls[current.control], engine.rule(current.control)
    wake = Wake(control.id, current.target, Origin.PERSON, current.cause)
    deviation = control.detect(observed(engine.aws, control, wake), rule.settings)
    *earlier, last = current.repairs
    rest = Plan()
    if deviation is not None and not failed and not only_left(current, deviation, now):
        rest = _rest(engine, wake, replace(current, deviation=deviation), now)
    repair = replace(last, made_by=by or last.made_by)
    claimed = replace(current, repairs=(*earlier, repair), ticket="", proposal=None, lease=now + LEASE, due=now + LEASE)
    claimed = engine.ledger.save(claimed, now=now)
    case = Case(control, rule, wake, last.before, current.deviation, replace(brief, finding=claimed), now)
    refused = _refused(last.plan.do, engine, failed)
    return engine.repairer.go_on(case, claimed, rest, refused=refused)


def _rest(engine: Engine, wake: Wake, finding: Finding, now: datetime) -> Plan:
    """What Plumbline makes of an approved plan, now that the person's part of it is made.

    Raises:
        NotSeen: as AWS shows it, that part is not made, or something else is wrong.
    """
    control, approved = engine.controls[finding.control], finding.repairs[-1].plan
    state = observed(engine.aws, control, wake)
    rest = engine.planned(control, finding.target, state, finding.facts(now))
    if rest.by_person or not {call.key for call in rest.do} <= {call.key for call in approved.do}:
        raise NotSeen(
            f"AWS does not show yet that {wording.clean(control.name(finding.target))} is as it should be, which may "
            f"take a few seconds. It is: {wording.clean(control.describe(state))}. "
            f"Type it once more: {pasted('done', finding.short, finding.ticket)}"
        )
    return rest


def _undone(engine: Engine, current: Finding, *, now: datetime, by: str, failed: int) -> Undone:
    """An undo once the person's part of it is made: the rest of it."""
    calls = tuple(call for one in reversed(current.undoable) for call in one.undo)
    until = (current.lease or now) - TICKET_FOR + LEFT_ALONE_FOR
    claimed = engine.ledger.save(replace(current, ticket="", lease=now + LEASE, due=now + LEASE), now=now)
    return finished(
        engine,
        engine.controls[current.control],
        claimed,
        of_ours(calls, converts=engine.deployment.converts),
        now=now,
        until=until,
        by=by,
        refused=_refused(calls, engine, failed),
    )


def _refused(calls: Sequence[Call], engine: Engine, failed: int) -> str:
    """What AWS refused to the person; empty where it was nothing."""
    theirs = of_a_person(calls, converts=engine.deployment.converts)
    if not failed or not theirs:
        return ""
    call = theirs[min(failed, len(theirs)) - 1]
    return f"{call.action} was refused to whoever typed it, and what comes after it was not made"
