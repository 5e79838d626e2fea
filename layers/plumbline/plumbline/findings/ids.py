"""What findings are called: short, readable over the phone, and the same whichever process names one. Pure."""

from __future__ import annotations

import hashlib
from datetime import datetime

from plumbline.core.targets import Target

#: No I, L, O, U: read over the phone, none is taken for a digit or another letter (Crockford's base 32).
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

_ID_LENGTH = 10


def finding_id(control: str, target: Target, first_seen: datetime) -> str:
    """The id of the finding that was first seen then; a function of nothing else, so that retries agree."""
    seed = f"{control}|{target}|{first_seen.isoformat()}".encode()
    number = int.from_bytes(hashlib.sha256(seed).digest()[:8], "big")
    letters = []
    for _ in range(_ID_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        letters.append(_ALPHABET[digit])
    return "".join(letters)
