"""One look at an account for all that a batch of wakes asks, as long as nothing speaks against it.

A batch's wakes ask the same: who is an administrator takes a read of a whole account, and one event wakes several
controls about one target. So their settles share what was read until Plumbline writes anything: whatever they are about
happened before it was read, and a batch lasts less than a minute. What is written is never planned from what was read
for somebody else; `Engine.settle` looks again before it acts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from plumbline.core.calls import Call, Mended
from plumbline.core.control import Control
from plumbline.core.targets import Target
from plumbline.findings.finding import LEASE, Finding
from plumbline.ports import Aws, Eyes

#: For how long what a wide read was told is good enough to act on. It takes seconds itself.
_YOUNG = timedelta(seconds=10)


@dataclass(slots=True, eq=False)
class Looks:
    """AWS for one batch, as ports.Aws.

    Attributes:
        aws: AWS itself.
    """

    aws: Aws
    _open: dict[tuple[str, str], Eyes] = field(default_factory=dict, repr=False)

    def eyes(self, account: str, region: str) -> Eyes:
        """See ports.Aws. The same ones, until they are renewed or anything is written."""
        if (account, region) not in self._open:
            self._open[account, region] = self.aws.eyes(account, region)
        return self._open[account, region]

    def renew(self, account: str, region: str, since: datetime) -> None:
        """See ports.Aws."""
        shared = self._open.get((account, region))
        if shared is not None and shared.now < since:
            self._drop((account, region))

    def anew(self, account: str, region: str, now: datetime) -> bool:
        """See ports.Aws."""
        shared = self._open.get((account, region))
        if shared is None or shared.now >= now:
            return False
        if now - shared.now > _YOUNG:
            self._drop((account, region))
        else:
            self._open[account, region] = shared.afresh()
        return True

    def hands(
        self, control: Control, target: Target, calls: Sequence[Call], resources: Sequence[str]
    ) -> Callable[[Call], Mended | bool | None]:
        """See ports.Aws. What is written may change what was read of anything."""
        made = self.aws.hands(control, target, calls, resources)

        def act(call: Call) -> Mended | bool | None:
            try:
                return made(call)
            finally:
                for one in list(self._open):
                    self._drop(one)

        return act

    def _drop(self, which: tuple[str, str]) -> None:
        """Forget a look, and what it was told: what was made of that holds its eyes, and they hold what was made."""
        self._open.pop(which).remember(())


def since(finding: Finding | None, now: datetime) -> datetime | None:
    """When a look at a target must have begun at the earliest, to be judged by beside what the ledger knows of it.

    Another process may have repaired the target between that look and the ledger's answer: then the look shows what
    was before, and a deviation in it would be taken for a new one. Who writes to the ledger has the target to himself
    for a lease at most.

    Args:
        finding: what the ledger knows.
        now: the time, in UTC.

    Returns:
        that moment, never later than now; None where any look will do.
    """
    if finding is None:
        return None
    if finding.is_leased(now):
        return now
    tries = [one for repair in finding.repairs[-1:] for one in (repair.at, repair.undone)]
    known = [one for one in (finding.last_seen, finding.closed_at, *tries) if one is not None]
    return min(now, max(known) + LEASE)
