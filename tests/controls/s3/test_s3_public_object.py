"""s3-public-object: what is given to everybody object by object is told, once a day for each bucket."""

from __future__ import annotations

from typing import Any

import pytest

from plumbline.controls.s3.s3_public_object import CONTROL, describe, detect, locate, witness
from plumbline.core.control import Deviation
from plumbline.core.targets import Target
from plumbline.engine.case import Outcome
from plumbline.wakes import messages
from tests.eventbridge import rules_woken
from tests.recorded import put, records
from tests.rig import NOW, Rig, own_rules
from tests.story import world

NONE: dict[str, Any] = {"allowed_buckets": []}
URI = "http://acs.amazonaws.com/groups/global/"
KEPT = {one.path.stem: one.event() for one in records() if one.control == CONTROL.id}


def _event(name: str = "PutObject", **parameters: Any) -> dict[str, Any]:
    event = put(KEPT["PutObject"], ("detail", "eventName"), name)
    asked = {"bucketName": "acme-data", "key": "q2.csv", **parameters}
    asking: dict[str, Any] = put(event, ("detail", "requestParameters"), asked)
    return asking


def _grant(group: str, permission: str) -> dict[str, Any]:
    return {"Grantee": {"xsi:type": "Group", "URI": f"{URI}{group}"}, "Permission": permission}


def _document(*grants: dict[str, Any]) -> dict[str, Any]:
    grant: Any = grants[0] if len(grants) == 1 else list(grants)  # as CloudTrail writes one, and many
    return {"AccessControlPolicy": {"AccessControlList": {"Grant": grant}}}


OPENED: list[tuple[str, dict[str, Any], str]] = [
    ("PutObject", {"x-amz-acl": "public-read"}, "anyone may read q2.csv"),
    ("PutObject", {"x-amz-acl": ["public-read-write"]}, "anyone may read q2.csv"),
    ("CopyObject", {"x-amz-acl": "authenticated-read"}, "anyone with an AWS account may read q2.csv"),
    ("PutObject", {"x-amz-grant-read": f'uri="{URI}AllUsers"'}, "anyone may read q2.csv"),
    (
        "CreateMultipartUpload",
        {"x-amz-grant-write-acp": f'id="{"a" * 64}", uri="{URI}AuthenticatedUsers"'},
        "anyone with an AWS account may change the permissions of q2.csv",
    ),
    (
        "PutObjectAcl",
        _document(_grant("AllUsers", "READ"), _grant("AllUsers", "FULL_CONTROL")),
        "anyone may read q2.csv and change its permissions",
    ),
    ("PutObjectAcl", _document(_grant("AllUsers", "READ_ACP")), "anyone may read the permissions of q2.csv"),
    ("PutObjectAcl", {"x-amz-acl": "public-read"}, "anyone may read q2.csv"),
]
LEFT_ALONE: list[tuple[str, dict[str, Any]]] = [
    ("PutObject", {}),
    ("PutObject", {"x-amz-acl": "bucket-owner-full-control"}),
    ("PutObject", {"x-amz-grant-read": f'id="{"a" * 64}"'}),
    ("PutObjectAcl", {"x-amz-acl": "private"}),
    ("PutObjectAcl", _document({"Grantee": {"ID": "a" * 64}, "Permission": "READ"})),
    ("PutObjectAcl", {"AccessControlPolicy": None}),
]


@pytest.mark.parametrize(("name", "parameters", "words"), OPENED)
def test_what_is_given_to_everybody_wakes_and_is_told(name: str, parameters: dict[str, Any], words: str) -> None:
    event = _event(name, **parameters)
    (wake,) = messages.from_event(event, {CONTROL.id: CONTROL})
    found = detect(wake.evidence, NONE)
    assert (True, f"were opened: {words}") == (bool(rules_woken(event)), found and found.summary)


@pytest.mark.parametrize(("name", "parameters"), LEFT_ALONE)
def test_what_is_given_to_nobody_or_to_somebody_is_not(name: str, parameters: dict[str, Any]) -> None:
    assert detect(witness(_event(name, **parameters)["detail"]), NONE) is None


def test_an_upload_that_says_nothing_of_whom_it_is_for_wakes_nobody() -> None:
    plain = _event("PutObject")
    assert ([], []) == (rules_woken(plain), list(messages.from_event(plain, {CONTROL.id: CONTROL})))


def test_a_bucket_that_is_public_on_purpose_is_left_alone() -> None:
    assert detect(witness(KEPT["PutObject"]["detail"]), {"allowed_buckets": ["acme-*"]}) is None


def test_a_bucket_of_another_account_is_its_owners_business() -> None:
    """CloudTrail delivers an object's event to whoever called, and names the bucket's owner in `resources`."""
    foreign = [{"accountId": "444455556666", "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::acme-data"}]
    detail = KEPT["PutObject"]["detail"]
    assert () == tuple(locate(detail | {"resources": foreign}))
    mine = Target("111122223333", "ap-southeast-2", "s3-objects", "acme-data/2025-04-02")
    assert [(mine,)] * 2 == [tuple(locate(one)) for one in (detail, detail | {"resources": None})]


def test_many_calls_in_one_bucket_tell_once_a_day() -> None:
    with world() as told:
        rig = Rig(told)
        engine = rig.install(own_rules()).engine
        events = [_event(key=f"{number}.csv", **{"x-amz-acl": "public-read"}) for number in range(30)]
        outcomes = [
            engine.settle(wake, now=NOW).outcome
            for event in events
            for wake in messages.from_event(event, {CONTROL.id: CONTROL})
        ]
        letters = rig.letters
    assert ([Outcome.TOLD, *[Outcome.WAITING] * 29], 1) == (outcomes, len(letters))
    assert "objects of bucket acme-data were opened: anyone may read 0[.]csv" in letters[0].subject


def test_the_words_of_what_was_seen() -> None:
    state = witness(KEPT["PutObjectAcl"]["detail"])
    expected = Deviation("were opened: anyone may read reports/2025-q1.csv", ("AllUsers READ",))
    assert expected == detect(state, NONE)
    assert describe(state) == (
        "PutObjectAcl: anyone may read reports/2025-q1.csv; more of this bucket on the same day are not told again"
    )
    assert describe(None) == "nothing was opened to everybody"
