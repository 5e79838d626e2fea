"""What answers of both services are made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

Parameters = Mapping[str, str]
#: How old is what nobody drew.
LONG_AGO = timedelta(days=900)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer.

    Attributes:
        status: HTTP's.
        code: AWS's name of the error; empty where it is none.
    """

    status: int
    body: bytes
    code: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """AWS's own error."""

    def __init__(self, code: str, status: int = 404) -> None:
        super().__init__(code)
        self.code, self.status = code, status


def iso(when: datetime) -> str:
    """A time as AWS writes it.

    Args:
        when: in UTC.
    """
    return f"{when:%Y-%m-%dT%H:%M:%SZ}"
