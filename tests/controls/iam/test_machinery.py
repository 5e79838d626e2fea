"""Roles that AWS, an organisation or CloudFormation works with are known by what they are, and by nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.controls.iam._machinery import Keeper, keeper

ACCOUNT, MANAGEMENT, STRANGER = "111122223333", "444455556666", "777788889999"
ADMINISTRATION = f"arn:aws:iam::{ACCOUNT}:role/AWSCloudFormationStackSetAdministrationRole"
STACKSETS = (
    f"arn:aws:iam::{MANAGEMENT}:role/aws-service-role/stacksets.cloudformation.amazonaws.com/"
    "AWSServiceRoleForCloudFormationStackSetsOrgAdmin"
)
ROOT = f"arn:aws:iam::{MANAGEMENT}:root"
CLOUDFORMATION = {"Service": "cloudformation.amazonaws.com"}

#: Role, whom it trusts, whose it is. Pages: Organizations user guide, "Creating OrganizationAccountAccessRole"; Control
#: Tower user guide, "How AWS Control Tower works with roles"; CloudFormation user guide, "Grant self-managed
#: permissions" and "Activate trusted access for stack sets"; CDK guide, "Customize bootstrapping"; Identity Center user
#: guide, "Referencing permission sets in resource policies".
KNOWN = [
    ("OrganizationAccountAccessRole", {"AWS": ROOT}, Keeper.ORGANISATION),
    ("AWSControlTowerExecution", {"AWS": ROOT}, Keeper.ORGANISATION),
    ("stacksets-exec-0123456789abcdef0123456789abcdef", {"AWS": STACKSETS}, Keeper.ORGANISATION),
    ("AWSCloudFormationStackSetExecutionRole", {"AWS": MANAGEMENT}, Keeper.ORGANISATION),
    ("AWSCloudFormationStackSetExecutionRole", {"AWS": [ADMINISTRATION]}, Keeper.CLOUDFORMATION),
    ("cdk-hnb659fds-cfn-exec-role-111122223333-eu-west-1", CLOUDFORMATION, Keeper.CLOUDFORMATION),
    ("aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Any_0", {"Federated": "x"}, Keeper.IDENTITY_CENTER),
    # the same names, and somebody else who may use them
    ("OrganizationAccountAccessRole", {"AWS": f"arn:aws:iam::{STRANGER}:root"}, Keeper.NOBODY),
    ("OrganizationAccountAccessRole", {"AWS": [ROOT, f"arn:aws:iam::{STRANGER}:root"]}, Keeper.NOBODY),
    ("OrganizationAccountAccessRole", {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, Keeper.NOBODY),
    ("OrganizationAccountAccessRole", {"AWS": "*"}, Keeper.NOBODY),
    ("OrganizationAccountAccessRole", "*", Keeper.NOBODY),
    ("AWSControlTowerExecution", {"AWS": "AROAEXAMPLEOFADELETEDONE"}, Keeper.NOBODY),
    ("AWSControlTowerExecution", {"AWS": ROOT, "Service": "ec2.amazonaws.com"}, Keeper.NOBODY),
    ("cdk-hnb659fds-cfn-exec-role-111122223333-eu-west-1", {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, Keeper.NOBODY),
    ("cdk-x-cfn-exec-role", {**CLOUDFORMATION, "AWS": f"arn:aws:iam::{ACCOUNT}:user/eve"}, Keeper.NOBODY),
    ("AWSCloudFormationStackSetExecutionRole", {"AWS": f"arn:aws:iam::{ACCOUNT}:role/eve"}, Keeper.NOBODY),
    ("AWSReservedSSO_AdministratorAccess_0", {"Federated": "x"}, Keeper.NOBODY),
    ("web", {"Service": "ec2.amazonaws.com"}, Keeper.NOBODY),
]


def _trust(principal: Any, **more: Any) -> dict[str, Any]:
    return {"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, **more}]}


TRUSTS = {ADMINISTRATION: _trust(CLOUDFORMATION), f"arn:aws:iam::{ACCOUNT}:role/eve": _trust({"AWS": ACCOUNT})}


def _keeper(name: str, trust: dict[str, Any], management: str | None = MANAGEMENT) -> Keeper:
    return keeper({"name": name, "trust": trust}, ACCOUNT, lambda: management, lambda arn: TRUSTS.get(arn, {}))


@pytest.mark.parametrize(("name", "principal", "expected"), KNOWN)
def test_a_role_is_whose_its_path_and_trust_say(name: str, principal: Any, expected: Keeper) -> None:
    assert expected is _keeper(name, _trust(principal))


def test_every_statement_counts_and_one_statement_may_stand_alone() -> None:
    one, other = _trust({"AWS": ROOT})["Statement"][0], _trust({"AWS": STRANGER})["Statement"][0]
    assert _keeper("x", {"Statement": one}) is Keeper.ORGANISATION
    assert _keeper("x", {"Statement": [one, other]}) is Keeper.NOBODY
    assert _keeper("x", {"Statement": [one, {**other, "Effect": "Deny"}]}) is Keeper.ORGANISATION
    assert _keeper("x", {"Statement": [{"Effect": "Allow", "NotPrincipal": {"AWS": ROOT}}]}) is Keeper.NOBODY
    assert _keeper("x", {}) is Keeper.NOBODY


def test_without_an_organisation_nobody_is_its_management_account() -> None:
    assert _keeper("OrganizationAccountAccessRole", _trust({"AWS": ROOT}), "") is Keeper.NOBODY


def test_where_aws_does_not_say_it_is_not_claimed() -> None:
    assert _keeper("OrganizationAccountAccessRole", _trust({"AWS": ROOT}), None) is Keeper.UNPROVEN
    assert _keeper("x", _trust({"AWS": [ROOT, STRANGER]}), None) is Keeper.NOBODY


def test_the_management_account_itself_has_no_role_that_only_it_can_use() -> None:
    assert _keeper("x", _trust({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), ACCOUNT) is Keeper.NOBODY


@given(
    st.sampled_from([name.rpartition("/")[2] for name, _, _ in KNOWN]), st.sampled_from([one for _, one, _ in KNOWN])
)
def test_a_name_alone_makes_no_difference(name: str, principal: Any) -> None:
    assert _keeper(name, _trust(principal)) is _keeper("any-other-name", _trust(principal))


def test_no_role_is_asked_for_by_a_pattern() -> None:
    """IAM refuses such a name, and a refusal would leave the whole role unseen."""
    asked: list[str] = []

    def trust_of(arn: str) -> dict[str, Any]:
        asked.append(arn)
        return _trust(CLOUDFORMATION)

    role = {"name": "web", "trust": _trust({"AWS": f"arn:aws:iam::{ACCOUNT}:role/*"})}
    assert (keeper(role, ACCOUNT, lambda: MANAGEMENT, trust_of), asked) == (Keeper.NOBODY, [])
