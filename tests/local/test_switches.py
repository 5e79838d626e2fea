"""The embedded AWS keeps the account-wide settings, tells of their changes, and has an organisation above it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.embedded import ACCOUNT, EmbeddedAWS
from tests.local.test_embedded import Ear
from tests.trails import logging_trail

ALL_FOUR = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
OF_THE_ACCOUNT = {"ManagedBy": "account"}
ASK_THE_CLOUD_TEAM = "Ask the cloud team: cloud@example.com"
#: A client that nobody has prepared, as a function's or a person's is.
PLAIN_CLIENT = """
import boto3, json
control = boto3.client("s3control", region_name="eu-west-1")
print(json.dumps(control.get_public_access_block(AccountId="111122223333")["PublicAccessBlockConfiguration"]))
"""


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAWS]:
    with EmbeddedAWS.start(state=tmp_path_factory.mktemp("embedded")) as running:
        logging_trail(running)
        yield running


@pytest.fixture(scope="module")
def ears(aws: EmbeddedAWS) -> dict[str, Ear]:
    return {region: Ear(aws, region) for region in ("us-east-1", "eu-west-1")}


def _error(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


@contextmanager
def _held(aws: EmbeddedAWS, setting: str, values: dict[str, Any] | None = None, **how: str) -> Iterator[None]:
    aws.hold(setting, values, **how)
    try:
        yield
    finally:
        aws.release(setting)


def _metadata(aws: EmbeddedAWS, region: str = "us-east-1") -> dict[str, Any]:
    defaults: dict[str, Any] = aws.client("ec2", region=region).get_instance_metadata_defaults()["AccountLevel"]
    return defaults


# --- read, written, taken back --------------------------------------------------------------------


def test_metadata_defaults_keep_what_a_call_leaves_out_and_no_preference_takes_them_away(aws: EmbeddedAWS) -> None:
    ec2 = aws.client("ec2")
    assert _metadata(aws) == OF_THE_ACCOUNT
    ec2.modify_instance_metadata_defaults(HttpTokens="required", HttpPutResponseHopLimit=2)
    ec2.modify_instance_metadata_defaults(InstanceMetadataTags="enabled")
    expected = {"HttpTokens": "required", "HttpPutResponseHopLimit": 2, "InstanceMetadataTags": "enabled"}
    assert _metadata(aws) == OF_THE_ACCOUNT | expected
    assert _metadata(aws, "eu-west-1") == OF_THE_ACCOUNT
    ec2.modify_instance_metadata_defaults(HttpTokens="no-preference", HttpPutResponseHopLimit=-1)
    assert _metadata(aws) == OF_THE_ACCOUNT | {"InstanceMetadataTags": "enabled"}
    ec2.modify_instance_metadata_defaults(InstanceMetadataTags="no-preference")
    assert _metadata(aws) == OF_THE_ACCOUNT


def test_encryption_by_default_is_each_regions_own(aws: EmbeddedAWS) -> None:
    here, there = aws.client("ec2"), aws.client("ec2", region="eu-west-1")
    here.enable_ebs_encryption_by_default()
    assert here.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]
    assert not there.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]
    here.disable_ebs_encryption_by_default()
    assert not here.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]


def test_public_access_is_the_whole_accounts_whichever_region_is_asked(aws: EmbeddedAWS) -> None:
    here, there = aws.client("s3control"), aws.client("s3control", region="eu-west-1")
    there.put_public_access_block(AccountId=ACCOUNT, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    expected = dict.fromkeys(ALL_FOUR, False) | {"BlockPublicAcls": True}
    assert here.get_public_access_block(AccountId=ACCOUNT)["PublicAccessBlockConfiguration"] == expected
    for _ in range(2):  # what is not there can be deleted
        here.delete_public_access_block(AccountId=ACCOUNT)
    code, _ = _error(lambda: there.get_public_access_block(AccountId=ACCOUNT))
    assert code == "NoSuchPublicAccessBlockConfiguration"


def test_a_client_that_nobody_prepared_finds_s3_control(aws: EmbeddedAWS) -> None:
    control = aws.client("s3control")
    control.put_public_access_block(AccountId=ACCOUNT, PublicAccessBlockConfiguration=ALL_FOUR)
    command = [sys.executable, "-c", PLAIN_CLIENT]
    answered = subprocess.run(command, env=aws.environment(), capture_output=True, text=True, check=True)
    assert json.loads(answered.stdout) == ALL_FOUR
    control.delete_public_access_block(AccountId=ACCOUNT)


# --- who may, and who hears of it -----------------------------------------------------------------


def test_the_settings_are_guarded_by_iam(aws: EmbeddedAWS) -> None:
    aws.user("visitor")
    ec2, control = aws.client("ec2", as_="visitor"), aws.client("s3control", as_="visitor")
    before = len(aws.calls())
    refused = {
        _error(ec2.get_instance_metadata_defaults)[0],
        _error(lambda: ec2.modify_instance_metadata_defaults(HttpTokens="optional"))[0],
        _error(ec2.disable_ebs_encryption_by_default)[0],
    }
    assert refused == {"UnauthorizedOperation"}
    assert _error(lambda: control.delete_public_access_block(AccountId=ACCOUNT))[0] == "AccessDenied"
    asked = [(check.action, check.resource) for call in aws.calls(before) for check in call.checks]
    assert asked == [
        ("ec2:GetInstanceMetadataDefaults", "*"),
        ("ec2:ModifyInstanceMetadataDefaults", "*"),
        ("ec2:DisableEbsEncryptionByDefault", "*"),
        ("s3:PutAccountPublicAccessBlock", "*"),
    ]


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_a_change_is_heard_in_the_region_that_was_called(aws: EmbeddedAWS, ears: dict[str, Ear], region: str) -> None:
    ec2, control = aws.client("ec2", region=region), aws.client("s3control", region=region)
    ec2.modify_instance_metadata_defaults(HttpTokens="optional")
    ec2.disable_ebs_encryption_by_default()
    control.put_public_access_block(AccountId=ACCOUNT, PublicAccessBlockConfiguration=ALL_FOUR)
    control.delete_public_access_block(AccountId=ACCOUNT)
    heard = {
        name: (ears[region].first(name)["eventSource"], ears[region].first(name)["awsRegion"])
        for name in (
            "ModifyInstanceMetadataDefaults",
            "DisableEbsEncryptionByDefault",
            "PutAccountPublicAccessBlock",
            "DeleteAccountPublicAccessBlock",
        )
    }
    assert heard == {
        "ModifyInstanceMetadataDefaults": ("ec2.amazonaws.com", region),
        "DisableEbsEncryptionByDefault": ("ec2.amazonaws.com", region),
        "PutAccountPublicAccessBlock": ("s3.amazonaws.com", region),
        "DeleteAccountPublicAccessBlock": ("s3.amazonaws.com", region),
    }
    ec2.modify_instance_metadata_defaults(HttpTokens="no-preference")


# --- held from above ------------------------------------------------------------------------------


def test_a_held_default_is_answered_with_who_holds_it_and_cannot_be_written(aws: EmbeddedAWS) -> None:
    ec2 = aws.client("ec2")
    ec2.modify_instance_metadata_defaults(HttpTokens="required", HttpPutResponseHopLimit=2)
    with _held(aws, "instance-metadata-defaults", {"HttpTokens": "optional"}, message=ASK_THE_CLOUD_TEAM):
        assert _metadata(aws) == {
            "HttpTokens": "optional",
            "HttpPutResponseHopLimit": 2,
            "ManagedBy": "declarative-policy",
            "ManagedExceptionMessage": ASK_THE_CLOUD_TEAM,
        }
        assert _metadata(aws, "eu-west-1") == OF_THE_ACCOUNT
        refused = _error(lambda: ec2.modify_instance_metadata_defaults(HttpTokens="required"))
        assert refused == ("OperationNotPermitted", ASK_THE_CLOUD_TEAM)
    expected = {"HttpTokens": "required", "HttpPutResponseHopLimit": 2}
    assert _metadata(aws) == OF_THE_ACCOUNT | expected  # what the account had set is in force again
    ec2.modify_instance_metadata_defaults(HttpTokens="no-preference", HttpPutResponseHopLimit=-1)


def test_a_policy_without_a_message_of_its_own_says_what_aws_says(aws: EmbeddedAWS) -> None:
    with _held(aws, "instance-metadata-defaults", {"HttpTokens": "required"}):
        said = _metadata(aws)["ManagedExceptionMessage"]
        assert said == "This action is denied due to an organizational policy in effect"


def test_held_public_access_is_answered_as_if_it_were_the_accounts_own_and_cannot_be_written(aws: EmbeddedAWS) -> None:
    control = aws.client("s3control")
    with _held(aws, "s3-public-access", ALL_FOUR):
        answered = control.get_public_access_block(AccountId=ACCOUNT)
        assert answered["PublicAccessBlockConfiguration"] == ALL_FOUR
        nothing = dict.fromkeys(ALL_FOUR, False)
        refused = [
            _error(lambda: control.put_public_access_block(AccountId=ACCOUNT, PublicAccessBlockConfiguration=nothing)),
            _error(lambda: control.delete_public_access_block(AccountId=ACCOUNT)),
        ]
        assert refused == [("AccessDenied", "Access Denied")] * 2
    code, _ = _error(lambda: control.get_public_access_block(AccountId=ACCOUNT))
    assert code == "NoSuchPublicAccessBlockConfiguration"


def test_a_service_control_policy_denies_encryption_to_be_switched(aws: EmbeddedAWS) -> None:
    ec2 = aws.client("ec2")
    with _held(aws, "ebs-encryption"):
        code, message = _error(ec2.enable_ebs_encryption_by_default)
        assert (code, "explicit deny in a service control policy" in message) == ("UnauthorizedOperation", True)
        assert not ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]
    ec2.enable_ebs_encryption_by_default()
    assert ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]
    ec2.disable_ebs_encryption_by_default()
