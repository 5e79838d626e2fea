"""Which trail a deployment uses, what that costs, and what a stack that is there keeps."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.deciding import NEW, TRAIL, Refused, Seen, Wanted, decide
from deploy.trails import best, copy_costs, events_a_month, faults
from plumbline.controls.detection import cloudtrail_logging
from plumbline.core.control import EVERY
from plumbline.core.targets import GLOBAL, Target
from tests.story import defaults
from tests.trails import whole

ACCOUNT, REGION = "111122223333", "us-east-1"
CALLER = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Admin/ann"
EMAIL = "security@example.com"
COSTS = "AWS charges 2.00 USD for each 100,000 management events that a second trail delivers"


def _trail(name: str, **changes: Any) -> dict[str, Any]:
    return whole(name, ACCOUNT, changes.get("region", REGION)) | changes


FILES = {"ReadWriteType": "All", "IncludeManagementEvents": False, "DataResources": [{"Type": "AWS::S3::Object"}]}
WRITES = {"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}
AUDIT = _trail("audit")
OURS = _trail("plumbline")
ORGANISATION = _trail(
    "org", own=False, organisation=True, arn="arn:aws:cloudtrail:eu-west-1:444455556666:trail/org", region="eu-west-1"
)
#: Each kind of trail that Plumbline cannot rely on, and why.
UNFIT = {
    "is stopped": _trail("audit", logging=False),
    "covers one region only": _trail("audit", every_region=False),
    "leaves out management events": _trail("audit", basic=[FILES]),
    "leaves out management events, writes only": _trail("audit", basic=[WRITES]),
    "does not deliver: AccessDenied": _trail("audit", undelivered="AccessDenied"),
}


def _new(*trails: dict[str, Any], region: str = REGION) -> Seen:
    return Seen(ACCOUNT, CALLER, region, trails=trails)


def _there(*trails: dict[str, Any], trail: str = "") -> Seen:
    own = "" if trail else "plumbline"
    parameters = {"AlertEmail": EMAIL, TRAIL: trail}
    return Seen(ACCOUNT, CALLER, REGION, "UPDATE_COMPLETE", parameters, own_trail=own, trails=trails)


def _wants(trail: str = "", email: str = EMAIL) -> Wanted:
    return Wanted("plumbline", email, trail)


def test_a_complete_trail_is_used_and_no_second_one_is_paid_for() -> None:
    decision = decide(_new(AUDIT), _wants())
    assert decision.parameters == {"AlertEmail": EMAIL, TRAIL: "audit"}
    assert decision.told == [
        f"Account {ACCOUNT}, as {CALLER}. The stack plumbline is deployed in us-east-1 anew.",
        f"Plumbline listens to trail audit (home region us-east-1), and no second trail is made: {COSTS}.",
    ]


def test_an_organisations_trail_is_used_by_its_arn_and_what_cannot_be_seen_of_it_is_said() -> None:
    decision = decide(_new(ORGANISATION | {"selectors_seen": False}), _wants())
    assert decision.parameters[TRAIL] == ORGANISATION["arn"]
    assert decision.told[1] == (
        f"Plumbline listens to your organisation's trail org (of account 444455556666), and no second trail is made: "
        f"{COSTS}. Which events it leaves out only its own account can see: ask there that it records management "
        "events, reads and writes. Without them Plumbline works by its hourly sweep alone."
    )


def test_a_trail_of_another_home_region_is_named_by_its_arn() -> None:
    elsewhere = _trail("audit", region="eu-west-1")
    assert decide(_new(elsewhere), _wants()).parameters[TRAIL] == elsewhere["arn"]


def test_the_accounts_own_trail_comes_before_its_organisations() -> None:
    assert decide(_new(ORGANISATION, AUDIT), _wants()).parameters[TRAIL] == "audit"


def test_what_plumbline_will_switch_on_is_said_before() -> None:
    told = decide(_new(_trail("audit", validation=False)), _wants()).told[1]
    assert told.endswith("It has no log file validation; Plumbline will switch that on, and tell you.")
    told = decide(_new(ORGANISATION | {"validation": False}), _wants()).told[1]
    assert told.endswith("It has no log file validation; only its own account can switch that on.")


@pytest.mark.parametrize("fault", UNFIT)
def test_a_trail_that_cannot_be_relied_on_is_not_used(fault: str) -> None:
    assert [fault.partition(",")[0]] == faults(UNFIT[fault])
    assert decide(_new(UNFIT[fault]), _wants()).parameters[TRAIL] == ""
    with pytest.raises(Refused, match=rf"cannot rely on trail audit .*: it {fault.partition(',')[0]}\. Name another"):
        decide(_new(UNFIT[fault]), _wants("audit"))


def test_a_second_copy_that_cannot_be_helped_is_told_with_its_price() -> None:
    (_, told) = decide(_new(UNFIT["covers one region only"]), _wants()).told
    assert told.endswith(
        "It records again what is recorded by trail audit (home region us-east-1), which covers one region only: "
        f"{COSTS}."
    )
    (_, alone) = decide(_new(_trail("files", basic=[FILES])), _wants()).told
    assert COSTS not in alone


def test_a_trail_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(Refused, match=r"There is no trail audti .* there is: audit, plumbline\."):
        decide(_new(AUDIT, OURS), _wants("audti"))


def test_a_person_may_have_a_trail_made_all_the_same_and_hears_what_it_costs() -> None:
    decision = decide(_new(AUDIT), _wants(NEW))
    assert decision.parameters[TRAIL] == ""
    assert decision.told[1].endswith(f"trail audit (home region us-east-1), which would do: {COSTS}.")


def test_a_stack_that_is_there_keeps_its_trail_and_its_address() -> None:
    decision = decide(_there(OURS, AUDIT), _wants(email=""))
    assert decision.parameters == {}
    assert decision.told[1] == (
        f"The stack keeps its own trail, though trail audit (home region us-east-1) records the same: {COSTS}. To do "
        "without the stack's: make deploy TRAIL=audit; its bucket stays."
    )
    assert decide(_there(AUDIT, trail="audit"), _wants(email="")).parameters == {}


def test_a_stack_gives_up_its_own_trail_only_when_told_to_and_says_so() -> None:
    decision = decide(_there(OURS, AUDIT), _wants("audit", email=""))
    assert decision.parameters == {TRAIL: "audit"}
    assert "The stack's own trail plumbline is deleted; its bucket stays, with what it recorded." in decision.told[1]


def test_a_stack_that_is_told_to_use_its_own_trail_would_delete_it_so_it_keeps_it_instead() -> None:
    assert decide(_there(OURS), _wants("plumbline", email="")).parameters == {}


def test_a_stack_that_listens_to_nothing_is_told_so() -> None:
    gone = decide(_there(trail="audti"), _wants(email="")).told[1]
    assert gone.startswith("This stack was told to listen to the trail audti, which does not exist.")
    stopped = decide(_there(UNFIT["is stopped"], trail="audit"), _wants(email="")).told[1]
    assert stopped.startswith("This stack listens to trail audit (home region us-east-1), which is stopped.")


def test_a_first_deployment_asks_who_is_told() -> None:
    with pytest.raises(Refused, match=r"make deploy EMAIL=you@example\.com"):
        decide(_new(), _wants(email=""))


def test_what_a_failed_first_deployment_left_is_to_be_deleted_first() -> None:
    with pytest.raises(Refused, match="sam delete --stack-name plumbline --region us-east-1"):
        decide(Seen(ACCOUNT, CALLER, REGION, "ROLLBACK_COMPLETE"), _wants())


def test_another_home_region_hears_the_others() -> None:
    told = decide(_new(AUDIT, region="ap-southeast-2"), _wants()).told[-1]
    assert told == (
        "The home region is ap-southeast-2. Every other is heard there as well: a forwarder stands in each."
    )
    assert not [one for one in decide(_new(AUDIT), _wants()).told if "home region is" in one]


def test_a_home_region_that_no_event_crosses_to_says_what_is_not_heard_there() -> None:
    told = decide(_new(AUDIT, region="us-gov-east-1"), _wants()).told[-1]
    assert told == (
        "The home region is us-gov-east-1. Changes in IAM are not heard in us-gov-east-1, for AWS tells of them in "
        "us-gov-west-1 only, and hands no events from one region to another here: the hourly sweep finds them. Root's "
        "sign-ins are not told of at all. To hear it, deploy there: AWS_REGION=us-gov-west-1 make deploy ..."
    )


def test_a_million_events_a_month_cost_twenty_dollars_on_a_second_trail() -> None:
    """CloudTrail's pricing page: 2.00 USD for each 100,000 management events beyond the first copy."""
    assert copy_costs(1_000_000) == pytest.approx(20)
    assert events_a_month(5_000) == 3_600_000


@given(
    st.lists(st.sampled_from([AUDIT, ORGANISATION, *UNFIT.values(), _trail("audit", validation=False)]), max_size=3),
)
def test_what_is_chosen_by_itself_is_never_repaired_beyond_a_detail(
    trails: list[dict[str, Any]],
) -> None:
    """What a deployment takes for complete, `cloudtrail-logging` does not go on to widen."""
    found = best(trails)
    if found is None or not found["own"]:
        return
    control = cloudtrail_logging.CONTROL
    state = {"account": ACCOUNT, "home": REGION, "stack": "plumbline", "existing": found["name"], "trails": [found]}
    target, settings = Target(ACCOUNT, GLOBAL, "cloudtrail", "trails"), defaults(control)
    if control.detect(state, settings):
        assert [one.operation for one in control.plan(target, state, settings, EVERY).do] == ["UpdateTrail"]
