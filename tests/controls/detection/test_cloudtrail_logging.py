"""cloudtrail-logging: the account's memory is switched on again, and made whole."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.controls.detection._selectors import logs_management, with_management
from plumbline.controls.detection._trails import missing
from plumbline.controls.detection.cloudtrail_logging import CONTROL, describe, detect, locate, plan
from plumbline.core.calls import Call, Plan
from plumbline.core.control import Deviation
from plumbline.core.targets import GLOBAL, Target
from tests.story import ACCOUNT, HOME, Story, World, defaults
from tests.trails import whole

TRAILS = Target(ACCOUNT, GLOBAL, "cloudtrail", "trails")
SETTINGS = defaults(CONTROL)
ARN = f"arn:aws:cloudtrail:{HOME}:{ACCOUNT}:trail/plumbline"
WHOLE = whole("plumbline", ACCOUNT, HOME)
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


#: Somebody else's trails in this account.
AUDIT: dict[str, Any] = WHOLE | {"name": "audit", "arn": ARN.replace("plumbline", "audit"), "bucket": "theirs"}
THEIR_FILES: dict[str, Any] = AUDIT | {"every_region": False, "basic": [FILES]}
ORGANISATION: dict[str, Any] = WHOLE | {
    "name": "organisation",
    "arn": "arn:aws:cloudtrail:us-east-1:444455556666:trail/organisation",
    "own": False,
    "organisation": True,
}


def state(*trails: dict[str, Any], existing: str = "") -> dict[str, Any]:
    return {"account": ACCOUNT, "home": HOME, "stack": "plumbline", "existing": existing, "trails": list(trails)}


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


def _theirs(world: World) -> Target:
    """The baseline's trail is gone, and another team has one of its own, for files and one region."""
    _bucket(world)
    world.client("s3").create_bucket(Bucket="theirs")
    client = world.client("cloudtrail", HOME)
    client.create_trail(Name="theirs", S3BucketName="theirs", IsMultiRegionTrail=False)
    client.put_event_selectors(TrailName="theirs", EventSelectors=[FILES])
    client.start_logging(Name="theirs")
    return TRAILS


def _none(world: World) -> Target:
    _bucket(world)
    return TRAILS


