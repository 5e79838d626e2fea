"""Whom the baseline names at its top: operators and deployers, as patterns of the ARNs of users and roles. Pure.

A name is refused, because users, groups and roles may all bear it; the ARN of a session is, because it names no role's
path; and a pattern is that fits whoever comes along. The build does not know for which account it builds: that an ARN
is another account's shows when the functions read it (`of_account`).

Source: IAM user guide, IAM identifiers: ARNs of users and roles, their paths, and the ARNs of assumed roles in STS.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache

#: The lists of a baseline that name people.
LISTS = ("operators", "deployers")
_ARN = re.compile(r"arn:(?P<partition>aws[\w-]*):iam::(?P<account>\d{12}|\*):(?P<kind>user|role)/(?P<name>[!-~]+)")
_SESSION = re.compile(r"arn:(aws[\w-]*):sts::(\d{12}|\*):assumed-role/([^/]+)(/.*)?")
#: What names and paths consist of, and wildcards. Source: IAM and AWS STS quotas.
_LAST = re.compile(r"[\w+=,.@*?-]+", re.ASCII)
#: A pattern with fewer letters and digits of its own says nothing of whom it means.
_LEAST = 2
#: As different as they come: a pattern that fits two of a kind fits whoever is made next.
_PROBES = {"user": ("bob", "Zulu-9", "team/x.y"), "role": ("bob", "Zulu-9", "service-role/x.y", "Cicd_deploy/1")}
_SOMEBODY = "arn:aws:iam::111122223333:user/maria"
_RESERVED = "aws-reserved/sso.amazonaws.com/"
_CENTER = f"{_RESERVED}*AWSReservedSSO_"
_LIKE = f"write a user or a role by its ARN, such as {_SOMEBODY}"


def unfit(text: str) -> str:
    """What is wrong with an entry of `operators` or `deployers`, and what to write; empty where nothing is.

    Args:
        text: as it stands in the file.
    """
    if session := _SESSION.fullmatch(text):
        return f"this is the ARN of a session, which comes and goes; write its role, {_role_of(*session.groups()[:3])}"
    found = _ARN.fullmatch(text)
    if not found:
        return _no_arn(text)
    kind, name = found["kind"], found["name"]
    last = name.rpartition("/")[2]
    if not _LAST.fullmatch(last):
        return f"no {kind} can be called '{last}'; {_LIKE}"
    if kind == "role" and name.startswith("aws-service-role/"):
        return f"nobody but an AWS service uses this role; {_LIKE}"
    if kind == "role" and name.startswith("aws-reserved/") and not _own_part(last.rpartition("AWSReservedSSO_")[2]):
        return (
            "this fits everybody who comes through Identity Center; write a permission set, as in "
            f"arn:{found['partition']}:iam::{found['account']}:role/{_CENTER}Operators_*"
        )
    if ("*" in name or "?" in name) and (len(_own_part(name)) < _LEAST or _fits_anybody(kind, name)):
        return f"this fits every {kind} that comes along; write one, or a path of your own, as in {_path_like(kind)}"
    return ""


def of_account(patterns: Iterable[str], account: str) -> tuple[str, ...]:
    """Those of the patterns that can fit somebody of this account.

    Args:
        patterns: as the baseline has them.
        account: twelve digits.
    """
    return tuple(one for one in patterns if one.split(":", 5)[4:5] in ([account], ["*"]))


def strangers(patterns: Iterable[str]) -> tuple[str, ...]:
    """Those that are of another account than the first one named: one of the two is never deployed in."""
    numbered = [(one, one.split(":", 5)[4]) for one in patterns if one.split(":", 5)[4:5] not in ([], ["*"])]
    return tuple(one for one, account in numbered if account != numbered[0][1])


def named(arn: str, patterns: Sequence[str]) -> bool:
    """Whether a user or a role is one of those whom patterns name. IAM tells names apart without case.

    Args:
        arn: of a user or a role, with its path; of nobody else.
        patterns: as the baseline has them.
    """
    return any(_compiled(one).fullmatch(arn) for one in patterns)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """`*` and `?` stand for any characters but the colon that ends the account; all others for themselves."""
    pieces = {"*": "[^:]*", "?": "[^:]"}
    return re.compile("".join(pieces.get(char) or re.escape(char) for char in pattern), re.IGNORECASE)


def _no_arn(text: str) -> str:
    if not text.startswith("arn:"):
        if text.strip("*?/ ") == "":
            return f"this fits everybody; {_LIKE}, or leave the list out: then it is the administrators"
        name = text if _LAST.fullmatch(text) and not set(text) & set("*?") else "maria"
        return (
            f"this is a name, and a user, a group and a role may all have it; write an ARN, such as "
            f"arn:aws:iam::111122223333:user/{name}, with your account's number"
        )
    service, _, rest = text.removeprefix("arn:").partition(":")[2].partition(":")
    account, _, resource = rest.removeprefix(":").partition(":")
    if service == "iam" and resource == "root":
        return f"root may do everything as it is, and is nobody to name here; {_LIKE}"
    if service == "iam" and resource.startswith("group/"):
        return f"a group does nothing itself, its members do; write each of them, such as {_SOMEBODY}"
    if service == "iam" and resource.startswith(("user/", "role/")):
        instead = "write its twelve digits, or * for the account that this is deployed in"
        return f"'{account}' is the number of no account; {instead}"
    return f"this is no ARN of a user or a role; {_LIKE}"


def _role_of(partition: str, account: str, role: str) -> str:
    """A session's role. The ARN of a session has no path; that of Identity Center's roles is known."""
    if role.startswith("AWSReservedSSO_"):
        permission_set = re.sub(r"_[0-9a-f]{16}$", "", role.removeprefix("AWSReservedSSO_"))
        return f"arn:{partition}:iam::{account}:role/{_CENTER}{permission_set}_*"
    return f"arn:{partition}:iam::{account}:role/{role}, with its path where it has one"


def _own_part(text: str) -> str:
    """What a pattern says itself: its letters and digits."""
    return re.sub(r"[^0-9A-Za-z]", "", text)


def _fits_anybody(kind: str, name: str) -> bool:
    """Whether a pattern fits names that have nothing to do with each other."""
    return sum(bool(_compiled(name).fullmatch(probe)) for probe in _PROBES[kind]) > 1


def _path_like(kind: str) -> str:
    return f"arn:aws:iam::111122223333:{kind}/operations/*"
