"""The life of one deviation, as the ledger keeps it. Pure."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum

from plumbline.core.calls import Call, Plan
from plumbline.core.cause import Cause, Origin
from plumbline.core.clock import UNSEEN
from plumbline.core.control import EVERY, Deviation
from plumbline.core.targets import State, Target
from plumbline.findings.ids import finding_id
from plumbline.findings.unseen import MADE, TOLD, UNMADE, Unseen

#: How much of an id is shown; the rest only decides when two begin alike.
SHORT = 4
#: Longer than react and operate may run (the template gives them 45 seconds), so that nobody acts beside them; and so
#: short that what a process has left that was killed is taken over within a minute.
LEASE = timedelta(seconds=50)
#: A repair that was tried this often in one life of a finding needs a person.
MAX_ATTEMPTS = 3
#: How far back repairs of one target are counted when looking for a fight.
FIGHT_WINDOW = timedelta(hours=24)

#: Begins the error of a repair whose end was never stored: each of its writes may have been made.
CUT_SHORT = "Plumbline stopped before it could finish"

#: An outbox that begins so waits for the next digest; the transition follows.
DIGEST = "digest:"


class Status(str, Enum):
    """Where a finding is in its life."""

    OPEN = "open"  # told, or about to be; its clock runs
    ACTING = "acting"  # the undo is stored, the repair may have begun
    FAILED = "failed"  # a write was refused half-way; the undo is stored
    NOT_CONVERGED = "not converged"  # every write succeeded and the deviation is still there, or nobody can look
    EXEMPT = "exempt"  # watched and listed, never repaired
    REPAIRED = "repaired"  # closed by Plumbline
    RESOLVED = "resolved"  # closed by somebody else
    NOTED = "noted"  # told; nothing could be done about it
    UNDOING = "undoing"  # a person is taking the repair back
    UNDONE = "undone"  # a person took the repair back

    @property
    def is_open(self) -> bool:
        """Whether the deviation is still there, as far as is known."""
        return self in _OPEN


#: Open, and nobody is at work on it.
_AT_REST = frozenset({Status.OPEN, Status.FAILED, Status.NOT_CONVERGED})
_OPEN = frozenset({Status.OPEN, Status.ACTING, Status.FAILED, Status.NOT_CONVERGED, Status.EXEMPT, Status.UNDOING})


@dataclass(frozen=True, slots=True)
class Repair:
    """One attempt at a repair, stored before its first write.

    Attributes:
        at: when it was planned.
        plan: what it does and how to take it back.
        before: the state the plan was computed from.
        after: the state observed afterwards, where `looked` says that it was.
        done: how many steps AWS accepted.
        error: why it stopped, in AWS's words; empty when it did not.
        begun: False where AWS refused the writing role, so that not even the first step was tried.
        held: whether what it was about was gone when Plumbline looked again.
        undone: when a person took it back, or None.
        by: who approved it, as that person's shell said; empty where the clock decided.
        undone_by: who took it back, as that person's shell said.
        refused: the numbers of the steps that were left out, because nobody in this account may make them; all others
            were made.
        made_by: who made, with rights of that person's own, what no role of Plumbline may; empty where it was needless.
    """

    at: datetime
    plan: Plan
    before: State
    after: State = None
    looked: bool = False
    done: int = 0
    error: str = ""
    begun: bool = True
    held: bool = False
    undone: datetime | None = None
    by: str = ""
    undone_by: str = ""
    refused: tuple[int, ...] = ()
    made_by: str = ""

    @property
    def undo(self) -> tuple[Call, ...]:
        """The calls that take back what was done, last write first.

        A write that was refused may still have happened (a lost answer), so it is taken back as well; so is every write
        of a repair whose end was never stored. Every undo is harmless when its write never happened.
        """
        if not self.begun:
            return ()
        tried = self.plan.steps[: self.done + 1] if self.error else self.plan.steps
        if self.refused:
            tried = tuple(step for number, step in enumerate(self.plan.steps) if number not in self.refused)
        return tuple(call for step in reversed(tried) for call in step.undo)


@dataclass(frozen=True, slots=True)
class Finding:
    """One deviation of one target from one control, from first seen until it is closed.

    Attributes:
        id: short, readable over the phone, the same for every process that opens this life of this finding.
        first_seen: never moves.
        told: the transitions a person has been told of, in order.
        outbox: the transition that is being told; empty when none is.
        lease: until when one process has this finding to itself.
        grace_until: adoption's grace, for the facts in `adopted` only.
        adopted: the facts that were there before Plumbline and have been there ever since.
        unheard: whether nobody has heard yet of what is in `adopted`: its grace has not begun, and `grace_until` says
            when it would end if it had begun when it was found.
        repaired_at: Plumbline's repairs of this target, earlier lives included, within the fight window.
        back_since: when the life before this one was closed; None for the first.
        proposal: the repair that waits for a person's approval, with the state it was planned for.
        then: what comes next and when, as it was said last; empty when nobody has said.
        under: the mark of the rule it was last judged under.
        enforced_by: who ended its grace, as that person's shell said; empty where nobody did.
        forgiven: how many of its repairs no longer count as tries, because a person said so; below zero where one
            counts as all of them, because no further try can help.
        unseen: what keeps Plumbline from looking at its target now; None while it can.
        ticket: names what a person is about to make with rights of his own (see tickets.py); empty while none is.
        left: since when a breaker has kept it from being repaired; None where none has.
        restored: whether this life began with a person's undo of the repair that ended the one before.
        version: counts writes; each write names the version it read.
    """

    id: str
    control: str
    target: Target
    status: Status
    origin: Origin
    deviation: Deviation
    first_seen: datetime
    last_seen: datetime
    cause: Cause = field(default_factory=Cause)
    told: tuple[str, ...] = ()
    outbox: str = ""
    lease: datetime | None = None
    grace_until: datetime | None = None
    adopted: tuple[str, ...] = ()
    unheard: bool = False
    repairs: tuple[Repair, ...] = ()
    repaired_at: tuple[datetime, ...] = ()
    closed_at: datetime | None = None
    due: datetime | None = None
    back_since: datetime | None = None
    proposal: Repair | None = None
    then: str = ""
    under: str = ""
    enforced_by: str = ""
    forgiven: int = 0
    unseen: Unseen | None = None
    ticket: str = ""
    left: datetime | None = None
    restored: bool = False
    version: int = 0

    @property
    def short(self) -> str:
        """What a person types."""
        return self.id[:SHORT]

    @property
    def is_open(self) -> bool:
        """Whether the deviation is still there, as far as is known."""
        return self.status.is_open

    @property
    def is_blind(self) -> bool:
        """Whether all that is known is that its target cannot be looked at."""
        return self.deviation.clock == UNSEEN

    @property
    def is_unseen(self) -> bool:
        """Whether its target cannot be looked at now."""
        return self.is_open and self.unseen is not None

    @property
    def is_made_unseen(self) -> bool:
        """Whether its repair was made, every write of it, and nobody has been able to look at it since."""
        told = (*self.told, self.outbox.removeprefix(DIGEST))
        return self.is_unseen and self.status is Status.NOT_CONVERGED and MADE in told

    @property
    def tries(self) -> int:
        """How often a repair was begun, since a person last said that it may be tried again."""
        return len(self.repairs) - self.forgiven

    @property
    def is_adopted(self) -> bool:
        """Whether all that is wrong was there before Plumbline, so that adoption's grace delays its repair."""
        return self.grace_until is not None and set(self.deviation.items) <= set(self.adopted)

    @property
    def is_enforced(self) -> bool:
        """Whether a person ended its grace."""
        return bool(self.adopted) and self.grace_until is None

    def spared(self, now: datetime) -> frozenset[str]:
        """The facts that adoption's grace covers now."""
        lasts = self.unheard or (self.grace_until is not None and self.grace_until > now)
        return frozenset(self.adopted) if lasts else frozenset()

    def heard(self, now: datetime, grace: timedelta) -> Finding:
        """The finding once somebody has heard of it: only then does the grace of what was adopted begin."""
        return replace(self, unheard=False, grace_until=now + grace) if self.unheard else self

    def facts(self, now: datetime) -> Container[str]:
        """What a repair is about: what is new, where other facts are in adoption's grace; else all that is wrong."""
        new = set(self.deviation.items) - self.spared(now)
        return frozenset(new) or EVERY

    @property
    def last_repairs(self) -> tuple[Repair, ...]:
        """The tries at the last repair, oldest first: an undo takes back these, and none that held before them."""
        found: list[Repair] = []
        for one in reversed(self.repairs):
            if found and one.held:
                break
            found.insert(0, one)
        return tuple(found)

    @property
    def undoable(self) -> tuple[Repair, ...]:
        """Those of the last tries that an undo can take back, oldest first."""
        return tuple(one for one in self.last_repairs if one.undone is None and one.undo)

    @property
    def awaits_digest(self) -> bool:
        """Whether a person is told of it with the next digest."""
        return self.outbox.startswith(DIGEST)

    @property
    def is_owed_a_digest(self) -> bool:
        """Whether the next digest names it: it waits for that, or nobody has heard of what was there before."""
        return self.awaits_digest or (self.unheard and not self.outbox and self.status in _AT_REST)

    def is_leased(self, now: datetime) -> bool:
        """Whether another process is at work on it."""
        return self.lease is not None and self.lease > now

    def recent_repairs(self, now: datetime) -> tuple[datetime, ...]:
        """Plumbline's repairs of this target within the fight window."""
        return tuple(at for at in self.repaired_at if now - at < FIGHT_WINDOW)


