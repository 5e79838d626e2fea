"""What the settings leave alone by name is left alone, seen or not; and whose a bucket is that AWS refuses to show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from plumbline.controls import registry
from plumbline.core.targets import GLOBAL, Target

ACCOUNT = "111122223333"
NAMED: Mapping[str, Any] = {"administrators": {"users": ["ann"], "groups": ["admins"], "roles": ["deploy", "ci-*"]}}
TABLE = [
    ("s3-public-acl", "s3-bucket", "www-site", {"allowed_buckets": ["www-*"]}, True),
    ("s3-public-acl", "s3-bucket", "data", {"allowed_buckets": ["www-*"]}, False),
    ("s3-public-policy", "s3-bucket", "www-site", {"allowed_buckets": ["www-site"]}, True),
    ("s3-public-policy", "s3-bucket", "www-site-2", {"allowed_buckets": ["www-site"]}, False),
    ("s3-public-access-block", "s3-bucket", "www-site", {"allowed_buckets": ["www-*"]}, True),
    ("s3-public-access-block", "s3-bucket", "data", {"allowed_buckets": ["www-*"]}, False),
    ("s3-versioning", "s3-bucket", "data", {"buckets": ["archive-*"]}, True),
    ("s3-versioning", "s3-bucket", "archive-1", {"buckets": ["archive-*"]}, False),
    ("s3-access-logging", "s3-bucket", "data", {"buckets": ["data"], "log_bucket": ""}, True),
    ("s3-access-logging", "s3-bucket", "data", {"buckets": [], "log_bucket": "logs"}, False),
    ("iam-access-key-created", "iam-access-key", "ci/AKIAIOSFODNN7EXAMPLE", {"allowed_users": ["ci"]}, True),
    ("iam-access-key-created", "iam-access-key", "ann/AKIAIOSFODNN7EXAMPLE", {"allowed_users": ["ci"]}, False),
    ("iam-inline-policies", "iam-role", "deploy", {"keep_inline": ["role/deploy"]}, True),
    ("iam-inline-policies", "iam-user", "deploy", {"keep_inline": ["role/deploy"]}, False),
    ("iam-admin-grants", "iam-user", "ann", NAMED, True),
    ("iam-admin-grants", "iam-user", "bob", NAMED, False),
    ("iam-admin-grants", "iam-group", "admins", NAMED, True),
    ("iam-admin-grants", "iam-role", "ci-7", NAMED, True),
    ("iam-admin-grants", "iam-role", "ann", NAMED, False),
    ("iam-admin-grants", "iam-policy", "ann", NAMED, False),
]


@pytest.mark.parametrize(("control", "kind", "name", "settings", "excepted"), TABLE)
def test_what_the_settings_name(
    control: str, kind: str, name: str, settings: Mapping[str, Any], *, excepted: bool
) -> None:
    asked = registry.load()[control].excepted
    assert asked is not None
    assert excepted == asked(Target(ACCOUNT, GLOBAL, kind, name), settings)
