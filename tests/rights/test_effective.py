"""What a principal may do: compared with another evaluator over generated documents, and what nobody can decide."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plumbline.rights.account import Principal
from plumbline.rights.documents import Document
from plumbline.rights.effective import Verdict, may
from tests.rights.accounts import NUMBER, allow, arn, deny, role, user

ROOT = Path(__file__).parents[2]
ME = user("mallory", path="team/", tags={"team": "red"})
#: What AWS says of the caller, and what it sends with a request.
KEYS = {"aws:username": "mallory", "aws:principaltag/team": "red", "aws:principaltag/stage": None}
SENT: Mapping[str, list[Any]] = {
    "iam:PolicyARN": ["arn:aws:iam::aws:policy/AdministratorAccess", None],
    "aws:TagKeys": [["a", "b"], ["a"]],
}

actions = st.sampled_from(
    ["*", "iam:*", "IAM:Put*", "iam:PutUserPolicy", "iam:?utUserPolicy", "iam:Attach*", "s3:*", "s3:G*"]
)
resources = st.sampled_from(
    [
        "*",
        "arn:aws:iam::*:user/*",
        arn("user", "*"),
        arn("user", "team/mallory"),
        arn("user", "team/${aws:username}"),
        arn("user", "${aws:PrincipalTag/stage, 'team'}/mallory"),
        arn("user", "${aws:PrincipalTag/stage}/mallory"),
        arn("user", "team/m?llory"),
        arn("group", "*"),
        "arn:aws:s3:::b/*",
    ]
)
OPERATORS = (
    *(
        f"{one}{more}"
        for one in ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike")
        for more in ("", "IfExists")
    ),
    *("StringEqualsIgnoreCase", "Bool"),
)
#: Asked about ARNs: what a bare wildcard fits among them AWS does not say, and evaluators differ.
OF_ARNS = ("ArnLike", "ArnNotLike", "ArnEquals")
arns = st.sampled_from([ME.arn, arn("user", "*"), arn("user", "team/${aws:username}"), "arn:aws:iam::aws:policy/*"])
SETS = ("ForAnyValue:StringEquals", "ForAllValues:StringLike", "ForAnyValue:StringNotEquals")
KEYS_OF_ONE = ["aws:username", "aws:PrincipalTag/team", "aws:PrincipalTag/stage", "iam:PolicyARN", "aws:PrincipalArn"]
keys = st.sampled_from([*KEYS_OF_ONE, "aws:TagKeys"])
arn_keys = st.sampled_from(["iam:PolicyARN", "aws:PrincipalArn"])
values = st.sampled_from(
    [
        "mallory",
        "MALLORY",
        "red",
        "*",
        "m*",
        "a",
        "${aws:username}",
        ME.arn,
        "true",
        "false",
        "arn:aws:iam::aws:policy/*",
    ]
)
#: Keys with many values are compared by set operators; what others make of them AWS does not say.
compared = st.dictionaries(
    st.sampled_from(KEYS_OF_ONE), st.lists(values, min_size=1, max_size=2), min_size=1, max_size=2
)
conditions: st.SearchStrategy[dict[str, Any]] = st.builds(
    lambda tests, null: tests | ({"Null": null} if null else {}),
    st.dictionaries(st.sampled_from(OPERATORS), compared, max_size=2)
    | st.dictionaries(
        st.sampled_from(OF_ARNS), st.dictionaries(arn_keys, st.lists(arns, min_size=1, max_size=2)), max_size=2
    )
    | st.dictionaries(
        st.sampled_from(SETS), st.dictionaries(st.just("aws:TagKeys"), st.lists(values, min_size=1)), max_size=2
    ),
    st.none() | st.dictionaries(keys, st.sampled_from(["true", "false"]), min_size=1, max_size=1),
)
statements = st.builds(
    lambda effect, act, acts, on, those, when: (
        {"Effect": effect, act: acts, on: those} | ({"Condition": when} if when else {})
    ),
    st.sampled_from(["Allow", "Allow", "Deny"]),
    st.sampled_from(["Action", "Action", "NotAction"]),
    st.lists(actions, min_size=1, max_size=2),
    st.sampled_from(["Resource", "Resource", "NotResource"]),
    st.lists(resources, min_size=1, max_size=2),
    conditions,
)
documents = st.builds(
    lambda version, said: {"Version": version, "Statement": said},
    st.sampled_from(["2012-10-17", "2012-10-17", "2008-10-17"]),
    st.lists(statements, min_size=1, max_size=3),
)

Ask = Callable[[Mapping[str, Any]], str]


@pytest.fixture(scope="module")
def oracle() -> Iterator[Ask]:
    """The embedded account's evaluator, in a process of its own."""
    program = [str(ROOT / ".venv/emulator/bin/python"), "-m", "tests.rights.oracle"]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdin
        assert process.stdout
        into, out = process.stdin, process.stdout

        def ask(question: Mapping[str, Any]) -> str:
            into.write(json.dumps(question) + "\n")
            into.flush()
            return str(json.loads(out.readline()))

        yield ask
        into.close()


