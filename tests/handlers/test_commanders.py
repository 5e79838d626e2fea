"""Who may command Plumbline is named where people read first of what was there before it."""

from __future__ import annotations

import json
from dataclasses import replace

from plumbline.core.cause import Cause, Origin
from plumbline.engine.settle import Engine
from plumbline.handlers.commanders import commanders
from tests.fakes import LAMP, NOW, House
from tests.rig import Rig
from tests.story import ACCOUNT, World, world

_ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
_NOTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})
_READS = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]})


def _town(told: World) -> Engine:
    """An administrator by group and one by policy, one whom a policy holds, an operator, and somebody else."""
    iam = told.client("iam")
    iam.create_group(GroupName="admins")
    iam.attach_group_policy(GroupName="admins", PolicyArn=_ADMIN)
    for name in ("ann", "held", "op", "dev"):
        iam.create_user(UserName=name, Path="/people/")
    for name in ("ann", "held"):
        iam.add_user_to_group(GroupName="admins", UserName=name)
    iam.put_user_policy(UserName="held", PolicyName="no", PolicyDocument=_NOTHING)
    iam.attach_user_policy(UserName="dev", PolicyArn="arn:aws:iam::aws:policy/PowerUserAccess")
    policy = iam.create_policy(PolicyName="plumbline-operator", Path="/plumbline/", PolicyDocument=_READS)
    iam.attach_user_policy(UserName="op", PolicyArn=policy["Policy"]["Arn"])
    iam.create_user(UserName="both", Path="/people/")  # everything but IAM, and IAM
    for name in ("PowerUserAccess", "IAMFullAccess"):
        iam.attach_user_policy(UserName="both", PolicyArn=f"arn:aws:iam::aws:policy/{name}")
    iam.create_user(UserName="shut", Path="/people/")
    for name in ("AdministratorAccess", "AWSDenyAll"):
        iam.attach_user_policy(UserName="shut", PolicyArn=f"arn:aws:iam::aws:policy/{name}")
    iam.create_role(RoleName="ci", AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}')
    iam.attach_role_policy(RoleName="ci", PolicyArn=_ADMIN)
    return Rig(told).install({}).engine


def test_administrators_and_who_holds_the_operators_policy_are_named() -> None:
    with world() as told:
        said = commanders(_town(told), ACCOUNT)
    assert said == (
        "Who may command Plumbline: the root user; role ci; user people/ann; user people/both; user people/op. While "
        "baseline.yaml names no `operators`, these are the root user, administrators, and whoever holds the stack's "
        "OperatorPolicy."
    )


def test_whom_the_baseline_names_is_all_there_is() -> None:
    with world() as told:
        engine = _town(told)
        named = replace(engine.baseline, operators=(f"arn:aws:iam::{ACCOUNT}:user/people/d*",))
        said = commanders(replace(engine, baseline=named), ACCOUNT)
    assert said == ("Who may command Plumbline, as `operators` in baseline.yaml says: the root user; user people/dev.")


def test_who_cannot_be_read_is_not_left_out_in_silence() -> None:
    with world() as told:
        _town(told)
        rig = Rig(told)
        rig.refuse = lambda request: "AccessDenied" if request.role == "eyes" else None
        said = commanders(rig.install({}).engine, ACCOUNT)
    assert "could not be read, so look at `operators` in baseline.yaml" in said
    assert "AccessDenied" in said


def test_the_digest_of_what_was_there_before_says_so_and_a_digest_of_other_things_does_not() -> None:
    house = House()
    asked: list[int] = []

    def who() -> str:
        asked.append(1)
        return "Who may command Plumbline: ann."

    house.settle(origin=Origin.ADOPTION, cause=Cause())
    house.engine.digest(LAMP.account, now=NOW, commanders=who)
    assert ([1], True) == (asked, "Who may command Plumbline: ann." in house.alerts.letters[-1].body)
    house.engine.digest(LAMP.account, now=NOW, commanders=who)
    assert [1] == asked, "nothing waits, so nobody is asked"
