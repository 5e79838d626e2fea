"""Account-wide switches on a real deployment: in line first, then thrown by somebody, held by somebody, agreed to."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.end_to_end.account import Account

FOUR = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)


def _open(account: Account, control: str) -> list[dict[str, Any]]:
    """What is open about a control at home, or everywhere at once; other regions are as AWS makes them."""
    here = tuple(f"{account.aws.account}/{where}/" for where in (account.aws.region, "global"))
    found = account.operate("findings")["data"]["findings"]
    return [one for one in found if one["control"] == control and one["target"].startswith(here)]


@pytest.fixture
def in_line(account: Account) -> Account:
    """The switches of each region are on, and Plumbline has seen it."""
    ec2 = account.aws.client("ec2")
    ec2.enable_ebs_encryption_by_default()
    ec2.modify_instance_metadata_defaults(HttpTokens="required")
    account.sweep()
    switches = ("ec2-ebs-encryption", "ec2-metadata-defaults")
    account.until(lambda: not any(_open(account, one) for one in switches), "no finding about the switches is open")
    return account


def test_encryption_that_is_switched_off_is_on_again_and_told_with_who_did_it(in_line: Account) -> None:
    since = in_line.latest_mail()
    ec2 = in_line.aws.client("ec2")
    in_line.aws.client("ec2", as_="mallory").disable_ebs_encryption_by_default()
    in_line.until(lambda: ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"], "encryption is on again")
    in_line.quiet()
    (mail,) = in_line.mail_about("EBS encryption", since)
    assert (
        mail.subject == f"[Plumbline] repaired: EBS encryption by default in {in_line.aws.region} was off (by mallory)"
    )


def test_a_default_that_the_organisation_holds_is_told_once_and_never_written(in_line: Account) -> None:
    since, calls = in_line.latest_mail(), in_line.latest_call()
    in_line.aws.hold("instance-metadata-defaults", {"HttpTokens": "optional"}, message="ask the cloud team")
    try:
        for _ in range(2):
            in_line.sweep()
        (mail,) = in_line.mail_about("instance metadata", since)
        assert "ask the cloud team" in " ".join(mail.text.split())
        assert [] == in_line.calls_of("hands", calls)
    finally:
        in_line.aws.release("instance-metadata-defaults")
    in_line.sweep()
    in_line.until(lambda: not _open(in_line, "ec2-metadata-defaults"), "nothing about the default is open any more")


def test_public_access_is_blocked_when_a_person_agrees_and_as_before_when_he_takes_it_back(account: Account) -> None:
    control = account.aws.client("s3control")
    account.sweep()
    (found,) = _open(account, "account-s3-public-access")
    assert account.operate("enforce", "account-s3-public-access", "--yes")["ok"]
    account.sweep()
    # a cold start takes longer than the silence after a sweep, where the machine is busy
    account.operate_until_done("approve", found["id"], what="the repair is proposed, and approved")
    assert control.get_public_access_block(AccountId="111122223333")["PublicAccessBlockConfiguration"] == FOUR
    assert account.operate("undo", found["id"])["ok"]
    with pytest.raises(ClientError, match="NoSuchPublicAccessBlockConfiguration"):
        control.get_public_access_block(AccountId="111122223333")