@given(
    those=st.lists(documents, max_size=3),
    boundary=st.none() | documents,
    action=st.sampled_from(["iam:PutUserPolicy", "iam:AttachUserPolicy", "s3:GetObject"]),
    resource=st.sampled_from([ME.arn, arn("user", "ann"), arn("group", "red"), "arn:aws:s3:::b/k"]),
    sent=st.fixed_dictionaries({key: st.sampled_from(values) for key, values in SENT.items()}),
)
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
def test_it_says_what_another_evaluator_says(
    oracle: Ask, those: list[Document], boundary: Document | None, action: str, resource: str, sent: dict[str, Any]
) -> None:
    me = Principal(ME.arn, ME.name, "user", tuple(those), tags=ME.tags, boundary=boundary)
    verdict = may(me, action, resource, sent)
    expected = oracle(
        {
            "arn": me.arn,
            "account": NUMBER,
            "documents": those,
            "boundary": [boundary] if boundary else [],
            "action": action,
            "resource": resource,
            "context": {key.lower(): value for key, value in sent.items() if value is not None},
            "keys": {key: value for key, value in KEYS.items() if value is not None},
        }
    )
    assert expected == ("Allow" if verdict.allowed else "Deny" if verdict.denied else "ImplicitDeny")


@pytest.mark.parametrize("operator", ["ArnLike", "ArnNotLike", "ArnEquals"])
def test_a_bare_wildcard_for_an_arn_counts_as_an_intruder_would_have_it(operator: str) -> None:
    """Source: IAM user guide, Amazon Resource Name (ARN) condition operators, which say it of whole ARNs only."""
    when, sent = {operator: {"iam:PolicyARN": "*"}}, {"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"}
    asked = ("iam:AttachUserPolicy", ME.arn, sent)
    assert Verdict(allowed=True, assumed=("iam:PolicyARN",)) == may(user("a", allow("iam:*", when=when)), *asked)
    assert Verdict(allowed=True) == may(user("a", allow("iam:*"), deny("iam:*", when=when)), *asked)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(those=st.lists(documents, max_size=3), more=documents, resource=st.sampled_from([ME.arn, arn("group", "red")]))
def test_one_more_denial_never_gives_and_one_more_allow_never_takes(
    those: list[Document], more: dict[str, Any], resource: str
) -> None:
    def asked(*documents: Document) -> bool:
        return may(Principal(ME.arn, ME.name, "user", documents), "iam:PutUserPolicy", resource).allowed

    denying, allowing = (
        {**more, "Statement": [one for one in more["Statement"] if one["Effect"] == effect]}
        for effect in ("Deny", "Allow")
    )
    assert asked(*those, denying) <= asked(*those) <= asked(*those, allowing)


def test_nothing_is_allowed_by_default() -> None:
    assert Verdict(allowed=False) == may(ME, "s3:GetObject", "arn:aws:s3:::b/k")


@pytest.mark.parametrize(
    "key", ["aws:SourceIp", "aws:MultiFactorAuthPresent", "aws:ViaAWSMCPService", "s3:prefix", "sts:ExternalId"]
)
def test_what_nobody_can_know_counts_as_an_intruder_would_have_it_and_is_named(key: str) -> None:
    when = {"StringEquals": {key: "x"}}
    assert Verdict(allowed=True, assumed=(key,)) == may(
        user("a", allow("s3:*", when=when)), "s3:ListBucket", "arn:aws:s3:::b"
    )
    assert Verdict(allowed=True) == may(
        user("a", allow("s3:*"), deny("s3:*", when=when)), "s3:ListBucket", "arn:aws:s3:::b"
    )


@pytest.mark.parametrize(
    ("key", "action", "expected"),
    [
        # Source: Service Authorization Reference, AWS Identity and Access Management: which actions carry which keys
        ("iam:PolicyARN", "iam:AttachRolePolicy", True),
        ("iam:PolicyARN", "iam:PutRolePolicy", False),
        ("iam:PassedToService", "iam:PassRole", True),
        ("iam:PassedToService", "iam:CreateAccessKey", False),
        ("iam:PermissionsBoundary", "iam:CreateRole", True),
        ("iam:PermissionsBoundary", "iam:AddUserToGroup", False),
        ("lambda:FunctionArn", "iam:PassRole", False),
    ],
)
def test_a_key_that_aws_never_sends_with_an_action_is_missing_there(key: str, action: str, expected: bool) -> None:  # noqa: FBT001
    for_sure = {"StringLike": {key: "*"}}
    assert may(user("a", allow("*", when=for_sure)), action, arn("role", "r")).allowed is expected
    assert may(user("a", allow("*", when={"Null": {key: "true"}})), action, arn("role", "r")).allowed


def test_a_call_to_a_server_for_agents_is_not_one_that_it_makes() -> None:
    calling = user("a", allow("*", when={"Bool": {"aws:IsMcpServiceAction": "true"}}))
    assert not may(calling, "iam:PutUserPolicy", calling.arn)
    assert may(calling, "eks-mcp:InvokeMcp")


def test_a_users_name_is_no_name_of_a_role() -> None:
    own = allow("iam:*", on=arn("role", "${aws:username}"))
    assert not may(role("mallory", own), "iam:PutRolePolicy", arn("role", "mallory"))
    assert may(user("mallory", own), "iam:PutRolePolicy", arn("role", "mallory"))


def test_a_deny_with_a_variable_that_nobody_knows_is_not_counted_on() -> None:
    unknown = arn("role", "${aws:PrincipalTag/team}")
    assert may(role("r", allow("iam:*"), deny("iam:*", on=unknown)), "iam:PutRolePolicy", arn("role", "x"))
    assert may(role("r", allow("iam:*", on=unknown)), "iam:PutRolePolicy", arn("role", "x"))
