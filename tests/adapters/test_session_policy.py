"""Whatever a repair does, its sessions fit what STS takes, allow each of its calls, and nothing beside the plan."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.adapters.accounts import Accounts
from plumbline.adapters.session_policy import Session, named_by, sessions
from plumbline.controls.iam._principals import PRINCIPAL_WRITES, by_name
from plumbline.core.calls import Call
from plumbline.core.errors import AwsRefusal
from plumbline.core.giving import Maker, maker
from plumbline.core.targets import GLOBAL, Target
from tests.fakes import ACCOUNT, CONTROL, NOW

WRITES = PRINCIPAL_WRITES | {"s3:PutBucketAcl", "iam:CreatePolicy", "iam:DeletePolicy"}
RULE = replace(CONTROL, id="many-things", writes=WRITES)
TARGET = Target(ACCOUNT, GLOBAL, "iam-user", "ann")
KINDS = {"user": "User", "group": "Group", "role": "Role"}
OWN = f"arn:*:iam::{ACCOUNT}:policy/plumbline/*"
#: Characters of an inline session policy that STS takes.
TAKEN = 2048
#: What names and paths of IAM may hold, among other things. Source: IAM and STS quotas.
_LETTERS = "abcXYZ019+=,.@_-"


@dataclass(frozen=True)
class _Needs:
    """A call, and the ARNs of the plan that it cannot do without."""

    call: Call
    arns: tuple[str, ...]


def _name(rng: Random, longest: int) -> str:
    """A name of any length, more often a long one."""
    return "".join(rng.choices(_LETTERS, k=rng.choice((1, 8, longest, longest))))


def _policy_arn(rng: Random) -> str:
    path = "/".join(["", _name(rng, 510), ""]) if rng.random() < 0.2 else "/"
    return f"arn:aws:iam::{ACCOUNT}:policy{path}{_name(rng, 128)}"


def _principal_call(rng: Random) -> _Needs:
    """A call of the hands that take, or of those that give."""
    kind, verb = rng.choice(sorted(KINDS)), rng.choice(["Attach", "Detach"])
    name = _name(rng, 128 if kind == "group" else 64)
    arn = f"arn:aws:iam::{ACCOUNT}:policy/plumbline/plumbline-guard" if verb == "Attach" else _policy_arn(rng)
    parameters = {f"{KINDS[kind]}Name": name, "PolicyArn": arn}
    return _Needs(Call("iam", f"{verb}{KINDS[kind]}Policy", parameters), by_name(ACCOUNT, kind, name))


def _bucket_call(rng: Random) -> _Needs:
    name = "".join(rng.choices("abc019.-", k=rng.choice((3, 20, 63))))
    parameters = {"Bucket": name, "ACL": "private"}
    return _Needs(Call("s3", "PutBucketAcl", parameters, rng.choice(["", "eu-west-2"])), (f"arn:*:s3:::{name}",))


def _version_call(rng: Random) -> _Needs:
    arn = _policy_arn(rng)
    return _Needs(Call("iam", "DeletePolicy", {"PolicyArn": arn}), (arn,))


def _new_policy_call(_rng: Random) -> _Needs:
    return _Needs(Call("iam", "CreatePolicy", {"PolicyName": "user-ann-reads", "Path": "/plumbline/"}), (OWN,))


@st.composite
def _repairs(draw: st.DrawFn) -> list[_Needs]:
    """A repair of few or many things, with short or long names. Drawn name by name, none would be long."""
    number, rng = draw(st.integers(1, 200)), Random(draw(st.integers(0, 2**32)))  # noqa: S311 - names, no secrets
    kinds = draw(st.sets(st.sampled_from([_principal_call, _bucket_call, _version_call, _new_policy_call]), min_size=1))
    return [rng.choice(sorted(kinds, key=lambda one: one.__name__))(rng) for _ in range(number)]


def _statement(session: Session) -> dict[str, Any]:
    policy = json.loads(session.policy)
    (statement,) = policy["Statement"]
    assert {"Version": "2012-10-17", "Statement": [statement]} == policy
    return dict(statement)


@given(_repairs())
@settings(max_examples=100)
def test_every_session_fits_and_allows_its_own_calls_and_nothing_beside_the_plan(needs: list[_Needs]) -> None:
    resources = tuple(dict.fromkeys(arn for one in needs for arn in one.arns))
    made = sessions(RULE, [one.call for one in needs], resources, converts=True)
    for session in made:
        assert {session.by} == {maker(call, converts=True) for call in session.calls}, "one role makes them"
        assert len(session.policy) <= TAKEN
        statement = _statement(session)
        assert "Allow" == statement["Effect"]
        assert 1 == len({(call.region, call.service) for call in session.calls}), "one client makes them"
        assert {call.action for call in session.calls} == set(statement["Action"]) <= RULE.writes
        assert set(statement["Resource"]) <= set(resources), "no ARN is wider than the plan's"
    by_call = {call.key: set(one.resources) for one in made for call in one.calls}
    assert len(by_call) == sum(len(one.calls) for one in made), "each call has one session"
    assert [] == [one for one in needs if not set(one.arns) <= by_call[one.call.key]]


def _detach(name: str) -> Call:
    return Call("iam", "DetachUserPolicy", {"UserName": name, "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"})


def test_a_repair_that_fits_has_one_session_with_the_actions_of_its_calls_alone() -> None:
    calls = [_detach("ann"), _detach("bob")]
    resources = (*by_name(ACCOUNT, "user", "ann"), *by_name(ACCOUNT, "user", "bob"))
    (session,) = sessions(RULE, calls, resources)
    statement = {"Effect": "Allow", "Action": ["iam:DetachUserPolicy"], "Resource": list(resources)}
    assert statement == _statement(session)


@pytest.mark.parametrize(("more", "count"), [(0, 1), (1, 2)])
def test_what_sts_takes_to_the_last_character_is_one_session_and_one_more_is_two(more: int, count: int) -> None:
    calls = [_detach("ann"), _detach("bob")]
    resources = [*by_name(ACCOUNT, "user", "ann"), *by_name(ACCOUNT, "user", "bob")]
    room = TAKEN - len(Session(RULE, tuple(calls), (*resources, "")).policy)
    made = sessions(RULE, calls, (*resources, "arn:aws:iam::" + "x" * (room - len("arn:aws:iam::") + more)))
    assert (count, TAKEN if count == 1 else True) == (len(made), len(made[0].policy) if count == 1 else True)


def test_what_the_control_does_not_declare_is_allowed_to_no_session() -> None:
    drop = Call("iam", "DeleteGroup", {"GroupName": "ann"})
    (session,) = sessions(RULE, [_detach("ann"), drop], by_name(ACCOUNT, "user", "ann"))
    assert ["iam:DetachUserPolicy"] == _statement(session)["Action"]


def test_what_only_a_person_may_is_refused_before_anything_is_asked() -> None:
    sts = _Sts()
    attach = {"UserName": "ann", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    with pytest.raises(AwsRefusal, match="OnlyAPersonMay: iam:AttachUserPolicy gives rights") as refused:
        Accounts(sts, "us-east-1", hands_role="hands", giving_role="giving", clock=lambda: NOW).hands(
            RULE, TARGET, [_detach("ann"), Call("iam", "AttachUserPolicy", attach)], _exactly(["ann"])
        )
    assert refused.value.call == Call("sts", "AssumeRole"), "so the finding is told as one that was not begun"
    assert [] == sts.asked


def test_what_takes_and_what_gives_has_sessions_of_two_roles_and_what_is_the_houses_a_third() -> None:
    guard = {"UserName": "ann", "PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/plumbline/plumbline-guard"}
    calls = [_detach("ann"), Call("iam", "AttachUserPolicy", guard)]
    made = sessions(RULE, calls, _exactly(["ann"]))
    assert [(Maker.TAKING, ["iam:DetachUserPolicy"]), (Maker.GIVING, ["iam:AttachUserPolicy"])] == [
        (one.by, _statement(one)["Action"]) for one in made
    ]
    enable = Call("events", "EnableRule", {"Name": "plumbline-sweep"})
    house = replace(RULE, house=True, writes=frozenset({"events:EnableRule"}))
    assert [Maker.HOUSE] == [one.by for one in sessions(house, [enable], ["arn:aws:events:*:*:rule/plumbline-sweep"])]


def test_a_divided_repair_gives_each_session_its_own_names_and_what_may_be_anything() -> None:
    names = [f"{number:064}" for number in range(40)]
    resources = (*(arn for name in names for arn in by_name(ACCOUNT, "user", name)), OWN)
    made = sessions(RULE, [_detach(name) for name in names], resources)
    assert len(made) > 1
    assert names == [call.parameters["UserName"] for one in made for call in one.calls], "in order"
    for one in made:
        own = [arn for call in one.calls for arn in by_name(ACCOUNT, "user", call.parameters["UserName"])]
        assert (*own, OWN) == one.resources


def test_a_name_that_is_a_word_of_the_arns_is_still_its_own() -> None:
    """Somebody may call a user `user`, or like the account: no other's ARN is meant by it."""
    resources = tuple(arn for name in ("user", "plumbline", ACCOUNT, "ann") for arn in by_name(ACCOUNT, "user", name))
    for name in ("user", "plumbline", ACCOUNT, "ann"):
        assert by_name(ACCOUNT, "user", name) == named_by([_detach(name)], resources)


