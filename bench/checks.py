"""Which control of ours, check of Prowler's and filters of Custodian's say the same, and of what in a drawn account.

Where a verdict is about the whole account its subject is `account`. What a side has no check for is left empty: then
nobody asks it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from bench.drawn import Drawn

IAM, S3 = "iam", "s3"
ACCOUNT = "account"
#: The names of what is drawn: a side may put more into the name of a finding, such as a key or a policy.
_DRAWN = re.compile(r"(?:user-\d{5}|group-\d{4}|role-\d{4}|acme-data-\d{5})(?!\d)")
_OLD = {"value_type": "age", "op": "greater-than"}
_ADMINISTRATOR = {"type": "has-specific-managed-policy", "value": "AdministratorAccess"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One thing that all sides judge.

    Attributes:
        family: with which of the two it is measured.
        what: what is wrong where it is found, for people.
        controls: ours.
        checks: Prowler's.
        filters: Custodian's, by the kind of resource that they filter.
        expected: the names of what is out of line in a drawn account.
        spared: the names of what Plumbline leaves alone of these on purpose, and the peers tell.
    """

    family: str
    what: str
    controls: Sequence[str]
    checks: Sequence[str]
    filters: Mapping[str, Sequence[Mapping[str, Any]]]
    expected: Callable[[Drawn], Iterable[str]]
    spared: Callable[[Drawn], Iterable[str]] = lambda _drawn: ()

    def subjects(self, drawn: Drawn) -> frozenset[str]:
        """What is out of line in an account."""
        return frozenset(self.expected(drawn))


def subject(text: str) -> str:
    """The name of what a finding is about; `account` where it is about none of the things drawn."""
    found = _DRAWN.search(text)
    return found[0] if found else ACCOUNT


def _users(wrong: Callable[[Any], object]) -> Callable[[Drawn], Iterable[str]]:
    return lambda drawn: (one.name for one in drawn.users if wrong(one))


def _buckets(wrong: Callable[[Any], object]) -> Callable[[Drawn], Iterable[str]]:
    return lambda drawn: (one.name for one in drawn.buckets if wrong(one))


def _account(_drawn: Drawn) -> Iterable[str]:
    return (ACCOUNT,)


def _nobody(_drawn: Drawn) -> Iterable[str]:
    return ()


def _strong(drawn: Drawn) -> Iterable[str]:
    yield from (one.name for one in drawn.groups if one.is_strong)
    yield from (one.name for one in drawn.roles if one.is_strong)


def _credential(key: str, value: Any, **more: Any) -> Mapping[str, Any]:
    return {"type": "credential", "key": key, "value": value, **more}