def open_finding(
    control: str,
    target: Target,
    deviation: Deviation,
    *,
    origin: Origin,
    cause: Cause,
    now: datetime,
    before: Finding | None,
) -> Finding:
    """A new life for a deviation of `target`; `before` is the closed one it follows, if any."""
    return Finding(
        id=finding_id(control, target, now),
        control=control,
        target=target,
        status=Status.OPEN,
        origin=origin,
        deviation=deviation,
        first_seen=now,
        last_seen=now,
        cause=cause,
        repaired_at=before.recent_repairs(now) if before else (),
        back_since=(before.back_since if before.is_blind else before.closed_at) if before else None,
        version=before.version if before else 0,
    )


def refreshed(finding: Finding, deviation: Deviation, *, origin: Origin, cause: Cause, now: datetime) -> Finding:
    """The open finding after another look.

    First seen never moves. Adoption's grace covers what was there before Plumbline for as long as it stays: a fact that
    was put right and comes back is new.
    """
    items = set(deviation.items)
    adopted = tuple(one for one in finding.adopted if one in items)
    looked = replace(
        finding,
        deviation=deviation,
        last_seen=now,
        adopted=adopted,
        unheard=finding.unheard and bool(adopted),
        grace_until=finding.grace_until if adopted else None,
        unseen=None,
        told=tuple(
            one for one in finding.told if one not in (TOLD, UNMADE, MADE)
        ),  # should it turn unseen again, that is news
    )
    if not items <= set(finding.deviation.items):
        return replace(looked, origin=origin, cause=cause if cause.action else finding.cause)
    if looked.is_adopted and not finding.is_adopted:  # what was new is over
        return replace(looked, origin=Origin.ADOPTION, cause=Cause(), proposal=None)
    return looked