STORIES = (
    Story("the trail is stopped", CONTROL.id, _stopped, reset=False),
    Story("the trail covers one region, which is not us-east-1", CONTROL.id, _one_region, reset=False),
    Story("the trail logs data events only", CONTROL.id, _files_only, reset=False),
    Story("the trail logs reads only", CONTROL.id, _reads_only, reset=False),
    Story("the trail is gone, and the organisation's is stopped", CONTROL.id, _organisations, reset=False),
    Story("the trail is gone", CONTROL.id, _none, reset=False),
    Story("the trail is gone, and somebody else has one", CONTROL.id, _theirs, reset=False),
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


def _operations(repair: Plan) -> list[str]:
    return [call.operation for call in repair.do]


def test_the_baselines_trail_is_repaired_whatever_others_there_are() -> None:
    ours = WHOLE | {"logging": False, "validation": False}
    assert {call.parameters["Name"] for call in plan(TRAILS, state(THEIR_FILES, ours), SETTINGS).do} == {ARN}


@pytest.mark.parametrize(
    "theirs",
    [
        THEIR_FILES,
        THEIR_FILES | {"every_region": True},
        THEIR_FILES | {"basic": [], "advanced": [DATA]},
        AUDIT | {"every_region": False},
        AUDIT
        | {"every_region": False, "name": "plumbline", "region": "sa-east-1", "arn": ARN.replace(HOME, "sa-east-1")},
        AUDIT | {"logging": False},
        AUDIT | {"basic": [MANAGEMENT | {"ReadWriteType": "WriteOnly"}]},
        AUDIT | {"advanced": [ONE_USER]},
        AUDIT | {"organisation": True, "logging": False},
        ORGANISATION | {"logging": False},
    ],
    ids=lambda trail: ", ".join(missing(trail)),
)
def test_where_the_baselines_trail_is_gone_it_is_created_and_nobody_elses_is_changed(theirs: dict[str, Any]) -> None:
    repair = plan(TRAILS, state(theirs), SETTINGS)
    assert _operations(repair) == ["CreateTrail", "StartLogging"]
    assert {call.parameters["Name"] for call in repair.do} == {"plumbline"}
    assert {call.region for call in repair.do} == {HOME}
    assert repair.summary.endswith(f"every region; {theirs['name']} stays as it is")


@pytest.mark.parametrize("detail", ["global_services", "validation"])
def test_another_trail_that_records_all_but_a_detail_is_given_it(detail: str) -> None:
    repair = plan(TRAILS, state(AUDIT | {detail: False}), SETTINGS)
    assert _operations(repair) == ["UpdateTrail"]
    assert repair.do[0].parameters["Name"] == AUDIT["arn"]


@pytest.mark.parametrize("existing", ["audit", AUDIT["arn"]])
def test_the_trail_that_the_stack_was_told_to_use_is_repaired_like_its_own(existing: str) -> None:
    narrowed = plan(TRAILS, state(THEIR_FILES | {"logging": False}, existing=existing), SETTINGS)
    assert _operations(narrowed) == ["StartLogging", "UpdateTrail", "PutEventSelectors"]
    assert {call.parameters.get("Name", call.parameters.get("TrailName")) for call in narrowed.do} == {AUDIT["arn"]}


def test_a_trail_that_was_named_and_does_not_exist_is_told_with_what_to_do() -> None:
    seen = state(THEIR_FILES, existing="audti")
    expected = Deviation("is off: there is no trail audti, and no other one records everything", ("no trail",))
    assert expected == detect(seen, SETTINGS)
    assert plan(TRAILS, seen, SETTINGS).refusal == (
        "this stack was told to use the trail audti, which does not exist, so it has no bucket for one of its own: "
        "make that trail again, or deploy with another ExistingTrailName; with an empty one the stack makes a trail"
    )
    assert _operations(plan(TRAILS, seen, SETTINGS | {"bucket": "mine"})) == ["CreateTrail", "StartLogging"]


def test_a_wrong_name_matters_no_more_while_another_trail_records_everything() -> None:
    assert detect(state(AUDIT, existing="audti"), SETTINGS) is None


def test_an_organisations_trail_that_was_named_is_left_to_its_management_account() -> None:
    for existing in ("organisation", ORGANISATION["arn"]):
        repair = plan(TRAILS, state(ORGANISATION | {"logging": False}, existing=existing), SETTINGS)
        assert repair.refusal == "trail organisation is the organisation's; its management account has to repair it"


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "logging": st.booleans(),
                "every_region": st.booleans(),
                "validation": st.booleans(),
                "global_services": st.booleans(),
                "organisation": st.booleans(),
                "own": st.booleans(),
                "region": st.sampled_from([HOME, "us-east-1"]),
                "basic": st.sampled_from([[], [FILES], [MANAGEMENT], [MANAGEMENT | {"ReadWriteType": "WriteOnly"}]]),
                "advanced": st.sampled_from([[], [DATA], [READS, WRITES], [ONE_USER]]),
                "name": st.sampled_from(["plumbline", "audit", "files"]),
            },
        ),
        max_size=4,
    ),
    st.sampled_from(["", "audit", "nowhere"]),
)
def test_no_repair_widens_a_trail_that_is_neither_the_baselines_nor_named(
    drawn: list[dict[str, Any]], existing: str
) -> None:
    """Whatever trails there are: another one's regions, events, bucket and logging stay as they are."""
    trails = [WHOLE | {"name": f"t{n}"} | one for n, one in enumerate(drawn)]
    trails = [
        one | {"arn": f"arn:aws:cloudtrail:{one['region']}:1:trail/{one['name']}-{n}"} for n, one in enumerate(trails)
    ]
    seen = state(*trails, existing=existing)
    if detect(seen, SETTINGS) is None:
        return
    for call in plan(TRAILS, seen, SETTINGS).do:
        about = call.parameters.get("Name", call.parameters.get("TrailName"))
        touched = next((one for one in trails if one["arn"] == about), None)
        if touched is None:
            assert about == "plumbline"
            continue
        assert touched["own"]
        assert not touched["organisation"]
        is_ours = touched["name"] == existing or (touched["name"] == "plumbline" and touched["region"] == HOME)
        assert is_ours or call.operation == "UpdateTrail"
        assert is_ours or (touched["every_region"] and touched["logging"])
        assert is_ours or logs_management(touched["basic"], touched["advanced"])


def test_a_missing_trail_is_created_on_the_baselines_bucket() -> None:
    calls = plan(TRAILS, state(), SETTINGS | {"bucket": "audit-{account}-{region}-{other}"}).do
    assert [call.operation for call in calls] == ["CreateTrail", "StartLogging"]
    assert calls[0].parameters["S3BucketName"] == f"audit-{ACCOUNT}-{HOME}-{{other}}"


def test_an_organisations_trail_of_its_management_account_is_left_to_a_person() -> None:
    ours = WHOLE | {"organisation": True, "logging": False}
    repair = plan(TRAILS, state(ours), SETTINGS)
    assert repair.steps == ()
    assert repair.refusal == (
        "trail plumbline is the organisation's, and changing it takes permissions in AWS Organizations that Plumbline "
        "does not hold; repair it by hand, in this account"
    )


def test_what_an_organisations_trail_leaves_out_is_not_claimed_to_be_known() -> None:
    chosen = ORGANISATION | {"selectors_seen": False}
    assert detect(state(chosen), SETTINGS) is None
    assert describe(state(chosen)) == (
        "trail organisation logs; which events it leaves out only its own account can see"
    )


def test_the_words_before_and_after() -> None:
    assert describe(state(WHOLE)) == "trail plumbline logs everything"
    assert describe(state(WHOLE | {"logging": False, "validation": False})) == (
        "trail plumbline is stopped, has no log file validation"
    )
    assert describe(state()) == "there is no trail"


def test_what_version_0_1_stored_is_still_told() -> None:
    stored = {name: value for name, value in WHOLE.items() if name not in {"selectors_seen", "undelivered"}}
    assert describe({"account": ACCOUNT, "home": HOME, "trails": [stored]}) == "trail plumbline logs everything"


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
