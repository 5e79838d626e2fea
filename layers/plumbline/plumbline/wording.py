"""What people read: e-mails. Pure. Text that came from an event or a name in the account is cleaned before it is used.

SNS takes a subject of ASCII without line breaks, under 100 characters, and a message of at most 256 KB.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone

from plumbline import registry
from plumbline.baseline import Breakers
from plumbline.core import AwsRefusal, Cause, Control, Plan, State, utc
from plumbline.findings import Finding
from plumbline.wakes import Wake

MAX_SUBJECT = 99
_MAX_TEXT = 300
_WIDTH = 78
_ELLIPSIS = "..."
#: What mail programs turn into something to click. Breaking the pattern keeps the text readable and dead.
_LINK = re.compile(r"(?i)\b(https?|ftp|mailto|javascript|data)\s*:")
_DOMAIN = re.compile(r"(?i)\bwww\.")


@dataclass(frozen=True, slots=True)
class Voice:
    """What letters need to name the account and its commands.

    Attributes:
        account: the account Plumbline runs in.
        region: the region of the operate function.
        operate: its name.
        alias: what the account is called by its owners; may be empty.
    """

    account: str = ""
    region: str = "us-east-1"
    operate: str = "plumbline-operate"
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """One e-mail, ready for SNS.

    Attributes:
        subject: ASCII, one line, under 100 characters.
        body: plain text.
        attributes: SNS message attributes that subscriptions filter on.
    """

    subject: str
    body: str
    attributes: Mapping[str, str] = field(default_factory=dict)


def clean(text: str, limit: int = _MAX_TEXT) -> str:
    """Hostile text made harmless: one line, printable, no link a mail program would turn into a click, not too long."""
    printable = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text[: limit * 4])
    dead = _DOMAIN.sub("www[.]", _LINK.sub(lambda found: f"{found[1]}[:]", " ".join(printable.split())))
    return dead if len(dead) <= limit else dead[: limit - len(_ELLIPSIS)] + _ELLIPSIS


def moment(at: datetime) -> str:
    """An instant as a person reads it, always in UTC and saying so."""
    utc_at = at.astimezone(timezone.utc)
    return f"{utc_at:%A} {utc_at.day} {utc_at:%B %Y, %H:%M} UTC"
