"""A bucket's name is one world's: what another account has by now is neither judged nor written.

moto does not compare `ExpectedBucketOwner`, so the rig gives S3's documented answer: 403 AccessDenied where it is not
the owner. Source: Amazon S3 user guide, Verifying bucket ownership with bucket owner condition.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest

from plumbline.controls import registry
from plumbline.core.cause import Origin
from plumbline.core.control import Control
from plumbline.core.errors import AwsRefusal
from plumbline.core.targets import Target
from plumbline.engine import undoing
from plumbline.engine.case import Outcome
from plumbline.findings.finding import Status
from plumbline.wakes.messages import Wake
from tests.rig import CAUSE, NOW, Request, Rig, at_once, is_read, is_write
from tests.story import ACCOUNT, HOME, World, world

STRANGER = "444455556666"
BUCKET = Target(ACCOUNT, HOME, "s3-bucket", "acme-data")
PLACE = {"CreateBucketConfiguration": {"LocationConstraint": HOME}}
PUBLIC = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::acme-data/*"},
    }
)
CONTROLS = [pytest.param(registry.load()[one], id=one) for one in ("s3-public-acl", "s3-public-policy")]


@pytest.fixture
def told() -> Iterator[World]:
    with world() as one:
        yield one


@pytest.fixture
def rig(told: World) -> Rig:
    return Rig(told)


def _of_the_stranger(told: World) -> Any:
    role = f"arn:aws:iam::{STRANGER}:role/theirs"
    keys = told.client("sts").assume_role(RoleArn=role, RoleSessionName="theirs")["Credentials"]
    return boto3.client(
        "s3",
        region_name=HOME,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def _opened(s3: Any) -> None:
    """A bucket that anybody may list and change."""
    s3.create_bucket(Bucket="acme-data", ACL="public-read", **PLACE)
    s3.put_bucket_policy(Bucket="acme-data", Policy=PUBLIC)


def _denied_to_others(request: Request) -> str | None:
    """What S3 answers about a bucket of the stranger's."""
    owner = request.parameters.get("ExpectedBucketOwner", STRANGER)
    return None if owner == STRANGER or request.service != "s3" else "AccessDenied"


@pytest.mark.parametrize("control", CONTROLS)
def test_a_bucket_of_another_account_is_none(control: Control, told: World, rig: Rig) -> None:
    _opened(_of_the_stranger(told))
    eyes = rig.install({control.id: at_once(control)}).engine.aws.eyes(ACCOUNT, HOME)
    rig.refuse = _denied_to_others
    assert control.observe
    assert control.observe(eyes, BUCKET) is None


@pytest.mark.parametrize("control", CONTROLS)
def test_a_bucket_of_ours_that_is_denied_stays_a_refusal(control: Control, told: World, rig: Rig) -> None:
    _opened(told.client("s3", HOME))
    eyes = rig.install({control.id: at_once(control)}).engine.aws.eyes(ACCOUNT, HOME)
    rig.refuse = _denied_to_others
    assert control.observe
    with pytest.raises(AwsRefusal, match="AccessDenied"):
        control.observe(eyes, BUCKET)


@pytest.mark.parametrize("control", CONTROLS)
def test_a_finding_ends_when_the_name_is_somebody_elses(control: Control, told: World, rig: Rig) -> None:
    ours, theirs = told.client("s3", HOME), _of_the_stranger(told)
    _opened(ours)
    never = replace(
        at_once(control), clocks={name: replace(clock, act=None) for name, clock in at_once(control).clocks.items()}
    )
    engine = rig.install({control.id: never}).engine
    assert engine.settle(Wake(control.id, BUCKET, Origin.SWEEP), now=NOW).outcome is Outcome.TOLD
    ours.delete_bucket(Bucket="acme-data")
    _opened(theirs)
    rig.refuse = _denied_to_others
    settled = engine.settle(Wake(control.id, BUCKET, Origin.SWEEP), now=NOW)
    assert (Outcome.RESOLVED, []) == (settled.outcome, rig.writes)


@pytest.mark.parametrize("control", CONTROLS)
def test_every_read_write_and_undo_says_whose_bucket_is_meant(control: Control, told: World, rig: Rig) -> None:
    _opened(told.client("s3", HOME))
    plumbline = rig.install({control.id: at_once(control)})
    finding = plumbline.engine.settle(Wake(control.id, BUCKET, Origin.EVENT, CAUSE), now=NOW).finding
    assert finding is not None
    undoing.undo(plumbline.engine, plumbline.ledger, finding, now=NOW)
    about = [one for one in rig.requests if "Bucket" in one.parameters]
    assert {ACCOUNT} == {one.parameters.get("ExpectedBucketOwner") for one in about}
    assert (2, True) == (len(list(filter(is_write, about))), any(map(is_read, about)))


@pytest.mark.parametrize("control", CONTROLS)
def test_an_undo_does_not_rewrite_a_strangers_bucket(control: Control, told: World, rig: Rig) -> None:
    ours, theirs = told.client("s3", HOME), _of_the_stranger(told)
    _opened(ours)
    plumbline = rig.install({control.id: at_once(control)})
    finding = plumbline.engine.settle(Wake(control.id, BUCKET, Origin.EVENT, CAUSE), now=NOW).finding
    assert finding is not None
    assert finding.status is Status.REPAIRED
    ours.delete_bucket(Bucket="acme-data")
    theirs.create_bucket(Bucket="acme-data", **PLACE)
    rig.refuse = _denied_to_others
    with pytest.raises((undoing.UndoFailed, undoing.CannotUndo)):
        undoing.undo(plumbline.engine, plumbline.ledger, finding, now=NOW, force=True)
    grants = theirs.get_bucket_acl(Bucket="acme-data")["Grants"]
    assert ["CanonicalUser"] == [one["Grantee"]["Type"] for one in grants]


@pytest.mark.parametrize("control", CONTROLS)
def test_an_undo_of_a_bucket_that_is_gone_does_not_say_that_aws_took_it(
    control: Control, told: World, rig: Rig
) -> None:
    ours = told.client("s3", HOME)
    _opened(ours)
    plumbline = rig.install({control.id: at_once(control)})
    finding = plumbline.engine.settle(Wake(control.id, BUCKET, Origin.EVENT, CAUSE), now=NOW).finding
    assert finding is not None
    ours.delete_bucket(Bucket="acme-data")
    done = undoing.undo(plumbline.engine, plumbline.ledger, finding, now=NOW, force=True)
    assert (False, True) == (done.restored, bool(done.why_not))


def test_an_operation_that_cannot_be_told_an_owner_is_asked_without(told: World, rig: Rig) -> None:
    _opened(told.client("s3", HOME))
    control = registry.load()["s3-public-acl"]
    eyes = rig.install({control.id: at_once(control)}).engine.aws.eyes(ACCOUNT, HOME)
    assert control.find
    assert [BUCKET] == list(control.find(eyes))
    assert [{"MaxBuckets": 1000}] == [one.parameters for one in rig.requests if one.operation == "ListBuckets"]
