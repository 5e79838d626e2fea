"""What controls read from an event that nobody can see any more: rightly, and from any shape of it without a word."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import pytest

from plumbline.controls import registry
from plumbline.core import recorded as house
from plumbline.core.calls import Call
from plumbline.core.errors import AwsRefusal
from plumbline.core.reach import Reach
from tests.fakes import Plain
from tests.recorded import Recorded, places, put, records, without
from tests.story import defaults

ADMIN = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
READER = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}
SHELL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "cloudshell:*", "Resource": "*"}]}
EVERYBODY = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}]}
PARTNER = {
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "444455556666"}, "Action": "s3:GetObject", "Resource": "*"}]
}
BY_AWS, OURS = "arn:aws:iam::aws:policy/", "arn:aws:iam::111122223333:policy/"
ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
WHOLE = {
    "name": "main", "arn": "arn:aws:cloudtrail:us-east-1:111122223333:trail/main", "logging": True, "basic": [],
    "advanced": [], "every_region": True, "global_services": True, "validation": True, "selectors_seen": True,
}  # fmt: skip
EVERYTHING = "allows every action on every resource"
ODD: tuple[Any, ...] = (None, "null", 7, [], {}, [None], "\u202eevil.example", True)
FOUR = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
ANNOUNCING = [one for one in records() if one.rule.announces]


class Eyes(Plain):
    """Reads of an account with policies, and a group that grants everything."""

    account, region, home, stack, trail = "111122223333", "global", "us-east-1", "plumbline", ""
    now = datetime(2026, 3, 2, 9, 30, tzinfo=timezone.utc)
    recorded = house.Recorded()
    reach = Reach()
    policies: Mapping[str, Any] = {f"{OURS}evil": ADMIN, f"{OURS}good": READER}

    def __call__(self, call: Call, /) -> Any:
        """See core.Ask."""
        arn, group = call.parameters.get("PolicyArn", ""), call.parameters.get("GroupName", "")
        if arn == f"{OURS}hidden":
            raise AwsRefusal("AccessDenied", "no", call)
        if call.operation in ("GetPolicy", "GetPolicyVersion") and arn not in self.policies:
            return None
        if group not in ("admins", ""):
            return None
        return {
            "GetPolicy": {"Policy": {"Arn": arn, "DefaultVersionId": "v1"}},
            "GetPolicyVersion": {"PolicyVersion": {"Document": self.policies.get(arn)}},
            "GetGroup": {"Group": {"GroupName": group, "Path": "/", "Arn": f"arn:aws:iam::1:group/{group}"}},
            "ListGroupPolicies": {"PolicyNames": []},
            "ListAttachedGroupPolicies": {"AttachedPolicies": [{"PolicyArn": f"{OURS}evil"}]},
        }[call.operation]


def _principal(**held: Any) -> dict[str, Any]:
    return {"kind": "user", "name": "mallory", "groups": [], "inline": {}, "attached": [], "keeper": ""} | held


def _said(control: str, event: str, parameters: Any, state: Any, **more: Any) -> str:
    one = registry.load()[control]
    assert one.announces is not None
    detail = {"eventName": event, "requestParameters": parameters, "recipientAccountId": "111122223333", **more}
    return one.announces(Eyes(), detail, state, defaults(one))


@pytest.mark.parametrize(
    ("event", "parameters", "state", "expected"),
    [
        ("AttachUserPolicy", {"policyArn": f"{BY_AWS}AdministratorAccess"}, _principal(),
         "was given policy AdministratorAccess: it makes an administrator"),
        ("AttachUserPolicy", {"policyArn": f"{BY_AWS}ReadOnlyAccess"}, _principal(), ""),
        ("AttachUserPolicy", {"policyArn": f"{OURS}evil"}, None, f"was given policy evil: it {EVERYTHING}"),
        ("AttachRolePolicy", {"policyArn": f"{OURS}good"}, None, ""),
        ("AttachUserPolicy", {"policyArn": f"{OURS}deleted"}, None,
         "was given policy deleted, and nobody can read any more what it allowed"),
        ("AttachUserPolicy", {"policyArn": f"{OURS}hidden"}, None,
         "was given policy hidden, and nobody can read any more what it allowed"),
        ("AttachUserPolicy", {"policyArn": f"{OURS}evil"}, _principal(attached=[f"{OURS}evil"]), ""),
        ("AttachUserPolicy", {"policyArn": f"{OURS}evil"}, _principal(groups=["administrators"]), ""),
        ("PutUserPolicy", {"policyName": "x", "policyDocument": json.dumps(ADMIN)}, _principal(),
         f"was given inline policy x: it {EVERYTHING}"),
        ("PutUserPolicy", {"policyName": "x", "policyDocument": json.dumps(READER)}, _principal(), ""),
        ("PutUserPolicy", {"policyName": "x", "policyDocument": json.dumps(ADMIN)},
         _principal(inline={"x": ADMIN}), ""),
        ("PutUserPolicy", {"policyName": "x", "policyDocument": "{"}, _principal(), ""),
        ("AddUserToGroup", {"groupName": "administrators", "userName": "mallory"}, _principal(),
         "was made a member of administrators, whose members are administrators"),
        ("AddUserToGroup", {"groupName": "admins", "userName": "mallory"}, _principal(),
         f"was made a member of admins: it {EVERYTHING}"),
        ("AddUserToGroup", {"groupName": "readers", "userName": "mallory"}, _principal(), ""),
        ("AddUserToGroup", {"groupName": "admins", "userName": "mallory"}, _principal(groups=["admins"]), ""),
        ("CreatePolicyVersion", {"policyDocument": json.dumps(ADMIN), "setAsDefault": True}, {"kind": "policy"},
         f"got a version that made administrators of whoever held it: it {EVERYTHING}"),
        ("CreatePolicyVersion", {"policyDocument": json.dumps(ADMIN), "setAsDefault": False}, {"kind": "policy"}, ""),
        ("CreatePolicyVersion", {"policyDocument": json.dumps(ADMIN), "setAsDefault": True},
         {"kind": "policy", "reasons": [EVERYTHING]}, ""),
        ("RemoveUserFromGroup", {"groupName": "administrators", "userName": "mallory"}, _principal(), ""),
    ],
)  # fmt: skip
def test_administrator_rights_that_came_and_went(event: str, parameters: Any, state: Any, expected: str) -> None:
    assert expected == _said("iam-admin-grants", event, parameters, state)


@pytest.mark.parametrize(
    ("event", "status", "state", "expected"),
    [
        ("CreateAccessKey", "", None, "was made, though the baseline lists no key for its user"),
        ("CreateAccessKey", "", {"status": "Inactive"}, "was made, though the baseline lists no key for its user"),
        ("CreateAccessKey", "", {"status": "Active"}, ""),
        ("UpdateAccessKey", "Active", None, "was switched on, though the baseline lists no key for its user"),
        ("UpdateAccessKey", "Inactive", None, ""),
        ("UpdateUser", "", None, ""),
    ],
)
def test_a_key_that_came_and_went(event: str, status: str, state: Any, expected: str) -> None:
    made = {"responseElements": {"accessKey": {"accessKeyId": "AKIA1", "userName": "bot"}}}
    assert expected == _said("iam-access-key-created", event, {"status": status}, state, **made)


@pytest.mark.parametrize(
    ("event", "keys", "made", "expected"),
    [
        ("CreateAccessKey", False, {"accessKeyId": "AKIA1"}, "was given an access key"),
        ("CreateAccessKey", True, {"accessKeyId": "AKIA1"}, ""),
        ("CreateAccessKey", False, {"accessKeyId": "AKIA1", "userName": "bot"}, ""),
        ("UpdateAccessKey", False, {}, ""),
    ],
)
def test_a_key_of_roots_that_came_and_went(event: str, keys: bool, made: Any, expected: str) -> None:  # noqa: FBT001
    said = _said("root-access-keys", event, None, {"keys": keys}, responseElements={"accessKey": made})
    assert expected == said


def _acl(grants: Any) -> Any:
    return {"AccessControlPolicy": {"AccessControlList": {"Grant": grants}}}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"x-amz-acl": ["public-read"]}, "was made public: anyone might list it"),
        ({"x-amz-acl": "public-read-write"}, "was made public: anyone might list it, write and delete files"),
        ({"x-amz-acl": ["private"]}, ""),
        (_acl({"Grantee": {"URI": ALL_USERS}, "Permission": "READ"}), "was made public: anyone might list it"),
        (_acl([{"Grantee": {"ID": "1"}, "Permission": "READ"}]), ""),
        (None, ""),
    ],
)  # fmt: skip
def test_a_bucket_public_for_a_minute_by_its_acl(parameters: Any, expected: str) -> None:
    assert expected == _said("s3-public-acl", "PutBucketAcl", parameters, None)


def test_a_bucket_public_for_a_minute_by_its_policy() -> None:
    said = [_said("s3-public-policy", "PutBucketPolicy", {"bucketPolicy": one}, None) for one in (EVERYBODY, PARTNER)]
    assert ["was made public: its policy allowed anyone to s3:GetObject", ""] == [
        one.replace("anyone s3:", "anyone to s3:") for one in said
    ]


@pytest.mark.parametrize(
    ("event", "parameters", "trails", "expected"),
    [
        ("StopLogging", {"name": "main"}, [WHOLE], "was off for a while: trail main was stopped"),
        ("StopLogging", {"name": WHOLE["arn"]}, [WHOLE], "was off for a while: trail main was stopped"),
        ("DeleteTrail", {"name": "main"}, [WHOLE], "was off for a while: trail main was deleted"),
        ("StopLogging", {"name": "main"}, [WHOLE, {**WHOLE, "name": "other", "arn": "o"}], ""),
        ("StopLogging", {"name": "other"}, [WHOLE], ""),
        ("UpdateTrail", {"name": "main", "isMultiRegionTrail": False}, [WHOLE],
         "was off for a while: trail main was narrowed (isMultiRegionTrail switched off)"),
        ("UpdateTrail", {"name": "main", "isMultiRegionTrail": True}, [WHOLE], ""),
        ("PutEventSelectors", {"trailName": "main", "eventSelectors": [{"includeManagementEvents": False}]}, [WHOLE],
         "was off for a while: trail main was told to leave out management events"),
        ("PutEventSelectors", {"trailName": "main", "eventSelectors": [{"readWriteType": "All"}]}, [WHOLE], ""),
    ],
)  # fmt: skip
def test_a_trail_that_was_off_for_a_while(event: str, parameters: Any, trails: Any, expected: str) -> None:
    assert expected == _said("cloudtrail-logging", event, parameters, {"trails": trails})


@pytest.mark.parametrize(
    ("verb", "given", "expected"),
    [
        ("Put", {**dict.fromkeys(FOUR, True), FOUR[0]: False}, "was switched off in part: BlockPublicAcls"),
        ("Put", dict.fromkeys(FOUR, True), ""),
        ("Delete", {}, "was taken away"),
    ],
)
def test_an_access_block_that_was_off_for_a_while(verb: str, given: Any, expected: str) -> None:
    parameters = {"PublicAccessBlockConfiguration": given}
    assert expected == _said("account-s3-public-access", f"{verb}AccountPublicAccessBlock", parameters, {})


@pytest.mark.parametrize("record", ANNOUNCING, ids=str)
def test_whatever_is_missing_or_odd_in_an_event_is_read_without_a_word(record: Recorded) -> None:
    detail, control = record.event()["detail"], record.rule
    assert control.announces is not None
    state = {"trails": [WHOLE]} if control.id == "cloudtrail-logging" else None
    for path in places(detail):
        odd = [put(detail, path, one) for one in ODD]
        for mutilated in (without(detail, path), *odd):
            assert isinstance(control.announces(Eyes(), mutilated, state, defaults(control)), str)


@pytest.mark.parametrize(
    ("event", "parameters", "by", "expected"),
    [
        ("AttachUserPolicy", {"policyArn": f"{BY_AWS}AWSCloudShellFullAccess"}, [],
         "was given all of CloudShell by AWSCloudShellFullAccess"),
        ("AttachUserPolicy", {"policyArn": f"{BY_AWS}AWSCloudShellFullAccess"},
         [f"{BY_AWS}AWSCloudShellFullAccess"], ""),
        ("AttachUserPolicy", {"policyArn": f"{BY_AWS}ReadOnlyAccess"}, [], ""),
        ("PutUserPolicy", {"policyName": "x", "policyDocument": json.dumps(SHELL)}, [],
         "was given all of CloudShell by inline policy x"),
        ("PutUserPolicy", {"policyName": "x", "policyDocument": json.dumps(READER)}, [], ""),
        ("PutUserPolicy", {"policyName": "x", "policyDocument": "{"}, [], ""),
    ],
)  # fmt: skip
def test_cloudshell_for_a_minute(event: str, parameters: Any, by: Any, expected: str) -> None:
    state = {"kind": "user", "name": "ann", "arn": "arn:aws:iam::111122223333:user/ann", "groups": [], "keeper": ""}
    assert expected == _said("iam-cloudshell", event, parameters, state | {"by": by})


@pytest.mark.parametrize(
    ("event", "name", "principal", "still", "expected"),
    [
        ("CreateRole", "assumeRolePolicyDocument", "*", None, "could be assumed by anybody"),
        ("UpdateAssumeRolePolicy", "policyDocument", {"AWS": "*"}, [], "could be assumed by anybody"),
        ("UpdateAssumeRolePolicy", "policyDocument", "*", [["anybody", "anybody", ""]], ""),
        ("UpdateAssumeRolePolicy", "policyDocument", {"AWS": "444455556666"}, [], ""),
        ("UpdateAssumeRolePolicy", "policyDocument", {"Service": "ec2.amazonaws.com"}, [], ""),
    ],
)
def test_a_role_open_to_anybody_for_a_minute(event: str, name: str, principal: Any, still: Any, expected: str) -> None:
    trust = json.dumps({"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]})
    state = None if still is None else {"open": still}
    assert expected == _said("iam-role-trust", event, {"roleName": "door", name: trust}, state)


@pytest.mark.parametrize(
    ("event", "status", "state", "expected"),
    [
        ("CreateServiceSpecificCredential", "", None, "was made, though the baseline lists none for its user"),
        ("CreateServiceSpecificCredential", "", {"status": "Active"}, ""),
        ("UpdateServiceSpecificCredential", "Active", {"status": "Inactive"},
         "was switched on, though the baseline lists none for its user"),
        ("UpdateServiceSpecificCredential", "Inactive", {"status": "Inactive"}, ""),
    ],
)  # fmt: skip
def test_a_service_credential_that_came_and_went(event: str, status: str, state: Any, expected: str) -> None:
    made = {"serviceSpecificCredential": {"serviceSpecificCredentialId": "ACCA1", "userName": "mallory"}}
    more = {"responseElements": made} if event.startswith("Create") else {}
    assert expected == _said("iam-service-credentials", event, {"status": status}, state, **more)
