"""What only a person may make, between the answer that asks him for it and his word that it is made. Pure.

A finding carries a ticket meanwhile, and a lease that is longer than that of a function, for a person may have to paste
commands. Who dies in between holds up nothing: the lease ends, and the next look tells how things stand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from plumbline.core.calls import Call
from plumbline.core.giving import Maker, maker
from plumbline.core.targets import State, same
from plumbline.findings.finding import Finding, Status

#: How long a person has a finding to himself.
TICKET_FOR = timedelta(minutes=10)
#: The error of a repair that a person began to make and never reported, where something of it was made.
NOT_REPORTED = "a person began to make it with rights of his own, and nobody reported that it was done"


def ticket_of(finding: Finding, now: datetime) -> str:
    """A name for what a person is about to make; another one each time he is asked."""
    seed = f"{finding.id}|{finding.version}|{now.isoformat()}"
    return hashlib.sha256(seed.encode()).hexdigest()[:6].upper()


def handed_out(finding: Finding, now: datetime) -> Finding:
    """The finding while a person has it to himself."""
    until = now + TICKET_FOR
    return replace(finding, ticket=ticket_of(finding, now), lease=until, due=until)


def of_a_person(calls: Iterable[Call], *, converts: bool = False) -> tuple[Call, ...]:
    """Those of some calls that only a person may make, in order."""
    return tuple(call for call in calls if maker(call, converts=converts) is Maker.PERSON)


def of_ours(calls: Iterable[Call], *, converts: bool = False) -> tuple[Call, ...]:
    """Those that Plumbline's roles may make, in order."""
    return tuple(call for call in calls if maker(call, converts=converts) is not Maker.PERSON)


def lapsed(finding: Finding, state: State) -> Finding:
    """The finding once its ticket counts no longer.

    Args:
        finding: one with a ticket whose lease is over, or any other, which stays as it is.
        state: its target as it is now. Where that is what the repair was planned for, nothing was made: it is proposed
            as before. Where it is not, something may have been made of which nobody has heard.
    """
    if not finding.ticket:
        return finding
    free = replace(finding, ticket="", lease=None)
    if finding.status is not Status.ACTING:
        return free
    *earlier, last = finding.repairs
    if same(state, last.before):
        return replace(
            free, status=Status.OPEN, repairs=tuple(earlier), repaired_at=finding.repaired_at[:-1], due=finding.lease
        )
    return replace(free, proposal=None, repairs=(*earlier, replace(last, error=NOT_REPORTED)))