def next_version(finding: Finding) -> Finding:
    """The finding as it is once it is written over the version it was read in."""
    return replace(finding, version=finding.version + 1)


def with_room(finding: Finding) -> Finding:
    """The finding as large as it may become once its repair is made: a target is about as large after it as before."""
    if not finding.repairs:
        return finding
    *earlier, last = finding.repairs
    return replace(finding, repairs=(*earlier, replace(last, after=last.before, looked=True)))


#: What was told of what is repaired now; of what is left it may have to be told as well.
_OF_THE_NEW = ("opened", "escalated", "not converged")


def held(finding: Finding, rest: Deviation, *, now: datetime) -> Finding:
    """The finding after a repair of what was new in it: open again for the rest, which adoption's grace covers."""
    looked = refreshed(finding, rest, origin=Origin.ADOPTION, cause=Cause(), now=now)
    return replace(
        looked,
        status=Status.OPEN,
        told=("opened", *(one for one in looked.told if one not in _OF_THE_NEW)),  # its letter tells of the rest
        forgiven=len(looked.repairs),  # a repair that held is no try at the next one
        closed_at=None,
        proposal=None,
        then="",
    )


def spoken(text: str) -> str:
    """An id as a person typed it, with the letters the alphabet leaves out read as the digits they resemble."""
    return text.strip().upper().replace("O", "0").replace("I", "1").replace("L", "1")
