"""What policy documents mean: the matcher against an oracle, and every shape that AWS accepts."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.iam.aws_managed_policies import aws_managed_policies_data

from plumbline.rights.administrators import AWS_ADMIN_POLICIES, admin_reason
from plumbline.rights.documents import (
    allows,
    document,
    matches,
    statements,
)

words = st.text("aA:*?[]-.", max_size=12)
plain = st.text("aA:[]-.b", max_size=12)


def _allow(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def _not_action(*actions: str, resource: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "NotAction": list(actions), "Resource": resource}


def _deny(action: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, **({"Resource": "*"} | more)}


def _policy(*those: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(those)}


def _if(operator: str, key: str, value: Any) -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


# --- matching -------------------------------------------------------------------------------------


@given(words, plain)
def test_matching_is_what_a_regular_expression_says(pattern: str, name: str) -> None:
    oracle = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)
    assert matches(pattern, name) == bool(re.fullmatch(oracle, name, re.IGNORECASE | re.DOTALL))


def test_a_hostile_pattern_costs_no_exponential_time() -> None:
    assert not matches("*a" * 500, "a" * 400 + "b")


@pytest.mark.parametrize("shape", [lambda one: one, lambda one: [one], lambda one: ["s3:GetObject", one]])
def test_one_value_or_a_list_is_the_same(shape: Any) -> None:
    assert admin_reason({"Statement": _allow(shape("*"), shape("*"))}) == admin_reason(_policy(_allow()))


@pytest.mark.parametrize("write", [lambda one: one, json.dumps, lambda one: quote(json.dumps(one))])
def test_a_document_is_read_however_aws_hands_it_over(write: Any) -> None:
    assert document(write(_policy(_allow()))) == _policy(_allow())


@pytest.mark.parametrize("nonsense", [{}, {"Statement": None}, {"Statement": "x"}, {"Statement": ["x", None]}])
def test_a_document_without_statements_says_nothing(nonsense: dict[str, Any]) -> None:
    assert statements(nonsense) == []
    assert admin_reason(nonsense) == ""


@given(words.filter(bool), plain)
def test_not_action_is_the_opposite_of_action(pattern: str, name: str) -> None:
    assert allows({"NotAction": pattern}, name) != allows({"Action": [pattern]}, name)


# --- administrators -------------------------------------------------------------------------------

ADMINISTRATORS = {
    "everything": _policy(_allow()),
    "everything, spelled out": _policy(_allow("*:*", "arn:aws:*:*:*:*")) | {"Id": "x"},
    "everything, with question marks": _policy(_allow("?*", "a*"), _allow("*", "*")),
    "all of IAM": _policy(_allow("iam:*")),
    "all of IAM, in capitals": _policy(_allow("IAM:*")),
    "all of IAM, by account": _policy(_allow("iam:*", "arn:aws:iam::111122223333:*")),
    "all of IAM, in China": _policy(_allow("iam:*", "arn:aws-cn:iam::111122223333:*")),
    "everything but something": _policy(_not_action("s3:*")),
    "attaching, by a part of the name": _policy(_allow("iam:Attach*Policy", "arn:aws:iam::*:user/*")),
    "attaching to roles": _policy(_allow("iam:AttachRolePolicy", "arn:aws:iam::111122223333:role/*")),
    "attaching to oneself": _policy(_allow("iam:PutUserPolicy", "arn:aws:iam::111122223333:user/${aws:username}")),
    "versions of policies": _policy(_allow(["iam:CreatePolicyVersion"])),
    "keys for anybody": _policy(_allow("iam:CreateAccessKey")),
    "joining any group": _policy(_allow("iam:AddUserToGroup")),
    "all but one resource": _policy({"Effect": "Allow", "Action": "iam:*", "NotResource": "arn:aws:iam::*:user/ann"}),
    "with a second factor": _policy(_allow(**_if("Bool", "aws:MultiFactorAuthPresent", "true"))),
    "from the office": _policy(_allow(**_if("IpAddress", "aws:SourceIp", "203.0.113.0/24"))),
    "under a condition that is always true": _policy(_allow(**_if("StringLike", "aws:PrincipalArn", "*"))),
    "through an MCP server": _policy(_allow(**_if("Bool", "aws:ViaAWSMCPService", "true"))),
    "attaching any of AWS's policies": _policy(
        _allow("iam:AttachUserPolicy", **_if("ArnLike", "iam:PolicyARN", "arn:aws:iam::aws:policy/*"))
    ),
    "all of IAM, with a condition on what some of it attaches": _policy(
        _allow("iam:*", **_if("ArnNotEquals", "iam:PolicyARN", "arn:aws:iam::aws:policy/AdministratorAccess"))
    ),
    "a new role of its own, by its name": _policy(
        _allow(["iam:CreateRole", "iam:PutRolePolicy"], "arn:aws:iam::111122223333:role/app-*")
    ),
    "under a condition that leaves one thing out": _policy(_allow(**_if("StringNotEquals", "aws:ResourceTag/a", "b"))),
    "under a condition that a missing key fulfils": _policy(
        _allow(**_if("StringEqualsIfExists", "aws:ResourceTag/a", "b"))
    ),
    "with a denial of something else": _policy(_allow(), _deny("s3:DeleteBucket")),
    "with a denial of some ways only": _policy(_allow(), _deny(["iam:Attach*", "iam:Put*", "iam:PassRole"])),
    "with a denial under a condition": _policy(
        _allow(), _deny("*", **_if("Bool", "aws:MultiFactorAuthPresent", "false"))
    ),
    "with a denial for one resource": _policy(_allow(), _deny("iam:*", Resource="arn:aws:iam::*:user/ann")),
    "with a denial that leaves a resource out": _policy(
        _allow("iam:*"), {"Effect": "Deny", "Action": "iam:Attach*", "NotResource": "arn:aws:iam::*:role/mine"}
    ),
}
OTHERS = {
    "passing any role to a function": _policy(_allow("iam:PassRole"), _allow("lambda:*")),
    "passing any role to one function": _policy(
        _allow("iam:PassRole"), _allow(["lambda:Create*", "lambda:Invoke*"], "arn:aws:lambda:*:*:function:mine")
    ),
    "what only PassRole is asked with": _policy(_allow(**_if("StringLike", "iam:PassedToService", "*"))),
    "calls to MCP servers": _policy(_allow(**_if("Bool", "aws:IsMcpServiceAction", "true"))),
    "reading": _policy(_allow(["iam:Get*", "iam:List*"])),
    "everything in one bucket": _policy(_allow("*", "arn:aws:s3:::mine/*")),
    "a power user": _policy(
        _not_action("iam:*", "organizations:*", "account:*"), _allow("iam:CreateServiceLinkedRole")
    ),
    "everything, less IAM": _policy(_allow(), _deny("iam:*")),
    "everything, less IAM by NotAction": _policy(_allow(), {"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}),
    "everything outside IAM": _policy({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:iam::*:*"}),
    "one's own keys": _policy(_allow("iam:*AccessKey*", "arn:aws:iam::*:user/${aws:username}")),
    "one role": _policy(_allow("iam:AttachRolePolicy", "arn:aws:iam::111122223333:role/mine")),
    "passing a role to one service": _policy(
        _allow("iam:PassRole", **_if("StringEquals", "iam:PassedToService", "lambda.amazonaws.com")), _allow("lambda:*")
    ),
    "passing one role": _policy(_allow("iam:PassRole", "arn:aws:iam::111122223333:role/mine"), _allow("lambda:*")),
    "attaching one policy": _policy(
        _allow("iam:AttachUserPolicy", **_if("ArnEquals", "iam:PolicyARN", "arn:aws:iam::aws:policy/ReadOnlyAccess"))
    ),
    "passing any role, and nothing to run": _policy(_allow("iam:PassRole")),
    "denying": _policy(_deny("*")),
    "what a resource of another service says": _policy(_allow("iam:*", "arn:aws:s3:::*")),
}


@pytest.mark.parametrize("policy", ADMINISTRATORS.values(), ids=ADMINISTRATORS)
def test_these_make_administrators(policy: dict[str, Any]) -> None:
    assert admin_reason(policy)


@pytest.mark.parametrize("policy", OTHERS.values(), ids=OTHERS)
def test_these_do_not(policy: dict[str, Any]) -> None:
    assert admin_reason(policy) == ""


texts = st.sampled_from(
    ["*", "iam:*", "s3:Get*", "iam:PassRole", "lambda:*", "arn:aws:iam::*:role/*", "${aws:username}", ""]
)
some = st.one_of(texts, st.lists(texts, max_size=3))
conditions = st.dictionaries(
    st.sampled_from(["StringEquals", "Null", "ForAllValues:StringLike", "ArnLike"]),
    st.dictionaries(st.sampled_from(["aws:SourceIp", "iam:PassedToService"]), some, max_size=2),
    max_size=2,
)
rules = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Deny"])},
    optional={
        "Action": some,
        "NotAction": some,
        "Resource": some,
        "NotResource": some,
        "Principal": some,
        "Condition": conditions,
    },
)


@given(st.lists(rules, max_size=4))
def test_every_shape_is_read_and_a_denial_of_everything_ends_it(those: list[dict[str, Any]]) -> None:
    assert isinstance(admin_reason(_policy(*those)), str)
    assert admin_reason(_policy(*those, _deny("*"))) == ""
    assert admin_reason(_policy(*those, _allow(), *[])) or any(one["Effect"] == "Deny" for one in those)


@given(st.lists(rules, max_size=3), rules)
def test_no_further_allow_makes_an_administrator_less_of_one(those: list[dict[str, Any]], more: dict[str, Any]) -> None:
    if more["Effect"] == "Allow" and admin_reason(_policy(*those)):
        assert admin_reason(_policy(*those, more))


def test_aws_own_administrators_are_those_that_its_documents_make() -> None:
    known = json.loads(aws_managed_policies_data)
    found = {f"{one['Path']}{name}".lstrip("/") for name, one in known.items() if admin_reason(one["Document"])}
    assert {name for name in found if not name.startswith("aws-service-role/")} == AWS_ADMIN_POLICIES
