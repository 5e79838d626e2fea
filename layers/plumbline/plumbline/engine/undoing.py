"""Takes a repair back when a person says so."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from plumbline.alerts import outcomes, wording
from plumbline.core.control import Control
from plumbline.core.errors import AwsRefusal, PlumblineError
from plumbline.core.targets import State, same
from plumbline.decisions.exemptions import Exemption, exactly, granted
from plumbline.engine.settle import Engine
from plumbline.findings.finding import DIGEST, LEASE, Finding, Repair, Status

#: Long enough to settle the matter in daylight, short enough to be remembered.
LEFT_ALONE_FOR = timedelta(hours=24)


class CannotUndo(PlumblineError):
    """The undo was refused; nothing was changed. The message says why and what to type instead."""


class UndoFailed(PlumblineError):
    """AWS refused a write of the undo; the message says which and what stands now."""


class ExemptionLedger(Protocol):
    """The part of the ledger that takes exemptions."""

    def exempt(self, account: str, exemption: Exemption, now: datetime) -> None:
        """Add an exemption."""


@dataclass(frozen=True, slots=True)
class Undone:
    """What an undo did.

    Attributes:
        finding: closed, its repair taken back.
        state: the target after it.
        until: how long it is left alone.
        restored: whether AWS then showed what was before the repair.
        why_not: what became of the undo instead, one clause; empty where it restored.
    """

    finding: Finding
    state: State
    until: datetime
    restored: bool
    why_not: str = ""


def undo(
    engine: Engine, ledger: ExemptionLedger, finding: Finding, *, now: datetime, force: bool = False, by: str = ""
) -> Undone:
    """Put back what was before Plumbline's last repair of this finding.

    The target is exempted first, so that the event which the undo itself causes does not get it repaired again.

    Args:
        engine: to observe, act and tell with.
        ledger: takes the exemption.
        finding: the one to take back, as the ledger holds it.
        now: the time, in UTC.
        force: undo even though somebody has changed the target since.
        by: who asks, as that person's shell says.

    Raises:
        CannotUndo: there is nothing to undo, or the target is no longer as Plumbline left it.
        UndoFailed: AWS refused a write half-way.
        Conflict: the finding is being settled at this moment.
    """
    control = engine.controls.get(finding.control)
    if control is None:
        raise CannotUndo(f"{finding.short} belongs to the control {finding.control}, which this version does not have.")
    current = engine.ledger.brief(control.id, finding.target, now).finding
    if current is None or current.id != finding.id:
        newer = f"; the later one is {current.short}" if current else ""
        raise CannotUndo(
            f"{finding.short} is over and the same target has been found again since{newer}. "
            f"Type: plumbline show {current.short if current else finding.short}"
        )
    # The finding came from an index, which lags: what can be undone is read from the table itself.
    repairs = current.undoable
    if not repairs:
        raise CannotUndo(_nothing(current))
    if current.is_leased(now):
        raise CannotUndo(f"{finding.short} is being settled at this moment. Type the same again in two minutes.")
    eyes = engine.aws.eyes(finding.target.account, finding.target.region)
    state = control.observe(eyes, finding.target) if control.observe else None
    last = repairs[-1]
    if not force and not (last.looked and _alike(control, repairs, last.after, state)):
        left = wording.clean(control.describe(last.after)) if last.looked else "that could not be seen"
        raise CannotUndo(
            f"{control.name(finding.target)} has changed since Plumbline repaired it, so nothing was undone.\n"
            f"  as Plumbline left it: {left}\n"
            f"  as it is now:         {wording.clean(control.describe(state))}\n"
            f"To undo all the same, type: plumbline undo {finding.short} --force"
        )
    until = now + LEFT_ALONE_FOR
    # Open again, so that the sweep finds it and tells, should this process not live to the end.
    lease = now + LEASE
    claimed = engine.ledger.save(
        replace(current, status=Status.UNDOING, outbox="undone", lease=lease, due=lease, closed_at=None), now=now
    )
    reason = f"a person took back the repair {finding.short}"
    told = ("expiring", "expired")  # the alert about the undo says until when
    left_alone = Exemption(control.id, exactly(finding.target), "operate", reason, until, told=told, by=by)
    ledger.exempt(finding.target.account, granted(left_alone, (), now), now)
    resources = tuple(dict.fromkeys(arn for one in repairs for arn in one.plan.resources))
    try:
        calls = tuple(call for one in reversed(repairs) for call in one.undo)
        act = engine.aws.hands(control, finding.target, calls, resources)
        in_vain = sum(act(call) is False for call in calls)
    except AwsRefusal as error:
        stands = replace(claimed, status=Status.EXEMPT, outbox="", lease=None, due=until, then="")
        stands = engine.ledger.save(replace(stands, told=(*stands.told, "undo failed")), now=now)
        with suppress(AwsRefusal):  # whoever asked reads it in the answer
            sender = engine.deployment.sender
            engine.alerts.send(outcomes.undo_failed(control, stands, str(error), until, sender, by))
        raise UndoFailed(
            f"AWS refused a part of the undo of {finding.short}: {error}\n"
            f"The target is left alone until {wording.moment(until)}. Mend the cause, then type: "
            f"plumbline undo {finding.short} --force"
        ) from error
    eyes = engine.aws.eyes(finding.target.account, finding.target.region)
    state = control.observe(eyes, finding.target) if control.observe else None
    done = replace(
        claimed,
        status=Status.UNDONE,
        repairs=tuple(
            replace(one, undone=now, undone_by=by) if one in current.last_repairs and not one.undone else one
            for one in claimed.repairs
        ),
        told=(*claimed.told, "undone"),
        outbox="",
        closed_at=now,
        due=None,
        lease=None,
    )
    # where somebody else worked between the tries, an undo cannot bring back what was before the first of them
    changed = next((one for one in repairs if one.done), repairs[-1])
    restored = any(_alike(control, repairs, one.before, state) for one in (repairs[0], changed))
    gone = state is None and control.observe is not None
    why_not = "" if restored else outcomes.not_restored(in_vain, len(calls), gone=gone)
    try:
        sender = engine.deployment.sender
        engine.alerts.send(outcomes.undone(control, done, state, until, sender, by, why_not=why_not))
    except AwsRefusal:  # the undo stands; the next digest tells of it
        done = replace(done, told=claimed.told, outbox=f"{DIGEST}undone")
    return Undone(engine.ledger.save(done, now=now), state, until, restored, why_not)


def _alike(control: Control, repairs: Sequence[Repair], one: State, other: State) -> bool:
    """Whether two states say the same of all that these repairs are about."""
    return all(same(control.part(one, each.plan), control.part(other, each.plan)) for each in repairs)


def _nothing(finding: Finding) -> str:
    """Why there is nothing to undo."""
    short = finding.short
    if any(one.undone for one in finding.repairs):
        return f"{short} has been undone already. Type: plumbline show {short}"
    if finding.repairs:
        return (
            f"the repair of {short} cannot be undone: {finding.repairs[-1].plan.irreversible or 'it has no way back'}."
        )
    return f"Plumbline has repaired nothing for {short}, so there is nothing to undo. It is {finding.status.value}."
