"""When a user was last active, by what AWS keeps of it: the reading half of iam-idle-users.

For all users that is the list of users, which is fresh, and the credential report, which is four hours old at most and
knows every key's last use: two reads, however many users there are. For one user, and for all while there is no report,
it is asked afresh: unless his last sign-in decides, whether he has a password and which keys, and when each was used.

What AWS knows no date of (`N/A`, `no_information`, `not_supported`) says nothing: a password or a key that was never
used counts from when it was made, and so does the user. So nobody is idle by something that AWS does not say.

Source: IAM user guide, Get credential reports for your AWS account; IAM API reference, User (`PasswordLastUsed`),
AccessKeyLastUsed, LoginProfile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from plumbline.controls.iam._access_keys import keys_of
from plumbline.controls.iam._principals import GONE
from plumbline.controls.iam._report import Row, rows
from plumbline.controls.iam._service_credentials import is_active, of_user, users_with_active_ones
from plumbline.core.calls import Ask, Call
from plumbline.core.clock import instant

#: The times of idleness that a baseline may choose, in days. A state tells the last that a user has come to.
IDLE = (30, 45, 60, 90, 180, 365)
_SOON = timedelta(days=IDLE[0])
#: The columns of a report that tell of a user's activity, or of what was made for him.
_DATES = (
    "user_creation_time",
    "password_last_used",
    "password_last_changed",
    *(f"access_key_{one}_{what}" for one in "12" for what in ("last_rotated", "last_used_date")),
)


@dataclass(frozen=True, slots=True)
class Activity:
    """What is known of a user's use of the account.

    Attributes:
        password: whether he has a console password.
        keys: how many active access keys he has.
        made: when he was made.
        last: when he was last active, or something was made for him.
    """

    password: bool
    keys: int
    made: datetime
    last: datetime

    def come_to(self, now: datetime) -> int:
        """The last of the times of `IDLE` that he has come to; 0 for none, and for who comes in by nothing."""
        if not (self.password or self.keys):
            return 0
        return max((one for one in IDLE if now - self.last >= timedelta(days=one)), default=0)


def rows_by_arn(ask: Ask) -> Mapping[str, Row]:
    """The credential report's rows by ARN; none where there is no report, and then one is ordered."""
    return {row["arn"]: row for row in ask.once(rows) or ()}


def row_of(report: Mapping[str, Row], user: Mapping[str, Any]) -> Row | None:
    """A user's row; None where there is no report, or one from before he was made, moved or renamed.

    Args:
        report: see `rows_by_arn`.
        user: as IAM shows him now.
    """
    row = report.get(user["Arn"])
    return row if row and row["user"] == user["UserName"] else None


def by_report(user: Mapping[str, Any], row: Row) -> Activity:
    """A user's activity by the list of users and by his row of the report.

    Args:
        user: as ListUsers shows him.
        row: his row.
    """
    dates = (instant(row.get(name, "")) for name in _DATES)
    keys = sum(row.get(f"access_key_{one}_active") == "true" for one in "12")
    return _activity(user, dates, password=row.get("password_enabled") == "true", keys=keys)


def asked(ask: Ask, user: Mapping[str, Any]) -> Activity:
    """A user's activity, asked afresh, as far as that decides whether he is idle.

    Args:
        ask: the eyes.
        user: as GetUser or ListUsers shows him.
    """
    seen = _activity(user, (), password=False, keys=0)
    if ask.now - seen.last < _SOON:
        return seen
    name = {"UserName": user["UserName"]}
    profile = ask(Call("iam", "GetLoginProfile", name, absent=GONE))
    keys = keys_of(ask, user["UserName"])
    made = [one["CreateDate"] for one in keys]
    if profile:
        made.append(profile["LoginProfile"]["CreateDate"])
    known = _activity(user, made, password=profile is not None, keys=sum(one["Status"] == "Active" for one in keys))
    if ask.now - known.last < _SOON:
        return known
    return _activity(user, (*made, *_uses(ask, keys)), password=known.password, keys=known.keys)


def _uses(ask: Ask, keys: Iterable[Mapping[str, Any]]) -> Iterator[datetime | None]:
    """When each key was last used; also one that is off by now was used by him."""
    for key in keys:
        answer = ask(Call("iam", "GetAccessKeyLastUsed", {"AccessKeyId": key["AccessKeyId"]}, absent=GONE))
        yield answer["AccessKeyLastUsed"].get("LastUsedDate") if answer else None


def leaves_no_trace(ask: Ask, user: str) -> bool:
    """Whether a user has what he may use without a trace: a key for Git over SSH, or one of a single service.

    Source: IAM user guide, Get credential reports: it lists passwords, access keys, MFA devices and signing
    certificates; IAM API reference, ListSSHPublicKeys, ListServiceSpecificCredentials.
    """
    return any(map(is_active, of_user(ask, user))) or _has_ssh_key(ask, user)


def leaves_no_trace_among_all(ask: Ask, user: str) -> bool:
    """The same where all users are looked at: credentials of services are listed for all of them, SSH keys are not."""
    return user in ask.once(users_with_active_ones) or _has_ssh_key(ask, user)


def _has_ssh_key(ask: Ask, user: str) -> bool:
    answer = ask(Call("iam", "ListSSHPublicKeys", {"UserName": user}, absent=GONE)) or {}
    return any(one.get("Status") == "Active" for one in answer.get("SSHPublicKeys") or ())


def _activity(user: Mapping[str, Any], dates: Iterable[datetime | None], *, password: bool, keys: int) -> Activity:
    made: datetime = user["CreateDate"]
    known = [made, user.get("PasswordLastUsed"), *dates]
    return Activity(password, keys, made, max(one for one in known if one is not None))
