"""The fewest calls of IAM and S3 that a sweep can get by with, each with its reason.

One for each page of what AWS gives in bulk, one for each bucket and setting of it, and what AWS gives only one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from bench.answers.iam import LARGEST_PAGE
from bench.drawn import Drawn

#: Buckets to a page. Source: Amazon S3 API reference, ListBuckets: up to ten thousand; a thousand are asked for.
_BUCKETS = 1000
#: What is read of each bucket, whatever stands in it.
SETTINGS = (
    "GetBucketAcl", "GetBucketEncryption", "GetBucketLogging", "GetBucketOwnershipControls", "GetBucketPolicy",
    "GetBucketVersioning", "GetPublicAccessBlock",
)  # fmt: skip
#: Services that give credentials of their own: IAM lists those of one service at a time.
_WITH_CREDENTIALS = 4


@dataclass(frozen=True, slots=True)
class Needed:
    """Calls that cannot be saved.

    Attributes:
        operation: as `iam ListUsers`.
        calls: how many.
        why: what makes them so many.
    """

    operation: str
    calls: int
    why: str


@dataclass(frozen=True, slots=True)
class Beside:
    """What is in the account beside what was drawn: Plumbline's own.

    Attributes:
        roles: its roles.
        policies: its managed policies.
        buckets: its buckets, the trail's.
    """

    roles: int
    policies: int
    buckets: int


def floor(drawn: Drawn, beside: Beside) -> Sequence[Needed]:
    """The calls of IAM and S3 that a sweep of an account needs.

    Args:
        drawn: the account.
        beside: what else is in it.
    """
    shape = drawn.shape
    principals = shape.users + shape.groups + shape.roles + beside.roles
    buckets = shape.buckets + beside.buckets
    with_mfa = sum(one.has_mfa for one in drawn.users)
    of_aws = {arn for arn in drawn.held if ":aws:policy/" in arn}
    read = len([arn for arn in of_aws if not arn.endswith("/AdministratorAccess")])
    open_ones = sum(one.takes_http for one in drawn.buckets)
    idle = sum(one.is_idle for one in drawn.users)
    of_users = (
        Needed("iam ListAccessKeys", sum(one.has_key for one in drawn.users), "ids and ages of keys: one by one"),
        Needed("iam ListMFADevices", sum(one.lacks_mfa for one in drawn.users), "passkeys: whom the report suspects"),
        Needed("iam ListSSHPublicKeys", idle, "of the idle, one by one"),
        Needed("iam ListServiceSpecificCredentials", _WITH_CREDENTIALS, "of each service, for all users"),
    )
    of_pages = (
        Needed(
            "iam GetAccountAuthorizationDetails",
            _pages(principals + shape.policies + beside.policies, LARGEST_PAGE),
            "pages: users, groups, roles, policies",
        ),
        Needed("iam ListUsers", _pages(shape.users, LARGEST_PAGE), "pages: when passwords were used"),
        Needed("iam ListVirtualMFADevices", _pages(with_mfa, LARGEST_PAGE), "pages: which of them is root's"),
        Needed("iam ListServerCertificates", 1, "a page"),
        Needed("iam GetCredentialReport", 1, "one for all users"),
        Needed("iam GetAccountSummary", 1, "the account's"),
        Needed("iam GetAccountPasswordPolicy", 1, "the account's"),
        Needed("iam ListPolicies", _pages(len(of_aws), LARGEST_PAGE), "pages: AWS's own policies that somebody holds"),
        Needed("iam GetPolicyVersion", read, "what they say: one by one"),
    )
    of_buckets = (
        Needed("s3 ListBuckets", _pages(buckets, _BUCKETS), "pages"),
        *(Needed(f"s3 {one}", buckets, "one for each bucket") for one in SETTINGS),
        Needed("s3 GetBucketWebsite", open_ones, "of buckets that take plain HTTP"),
        Needed("s3 GetBucketTagging", open_ones, "of buckets that take plain HTTP"),
        Needed("s3 GetBucketLifecycleConfiguration", beside.buckets, "of the trail's bucket"),
        Needed("s3control GetPublicAccessBlock", 1, "the account's"),
    )
    return [*of_pages, *of_users, *of_buckets]


def total(needed: Sequence[Needed]) -> int:
    """All of them."""
    return sum(one.calls for one in needed)


def _pages(items: int, size: int) -> int:
    return max(1, ceil(items / size))
