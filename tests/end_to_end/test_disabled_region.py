"""A region that the baseline names and the account never opted into, on a deployment of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local import deployment
from local.embedded import EmbeddedAWS
from tests.end_to_end.account import Account

ELSEWHERE = "ap-east-1"
BASELINE = f"regions: [us-east-1, {ELSEWHERE}]\n"


@pytest.fixture(scope="module")
def spread(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """Plumbline deployed for two regions, of which the account has one."""
    state: Path = tmp_path_factory.mktemp("spread")
    baseline = tmp_path_factory.mktemp("baseline") / "baseline.yaml"
    baseline.write_text(BASELINE)
    with EmbeddedAWS.start(state=state) as aws:
        aws.disable_region(ELSEWHERE)
        aws.user("erin", policies=["arn:aws:iam::aws:policy/PowerUserAccess"])
        deployment.build(aws, baseline=baseline)
        made = Account(aws, deployment.deploy(aws, {"AlertEmail": "security@example.com"}))
        made.first_sweep()
        yield made


def test_the_region_that_cannot_be_looked_at_hides_nothing_of_the_others(spread: Account) -> None:
    spread.until(lambda: _is_found(spread, "us-east-1"), "what is out of line in the region that it has is found")
    elsewhere = [call for call in spread.aws.calls() if call.region == ELSEWHERE]
    assert elsewhere, "it was never asked"
    assert {call.error for call in elsewhere} == {"AuthFailure"}
    assert spread.calls_of("hands") == [], "nothing is written there, nor anywhere"


def test_the_region_is_seen_as_soon_as_the_account_has_it(spread: Account) -> None:
    spread.aws.enable_region(ELSEWHERE)
    spread.sweep()
    spread.until(lambda: _is_found(spread, ELSEWHERE), "what is out of line there is found")


def _is_found(spread: Account, region: str) -> bool:
    found = spread.operate("findings")["data"]["findings"]
    return any(f"/{region}/ec2-ebs-encryption" in one["target"] for one in found)
