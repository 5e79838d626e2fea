"""What is read of an account before, and what `make deploy` prints: in an account that moto plays."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from deploy.__main__ import main
from deploy.deciding import TRAIL
from deploy.looking import _deployer, home_region, look, outputs, unconfirmed
from tests.story import ACCOUNT, World, world

REGION = "us-east-1"
TEMPLATE = {
    "Parameters": {"AlertEmail": {"Type": "String"}, TRAIL: {"Type": "String", "Default": ""}},
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "acme-alerts"}}},
    "Outputs": {"AlertsTopicArn": {"Value": {"Ref": "Topic"}}},
}


@pytest.fixture
def here() -> Iterator[World]:
    with world() as told:
        yield told


def _stack(here: World) -> str:
    parameters = [{"ParameterKey": "AlertEmail", "ParameterValue": "ann@example.com"}]
    here.client("cloudformation").create_stack(
        StackName="plumbline", TemplateBody=json.dumps(TEMPLATE), Parameters=parameters
    )
    return f"arn:aws:sns:{REGION}:{ACCOUNT}:acme-alerts"


def test_an_empty_account_has_no_stack_and_no_trail(here: World) -> None:
    seen = look(here._make, REGION, "plumbline")
    assert (seen.account, seen.region, seen.status, seen.parameters, seen.own_trail, seen.trails) == (
        ACCOUNT,
        REGION,
        "",
        {},
        "",
        (),
    )


def test_a_stack_is_seen_with_its_parameters_and_outputs(here: World) -> None:
    topic = _stack(here)
    seen = look(here._make, REGION, "plumbline")
    assert (seen.status, seen.parameters) == ("CREATE_COMPLETE", {"AlertEmail": "ann@example.com", TRAIL: ""})
    assert outputs(here._make, REGION, "plumbline") == {"AlertsTopicArn": topic}
    assert outputs(here._make, REGION, "another") == {}


def test_trails_are_seen_with_what_they_record(here: World) -> None:
    here.client("s3").create_bucket(Bucket="acme-records")
    here.client("cloudtrail").create_trail(Name="audit", S3BucketName="acme-records", IsMultiRegionTrail=True)
    here.client("cloudtrail").start_logging(Name="audit")
    (seen,) = look(here._make, REGION, "plumbline").trails
    assert (seen["name"], seen["own"], seen["logging"], seen["every_region"]) == ("audit", True, True, True)


def test_whoever_has_not_confirmed_is_named(here: World) -> None:
    topic = _stack(here)
    here.client("sns").subscribe(TopicArn=topic, Protocol="sms", Endpoint="+15555550100")
    assert list(unconfirmed(here._make, REGION, topic)) == []


def test_looking_alone_says_what_would_be_decided(here: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert here.account == ACCOUNT
    assert main(["--look", "--region", REGION, "--email", "ann@example.com", "--parameters", "Mode=observe"]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert f"Account {ACCOUNT}" in told
    assert "The stack makes a trail, with a bucket of its own." in told


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ([], "Say who is told: make deploy EMAIL=you@example.com\n"),
        (
            ["--parameters", "observe"],
            "PARAMETERS takes NAME=VALUE, and observe is none: make deploy PARAMETERS='Mode=observe'\n",
        ),
        (
            ["--email", "ann@example.com", "--parameters", f"{TRAIL}=audit"],
            (
                f"There is no trail audit that account {ACCOUNT} can see; there is: none. Name one of them with "
                "TRAIL=, leave TRAIL out, or write TRAIL=new and the stack makes one.\n"
            ),
        ),
    ],
)
def test_what_cannot_be_deployed_is_one_line(
    here: World, capsys: pytest.CaptureFixture[str], typed: list[str], line: str
) -> None:
    assert here.account == ACCOUNT
    assert main(["--region", REGION, *typed]) == 1
    assert capsys.readouterr() == ("", line)


def test_the_region_is_the_one_that_awss_command_line_would_take(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS CLI user guide, "Environment variables": AWS_REGION goes before AWS_DEFAULT_REGION."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert home_region() == "eu-west-1"
    monkeypatch.setenv("AWS_REGION", "ap-southeast-2")
    assert (home_region(), home_region("us-east-1")) == ("ap-southeast-2", "us-east-1")


def test_without_a_region_it_asks_for_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    assert main(["--email", "ann@example.com"]) == 1
    assert "No region is configured" in capsys.readouterr().err


def test_who_deploys_is_recorded_as_a_user_or_a_role_with_its_path() -> None:
    user = "arn:aws:iam::123456789012:user/team/maria"
    session = "arn:aws:sts::123456789012:assumed-role/ci/build-7"
    with world() as here:
        here.client("iam").create_role(RoleName="ci", Path="/cicd/", AssumeRolePolicyDocument="{}")
        clients = here.accounts.clients
        found = [_deployer(clients, "eu-west-1", one) for one in (user, session, session.replace("/ci/", "/gone/"))]
    assert [user, "arn:aws:iam::123456789012:role/cicd/ci", ""] == found


def test_nobody_else_is_recorded() -> None:
    with world() as here:
        clients = here.accounts.clients
        assert "" == _deployer(clients, "eu-west-1", "arn:aws:iam::123456789012:root")
