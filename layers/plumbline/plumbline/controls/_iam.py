"""What the IAM controls share: bulk reads, names of principals, ARNs to limit a session to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plumbline.core import Ask, Call, Target

#: The account's users, groups, roles and own policies, a thousand to the page. Equal calls are asked once a sweep, so
#: every IAM control shares the pages.
EVERYTHING = Call(
    "iam", "GetAccountAuthorizationDetails", {"Filter": ["User", "Group", "Role", "LocalManagedPolicy"]}
)
REPORT = Call(
    "iam",
    "GetCredentialReport",
    absent=("ReportNotPresent", "ReportExpired", "ReportInProgress", "CredentialReportNotPresentException",
            "CredentialReportExpiredException", "CredentialReportNotReadyException"),
)
GONE = ("NoSuchEntity",)


def user_names(ask: Ask) -> list[str]:
    """Every IAM user's name."""
    return [user["UserName"] for user in ask(Call("iam", "ListUsers"))["Users"]]


def by_name(account: str, kind: str, name: str) -> tuple[str, ...]:
    """ARN patterns that match exactly the user, group, role or policy of this name, whatever its path.

    A name holds no slash, so neither pattern reaches another one. `arn:*` also fits the other partitions.
    """
    return (f"arn:*:iam::{account}:{kind}/{name}", f"arn:*:iam::{account}:{kind}/*/{name}")


def named(target: Target) -> Mapping[str, Any]:
    """The API parameter that names a principal target: UserName, GroupName or RoleName."""
    return {f"{target.kind.removeprefix('iam-').capitalize()}Name": target.id}
