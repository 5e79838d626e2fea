"""A region that the baseline names and that the account switches on, off and on again, on a deployment of its own.

The tests run in this order: each begins where the one before has ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local import deployment
from local.embedded import EmbeddedAWS, EmbeddedAWSError
from tests import built
from tests.end_to_end.account import HOME, Account

ELSEWHERE = "ap-east-1"
BASELINE = f"regions: [{HOME}, {ELSEWHERE}]\n"


@pytest.fixture(scope="module")
def spread(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account in which nothing is deployed yet, and a baseline of two regions, of which it has one."""
    state: Path = tmp_path_factory.mktemp("spread")
    baseline = tmp_path_factory.mktemp("baseline") / "baseline.yaml"
    baseline.write_text(BASELINE)
    with EmbeddedAWS.start(state=state, region=HOME) as aws:
        aws.user("erin", policies=["arn:aws:iam::aws:policy/PowerUserAccess"])
        built.build(aws, baseline=baseline)
        yield Account(aws, {})


def test_a_region_that_nobody_can_govern_stops_a_deployment_before_anything_of_it_is_made(spread: Account) -> None:
    stacks = spread.aws.client("cloudformation")
    with pytest.raises(EmbeddedAWSError, match="ROLLBACK_COMPLETE"):
        deployment.deploy(spread.aws, {"AlertEmail": "security@example.com"})
    events = stacks.describe_stack_events(StackName="plumbline")["StackEvents"]
    (why,) = [
        one["ResourceStatusReason"]
        for one in events
        if (one["LogicalResourceId"], one["ResourceStatus"]) == ("Regions", "CREATE_FAILED")
    ]
    assert f"baseline.yaml names {ELSEWHERE} under regions, which AWS does not have, or this account has not" in why
    assert "Switched on: ap-northeast-1, " in why
    assert not {"AWS::Events::Rule", "AWS::SQS::Queue", "AWS::DynamoDB::Table"} & {
        one["ResourceType"] for one in events if one["ResourceStatus"] == "CREATE_COMPLETE"
    }
    stacks.delete_stack(StackName="plumbline")


def test_a_region_that_was_switched_off_is_told_of_once_and_hides_nothing_of_the_others(spread: Account) -> None:
    spread.aws.enable_region(ELSEWHERE)
    deployment.deploy(spread.aws, {"AlertEmail": "security@example.com"})
    spread.first_sweep()
    spread.until(lambda: _is_found(spread, ELSEWHERE), "what is out of line there is found")
    spread.aws.disable_region(ELSEWHERE)
    since, calls = spread.latest_mail(), spread.latest_call()
    for _ in range(2):
        spread.sweep()
    (told,) = spread.mail_about("not heard: ", since)
    assert f"{ELSEWHERE} is covered by denial" in " ".join(told.text.split())
    assert _is_found(spread, HOME), "what is out of line in the region that it has"
    elsewhere = [call for call in spread.aws.calls(since=calls) if call.region == ELSEWHERE]
    assert [] == [call.operation for call in elsewhere], "nobody asks where nobody may do anything"
    assert spread.calls_of("hands") == [], "nothing is written there, nor anywhere"


def test_the_region_is_looked_at_again_as_soon_as_the_account_has_it(spread: Account) -> None:
    spread.aws.enable_region(ELSEWHERE)
    calls = spread.latest_call()
    spread.sweep()
    spread.until(lambda: _is_found(spread, ELSEWHERE), "what is out of line there is found")
    assert [call for call in spread.aws.calls(since=calls) if call.region == ELSEWHERE and not call.error]


def _is_found(spread: Account, region: str) -> bool:
    found = spread.operate("findings")["data"]["findings"]
    return any(f"/{region}/ec2-ebs-encryption" in one["target"] for one in found)
