"""s3-versioning: buckets that the baseline names keep earlier versions."""

from __future__ import annotations

from typing import Any

import pytest

from plumbline.controls.s3._versions import SWITCH, announced, plan
from plumbline.controls.s3.s3_versioning import CONTROL
from plumbline.core.calls import Call
from plumbline.core.control import Deviation
from plumbline.core.targets import Target
from tests.story import ACCOUNT, Story, World, world

REGION = "eu-west-1"
BUCKET = Target(ACCOUNT, REGION, "s3-bucket", "acme-archive")
NAMED = {"buckets": ["acme-arch*"]}


def state(status: str | None, mfa: str = "Disabled") -> dict[str, Any]:
    return {"bucket": "acme-archive", "values": status and {"Versioning": status, "MFADelete": mfa}}


def _bucket(told: World, status: str) -> Target:
    s3 = told.client("s3", REGION)
    s3.create_bucket(Bucket="acme-archive", CreateBucketConfiguration={"LocationConstraint": REGION})
    if status:
        s3.put_bucket_versioning(Bucket="acme-archive", VersioningConfiguration={"Status": status})
    return BUCKET


STORIES = (
    Story("never switched on", CONTROL.id, lambda told: _bucket(told, ""), settings=NAMED, reset=False),
    Story("suspended", CONTROL.id, lambda told: _bucket(told, "Suspended"), settings=NAMED),
)


def to(status: str) -> Call:
    given = {"Bucket": "acme-archive", "VersioningConfiguration": {"Status": status}}
    return Call("s3", "PutBucketVersioning", given, REGION, ("NoSuchBucket",))


def test_a_named_bucket_without_versions_deviates() -> None:
    assert Deviation("does not keep versions", ("Versioning is Suspended",)) == SWITCH.detect(state("Suspended"), NAMED)
    assert Deviation("does not keep versions", ("Versioning is not set",)) == SWITCH.detect(state(None), NAMED)


def test_a_bucket_that_keeps_versions_one_that_nobody_named_and_one_that_is_gone_are_fine() -> None:
    assert SWITCH.detect(state("Enabled"), NAMED) is None
    assert SWITCH.detect(state(None), {"buckets": []}) is None
    assert SWITCH.detect(None, NAMED) is None


def test_it_is_switched_on_and_suspended_by_the_undo() -> None:
    repair = plan(BUCKET, state("Suspended"), NAMED)
    assert ((to("Enabled"),), (to("Suspended"),), "") == (repair.do, repair.undo, repair.irreversible)


def test_of_a_bucket_that_never_had_versions_the_repair_says_that_there_is_no_way_back() -> None:
    repair = plan(BUCKET, state(None), NAMED)
    assert ((to("Enabled"),), (to("Suspended"),)) == (repair.do, repair.undo)
    assert "AWS can suspend versioning, and not make a bucket as one that never had any" == repair.irreversible


def test_where_mfa_delete_is_on_only_root_can() -> None:
    repair = plan(BUCKET, state("Suspended", mfa="Enabled"), NAMED)
    assert ((), True) == (repair.steps, "root alone" in repair.refusal)


def test_a_bucket_that_is_gone_has_no_state() -> None:
    with world() as here:
        assert SWITCH.observe(here.accounts.eyes(ACCOUNT, REGION), BUCKET) is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [({"Status": "Suspended"}, "kept no versions for a while"), ({"Status": "Enabled"}, ""), (None, "")],
)
def test_versions_that_were_suspended_for_a_minute(given: Any, expected: str) -> None:
    detail = {"requestParameters": {"VersioningConfiguration": given}}
    assert expected == announced(lambda _call: None, detail, None, NAMED)  # type: ignore[arg-type]
