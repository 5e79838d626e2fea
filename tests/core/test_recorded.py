"""What is kept of the forwarders: they are alike, so that what most of them say holds for each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from plumbline.core.recorded import Part, Parts, Recorded, common

REGIONS = ("ap-southeast-2", "eu-central-1", "eu-west-1", "us-east-1", "us-west-2")
ALONE = "us-east-1"


def _rule(region: str, **other: Any) -> Part:
    """A forwarder's rule: all that is not the same in each region is where its dead events go."""
    dead = f"arn:aws:sqs:{region}:111122223333:plumbline-dead-events"
    target = {"Id": "home", "Arn": "arn:aws:events:eu-west-2:111122223333:event-bus/plumbline-home"}
    made = {"definition": {"EventPattern": {"source": ["aws.s3"]}}, "state": "ENABLED"}
    return made | {"targets": {"home": target | {"DeadLetterConfig": {"Arn": dead}}}} | other


def _seen(**other: Part) -> dict[str, dict[str, dict[str, Part]]]:
    """Every forwarder, with one of its own in the region that hears of services without one.

    Args:
        other: what the S3 rule of a region is instead, by the region's name with underscores.
    """
    seen = {
        region: {"events-rule": {"plumbline-s3": other.get(region.replace("-", "_"), _rule(region))}}
        for region in REGIONS
    }
    seen[ALONE]["events-rule"]["plumbline-iam"] = _rule(ALONE)
    return seen


def _kept(seen: Mapping[str, Parts]) -> Recorded:
    """What comes back from the ledger."""
    return Recorded.from_json(json.loads(json.dumps(Recorded("now", elsewhere=common(seen, ALONE)).to_json())))


def test_each_region_has_what_all_have_and_one_has_more() -> None:
    kept = _kept(_seen())
    assert _seen() == {region: kept.forwarder(region) for region in REGIONS}


def test_a_region_that_is_switched_on_later_has_what_all_have() -> None:
    assert {"events-rule": {"plumbline-s3": _rule("me-central-1")}} == _kept(_seen()).forwarder("me-central-1")


def test_what_somebody_changes_while_it_is_written_down_changes_no_region() -> None:
    """His rule would hold from then on, in his region, and in every other."""
    off = {region.replace("-", "_"): _rule(region, state="DISABLED") for region in ("ap-southeast-2", "us-east-1")}
    assert _seen() == {region: _kept(_seen(**off)).forwarder(region) for region in REGIONS}


def test_a_rule_that_is_gone_from_one_region_is_expected_there_and_a_strangers_is_not() -> None:
    seen = _seen()
    del seen["eu-west-1"]["events-rule"]["plumbline-s3"]
    seen["us-west-2"]["events-rule"]["plumbline-mine"] = _rule("us-west-2")
    assert _seen() == {region: _kept(seen).forwarder(region) for region in REGIONS}


def test_one_region_alone_is_what_it_was() -> None:
    """An account that governs its home only has a forwarder in the one region where AWS tells of IAM."""
    seen = {ALONE: _seen()[ALONE]}
    assert seen[ALONE] == _kept(seen).forwarder(ALONE)
    assert {} == _kept(seen).forwarder("eu-west-1")


def test_what_an_earlier_version_wrote_down_knows_no_forwarder() -> None:
    assert {} == Recorded.from_json({"deployment": "then", "parts": {}}).forwarder("eu-west-1")
