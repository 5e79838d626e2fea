"""Who deployed the stack, by CloudTrail's event history."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from plumbline.adapters.cloudformation import Stack

SINCE = datetime(2026, 3, 2, 9, 30, tzinfo=timezone.utc)
STACK = "arn:aws:cloudformation:eu-west-1:123456789012:stack/plumbline/1234"
USER = {"type": "IAMUser", "arn": "arn:aws:iam::123456789012:user/people/ann", "userName": "ann"}
ROLE = {
    "type": "AssumedRole",
    "arn": "arn:aws:sts::123456789012:assumed-role/ci/run-7",
    "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::123456789012:role/cicd/ci"}},
}


def _event(identity: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "eventName": "ExecuteChangeSet",
        "eventTime": "2026-03-02T09:30:00Z",
        "userIdentity": identity,
        "requestParameters": {"stackName": "plumbline", "changeSetName": "samcli-deploy1"},
        **more,
    }


def _asked(*answers: Sequence[Mapping[str, Any]]) -> str:
    """Who it was, as CloudTrail answers one question after another."""
    client = boto3.client("cloudtrail", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="y")
    with Stubber(client) as stub:
        for name, events in zip(("ExecuteChangeSet", "UpdateStack", "CreateStack"), answers, strict=False):
            asked = {
                "LookupAttributes": [{"AttributeKey": "EventName", "AttributeValue": name}],
                "StartTime": SINCE - timedelta(minutes=1),
                "EndTime": SINCE + timedelta(hours=1),
            }
            found = [{"CloudTrailEvent": json.dumps(one)} for one in events]
            stub.add_response("lookup_events", {"Events": found}, asked)
        who = Stack(lambda *_: client, STACK, "eu-west-1").deployer(SINCE)
        stub.assert_no_pending_responses()
    return who


@pytest.mark.parametrize(
    ("identity", "who"),
    [(USER, "arn:aws:iam::123456789012:user/people/ann"), (ROLE, "arn:aws:iam::123456789012:role/cicd/ci")],
)
def test_it_is_the_user_or_the_role_behind_the_session(identity: Mapping[str, Any], who: str) -> None:
    assert who == _asked([_event(identity)])


def test_another_stack_a_refused_call_and_a_later_one_are_not_it() -> None:
    other = _event(USER, requestParameters={"stackName": "plumbline-2"})
    refused = _event(USER, errorCode="AccessDenied")
    later = _event(USER, eventTime="2026-03-02T09:45:00Z")
    by_id = _event(ROLE, requestParameters={"stackName": STACK})
    assert "arn:aws:iam::123456789012:role/cicd/ci" == _asked([later, other, refused, by_id])


def test_a_stack_may_be_updated_outright_and_nobody_may_be_known_yet() -> None:
    assert USER["arn"] == _asked([], [_event(USER, eventName="UpdateStack")])
    assert "" == _asked([], [], [])
