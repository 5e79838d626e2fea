"""Whom a trust lets in from outside: documents as AWS and providers publish them, and as people get them wrong."""

from __future__ import annotations

from typing import Any

import pytest

from plumbline.rights.openings import SHARED, closed, openings

ACCOUNT = "111122223333"
OWN = f"arn:aws:iam::{ACCOUNT}:root"
GITHUB = "token.actions.githubusercontent.com"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/"
WEB = "sts:AssumeRoleWithWebIdentity"
ANYBODY = ["anybody"]
AT_GITHUB = [f"anybody with a token of {GITHUB}"]
PARTNER = ["account 444455556666"]
WITH_AN_ID = {"StringEquals": {"sts:ExternalId": "secret"}}


def _trust(principal: Any, condition: Any = None, action: Any = "sts:AssumeRole", **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": action, **more}
    if principal is not None:
        statement["Principal"] = principal
    return {"Version": "2012-10-17", "Statement": [statement | ({"Condition": condition} if condition else {})]}


def _github(**condition: Any) -> dict[str, Any]:
    """As GitHub's page "Configuring OpenID Connect in Amazon Web Services" has it, with another condition."""
    audience = {f"{GITHUB}:aud": "sts.amazonaws.com"}
    equal = audience | condition.pop("StringEquals", {})
    return _trust({"Federated": PROVIDER + GITHUB}, {"StringEquals": equal, **condition}, WEB)


@pytest.mark.parametrize(
    ("trust", "expected"),
    [
        # anybody, and what keeps everybody else out
        (_trust("*"), ANYBODY),
        (_trust({"AWS": "*"}), ANYBODY),
        (_trust({"AWS": [OWN, "*"]}), ANYBODY),
        (_trust("*", {"StringEquals": {"sts:ExternalId": "secret"}}), ANYBODY),
        (_trust("*", {"Bool": {"aws:MultiFactorAuthPresent": "true"}}), ANYBODY),
        (_trust("*", {"StringLike": {"aws:PrincipalArn": "*"}}), ANYBODY),
        (_trust("*", {"StringNotEquals": {"aws:PrincipalAccount": "444455556666"}}), ANYBODY),
        (_trust("*", {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}), ANYBODY),
        (_trust("*", {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}), []),
        (_trust("*", {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/ci-*"}}), []),
        (_trust("*", action="sts:*"), ANYBODY),
        (_trust("*", action="*"), ANYBODY),
        (_trust("*", action="sts:TagSession"), []),
        (_trust(None, NotPrincipal={"AWS": f"arn:aws:iam::{ACCOUNT}:user/eve"}), ANYBODY),
        ({"Statement": {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}}, []),
        # those of the account, and services
        (_trust({"AWS": OWN}), []),
        (_trust({"AWS": ACCOUNT}), []),
        (_trust({"Service": ["ec2.amazonaws.com", "lambda.amazonaws.com"]}), []),
        (_trust({"AWS": "AROADBQP57FF2AEXAMPLE"}), []),
        (_trust({"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/okta"}, action="sts:AssumeRoleWithSAML"), []),
        # other accounts
        (_trust({"AWS": "444455556666"}), PARTNER),
        (_trust({"AWS": ["arn:aws:iam::444455556666:root", "arn:aws:iam::444455556666:user/bob", OWN]}), PARTNER),
        (_trust({"AWS": "444455556666"}, {"StringEquals": {"sts:ExternalId": "secret"}}), []),
        (_trust({"AWS": "444455556666"}, {"StringLike": {"sts:ExternalId": "*"}}), PARTNER),
        (_trust({"AWS": "444455556666"}, {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}), []),
        (_trust({"Federated": "arn:aws:iam::444455556666:saml-provider/x"}, action="sts:AssumeRoleWithSAML"), PARTNER),
        # GitHub: IAM user guide, Create a role for OpenID Connect federation, "Configuring a role for GitHub OIDC"
        (_github(), AT_GITHUB),
        (_github(StringEquals={f"{GITHUB}:sub": "repo:acme/shop:ref:refs/heads/main"}), []),
        (_github(StringLike={f"{GITHUB}:sub": "repo:acme/shop:*"}), []),
        (_github(StringLike={f"{GITHUB}:sub": "repo:acme/*"}), []),
        (_github(StringLike={f"{GITHUB}:sub": "*"}), AT_GITHUB),
        (_github(StringLike={f"{GITHUB}:sub": "repo:*"}), AT_GITHUB),
        (_github(StringLike={f"{GITHUB}:sub": "repo:*/*:ref:refs/heads/main"}), AT_GITHUB),
        (_github(StringLike={f"{GITHUB}:sub": "repo:acme*"}), AT_GITHUB),
        (_github(StringLike={f"{GITHUB}:sub": ["repo:acme/*", "repo:*"]}), AT_GITHUB),
        (_github(StringLikeIfExists={f"{GITHUB}:sub": "repo:acme/*"}), AT_GITHUB),
        (_github(**{"ForAnyValue:StringLike": {f"{GITHUB}:sub": "repo:acme/*"}}), []),
        (_github(**{"ForAllValues:StringLike": {f"{GITHUB}:sub": "repo:acme/*"}}), AT_GITHUB),
        (_github(StringNotEquals={f"{GITHUB}:sub": "repo:evil/x"}), AT_GITHUB),
        (_github(StringEquals={f"{GITHUB}:repository_owner_id": "12345"}), []),
        (_trust({"Federated": PROVIDER + GITHUB}, action=WEB), AT_GITHUB),
        # others that serve everybody: IAM user guide, Identity-provider controls for shared OIDC providers
        (
            _trust(
                {"Federated": f"{PROVIDER}app.terraform.io"},
                {"StringLike": {"app.terraform.io:sub": "organization:acme:project:*:workspace:*:run_phase:*"}},
                WEB,
            ),
            [],
        ),
        (
            _trust(
                {"Federated": f"{PROVIDER}app.terraform.io"},
                {"StringEquals": {"app.terraform.io:aud": "aws.workload.identity"}},
                WEB,
            ),
            ["anybody with a token of app.terraform.io"],
        ),
        (
            _trust(
                {"Federated": f"{PROVIDER}oidc.vercel.com"}, {"StringEquals": {"oidc.vercel.com:aud": "acme"}}, WEB
            ),
            [],
        ),
        # one's own cluster, and one's own identity provider
        (_trust({"Federated": f"{PROVIDER}oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"}, action=WEB), []),
        (_trust({"Federated": f"{PROVIDER}login.acme.example"}, action=WEB), []),
        # public identity providers: IAM user guide, Create a role for OpenID Connect federation
        (
            _trust({"Federated": "cognito-identity.amazonaws.com"}, action=WEB),
            ["anybody who signs in at cognito-identity.amazonaws.com"],
        ),
        (
            _trust(
                {"Federated": "cognito-identity.amazonaws.com"},
                {"ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": "unauthenticated"}},
                WEB,
            ),
            ["anybody who signs in at cognito-identity.amazonaws.com"],
        ),
        (
            _trust(
                {"Federated": "cognito-identity.amazonaws.com"},
                {"StringEquals": {"cognito-identity.amazonaws.com:aud": "us-east-1:12345678-dcba-dcba-dcba-123456"}},
                WEB,
            ),
            [],
        ),
        (_trust({"Federated": "accounts.google.com"}, {"StringEquals": {"accounts.google.com:aud": "6pro0"}}, WEB), []),
        (_trust({"Federated": "www.amazon.com"}, {"StringEquals": {"www.amazon.com:app_id": "amzn1.app"}}, WEB), []),
        (_trust({"Federated": "graph.facebook.com"}, action=WEB), ["anybody who signs in at graph.facebook.com"]),
    ],
)  # fmt: skip
def test_whom_a_trust_lets_in(trust: dict[str, Any], expected: list[str]) -> None:
    assert expected == [one.who for one in openings(trust, ACCOUNT)]


@pytest.mark.parametrize("issuer", sorted(SHARED))
def test_an_issuer_that_serves_everybody_is_open_until_the_trust_says_whose_tokens(issuer: str) -> None:
    principal = {"Federated": PROVIDER + issuer}
    narrowed = {"StringEquals": {f"{issuer}:{SHARED[issuer]}": "acme"}}
    assert [[f"anybody with a token of {issuer}"], []] == [
        [one.who for one in openings(_trust(principal, condition, WEB), ACCOUNT)] for condition in (None, narrowed)
    ]


@pytest.mark.parametrize(
    ("trust", "expected"),
    [
        (_trust("*"), _trust({"AWS": OWN})),
        (_trust({"AWS": "*"}), _trust({"AWS": OWN})),
        (_trust({"AWS": ["*", "444455556666"]}), _trust({"AWS": [OWN, "444455556666"]})),
        (_trust({"AWS": "*", "Service": "ec2.amazonaws.com"}), _trust({"AWS": OWN, "Service": "ec2.amazonaws.com"})),
        (_trust(None, NotPrincipal={"AWS": "444455556666"}), _trust({"AWS": OWN})),
        (_trust("*", WITH_AN_ID), _trust({"AWS": OWN}, WITH_AN_ID)),
        (_trust({"AWS": "444455556666"}), _trust({"AWS": "444455556666"})),
        (_trust("*", {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}),) * 2,
        (_github(), _github()),
    ],
)  # fmt: skip
def test_where_anybody_was_the_account_is_and_nobody_else_changes(trust: Any, expected: Any) -> None:
    assert expected == closed(trust, ACCOUNT, "aws")
    assert "anybody" not in [one.who for one in openings(expected, ACCOUNT)]


def test_the_widest_comes_first_and_each_once() -> None:
    several = {"Statement": [*_trust({"AWS": ["444455556666", "*"]})["Statement"], *_trust("*")["Statement"]]}
    assert ["anybody", "account 444455556666"] == [one.who for one in openings(several, ACCOUNT)]