def test_a_name_may_be_written_with_its_path_or_as_the_arn() -> None:
    mine = f"arn:*:ssm:*:{ACCOUNT}:parameter/web/key"
    resources = (mine, f"arn:*:ssm:*:{ACCOUNT}:parameter/mail/key", OWN)
    for said in ("/web/key", "web/key", f"arn:aws:ssm:eu-west-2:{ACCOUNT}:parameter/web/key"):
        assert (mine, OWN) == named_by([Call("ssm", "DeleteParameter", {"Name": said})], resources)


def test_a_call_that_names_no_arn_of_the_plan_reaches_what_may_be_anything_else_them_all() -> None:
    exact = (*by_name(ACCOUNT, "user", "ann"), *by_name(ACCOUNT, "user", "bob"))
    unnamed = Call("iam", "UpdateAccountPasswordPolicy")
    assert exact == named_by([unnamed], exact)
    assert exact == named_by([_detach("ann"), unnamed], exact)
    assert (OWN,) == named_by([unnamed], (*exact, OWN))


@dataclass
class _Sts:
    """A client factory that packs policies as STS might, and notes each session that it was asked for."""

    packs: int = TAKEN
    asked: list[str] = field(default_factory=list)
    written: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, _account: str, _region: str, _service: str, _role: str = "", policy: str = "", _: str = "",
                 /) -> Any:  # fmt: skip
        self.asked.append(policy)
        if len(policy) > self.packs:
            raise AwsRefusal("PackedPolicyTooLarge", "consumes 104% of allotted space", Call("sts", "AssumeRole"))
        return _Client(self, policy)


