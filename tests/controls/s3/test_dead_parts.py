"""Documents that are written back whole: what of one AWS refuses because it is dead keeps nothing else from its place.

moto takes every principal and every canonical id, so S3's answers are given here: MalformedPolicy with the principal in
`Detail`, InvalidArgument with the id in `ArgumentValue`. Sources: AWS re:Post, "Invalid principal in policy"; Ceph's
s3-tests, which keep AWS's answer to an unknown canonical id.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from plumbline.controls import registry
from plumbline.core.cause import Origin
from plumbline.core.targets import Target
from plumbline.engine import undoing
from plumbline.engine.case import Outcome, Settled
from plumbline.findings.finding import Status
from plumbline.wakes.messages import Wake
from tests.rig import CAUSE, NOW, Request, Rig, at_once
from tests.story import ACCOUNT, HOME, World, world

BUCKET = Target(ACCOUNT, HOME, "s3-bucket", "acme-data")
DEAD, ALIVE = (f"arn:aws:iam::{number}:root" for number in ("444455556666", "777788889999"))
_DEAD_ACCOUNT = "444455556666"
DEAD_ID, ALIVE_ID = "d" * 64, "a" * 64
FILES = "arn:aws:s3:::acme-data/*"


@dataclass(repr=False)
class Strict(Rig):
    """A rig in which S3 knows neither `DEAD` nor `DEAD_ID`, and says which it does not know unless it is `silent`."""

    silent: bool = False

    def pass_on(self, request: Request) -> None:
        """See Rig."""
        text = json.dumps(request.parameters)
        if request.operation == "PutBucketPolicy" and _DEAD_ACCOUNT in text:
            said = {"Code": "MalformedPolicy", "Message": "Invalid principal in policy", "Detail": f'"AWS" : "{DEAD}"'}
        elif request.operation == "PutBucketAcl" and DEAD_ID in text:
            named = {"ArgumentName": "CanonicalUser/ID", "ArgumentValue": DEAD_ID}
            said = {"Code": "InvalidArgument", "Message": "Invalid id", **named}
        else:
            return super().pass_on(request)
        if self.silent:
            said = {name: said[name] for name in ("Code", "Message")}
        raise ClientError({"Error": said}, request.operation)


@pytest.fixture
def told() -> Iterator[World]:
    with world() as one:
        yield one


def _allow(principal: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": FILES}


def _with_policy(told: World, *those: dict[str, Any]) -> None:
    s3 = told.client("s3", HOME)
    s3.create_bucket(Bucket="acme-data", CreateBucketConfiguration={"LocationConstraint": HOME})
    s3.put_bucket_policy(Bucket="acme-data", Policy=json.dumps({"Version": "2012-10-17", "Statement": list(those)}))


def _principals(told: World) -> list[Any]:
    text = told.client("s3", HOME).get_bucket_policy(Bucket="acme-data")["Policy"]
    return [one["Principal"] for one in json.loads(text)["Statement"]]


def _settled(rig: Rig, control: str) -> tuple[Any, Settled]:
    plumbline = rig.install({control: at_once(registry.load()[control])})
    return plumbline, plumbline.engine.settle(Wake(control, BUCKET, Origin.EVENT, CAUSE), now=NOW)


def test_a_policy_is_put_right_without_the_account_that_was_closed_and_the_email_says_so(told: World) -> None:
    _with_policy(told, _allow("*"), _allow({"AWS": [DEAD, ALIVE]}), _allow({"AWS": DEAD}))
    rig = Strict(told)
    _, settled = _settled(rig, "s3-public-policy")
    assert (Outcome.REPAIRED, [{"AWS": [ALIVE]}]) == (settled.outcome, _principals(told))
    (alert,) = rig.letters
    assert f"{DEAD} does not exist any more, and AWS takes no policy that names it" in " ".join(alert.body.split())


def test_an_undo_puts_back_what_aws_takes(told: World) -> None:
    _with_policy(told, _allow("*"), _allow({"AWS": [DEAD, ALIVE]}))
    plumbline, settled = _settled(Strict(told), "s3-public-policy")
    assert settled.finding is not None
    done = undoing.undo(plumbline.engine, plumbline.ledger, settled.finding, now=NOW)
    assert (Status.UNDONE, ["*", {"AWS": [ALIVE]}]) == (done.finding.status, _principals(told))


def test_a_policy_of_which_only_the_dead_would_be_left_is_deleted(told: World) -> None:
    _with_policy(told, _allow("*"), _allow({"AWS": DEAD}))
    _, settled = _settled(Strict(told), "s3-public-policy")
    assert Outcome.REPAIRED is settled.outcome
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        _principals(told)


def test_ids_of_deleted_roles_are_left_out_before_aws_refuses_and_an_undo_brings_all_else_back(told: World) -> None:
    _with_policy(told, _allow("*"), _allow({"AWS": ["AROAEXAMPLEGONE000001", ALIVE]}))
    plumbline, settled = _settled(Rig(told), "s3-public-policy")
    assert settled.finding is not None
    assert [{"AWS": [ALIVE]}] == _principals(told)
    done = undoing.undo(plumbline.engine, plumbline.ledger, settled.finding, now=NOW)
    assert (["*", {"AWS": [ALIVE]}], True) == (_principals(told), done.restored)


def test_an_acl_is_put_right_without_the_account_that_was_closed(told: World) -> None:
    s3 = told.client("s3", HOME)
    s3.create_bucket(Bucket="acme-data", CreateBucketConfiguration={"LocationConstraint": HOME})
    grants = [{"Grantee": {"Type": "CanonicalUser", "ID": one}, "Permission": "READ"} for one in (DEAD_ID, ALIVE_ID)]
    uri = "http://acs.amazonaws.com/groups/global/AllUsers"
    public = {"Grantee": {"Type": "Group", "URI": uri}, "Permission": "READ"}
    owner = s3.get_bucket_acl(Bucket="acme-data")["Owner"]
    s3.put_bucket_acl(Bucket="acme-data", AccessControlPolicy={"Owner": owner, "Grants": [*grants, public]})
    rig = Strict(told)
    _, settled = _settled(rig, "s3-public-acl")
    left = [one["Grantee"]["ID"] for one in s3.get_bucket_acl(Bucket="acme-data")["Grants"]]
    assert (Outcome.REPAIRED, [ALIVE_ID]) == (settled.outcome, left)
    (alert,) = rig.letters
    assert f"the account of the canonical id {DEAD_ID} does not exist any more" in " ".join(alert.body.split())


@pytest.mark.parametrize("dead_too", [[], ["arn:aws:iam::444455556666:role/reader"]], ids=["one", "two"])
def test_where_aws_does_not_say_who_is_dead_its_own_answers_show_it(told: World, dead_too: list[str]) -> None:
    _with_policy(told, _allow("*"), _allow({"AWS": [ALIVE, DEAD, *dead_too]}), _allow({"Service": "x.amazonaws.com"}))
    _, settled = _settled(Strict(told, silent=True), "s3-public-policy")
    assert Outcome.REPAIRED is settled.outcome
    assert [{"AWS": [ALIVE]}, {"Service": "x.amazonaws.com"}] == _principals(told)


def test_a_document_that_aws_takes_in_no_form_is_told_as_failed_and_left_as_it_was(told: World) -> None:
    _with_policy(told, _allow("*"), _allow({"AWS": ALIVE}), _allow({"Service": DEAD}))
    rig = Strict(told)
    _, settled = _settled(rig, "s3-public-policy")
    assert (Outcome.FAILED, ["*", {"AWS": ALIVE}, {"Service": DEAD}]) == (settled.outcome, _principals(told))
    (alert,) = rig.letters
    assert f'MalformedPolicy: Invalid principal in policy ("AWS" : "{DEAD}")' in " ".join(alert.body.split())
