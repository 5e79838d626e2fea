"""Which AWS accounts there are, beside the one that was started.

Every twelve digits are somebody's account, unless a test closes it. AWS has accounts that were closed too.
"""

from __future__ import annotations

from ministack.services import s3

_closed: set[str] = set()


def close(account: str) -> None:
    """Let an account be nobody: its number, its root and its canonical id name no one."""
    _closed.add(account)


def is_open(account: str) -> bool:
    """Whether an account exists."""
    return account not in _closed


def is_somebody(canonical_id: str) -> bool:
    """Whether a canonical user id belongs to an account that exists; only those of closed accounts do not."""
    return all(s3._canonical_owner_id(one) != canonical_id for one in _closed)