@dataclass
class _Client:
    sts: _Sts
    policy: str

    def detach_user_policy(self, **parameters: str) -> dict[str, Any]:
        self.sts.written.append((parameters["UserName"], self.policy))
        return {}


def _hands(sts: _Sts, names: Sequence[str], resources: Sequence[str]) -> None:
    calls = [_detach(name) for name in names]
    act = Accounts(sts, "us-east-1", hands_role="hands", clock=lambda: NOW).hands(RULE, TARGET, calls, resources)
    assert not sts.written, "every session stands before the first write"
    for call in calls:
        act(call)


def _exactly(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(arn for name in names for arn in by_name(ACCOUNT, "user", name))


def test_what_sts_cannot_pack_is_divided_further() -> None:
    names = [f"{number:064}" for number in range(9)]
    sts = _Sts(packs=700)
    _hands(sts, names, _exactly(names))
    assert names == [name for name, _ in sts.written]
    for name, policy in sts.written:
        assert len(policy) <= 700
        assert set(by_name(ACCOUNT, "user", name)) <= set(json.loads(policy)["Statement"][0]["Resource"])


def test_a_single_call_that_sts_cannot_pack_is_refused_before_anything_is_written() -> None:
    sts = _Sts(packs=100)
    with pytest.raises(AwsRefusal, match="PackedPolicyTooLarge"):
        _hands(sts, ["ann", "bob"], _exactly(["ann", "bob"]))
    assert [] == sts.written


def test_a_single_call_on_too_many_arns_is_refused_before_anything_is_asked() -> None:
    many = [f"{number:064}" for number in range(40)]
    calls = [_detach("ann"), Call("iam", "DetachUserPolicy", {"UserName": many})]
    sts = _Sts()
    expected = re.escape("sts:AssumeRole was refused: SessionPolicyTooLong: iam:DetachUserPolicy names 80 ARNs")
    with pytest.raises(AwsRefusal, match=expected) as refused:
        Accounts(sts, "us-east-1", hands_role="hands", clock=lambda: NOW).hands(
            RULE, TARGET, calls, _exactly(["ann", *many])
        )
    assert refused.value.call == Call("sts", "AssumeRole"), "so the finding is told as one that was not begun"
    assert [] == sts.asked


# --- a role that a call gives to a service --------------------------------------------------------------------------

FORWARDER = f"arn:aws:iam::{ACCOUNT}:role/plumbline/plumbline-forwarder"
LEADS_HOME = Call("events", "PutTargets", {"Rule": "plumbline-s3", "Targets": [{"Id": "home", "RoleArn": FORWARDER}]})
OF_RULES = replace(CONTROL, id="of-rules", writes=frozenset({"events:PutRule", "events:PutTargets"}))
ITS_RULE = f"arn:*:events:eu-west-1:{ACCOUNT}:rule/plumbline-s3"


def _statements(call: Call, *, house: bool) -> list[dict[str, Any]]:
    (made,) = sessions(replace(OF_RULES, house=house), [call], (ITS_RULE,))
    statements: list[dict[str, Any]] = json.loads(made.policy)["Statement"]
    return statements


def test_house_hands_may_pass_the_role_that_a_rule_tells_with_and_no_other() -> None:
    """Source: Amazon EventBridge API reference, PutTargets: iam:PassRole on the role of a target that is a bus."""
    writes = {"Effect": "Allow", "Action": ["events:PutTargets"], "Resource": [ITS_RULE]}
    passes = {"Effect": "Allow", "Action": ["iam:PassRole"], "Resource": [FORWARDER]}
    assert [writes, passes] == _statements(LEADS_HOME, house=True)


def test_a_call_that_gives_no_role_passes_none_and_no_other_hands_pass_any() -> None:
    switched = Call("events", "PutRule", {"Name": "plumbline-s3", "State": "ENABLED"})
    assert [["events:PutRule"]] == [one["Action"] for one in _statements(switched, house=True)]
    assert [["events:PutTargets"]] == [one["Action"] for one in _statements(LEADS_HOME, house=False)]
