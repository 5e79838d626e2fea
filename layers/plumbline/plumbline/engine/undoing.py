"""Takes a repair back when a person says so."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from plumbline.alerts import outcomes, wording
from plumbline.core.calls import Call
from plumbline.core.control import Control
from plumbline.core.errors import AwsRefusal, PlumblineError, TooLarge
from plumbline.core.targets import State, same
from plumbline.decisions.exemptions import Exemption, exactly, granted
from plumbline.engine.settle import Engine
from plumbline.engine.surveying import look_at
from plumbline.engine.unseen import over
from plumbline.findings.finding import DIGEST, LEASE, Finding, Repair, Status
from plumbline.findings.tickets import handed_out, of_a_person

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
        asks: what a person has to make first, with rights of his own; then nothing else was done yet.
    """

    finding: Finding
    state: State
    until: datetime
    restored: bool
    why_not: str = ""
    asks: tuple[Call, ...] = ()


def undo(
    engine: Engine, ledger: ExemptionLedger, finding: Finding, *, now: datetime, force: bool = False, by: str = ""
) -> Undone:
    """Put back what was before Plumbline's last repair of this finding.

    The target is exempted first, so that the event which the undo itself causes does not get it repaired again. What
    gives rights is handed to whoever asks, who makes it with his own: see by_person.py.

    Args:
        engine: to observe, act and tell with.
        ledger: takes the exemption.
        finding: the one to take back, as the ledger holds it.
        now: the time, in UTC.
        force: undo even though somebody has changed the target since.
        by: who asks, as that person's shell says.

    Returns:
        What it did; with `asks`, what the person has to make first, with rights of his own.

    Raises:
        CannotUndo: there is nothing to undo, or the target is no longer as Plumbline left it.
        UndoFailed: AWS refused a write half-way.
        Conflict: the finding is being settled at this moment.
    """
    control = engine.controls.get(finding.control)
    if control is None:
        raise CannotUndo(f"{finding.short} belongs to the control {finding.control}, which this version does not have.")
    current, hid = _current(engine, control, finding, now)
    # The finding came from an index, which lags: what can be undone is read from the table itself.
    repairs = current.undoable
    if not repairs:
        raise CannotUndo(_nothing(current))
    is_asked_again = bool(current.ticket) and current.status is Status.UNDOING
    if current.is_leased(now) and not is_asked_again:
        raise CannotUndo(f"{finding.short} is being settled at this moment. Type the same again in two minutes.")
    eyes = engine.aws.eyes(finding.target.account, finding.target.region)
    state = look_at(control, eyes, finding.target) if control.observe else None
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
    calls = tuple(call for one in reversed(repairs) for call in one.undo)
    theirs = of_a_person(calls, converts=engine.deployment.converts)
    # Open again, so that the sweep finds it and tells, should this process not live to the end.
    lease = now + LEASE
    undoing = replace(
        current, status=Status.UNDOING, outbox="undone", lease=lease, due=lease, closed_at=None, unseen=None
    )
    undoing = handed_out(undoing, now) if theirs else replace(undoing, ticket="")
    claimed = engine.ledger.save(undoing, now=now, bury=hid)
    if not is_asked_again:
        _leave_alone(engine, ledger, current, claimed, until, by)
    if theirs:
        return Undone(claimed, state, until, restored=False, asks=theirs)
    return finished(engine, control, claimed, calls, now=now, until=until, by=by)


