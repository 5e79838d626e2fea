"""The queue of a sweep's pieces, as a run of sweep takes from it; often it shows nothing though something waits."""

from __future__ import annotations

from dataclasses import dataclass, field

from plumbline.ports import Message as Received
from tests.simulation.world import Message, World


@dataclass
class Waiting:
    """See handlers.taking.Waiting."""

    world: World
    taken: dict[str, Message] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether a piece could be taken now."""
        return any(one.visible <= self.world.now for one in self.world.queues["units"])

    def take(self, *, wait: int) -> Received | None:
        """One piece, often none: other runs, of which there may be five, come in between."""
        found = self.world.receive("units", 1) if wait and self.world.rng.random() < 0.7 else []
        self.taken.update((one.handle, one) for one in found)
        return Received("", found[0].body, found[0].handle) if found else None

    def delete(self, receipt: str) -> None:
        """It is done."""
        self.world.done("units", self.taken.pop(receipt))
