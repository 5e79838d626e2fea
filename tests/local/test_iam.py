"""IAM in the embedded AWS: names, sizes, counts, documents, principals and deletions as AWS takes and refuses them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.embedded import ACCOUNT, EmbeddedAWS
from tests.local.conftest import error

ROOT_ONLY = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
DENY_ONE = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}]})


@pytest.fixture(scope="module")
def iam(account: EmbeddedAWS) -> Any:
    return account.client("iam")


def _trust(principal: Mapping[str, Any]) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _long(characters: int) -> str:
    """A policy of exactly so many characters without white space, and many more with it."""
    statement = {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    statement["Resource"] += "a" * (characters - len("".join(json.dumps(document).split())))
    return json.dumps(document, indent=8)


# --- names ----------------------------------------------------------------------------------------

#: The quotas page: letters, digits and `+=,.@_-`; users and roles to 64 characters, groups and policies to 128.
#: Source: IAM user guide, IAM and AWS STS quotas, name requirements, and character limits.
REFUSED = {
    "a space": ("create_user", {"UserName": "ann bell"}),
    "a slash": ("create_group", {"GroupName": "team/staff"}),
    "a colon": ("create_role", {"RoleName": "a:b", "AssumeRolePolicyDocument": _trust(ROOT_ONLY)}),
    "an umlaut": ("create_user", {"UserName": "jürgen"}),
    "65 characters of a user": ("create_user", {"UserName": "u" * 65}),
    "65 characters of a role": ("create_role", {"RoleName": "r" * 65, "AssumeRolePolicyDocument": _trust(ROOT_ONLY)}),
    "129 characters of a group": ("create_group", {"GroupName": "g" * 129}),
    "129 characters of a policy": ("create_policy", {"PolicyName": "p" * 129, "PolicyDocument": DENY_ONE}),
    "a path that does not begin": ("create_user", {"UserName": "u1", "Path": "team/"}),
    "a path that does not end": ("create_user", {"UserName": "u2", "Path": "/team"}),
}


@pytest.mark.parametrize("why", REFUSED)
def test_impossible_names_are_refused(iam: Any, why: str) -> None:
    operation, given = REFUSED[why]
    assert error(lambda: getattr(iam, operation)(**given)) == "ValidationError"


def test_the_longest_names_are_taken(iam: Any) -> None:
    assert iam.create_user(UserName="u" * 64)["User"]["UserName"] == "u" * 64
    assert iam.create_group(GroupName="g" * 128)["Group"]["GroupName"] == "g" * 128
    iam.delete_user(UserName="u" * 64)
    iam.delete_group(GroupName="g" * 128)


def test_names_that_differ_in_case_are_one(iam: Any) -> None:
    iam.create_user(UserName="Clara")
    iam.create_group(GroupName="Admins")
    iam.create_role(RoleName="Robot-1", AssumeRolePolicyDocument=_trust(ROOT_ONLY))
    iam.create_policy(PolicyName="Rights-1", PolicyDocument=DENY_ONE)
    again = [
        error(lambda: iam.create_user(UserName="CLARA")),
        error(lambda: iam.create_group(GroupName="admins")),
        error(lambda: iam.create_role(RoleName="robot-1", AssumeRolePolicyDocument=_trust(ROOT_ONLY))),
        error(lambda: iam.create_policy(PolicyName="rights-1", Path="/other/", PolicyDocument=DENY_ONE)),
    ]
    assert again == ["EntityAlreadyExists"] * 4
    assert iam.get_user(UserName="clara")["User"]["UserName"] == "Clara"
    iam.add_user_to_group(UserName="cLARA", GroupName="ADMINS")
    assert [one["UserName"] for one in iam.get_group(GroupName="admins")["Users"]] == ["Clara"]


def test_a_renamed_group_keeps_what_it_is_and_has(iam: Any) -> None:
    group = iam.create_group(GroupName="before")["Group"]
    iam.create_user(UserName="member")
    iam.add_user_to_group(GroupName="before", UserName="member")
    iam.attach_group_policy(GroupName="before", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    iam.put_group_policy(GroupName="before", PolicyName="inline", PolicyDocument=DENY_ONE)
    iam.update_group(GroupName="before", NewGroupName="after", NewPath="/moved/")
    found = iam.get_group(GroupName="after")
    assert (found["Group"]["GroupId"], found["Group"]["Arn"]) == (
        group["GroupId"],
        f"arn:aws:iam::{ACCOUNT}:group/moved/after",
    )
    assert [one["UserName"] for one in found["Users"]] == ["member"]
    assert iam.list_group_policies(GroupName="after")["PolicyNames"] == ["inline"]
    assert len(iam.list_attached_group_policies(GroupName="after")["AttachedPolicies"]) == 1
    assert error(lambda: iam.get_group(GroupName="before")) == "NoSuchEntity"
    iam.create_group(GroupName="taken")
    assert error(lambda: iam.update_group(GroupName="after", NewGroupName="TAKEN")) == "EntityAlreadyExists"


def test_a_renamed_user_keeps_key_group_and_policies(iam: Any) -> None:
    iam.create_user(UserName="maiden")
    iam.create_group(GroupName="wedding")
    key = iam.create_access_key(UserName="maiden")["AccessKey"]["AccessKeyId"]
    iam.add_user_to_group(GroupName="wedding", UserName="maiden")
    iam.put_user_policy(UserName="maiden", PolicyName="inline", PolicyDocument=DENY_ONE)
    iam.update_user(UserName="maiden", NewUserName="married")
    assert [one["AccessKeyId"] for one in iam.list_access_keys(UserName="married")["AccessKeyMetadata"]] == [key]
    assert [one["GroupName"] for one in iam.list_groups_for_user(UserName="married")["Groups"]] == ["wedding"]
    assert iam.list_user_policies(UserName="married")["PolicyNames"] == ["inline"]
    assert error(lambda: iam.get_user(UserName="maiden")) == "NoSuchEntity"


# --- AWS's own policies ---------------------------------------------------------------------------

KNOWN = (
    "AdministratorAccess",
    "AWSCompromisedKeyQuarantineV2",
    "AWSCompromisedKeyQuarantineV3",
    "AWSDenyAll",
    "IAMUserChangePassword",
    "job-function/Billing",
    "job-function/ViewOnlyAccess",
    "service-role/AWSLambdaBasicExecutionRole",
)


@pytest.mark.parametrize("name", KNOWN)
def test_awss_own_policies_are_known(iam: Any, name: str) -> None:
    arn = f"arn:aws:iam::aws:policy/{name}"
    policy = iam.get_policy(PolicyArn=arn)["Policy"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])["PolicyVersion"]["Document"]
    assert (policy["Arn"], bool(document["Statement"])) == (arn, True)


def test_a_policy_of_awss_takes_effect_where_it_is_attached(account: EmbeddedAWS, iam: Any) -> None:
    account.user("denied", policies=["arn:aws:iam::aws:policy/AdministratorAccess"])
    as_denied = account.client("iam", as_="denied")
    as_denied.get_user(UserName="denied")
    iam.attach_user_policy(UserName="denied", PolicyArn="arn:aws:iam::aws:policy/AWSDenyAll")
    assert error(lambda: as_denied.get_user(UserName="denied")) == "AccessDenied"


def test_a_policy_nobody_has_is_not_attached(iam: Any) -> None:
    iam.create_group(GroupName="nothing")
    for arn in ("arn:aws:iam::aws:policy/AdministratorAcess", f"arn:aws:iam::{ACCOUNT}:policy/none"):
        assert error(lambda arn=arn: iam.attach_group_policy(GroupName="nothing", PolicyArn=arn)) == "NoSuchEntity"  # type: ignore[misc]


# --- sizes and counts -----------------------------------------------------------------------------


def test_a_policys_size_does_not_count_white_space(iam: Any) -> None:
    arn = iam.create_policy(PolicyName="longest", PolicyDocument=_long(6144))["Policy"]["Arn"]
    assert error(lambda: iam.create_policy_version(PolicyArn=arn, PolicyDocument=_long(6145))) == "LimitExceeded"
    assert error(lambda: iam.create_policy(PolicyName="longer", PolicyDocument=_long(6145))) == "LimitExceeded"


@pytest.mark.parametrize(("kind", "most"), [("user", 2048), ("group", 5120), ("role", 10240)])
def test_inline_policies_share_what_their_owner_may_have(iam: Any, kind: str, most: int) -> None:
    name = {f"{kind.capitalize()}Name": f"full-{kind}"}
    trust = {"AssumeRolePolicyDocument": _trust(ROOT_ONLY)} if kind == "role" else {}
    getattr(iam, f"create_{kind}")(**name, **trust)
    put = getattr(iam, f"put_{kind}_policy")
    put(**name, PolicyName="first", PolicyDocument=_long(most - 200))
    put(**name, PolicyName="second", PolicyDocument=_long(200))
    with pytest.raises(ClientError, match=f"Maximum policy size of {most} bytes exceeded for {kind} full-{kind}"):
        put(**name, PolicyName="third", PolicyDocument=_long(100))
    put(**name, PolicyName="second", PolicyDocument=_long(150))


@pytest.mark.parametrize("kind", ["user", "group", "role"])
def test_ten_policies_are_attached_and_no_eleventh(iam: Any, kind: str) -> None:
    name = {f"{kind.capitalize()}Name": f"holder-{kind}"}
    trust = {"AssumeRolePolicyDocument": _trust(ROOT_ONLY)} if kind == "role" else {}
    getattr(iam, f"create_{kind}")(**name, **trust)
    arns = [
        iam.create_policy(PolicyName=f"of-{kind}-{one}", PolicyDocument=DENY_ONE)["Policy"]["Arn"] for one in range(11)
    ]
    attach = getattr(iam, f"attach_{kind}_policy")
    for arn in arns[:10]:
        attach(**name, PolicyArn=arn)
    with pytest.raises(ClientError, match=rf"Cannot exceed quota for PoliciesPer{kind.capitalize()}: 10"):
        attach(**name, PolicyArn=arns[10])
    attach(**name, PolicyArn=arns[0])


def test_a_user_has_two_keys_and_ten_groups(iam: Any) -> None:
    iam.create_user(UserName="greedy")
    for one in range(11):
        iam.create_group(GroupName=f"group-{one}")
    for _ in range(2):
        iam.create_access_key(UserName="greedy")
    assert error(lambda: iam.create_access_key(UserName="greedy")) == "LimitExceeded"
    for one in range(10):
        iam.add_user_to_group(UserName="greedy", GroupName=f"group-{one}")
    assert error(lambda: iam.add_user_to_group(UserName="greedy", GroupName="group-10")) == "LimitExceeded"


# --- documents and principals ---------------------------------------------------------------------

MALFORMED = {
    "no JSON": "{",
    "a version of its own": '{"Version": "2020-01-01", "Statement": []}',
    "a principal": json.dumps(
        {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}]}
    ),
    "an action without its service": json.dumps(
        {"Statement": [{"Effect": "Allow", "Action": "GetObject", "Resource": "*"}]}
    ),
    "a resource that is no ARN": json.dumps(
        {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "my-bucket"}]}
    ),
    "two statements of one Sid": json.dumps(
        {"Statement": [{"Sid": "A", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}] * 2}
    ),
    "no resource": json.dumps({"Statement": [{"Effect": "Allow", "Action": "s3:*"}]}),
}


@pytest.mark.parametrize("why", MALFORMED)
def test_malformed_policies_are_refused(iam: Any, why: str) -> None:
    refused = error(lambda: iam.create_policy(PolicyName="malformed", PolicyDocument=MALFORMED[why]))
    assert refused == "MalformedPolicyDocument"


@pytest.mark.parametrize(
    "principal",
    [
        "AROAJXYZEXAMPLE1234567",
        f"arn:aws:iam::{ACCOUNT}:user/nobody",
        f"arn:aws:iam::{ACCOUNT}:role/nobody",
        "arn:aws:iam::222233334444:root",
        "222233334444",
        "someone",
    ],
)
def test_nobody_can_be_trusted(account: EmbeddedAWS, iam: Any, principal: str) -> None:
    account.close_account("222233334444")
    trust = _trust({"AWS": [f"arn:aws:iam::{ACCOUNT}:root", principal]})
    with pytest.raises(ClientError, match=f'Invalid principal in policy: "AWS":"{re.escape(principal)}"'):
        iam.create_role(RoleName="trusting", AssumeRolePolicyDocument=trust)


def test_who_is_trusted_and_deleted_stays_in_the_policy_by_his_id(account: EmbeddedAWS, iam: Any) -> None:
    leaver = iam.create_user(UserName="leaver")["User"]
    trust = {"AWS": [leaver["Arn"], f"arn:aws:iam::{ACCOUNT}:root"]}
    iam.create_role(RoleName="remembers", AssumeRolePolicyDocument=_trust(trust))
    s3, bucket = account.client("s3"), "remembers-111122223333"
    s3.create_bucket(Bucket=bucket)
    statement = {"Effect": "Allow", "Principal": {"AWS": leaver["Arn"]}, "Action": "s3:GetObject"}
    policy = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": f"arn:aws:s3:::{bucket}/*"}]}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    iam.delete_user(UserName="leaver")

    trusted = iam.get_role(RoleName="remembers")["Role"]["AssumeRolePolicyDocument"]
    kept = s3.get_bucket_policy(Bucket=bucket)["Policy"]
    assert trusted["Statement"][0]["Principal"]["AWS"] == [leaver["UserId"], f"arn:aws:iam::{ACCOUNT}:root"]
    assert json.loads(kept)["Statement"][0]["Principal"] == {"AWS": leaver["UserId"]}
    iam.create_user(UserName="leaver")  # somebody else of the same name
    assert error(lambda: s3.put_bucket_policy(Bucket=bucket, Policy=kept)) == "MalformedPolicy"
    rewritten = json.dumps(trusted)
    assert (
        error(lambda: iam.update_assume_role_policy(RoleName="remembers", PolicyDocument=rewritten))
        == "MalformedPolicyDocument"
    )


# --- deletions ------------------------------------------------------------------------------------


def test_what_is_in_use_is_not_deleted(iam: Any) -> None:
    name = {"UserName": "in-use"}
    iam.create_user(**name)
    policy = iam.create_policy(PolicyName="in-use", PolicyDocument=DENY_ONE)["Policy"]["Arn"]
    attached, inline = {**name, "PolicyArn": policy}, {**name, "PolicyName": "p"}
    steps: list[tuple[Callable[[], object], Callable[[], object]]] = [
        (lambda: iam.attach_user_policy(**attached), lambda: iam.detach_user_policy(**attached)),
        (lambda: iam.put_user_policy(**inline, PolicyDocument=DENY_ONE), lambda: iam.delete_user_policy(**inline)),
        (
            lambda: iam.create_login_profile(**name, Password="correct-Horse-7"),
            lambda: iam.delete_login_profile(**name),
        ),
    ]
    for put, take in steps:
        put()
        assert error(lambda: iam.delete_user(**name)) == "DeleteConflict"
        take()
    iam.create_group(GroupName="in-use")
    iam.add_user_to_group(GroupName="in-use", **name)
    assert [error(lambda: iam.delete_user(**name)), error(lambda: iam.delete_group(GroupName="in-use"))] == [
        "DeleteConflict"
    ] * 2
    iam.remove_user_from_group(GroupName="in-use", **name)
    iam.attach_group_policy(GroupName="in-use", PolicyArn=policy)
    assert [
        error(lambda: iam.delete_policy(PolicyArn=policy)),
        error(lambda: iam.delete_group(GroupName="in-use")),
    ] == ["DeleteConflict"] * 2
    iam.detach_group_policy(GroupName="in-use", PolicyArn=policy)
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=DENY_ONE, SetAsDefault=True)
    assert error(lambda: iam.delete_policy(PolicyArn=policy)) == "DeleteConflict"
    iam.delete_policy_version(PolicyArn=policy, VersionId="v1")
    iam.delete_policy(PolicyArn=policy)
    iam.delete_group(GroupName="in-use")
    iam.delete_user(**name)
