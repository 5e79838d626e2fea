"""What the stack's parameters say to whoever settles."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from plumbline.alerts.alert import Sender
from plumbline.core.clock import Response


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the stack's parameters say.

    Attributes:
        home: the region Plumbline runs in.
        mode: ENFORCE, or OBSERVE for everything but the writes.
        adoption_grace: how long what the first sweep finds is left alone.
        sender: what e-mails need to name commands.
        converts: whether Plumbline may turn inline policies into managed ones by itself; see `core.giving.maker`.
    """

    home: str
    mode: Response = Response.ENFORCE
    adoption_grace: timedelta = timedelta(days=7)
    sender: Sender = field(default_factory=Sender)
    converts: bool = False
