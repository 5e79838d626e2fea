"""Who did it, in the words of a person: CloudTrail names actors in many ways."""

from __future__ import annotations

from typing import Any

import pytest

from plumbline.wakes import cloudtrail

ANN = {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/people/ann", "userName": "ann"}
DEPLOY = {
    "type": "AssumedRole",
    "arn": "arn:aws:sts::111122223333:assumed-role/deploy/ci-42",
    "sessionContext": {"sessionIssuer": {"type": "Role", "userName": "deploy"}},
}
ROOT = {"type": "Root", "arn": "arn:aws:iam::111122223333:root"}


def who(identity: Any) -> str:
    return cloudtrail.cause({"userIdentity": identity}).who


def test_whoever_acts_has_the_name_a_person_would_use() -> None:
    names = {
        "ann": ANN,
        "deploy (session ci-42)": DEPLOY,
        "root": ROOT,
        "people/ann": {"type": "IAMUser", "arn": ANN["arn"]},
        "account 444455556666": {"type": "AWSAccount", "accountId": "444455556666"},
        "Identity Center user 9067": {"type": "IdentityCenterUser", "onBehalfOf": {"userId": "9067"}},
        "the AWS service config.amazonaws.com": {"type": "AWSService", "invokedBy": "config.amazonaws.com"},
        "somebody the trail does not name": None,
    }
    assert list(names) == [who(identity) for identity in names.values()]


@pytest.mark.parametrize("invoked", ["signin.amazonaws.com", "AWS Internal"])
def test_whoever_sits_at_the_console_acts_himself(invoked: str) -> None:
    assert who({**ANN, "invokedBy": invoked}) == "ann"
    assert who({**DEPLOY, "invokedBy": invoked}) == "deploy (session ci-42)"
    assert cloudtrail.is_root({"userIdentity": {**ROOT, "invokedBy": invoked}})


def test_a_service_that_acts_for_somebody_is_named_instead() -> None:
    assert who({**DEPLOY, "invokedBy": "cloudformation.amazonaws.com"}) == (
        "the AWS service cloudformation.amazonaws.com"
    )
    assert not cloudtrail.is_root({"userIdentity": {**ROOT, "invokedBy": "cloudformation.amazonaws.com"}})


def test_the_root_user_of_another_account_is_not_this_ones() -> None:
    here = {"recipientAccountId": "111122223333"}
    assert cloudtrail.is_root({"userIdentity": {**ROOT, "accountId": "111122223333"}, **here})
    assert not cloudtrail.is_root({"userIdentity": {**ROOT, "accountId": "444455556666"}, **here})
    for unsaid in ({"userIdentity": ROOT, **here}, {"userIdentity": {**ROOT, "accountId": "111122223333"}}):
        assert cloudtrail.is_root(unsaid)


def test_what_aws_does_on_its_own_is_nobodys() -> None:
    assert who({"accountId": "111122223333", "invokedBy": "AWS Internal"}) == "AWS itself"
