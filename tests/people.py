"""Who is an administrator of a story's account, and who could come in as one: how tests of the last way in begin."""

from __future__ import annotations

import json

from tests.story import ACCOUNT, World, signs_in

AWS_ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
#: What the stack's policies that deny say here: which calls each denies is tested elsewhere.
_NOTHING = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]})


def own_denial(world: World, name: str) -> str:
    """One of the stack's policies that deny, such as `suspended`; its ARN."""
    made = world.client("iam").create_policy(
        PolicyName=f"plumbline-{name}", Path="/plumbline/", PolicyDocument=_NOTHING
    )
    arn: str = made["Policy"]["Arn"]
    return arn


def holds_ten(world: World, user: str) -> None:
    """Give a user as many managed policies as AWS lets him hold, and none that gives anything."""
    iam = world.client("iam")
    for number in range(10):
        arn = iam.create_policy(PolicyName=f"p{number}", PolicyDocument=_NOTHING)["Policy"]["Arn"]
        iam.attach_user_policy(UserName=user, PolicyArn=arn)


def is_administrator(world: World, user: str) -> None:
    """Put a user into the administrators' group, which is made."""
    iam = world.client("iam")
    iam.create_group(GroupName="administrators")
    iam.attach_group_policy(GroupName="administrators", PolicyArn=AWS_ADMIN)
    iam.add_user_to_group(GroupName="administrators", UserName=user)


def another_can_come_in(world: World) -> None:
    """Beside who is there Ann, an administrator who can come in; and a role of a provider that is gone."""
    iam = world.client("iam")
    iam.create_user(UserName="ann")
    signs_in(iam, "ann")
    iam.add_user_to_group(GroupName="administrators", UserName="ann")
    provider_is_gone(world)


def provider_is_gone(world: World) -> None:
    """A role of administrators that nobody can come in by: its provider is gone."""
    _role(world, "sso", Federated=f"arn:aws:iam::{ACCOUNT}:saml-provider/gone")


def stranger_has_a_role(world: World) -> None:
    """A role of administrators that another account may use, called as an organisation's."""
    _role(world, "OrganizationAccountAccessRole", AWS="444455556666")


def trust(**principal: str) -> str:
    """A trust policy that lets somebody in."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _role(world: World, name: str, **principal: str) -> None:
    iam = world.client("iam")
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(**principal))
    iam.attach_role_policy(RoleName=name, PolicyArn=AWS_ADMIN)
