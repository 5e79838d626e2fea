"""The account's trails: what each records, and whether its records arrive. Pure, but for `read`.

Sources: CloudTrail API reference, DescribeTrails, GetTrailStatus, GetEventSelectors; CloudTrail user guide, "Creating a
trail for an organization".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timezone
from typing import Any

from plumbline.controls.detection._selectors import logs_management
from plumbline.core.calls import Ask, Call
from plumbline.core.reach import GLOBAL_REGION
from plumbline.core.targets import GLOBAL

READS = frozenset({"cloudtrail:DescribeTrails", "cloudtrail:GetEventSelectors", "cloudtrail:GetTrailStatus"})
#: A trail can be deleted between two reads; an organisation's trail answers its members only in part.
_GONE = ("TrailNotFoundException", "CloudTrailARNInvalidException")

Trail = Mapping[str, Any]


def read(ask: Ask, account: str) -> Sequence[Trail]:
    """The trails of all regions, an organisation's too. One of a single region shows only there and at home.

    Args:
        ask: eyes.
        account: the account, to tell its trails from its organisation's.
    """
    seen = _described(ask)
    trails = [_read_one(ask, seen[arn], account) for arn in sorted(seen)]
    return [one for one in trails if one]


def delivering_to(ask: Ask, bucket: str) -> Sequence[Trail]:
    """The trails whose records go to a bucket, as DescribeTrails shows them; nothing more is asked about any."""
    return [trail for _, trail in sorted(_described(ask).items()) if trail.get("S3BucketName") == bucket]


def buckets_of_trails(ask: Ask) -> frozenset[str]:
    """The buckets that trails deliver to, those of other accounts among them."""
    return frozenset(str(trail.get("S3BucketName", "")) for trail in _described(ask).values())


def _described(ask: Ask) -> Mapping[str, Trail]:
    """Every trail by its ARN. One of a single region shows only there and at home."""
    seen: dict[str, Trail] = {}
    for region in (GLOBAL,) if ask.home == GLOBAL_REGION else (GLOBAL, ask.home):
        for trail in ask(Call("cloudtrail", "DescribeTrails", {"includeShadowTrails": True}, region))["trailList"]:
            seen[trail["TrailARN"]] = trail
    return seen


def missing(trail: Trail) -> list[str]:
    """What a trail falls short of, worst first; empty when it records all that happens."""
    facts = {
        "is stopped": trail["logging"],
        "leaves out management events": logs_management(trail["basic"], trail["advanced"]),
        "covers one region only": trail["every_region"],
        "leaves out global services": trail["global_services"],
        "has no log file validation": trail["validation"],
    }
    return [fault for fault, holds in facts.items() if not holds]


def has_name(trail: Trail, wanted: str) -> bool:
    """Whether a trail is the one that a person wrote down, by its name or its ARN."""
    return bool(wanted) and wanted in (trail["name"], trail["arn"])


def _read_one(ask: Ask, trail: Trail, account: str) -> Trail | None:
    """What matters of one trail; None when it has gone since. Only its own account may ask for its selectors."""
    arn, region = trail["TrailARN"], trail["HomeRegion"]
    status = ask(Call("cloudtrail", "GetTrailStatus", {"Name": arn}, region, _GONE))
    own = arn.split(":")[4] == account
    selectors = ask(Call("cloudtrail", "GetEventSelectors", {"TrailName": arn}, region, _GONE)) if own else {}
    if status is None or selectors is None:
        return None
    return {
        "name": trail["Name"],
        "arn": arn,
        "own": own,
        "organisation": trail.get("IsOrganizationTrail", False),
        "region": region,
        "bucket": trail.get("S3BucketName", ""),
        "logging": status["IsLogging"],
        "every_region": trail.get("IsMultiRegionTrail", False),
        "global_services": trail.get("IncludeGlobalServiceEvents", False),
        "validation": trail.get("LogFileValidationEnabled", False),
        "basic": selectors.get("EventSelectors") or [],
        "advanced": selectors.get("AdvancedEventSelectors") or [],
        # Where nobody ever chose any, every management event is recorded; else only its own account can say.
        "selectors_seen": own or not trail.get("HasCustomEventSelectors", True),
        "undelivered": _undelivered(status),
    }


def _undelivered(status: Mapping[str, Any]) -> str:
    """The error by which S3 refuses a trail's records; empty where they arrive.

    AWS says which error was the latest and not when. Its older fields do, where they are still kept: an attempt that
    succeeded at the very time of the latest delivery was the latest attempt, so the error is older.
    """
    error = str(status.get("LatestDeliveryError") or "")
    attempted = str(status.get("LatestDeliveryAttemptTime") or "")
    delivered = status.get("LatestDeliveryTime")
    if error and attempted and delivered is not None and attempted == status.get("LatestDeliveryAttemptSucceeded"):
        return "" if f"{delivered.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}" == attempted else error
    return error