def finished(
    engine: Engine,
    control: Control,
    claimed: Finding,
    calls: Sequence[Call],
    *,
    now: datetime,
    until: datetime,
    by: str,
    refused: str = "",
) -> Undone:
    """Make the calls of an undo that was begun, look, record and tell.

    Args:
        engine: to observe, act and tell with.
        control: the rule.
        claimed: the finding as it was claimed for this undo.
        calls: what Plumbline makes of it.
        now: the time, in UTC.
        until: how long the target is left alone.
        by: who asked.
        refused: what AWS refused to the person who made his part of it; then nothing more is made.

    Raises:
        UndoFailed: AWS refused a write half-way.
    """
    finding, repairs = claimed, claimed.undoable
    resources = tuple(dict.fromkeys(arn for one in repairs for arn in one.plan.resources))
    if refused:
        raise _failed(engine, control, claimed, refused, now=now, until=until, by=by)
    try:
        act = engine.aws.hands(control, finding.target, calls, resources) if calls else None
        in_vain = sum(act(call) is False for call in calls) if act else 0
    except AwsRefusal as error:
        raise _failed(engine, control, claimed, str(error), now=now, until=until, by=by) from error
    eyes = engine.aws.eyes(finding.target.account, finding.target.region)
    state = control.observe(eyes, finding.target) if control.observe else None
    done = replace(
        claimed,
        status=Status.UNDONE,
        repairs=tuple(
            replace(one, undone=now, undone_by=by) if one in claimed.last_repairs and not one.undone else one
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
        own = len(calls) < sum(len(one.undo) for one in repairs)
        told = outcomes.undone(control, done, state, until, sender, by, why_not=why_not, own_rights=own)
        engine.notifier.send(told, [done])
    except AwsRefusal:  # the undo stands; the next digest tells of it
        done = replace(done, told=claimed.told, outbox=f"{DIGEST}undone")
    return Undone(engine.ledger.save(done, now=now), state, until, restored, why_not)


def _failed(
    engine: Engine, control: Control, claimed: Finding, error: str, *, now: datetime, until: datetime, by: str
) -> UndoFailed:
    """Record and tell that AWS refused a part of an undo; what to raise."""
    stands = replace(claimed, status=Status.EXEMPT, outbox="", lease=None, due=until, then="")
    stands = engine.ledger.save(replace(stands, told=(*stands.told, "undo failed")), now=now)
    with suppress(AwsRefusal):  # whoever asked reads it in the answer
        sender = engine.deployment.sender
        engine.alerts.send(outcomes.undo_failed(control, stands, error, until, sender, by))
    return UndoFailed(
        f"AWS refused a part of the undo of {claimed.short}: {error}\n"
        f"The target is left alone until {wording.moment(until)}. Mend the cause, then type: "
        f"plumbline undo {claimed.short} --force"
    )


def _current(engine: Engine, control: Control, finding: Finding, now: datetime) -> tuple[Finding, Finding | None]:
    """The life that an undo is about, as the table holds it; and the one that hid it, where there is one.

    That the target could not be looked at since took no repair back.

    Raises:
        CannotUndo: another life has begun since.
    """
    current = engine.ledger.brief(control.id, finding.target, now).finding
    if current is not None and _only_hid(current, finding) and not current.is_leased(now):
        return replace(finding, version=current.version), over(current, now) if current.is_open else current
    if current is None or current.id != finding.id:
        newer = f"; the later one is {current.short}" if current else ""
        raise CannotUndo(
            f"{finding.short} is over and the same target has been found again since{newer}. "
            f"Type: plumbline show {current.short if current else finding.short}"
        )
    return current, None


def _only_hid(current: Finding, finding: Finding) -> bool:
    """Whether all that has come since a finding was closed is that its target could not be looked at."""
    return current.is_blind and current.id != finding.id and current.back_since == finding.closed_at is not None


def _leave_alone(
    engine: Engine, ledger: ExemptionLedger, current: Finding, claimed: Finding, until: datetime, by: str
) -> None:
    """Exempt the target of an undo, so that nobody repairs it again at once."""
    reason = f"a person took back the repair {current.short}"
    told = ("expiring", "expired")  # the alert about the undo says until when
    target, now = current.target, until - LEFT_ALONE_FOR
    given = Exemption(current.control, exactly(target), "operate", reason, until, told=told, by=by)
    try:
        ledger.exempt(target.account, granted(given, (), now), now)
    except TooLarge as error:
        engine.ledger.save(replace(current, version=claimed.version), now=now)  # as if nobody had asked
        raise CannotUndo(
            f"{error}. Nothing was undone, for it could not be left alone afterwards. End some exemptions first: "
            "plumbline exemptions"
        ) from error


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
