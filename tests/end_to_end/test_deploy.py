"""`make deploy`, as the README has it, into an account that has a trail already."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator

import pytest

from local.embedded import EmbeddedAWS
from tests.deployed import ROOT
from tests.end_to_end.account import HOME
from tests.trails import logging_trail

#: The environments are there; whether they are as new as their lock files is not what is tried here.
_AS_IT_IS = ["-o", ".venv/sam/.ready"]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAWS]:
    """An account with a complete trail, whose owner confirms no e-mail."""
    with EmbeddedAWS.start(state=tmp_path_factory.mktemp("deploy"), region=HOME, confirm_mail=False) as started:
        logging_trail(started, "acme-records", "audit", validated=True)
        yield started


def _make(aws: EmbeddedAWS, *typed: str, answer: str = "y\n", **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **aws.environment(),
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "PLUMBLINE_LAMBDA_PYTHON": str(ROOT / ".venv/lambda/bin/python"),
        "SAM_CLI_POLL_DELAY": "0.3",
        **variables,
    }
    return subprocess.run(
        ["make", *_AS_IT_IS, *typed],
        cwd=ROOT,
        env=environment,
        input=answer,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


def _trails(aws: EmbeddedAWS) -> list[str]:
    return [one["Name"] for one in aws.client("cloudtrail").describe_trails()["trailList"]]


def test_a_home_region_that_is_not_switched_on_stops_it_with_where_to_look(aws: EmbeddedAWS) -> None:
    done = _make(aws, "deploy", "EMAIL=security@example.com", AWS_REGION="af-south-1", AWS_DEFAULT_REGION="af-south-1")
    assert done.returncode != 0
    assert done.stdout == ""
    told = " ".join(done.stderr.split())
    assert "The account could not be looked at: " in told
    assert "`aws account get-region-opt-status --region-name af-south-1 --region us-east-1` says." in told


def test_it_uses_the_trail_that_is_there_and_says_what_is_left_to_click(aws: EmbeddedAWS) -> None:
    done = _make(aws, "deploy", "EMAIL=security@example.com")
    assert done.returncode == 0, done.stdout + done.stderr
    told = " ".join(done.stdout.split())
    assert f"Plumbline listens to trail audit (home region {HOME}), and no second trail is made" in told
    assert _trails(aws) == ["audit"]
    assert "Deployed, and not heard yet: security@example.com must click the 2 links" in told
    again = re.findall(r"^ {2}aws sns subscribe .*:(\S+) --protocol email (.*)$", done.stdout, re.MULTILINE)
    to = "--notification-endpoint security@example.com"
    assert [("plumbline-alerts", to), ("plumbline-watchdog", to)] == again
    functions = aws.client("lambda").get_function_configuration(FunctionName="plumbline-react")
    assert functions["Environment"]["Variables"]["PLUMBLINE_EXISTING_TRAIL"] == "audit"


def test_deploying_again_keeps_what_the_stack_has(aws: EmbeddedAWS) -> None:
    done = _make(aws, "deploy", "PARAMETERS=LogRetentionDays=30")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Plumbline goes on listening to trail audit" in " ".join(done.stdout.split())
    stack = aws.client("cloudformation").describe_stacks(StackName="plumbline")["Stacks"][0]
    now = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}
    assert (now["AlertEmail"], now["ExistingTrailName"], now["LogRetentionDays"]) == (
        "security@example.com",
        "audit",
        "30",
    )
    assert _trails(aws) == ["audit"]


def test_a_trail_that_is_not_there_stops_it_before_anything_is_built(aws: EmbeddedAWS) -> None:
    done = _make(aws, "deploy", "TRAIL=audti")
    assert done.returncode != 0
    assert done.stdout == ""
    assert done.stderr.splitlines()[0] == (
        f"There is no trail audti that account {aws.account} can see; there is: audit. Name one of them with TRAIL=, "
        "leave TRAIL out, or write TRAIL=new and the stack makes one."
    )
