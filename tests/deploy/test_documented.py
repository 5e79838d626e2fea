"""docs/deploying.md: its commands are taken as printed, and its figures are what the program reckons with."""

from __future__ import annotations

import re
import shlex
import subprocess

import pytest

from deploy.__main__ import main
from deploy.trails import copy_costs, events_a_month
from tests.deployed import ROOT
from tests.story import world

GUIDE = (ROOT / "docs" / "deploying.md").read_text()
#: Each command of make in the guide, without what a word such as `...` stands for.
COMMANDS = sorted({one for one in re.findall(r"`(make [^`]+)`", GUIDE) if "..." not in one})
DEPLOYING = [one for one in COMMANDS if one.startswith("make deploy")]
#: The environments are as they are; whether they are as new as their lock files is not what is tried here.
_AS_IT_IS = [f"-o.venv/{one}/.ready" for one in ("dev", "sam", "lambda", "emulator")]
_OPTIONS = {"EMAIL": "--email", "TRAIL": "--trail", "PARAMETERS": "--parameters", "STACK": "--stack"}


@pytest.mark.parametrize("command", COMMANDS)
def test_make_knows_every_command(command: str) -> None:
    done = subprocess.run(
        ["make", "-n", *_AS_IT_IS, *shlex.split(command)[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", DEPLOYING)
def test_every_way_of_deploying_is_understood(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In an account with a trail called audit; who is told is said where the example leaves it out."""
    words = dict(one.split("=", 1) for one in shlex.split(command)[2:])
    given = {"EMAIL": "security@example.com"} | words
    arguments = [part for name, option in _OPTIONS.items() if name in given for part in (option, given[name])]
    with world() as here:
        here.client("s3").create_bucket(Bucket="acme-records")
        trails = here.client("cloudtrail")
        trails.create_trail(Name="audit", S3BucketName="acme-records", IsMultiRegionTrail=True)
        trails.start_logging(Name="audit")
        assert main(["--region", "us-east-1", "--look", *arguments]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert ("The stack makes a trail" in told) == (words.get("TRAIL") == "new")
    assert ("Plumbline listens to trail audit" in told) == (words.get("TRAIL") != "new")


def test_the_makefile_hands_on_every_variable_that_the_guide_names() -> None:
    recipe = (ROOT / "Makefile").read_text()
    missing = [name for name, option in _OPTIONS.items() if f'{option} "$${name}"' not in recipe]
    assert missing == []


def test_the_table_of_costs_is_reckoned_right() -> None:
    """Source: S3 pricing, for requests of the kind that reads settings: 0.40 USD a million."""
    rows = re.findall(r"\| ([\d,]+) \| (\d+) \| ([\d,]+) \| ([\d,.]+) USD \| free \| ([\d,.]+) USD \|", GUIDE)
    assert len(rows) == 6
    for buckets, reads, events, requests, dollars in rows:
        reckoned = events_a_month(int(buckets.replace(",", "")) * int(reads))
        expected = (f"{reckoned:,}", f"{reckoned * 0.4 / 1e6:,.2f}", f"{copy_costs(reckoned):,.2f}")
        assert expected == (events, requests, dollars)
