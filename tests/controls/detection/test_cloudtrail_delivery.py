"""cloudtrail-delivery: a trail that logs and keeps nothing is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import pytest

from plumbline.controls.detection._trails import read
from plumbline.controls.detection.cloudtrail_delivery import CONTROL, describe, detect
from plumbline.core.calls import Call
from plumbline.core.control import Deviation
from plumbline.core.reach import Reach
from plumbline.core.recorded import Recorded
from plumbline.core.targets import GLOBAL, Target
from tests.fakes import Plain
from tests.story import ACCOUNT, HOME, Story, World

DELIVERY = Target(ACCOUNT, GLOBAL, "cloudtrail-delivery", "trails")
REFUSED = {"name": "plumbline", "bucket": "logs", "undelivered": "AccessDenied"}
FINE = {"name": "audit", "bucket": "theirs", "undelivered": ""}


def _bucket_deleted(world: World) -> Target:
    world.client("s3").create_bucket(Bucket="acme-records")
    client = world.client("cloudtrail", HOME)
    client.create_trail(
        Name="plumbline", S3BucketName="acme-records", IsMultiRegionTrail=True, EnableLogFileValidation=True
    )
    client.start_logging(Name="plumbline")
    world.client("s3").delete_bucket(Bucket="acme-records")
    return DELIVERY


STORIES = (Story("the trail's bucket is deleted", CONTROL.id, _bucket_deleted, alert_only=True),)


def test_a_trail_that_is_refused_deviates_and_says_why_and_where() -> None:
    expected = Deviation(
        "has stopped: bucket logs refuses what trail plumbline writes (AccessDenied)", ("plumbline: AccessDenied",)
    )
    assert expected == detect({"trails": [REFUSED]}, {})


def test_one_trail_that_delivers_is_enough() -> None:
    assert detect({"trails": [REFUSED, FINE]}, {}) is None
    assert describe({"trails": [REFUSED, FINE]}) == (
        "trail plumbline to bucket logs: AccessDenied; trail audit to bucket theirs: delivers"
    )


def test_without_a_whole_trail_it_is_the_other_rule_that_tells() -> None:
    assert detect({"trails": []}, {}) is None
    assert describe({"trails": []}) == "no trail records everything"


@dataclass
class Documented(Plain):
    """Eyes that see one trail, with answers as the CLI reference's examples have them."""

    status: dict[str, Any]
    trail_seen: dict[str, Any] = field(default_factory=dict)
    account: str = ACCOUNT
    region: str = GLOBAL
    home: str = HOME
    stack: str = "plumbline"
    trail: str = ""
    now: datetime = datetime(2026, 3, 2, 9, 30, tzinfo=timezone.utc)
    recorded: Recorded = field(default_factory=Recorded)
    reach: Reach = field(default_factory=Reach)
    asked: list[str] = field(default_factory=list)

    def __call__(self, call: Call, /) -> Any:
        """See core.Ask."""
        self.asked.append(call.operation)
        if call.operation == "DescribeTrails":
            return {"trailList": [TRAIL | self.trail_seen]}
        return self.status if call.operation == "GetTrailStatus" else {"EventSelectors": []}


TRAIL = {
    "Name": "Trail1",
    "S3BucketName": "amzn-s3-demo-bucket",
    "IncludeGlobalServiceEvents": True,
    "IsMultiRegionTrail": True,
    "TrailARN": f"arn:aws:cloudtrail:us-east-1:{ACCOUNT}:trail/Trail1",
    "LogFileValidationEnabled": True,
    "HomeRegion": "us-east-1",
    "HasCustomEventSelectors": False,
    "IsOrganizationTrail": False,
}
#: AWS CLI command reference, `cloudtrail get-trail-status`, its example.
AT = "2015-09-01T20:35:57Z"
STATUS = {
    "LatestDeliveryTime": datetime(2015, 9, 1, 20, 35, 57, 497000, tzinfo=timezone.utc),
    "LatestDeliveryAttemptTime": AT,
    "LatestNotificationAttemptSucceeded": AT,
    "LatestDeliveryAttemptSucceeded": AT,
    "IsLogging": True,
    "TimeLoggingStarted": "2015-09-01T00:54:02Z",
    "StartLoggingTime": datetime(2015, 9, 1, 0, 54, 2, tzinfo=timezone.utc),
    "TimeLoggingStopped": "",
}
#: API reference, GetTrailStatus: the error says nothing of when it was; the attempts' fields are no longer in use.
ERROR = {"LatestDeliveryError": "AccessDenied"}
UNUSED = {"LatestDeliveryAttemptTime": "", "LatestDeliveryAttemptSucceeded": ""}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (STATUS, ""),
        (STATUS | {"LatestDeliveryError": ""}, ""),
        (STATUS | ERROR | UNUSED, "AccessDenied"),
        ({"IsLogging": True} | ERROR, "AccessDenied"),
        (STATUS | ERROR | {"LatestDeliveryAttemptTime": "2015-09-01T21:05:57Z"}, "AccessDenied"),
        (STATUS | ERROR | {"LatestDeliveryAttemptSucceeded": ""}, "AccessDenied"),
        (STATUS | ERROR, ""),
        (
            STATUS | ERROR | {"LatestDeliveryTime": datetime(2016, 1, 1, tzinfo=timezone.utc)},
            "AccessDenied",
        ),
    ],
    ids=[
        "no error",
        "an empty one",
        "an error of nobody knows when",
        "never delivered",
        "the latest attempt failed",
        "no attempt succeeded",
        "the latest attempt succeeded, so the error is older",
        "fields that are no longer kept",
    ],
)
def test_an_error_counts_unless_a_later_delivery_is_shown(status: dict[str, Any], expected: str) -> None:
    assert [one["undelivered"] for one in read(Documented(status), ACCOUNT)] == [expected]


def test_of_an_organisations_trail_a_member_sees_all_but_its_selectors() -> None:
    """CloudTrail user guide, "Creating a trail for an organization": members see it, and not how it is configured."""
    theirs = {
        "TrailARN": "arn:aws:cloudtrail:us-east-1:444455556666:trail/Trail1",
        "IsOrganizationTrail": True,
        "HasCustomEventSelectors": True,
    }
    eyes = Documented(STATUS, theirs)
    (seen,) = read(eyes, ACCOUNT)
    assert (seen["own"], seen["organisation"], seen["selectors_seen"]) == (False, True, False)
    assert "GetEventSelectors" not in eyes.asked
    (untouched,) = read(Documented(STATUS, theirs | {"HasCustomEventSelectors": False}), ACCOUNT)
    assert untouched["selectors_seen"]


@pytest.mark.parametrize(("home", "expected"), [("us-east-1", 1), ("eu-west-1", 2)])
def test_trails_are_listed_once_in_each_place_where_they_may_show(home: str, expected: int) -> None:
    eyes = Documented({"IsLogging": True}, home=home)
    assert len(read(eyes, ACCOUNT)) == 1
    assert expected == eyes.asked.count("DescribeTrails")