VERDICTS: Sequence[Verdict] = (
    Verdict(
        IAM, "a password without MFA",
        ("iam-user-mfa",), ("iam_user_mfa_enabled_console_access",),
        {"iam-user": (_credential("password_enabled", True), _credential("mfa_active", False))},
        _users(lambda one: one.lacks_mfa),
    ),
    Verdict(
        IAM, "a key older than 90 days",
        ("iam-access-key-age",), ("iam_rotate_access_key_90_days",),
        {"iam-user": (_credential("access_keys.last_rotated", 90, **_OLD),)},
        _users(lambda one: one.has_old_key and one.has_key),
    ),
    Verdict(
        IAM, "a password that nobody uses",
        ("iam-idle-users",), ("iam_user_console_access_unused",),
        {"iam-user": (_credential("password_last_used", 45, **_OLD),)},
        _users(lambda one: one.is_idle),
    ),
    Verdict(
        IAM, "policies of a user's own",
        ("iam-user-policies", "iam-inline-policies"), ("iam_policy_attached_only_to_group_or_roles",),
        {"iam-user": ({"or": ({"type": "policy", "key": "PolicyName", "value": "present"}, "has-inline-policy")},)},
        _users(lambda one: one.attached or one.inline),
    ),
    Verdict(
        IAM, "AdministratorAccess",
        ("iam-admin-grants",), ("iam_role_administratoraccess_policy", "iam_group_administrator_access_policy"),
        {"iam-role": (_ADMINISTRATOR,), "iam-group": (_ADMINISTRATOR,)},
        _strong,
    ),
    Verdict(
        IAM, "a role that anybody may use",
        ("iam-role-trust",), (),
        {"iam-role": ({"type": "cross-account"},)},
        lambda drawn: (one.name for one in drawn.roles if one.is_open),
    ),
    Verdict(
        IAM, "a short password policy",
        ("account-password-policy",), ("iam_password_policy_minimum_length_14",),
        {"account": ({"type": "password-policy", "key": "MinimumPasswordLength", "value": 14, "op": "lt"},)},
        _account,
    ),
    Verdict(
        IAM, "no role for AWS's support",
        ("iam-support-role",), ("iam_support_role_created",), {},
        _account,
    ),
    Verdict(
        S3, "an ACL lets everybody in",
        ("s3-public-acl",), ("s3_bucket_public_list_acl",),
        {"s3": ({"type": "global-grants", "allow_website": False},)},
        _buckets(lambda one: one.lists_to_all),
    ),
    Verdict(
        S3, "a policy lets everybody in",
        ("s3-public-policy",), ("s3_bucket_policy_public_write_access",),
        {"s3": ({"type": "has-statement", "statements": ({"Effect": "Allow", "Principal": "*"},)},)},
        _buckets(lambda one: one.is_written_by_all),
    ),
    Verdict(
        S3, "plain HTTP",
        ("s3-tls-only",), ("s3_bucket_secure_transport_policy",),
        {"s3": ({"type": "missing-statement", "statement_ids": ("TlsOnly",)},)},
        _buckets(lambda one: one.takes_http),
    ),
    Verdict(
        S3, "no access block of its own",
        ("s3-public-access-block",), ("s3_bucket_level_public_access_block",),
        {"s3": ({"type": "check-public-block"},)},
        _buckets(lambda one: not one.blocks),
    ),
    Verdict(
        S3, "ACLs count",
        ("s3-object-ownership",), ("s3_bucket_acl_prohibited",),
        {"s3": ({"not": ({"type": "ownership", "value": "BucketOwnerEnforced"},)},)},
        _buckets(lambda one: one.has_acls),
        _buckets(lambda one: one.lists_to_all),  # its own list gives something to others: s3-public-acl tells of that
    ),
    Verdict(
        S3, "no versions",
        ("s3-versioning",), ("s3_bucket_object_versioning",),
        {"s3": ({"type": "value", "key": "Versioning.Status", "value": "Enabled", "op": "ne"},)},
        _buckets(lambda one: not one.has_versions),
    ),
    Verdict(
        S3, "no access log",
        ("s3-access-logging",), ("s3_bucket_server_access_logging_enabled",),
        {"s3": ({"type": "bucket-logging", "op": "disabled"},)},
        _buckets(lambda one: not one.is_logged),
    ),
    Verdict(
        S3, "no encryption",
        ("s3-encryption",), ("s3_bucket_default_encryption",),
        {"s3": ({"type": "bucket-encryption", "state": False},)},
        _nobody,  # AWS lets nobody do without any more, and all three ask
    ),
    Verdict(
        S3, "the account does not block public access",
        ("account-s3-public-access",), ("s3_account_level_public_access_blocks",),
        {"account": ({"not": ({"type": "s3-public-block", "key": "BlockPublicAcls", "value": True},)},)},
        _account,
    ),
)  # fmt: skip
#: Operations of IAM and S3 by botocore's name of the service, for each of the two.
SERVICES: Mapping[str, Sequence[str]] = MappingProxyType({IAM: ("iam",), S3: ("s3", "s3control")})


def of(family: str) -> Sequence[Verdict]:
    """The verdicts of one of the two."""
    return [one for one in VERDICTS if one.family == family]


def policies(verdicts: Sequence[Verdict]) -> Mapping[str, Any]:
    """Custodian's policies for verdicts; the name of each ends in the number of its verdict."""
    return {
        "policies": [
            {"name": f"bench-{kind}-{number}", "resource": f"aws.{kind}", "filters": list(filters)}
            for number, one in enumerate(verdicts)
            for kind, filters in one.filters.items()
        ]
    }
