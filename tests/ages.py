"""How old users and their credentials are, and when they were used: moto lets nobody say so by a call."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from moto.iam.models import AccessKeyLastUsed, iam_backends

from tests.story import ACCOUNT


def _user(name: str) -> Any:
    return iam_backends[ACCOUNT]["aws"].users[name]


def ago(days: float) -> datetime:
    """So many days before now; an hour more, so that whole days are over."""
    return datetime.now(timezone.utc) - timedelta(days=days, hours=1)


def born(name: str, days: float) -> None:
    """Let a user have been made so many days ago."""
    _user(name).create_date = ago(days)


def signed_in(name: str, days: float) -> None:
    """Let a user have last signed in to the console so many days ago."""
    _user(name).password_last_used = ago(days)


def key_made(name: str, key: str, days: float) -> None:
    """Let an access key have been made so many days ago."""
    next(one for one in _user(name).access_keys if one.access_key_id == key).create_date = ago(days)


def key_used(name: str, key: str, days: float) -> None:
    """Let an access key have been used last so many days ago."""
    used = AccessKeyLastUsed(timestamp=ago(days), service="s3", region="us-east-1")
    next(one for one in _user(name).access_keys if one.access_key_id == key).last_used = used
