"""Which regions an account has: those it has by itself, and those that somebody opted it into.

Stock: every region is enabled, and none can be switched. AWS: the newer ones are off until somebody enables them,
which takes a while and is told at its beginning and its end; nobody is known in a region that is off, nor in one that
is being switched.

Source: AWS Account Management reference guide, "Enable or disable AWS Regions in your account" and "Monitoring AWS
Account Management with EventBridge"; AWS Account Management API reference, EnableRegion, DisableRegion,
GetRegionOptStatus, ListRegions; Amazon EC2 API reference, DescribeRegions.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from ministack.core import iam_evaluator
from ministack.core.responses import error_response_json, get_account_id
from ministack.services import account as account_service
from ministack.services import ec2

Response = tuple[int, dict[str, str], bytes]
Deliver = Callable[[Mapping[str, Any]], None]

# Asked at one endpoint, which no account can switch off, wherever the caller says he is.
_GLOBAL = frozenset({"account", "cloudfront", "iam", "organizations", "route53"})
_OPT_IN = frozenset(account_service._OPT_IN_REQUIRED)
_BY_DEFAULT, _ENABLED, _DISABLED = "ENABLED_BY_DEFAULT", "ENABLED", "DISABLED"
_OF_ALL = sorted(account_service._REGIONS_LIST)
# As EC2 puts it.
_IN_EC2: Mapping[str, str] = {_BY_DEFAULT: "opt-in-not-required", _ENABLED: "opted-in"}
#: Minutes to hours on AWS; long enough here to be seen.
_SECONDS_TO_SWITCH = 0.3
_PAGE = 20
_WHERE_IT_IS_TOLD = "us-east-1"

_statuses: dict[tuple[str, str], str] = {}


def install(deliver: Deliver, account: str, home: str) -> None:
    """Let the Account API and EC2 know the regions.

    Args:
        deliver: puts an event on the bus of its account and region, as AWS itself does.
        account: which was started.
        home: where it lives; it has that region, whichever it is.
    """
    enable_region(account, home)
    dispatch = account_service._DISPATCH
    dispatch["/listRegions"] = _list_regions
    dispatch["/getRegionOptStatus"] = _get_region_opt_status
    dispatch["/enableRegion"] = lambda asked: _switch(asked, _DISABLED, _ENABLED, "ENABLING", deliver)
    dispatch["/disableRegion"] = lambda asked: _switch(asked, _ENABLED, _DISABLED, "DISABLING", deliver)
    ec2._ACTION_MAP["DescribeRegions"] = _describe_regions


def disable_region(account: str, region: str) -> None:
    """Switch a region off for an account, as one is that nobody opted into."""
    _statuses[account, region] = _DISABLED


def enable_region(account: str, region: str) -> None:
    """Switch a region on."""
    _statuses[account, region] = _ENABLED if region in _OPT_IN else _BY_DEFAULT


def asks_to_opt_in(region: str) -> bool:
    """Whether an account has a region only after it opted in."""
    return region in _OPT_IN


def exists(region: str) -> bool:
    """Whether there is such a region."""
    return region in _OF_ALL


def is_enabled(account: str, region: str) -> bool:
    """Whether an account may use a region; one that is just being switched is not to be used."""
    return _status(account, region) in {_BY_DEFAULT, _ENABLED}


def refusal(account: str, region: str, service: str) -> iam_evaluator.AuthError | None:
    """What a caller is told in a region that is switched off; None where it is on.

    AWS does not know his keys there, and each service says so in its own words: `AuthFailure` in EC2,
    `InvalidClientTokenId` in the query protocol, `UnrecognizedClientException` in JSON, `InvalidAccessKeyId` in S3.
    Global services have no region to be switched off.

    Source: Amazon EC2 API reference, Error codes. That each service answers its code for an unknown key is observed,
    not documented.
    """
    if service in _GLOBAL or is_enabled(account, region):
        return None
    return iam_evaluator.AuthError(
        "UnrecognizedClientException", "The security token included in the request is invalid."
    )


def _status(account: str, region: str) -> str:
    return _statuses.get((account, region), _DISABLED if region in _OPT_IN else _BY_DEFAULT)


# --- the Account API ------------------------------------------------------------------------------


def _list_regions(asked: Mapping[str, Any]) -> Response:
    wanted = asked.get("RegionOptStatusContains") or ()
    statuses = [(one, _status(get_account_id(), one)) for one in _OF_ALL]
    listed = [{"RegionName": one, "RegionOptStatus": status} for one, status in statuses]
    chosen = [one for one in listed if not wanted or one["RegionOptStatus"] in wanted]
    start, size = int(asked.get("NextToken") or 0), int(asked.get("MaxResults") or _PAGE)
    more = {"NextToken": str(start + size)} if start + size < len(chosen) else {}
    return _answer({"Regions": chosen[start : start + size], **more})


def _get_region_opt_status(asked: Mapping[str, Any]) -> Response:
    region = str(asked.get("RegionName"))
    if not exists(region):
        return _refuse("ValidationException", f"{region} is not a valid region for opt-in or opt-out.")
    return _answer({"RegionName": region, "RegionOptStatus": _status(get_account_id(), region)})


def _switch(asked: Mapping[str, Any], before: str, after: str, meanwhile: str, deliver: Deliver) -> Response:
    account, region = get_account_id(), str(asked.get("RegionName"))
    if region not in _OPT_IN:
        return _refuse("ValidationException", f"{region} is not a valid region for opt-in or opt-out.")
    status = _status(account, region)
    if status in {"ENABLING", "DISABLING"}:
        return _refuse(
            "ConflictException",
            f"Account {account} and region {region} is currently being enabled or disabled. Please wait until it "
            "finishes and then try again.",
            409,
        )
    if status != before:
        return _refuse("ValidationException", "Unable to switch region status because of its current opt-in status.")

    def be(now: str) -> None:
        _statuses[account, region] = now
        deliver(_event(account, region, now))

    be(meanwhile)
    asyncio.get_running_loop().call_later(_SECONDS_TO_SWITCH, be, after)
    return 200, {"Content-Type": "application/json"}, b""


def _event(account: str, region: str, status: str) -> dict[str, Any]:
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Region Opt-In Status Change",
        "source": "aws.account",
        "account": account,
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": _WHERE_IT_IS_TOLD,
        "resources": [f"arn:aws:account::{account}:account"],
        "detail": {"accountId": account, "regionName": region, "status": status},
    }


def _answer(value: object) -> Response:
    return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()


def _refuse(code: str, message: str, status: int = 400) -> Response:
    return error_response_json(code, message, status)  # type: ignore[no-any-return]


# --- EC2 ------------------------------------------------------------------------------------------


def _describe_regions(asked: Mapping[str, Any]) -> Response:
    named = ec2._parse_member_list(asked, "RegionName")
    every = ec2._p(asked, "AllRegions", "").lower() == "true"
    shown = [
        (one, _IN_EC2.get(_status(get_account_id(), one), "not-opted-in"))
        for one in _OF_ALL
        if not named or one in named
    ]
    items = "".join(
        f"<item><regionName>{one}</regionName><regionEndpoint>ec2.{one}.amazonaws.com</regionEndpoint>"
        f"<optInStatus>{status}</optInStatus></item>"
        for one, status in shown
        if every or status != "not-opted-in"
    )
    return ec2._xml(200, "DescribeRegionsResponse", f"<regionInfo>{items}</regionInfo>")  # type: ignore[no-any-return]
