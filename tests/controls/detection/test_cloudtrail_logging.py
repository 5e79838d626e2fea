"""cloudtrail-logging: the account's memory is switched on again, and made whole."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from plumbline.controls.detection._selectors import logs_management, with_management
from plumbline.controls.detection.cloudtrail_logging import CONTROL, describe, detect, locate, plan
from plumbline.core.calls import Call
from plumbline.core.control import Deviation
from plumbline.core.targets import GLOBAL, Target
from tests.story import ACCOUNT, HOME, Story, World, defaults

TRAILS = Target(ACCOUNT, GLOBAL, "cloudtrail", "trails")
SETTINGS = defaults(CONTROL)
ARN = f"arn:aws:cloudtrail:{HOME}:{ACCOUNT}:trail/plumbline"
WHOLE = {
    "name": "plumbline",
    "arn": ARN,
    "own": True,
    "organisation": False,
    "region": HOME,
    "bucket": "logs",
    "logging": True,
    "every_region": True,
    "global_services": True,
    "validation": True,
    "basic": [],
    "advanced": [],
}
FILES = {
    "ReadWriteType": "WriteOnly",
    "IncludeManagementEvents": False,
    "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::acme-data/"]}],
}
MANAGEMENT = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}
EVERY = {"Field": "eventCategory", "Equals": ["Management"]}
DATA = {"Name": "files", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}
READS = {"Name": "reads", "FieldSelectors": [EVERY, {"Field": "readOnly", "Equals": ["true"]}]}
WRITES = {"Name": "writes", "FieldSelectors": [EVERY, {"Field": "readOnly", "Equals": ["false"]}]}
QUIET = {"Name": "no kms", "FieldSelectors": [EVERY, {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}]}
ONE_USER = {
    "Name": "ann",
    "FieldSelectors": [EVERY, {"Field": "userIdentity.arn", "Equals": ["arn:aws:iam::1:user/ann"]}],
}


def state(*trails: dict[str, Any]) -> dict[str, Any]:
    return {"account": ACCOUNT, "home": HOME, "trails": list(trails)}


def _bucket(world: World) -> str:
    name = f"plumbline-trail-{ACCOUNT}-{HOME}"
    world.client("s3").create_bucket(Bucket=name)
    return name


def _trail(world: World, *, every_region: bool = True, validation: bool = True) -> Any:
    client = world.client("cloudtrail", HOME)
    client.create_trail(
        Name="plumbline",
        S3BucketName=_bucket(world),
        IsMultiRegionTrail=every_region,
        EnableLogFileValidation=validation,
    )
    client.start_logging(Name="plumbline")
    return client


def _stopped(world: World) -> Target:
    _trail(world).stop_logging(Name="plumbline")
    return TRAILS


def _organisations(world: World) -> Target:
    world.client("cloudtrail", HOME).create_trail(
        Name="organisation", S3BucketName=_bucket(world), IsMultiRegionTrail=True, IsOrganizationTrail=True
    )
    return TRAILS


def _one_region(world: World) -> Target:
    _trail(world, every_region=False, validation=False)
    return TRAILS


def _files_only(world: World) -> Target:
    _trail(world).put_event_selectors(TrailName="plumbline", EventSelectors=[FILES])
    return TRAILS


def _reads_only(world: World) -> Target:
    _trail(world).put_event_selectors(TrailName="plumbline", AdvancedEventSelectors=[DATA, READS])
    return TRAILS


def _none(world: World) -> Target:
    _bucket(world)
    return TRAILS


STORIES = (
    Story("the trail is stopped", CONTROL.id, _stopped, reset=False),
    Story("the trail covers one region, which is not us-east-1", CONTROL.id, _one_region, reset=False),
    Story("the trail logs data events only", CONTROL.id, _files_only, reset=False),
    Story("the trail logs reads only", CONTROL.id, _reads_only, reset=False),
    Story(
        "the trail is the organisation's, and this its management account", CONTROL.id, _organisations, alert_only=True
    ),
    Story("the trail is gone", CONTROL.id, _none, reset=False),
)


def test_one_whole_trail_is_enough() -> None:
    assert detect(state(WHOLE), SETTINGS) is None
    assert detect(state(WHOLE | {"logging": False}, WHOLE | {"name": "organisation", "own": False}), SETTINGS) is None


def test_a_stopped_trail_a_partial_one_and_none_deviate() -> None:
    stopped = Deviation("is off: trail plumbline is stopped", ("plumbline is stopped",))
    assert stopped == detect(state(WHOLE | {"logging": False}), SETTINGS)
    partial = WHOLE | {"every_region": False, "validation": False}
    expected = Deviation(
        "is incomplete: trail plumbline covers one region only",
        ("plumbline covers one region only", "plumbline has no log file validation"),
    )
    assert expected == detect(state(partial), SETTINGS)
    assert Deviation("is off: there is no trail", ("no trail",)) == detect(state(), SETTINGS)


def test_the_repair_is_as_small_as_can_be_and_sent_to_the_trails_region() -> None:
    repair = plan(TRAILS, state(WHOLE | {"logging": False}), SETTINGS)
    assert repair.do == (Call("cloudtrail", "StartLogging", {"Name": ARN}, HOME),)
    assert repair.undo == ()
    assert repair.irreversible == "Plumbline never switches an audit trail off again"
    assert repair.resources == (f"arn:*:cloudtrail:*:{ACCOUNT}:trail/plumbline",)


def test_the_baselines_trail_is_repaired_before_others() -> None:
    other = WHOLE | {"name": "audit", "arn": ARN.replace("plumbline", "audit"), "basic": [FILES]}
    ours = WHOLE | {"logging": False, "validation": False}
    assert {call.parameters["Name"] for call in plan(TRAILS, state(other, ours), SETTINGS).do} == {ARN}
    assert plan(TRAILS, state(other), SETTINGS).do[0].operation == "PutEventSelectors"


def test_a_missing_trail_is_created_on_the_baselines_bucket() -> None:
    calls = plan(TRAILS, state(), SETTINGS | {"bucket": "audit-{account}-{region}-{other}"}).do
    assert [call.operation for call in calls] == ["CreateTrail", "StartLogging"]
    assert calls[0].parameters["S3BucketName"] == f"audit-{ACCOUNT}-{HOME}-{{other}}"


def test_an_organisations_trail_is_left_to_its_management_account() -> None:
    theirs = WHOLE | {"name": "organisation", "own": False, "logging": False}
    expected = "trail organisation is the organisation's; its management account has to repair it"
    assert plan(TRAILS, state(theirs), SETTINGS).refusal == expected


def test_an_organisations_trail_of_its_management_account_is_left_to_a_person() -> None:
    ours = WHOLE | {"organisation": True, "logging": False}
    repair = plan(TRAILS, state(ours), SETTINGS)
    assert repair.steps == ()
    assert repair.refusal == (
        "trail plumbline is the organisation's, and changing it takes permissions in AWS Organizations that Plumbline "
        "does not hold; repair it by hand, in this account"
    )


def test_a_trail_that_can_be_repaired_comes_before_the_organisations() -> None:
    ours = WHOLE | {"organisation": True, "logging": False}
    other = WHOLE | {"name": "audit", "arn": ARN.replace("plumbline", "audit"), "basic": [FILES]}
    assert [call.operation for call in plan(TRAILS, state(ours, other), SETTINGS).do] == ["PutEventSelectors"]


def test_the_words_before_and_after() -> None:
    assert describe(state(WHOLE)) == "trail plumbline logs everything"
    assert describe(state(WHOLE | {"logging": False, "validation": False})) == (
        "trail plumbline is stopped, has no log file validation"
    )
    assert describe(state()) == "there is no trail"


def test_an_event_about_any_trail_in_any_region_means_the_one_target() -> None:
    detail = {"recipientAccountId": ACCOUNT, "awsRegion": "sa-east-1", "requestParameters": {"name": "decoy"}}
    assert list(locate(detail)) == [TRAILS]


def test_selectors_that_log_all_management_events() -> None:
    assert logs_management([], [])
    assert logs_management([FILES, MANAGEMENT], [])
    assert logs_management([MANAGEMENT | {"ExcludeManagementEventSources": ["kms.amazonaws.com"]}], [])
    assert logs_management([], [READS, WRITES])
    assert logs_management([], [DATA, QUIET])


def test_selectors_that_leave_some_out() -> None:
    assert not logs_management([FILES], [])
    assert not logs_management([MANAGEMENT | {"ReadWriteType": "WriteOnly"}], [])
    assert not logs_management([], [DATA])
    assert not logs_management([], [READS])
    assert not logs_management([], [ONE_USER])


def test_five_selectors_of_data_events_leave_no_room_so_the_first_takes_management_on() -> None:
    selectors = with_management([FILES] * 5, [])["EventSelectors"]
    assert selectors == [MANAGEMENT | {"DataResources": FILES["DataResources"]}, *[FILES] * 4]


@given(st.lists(st.sampled_from([FILES, MANAGEMENT, MANAGEMENT | {"ReadWriteType": "ReadOnly"}]), max_size=5))
def test_repaired_basic_selectors_log_all_and_keep_all_data_resources(basic: list[dict[str, Any]]) -> None:
    after = with_management(basic, [])["EventSelectors"]
    assert logs_management(after, [])
    assert [one["DataResources"] for one in after if one["DataResources"]] == [
        one["DataResources"] for one in basic if one["DataResources"]
    ]
    assert len(after) <= 5


@given(st.lists(st.sampled_from([DATA, READS, WRITES, QUIET, ONE_USER]), min_size=1))
def test_repaired_advanced_selectors_log_all_and_keep_the_others(advanced: list[dict[str, Any]]) -> None:
    after = with_management([], advanced)["AdvancedEventSelectors"]
    assert logs_management([], after)
    assert [one for one in after if one == DATA] == [one for one in advanced if one == DATA]
