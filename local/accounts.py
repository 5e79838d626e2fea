"""Which AWS accounts there are, beside the one that was started, and which regions they have switched on.

Every twelve digits are somebody's account, unless a test closes it; every region is switched on, unless a test
switches it off. AWS has both: accounts that were closed, and regions that an account never opted into.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from ministack import app
from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id
from ministack.services import s3

from local.wire import Request, operation_of

Response = tuple[int, dict[str, str], bytes]

# Asked at one endpoint, which no account can switch off, wherever the caller says he is.
_GLOBAL = frozenset({"account", "cloudfront", "iam", "organizations", "route53"})

_closed: set[str] = set()
_disabled: set[tuple[str, str]] = set()


def install() -> None:
    """Stock: every region is enabled. AWS: one nobody opted into is listed only when all are asked for."""
    app.SERVICE_HANDLERS["ec2"] = _listing_regions(app.SERVICE_HANDLERS["ec2"])
    app.SERVICE_HANDLERS["account"] = _knowing_regions(app.SERVICE_HANDLERS["account"])


def _listing_regions(handle: Callable[..., Any]) -> Callable[..., Any]:
    async def listing_regions(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Response:
        status, answered, text = await handle(method, path, headers, body, query)
        request = Request(method, path, query, headers, body, client="")
        operation = operation_of(request) if _disabled else None
        if operation is None or operation.name != "DescribeRegions":
            return status, answered, text
        every = (request.form.get("AllRegions") or [""])[0].lower() == "true"
        for region in _disabled_of(get_account_id()):
            entry = re.compile(rf"<item>\s*<regionName>{region}</regionName>.*?</item>".encode(), re.DOTALL)
            shown = f"<item><regionName>{region}</regionName><optInStatus>not-opted-in</optInStatus></item>".encode()
            text = entry.sub(shown if every else b"", text)
        return status, answered, text

    return listing_regions


def _knowing_regions(handle: Callable[..., Any]) -> Callable[..., Any]:
    async def knowing_regions(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, list[str]]
    ) -> Response:
        if path.rstrip("/") == "/getRegionOptStatus":
            region = json.loads(body or b"{}").get("RegionName", "")
            if not is_enabled(get_account_id(), region):
                status = {"RegionName": region, "RegionOptStatus": "DISABLED"}
                return 200, {"Content-Type": "application/json"}, json.dumps(status).encode()
        answer: Response = await handle(method, path, headers, body, query)
        return answer

    return knowing_regions


def close(account: str) -> None:
    """Let an account be nobody: its number, its root and its canonical id name no one."""
    _closed.add(account)


def is_open(account: str) -> bool:
    """Whether an account exists."""
    return account not in _closed


def disable_region(account: str, region: str) -> None:
    """Switch a region off for an account, as it is where nobody opted in."""
    _disabled.add((account, region))


def enable_region(account: str, region: str) -> None:
    """Switch a region on again."""
    _disabled.discard((account, region))


def is_enabled(account: str, region: str) -> bool:
    """Whether an account may use a region."""
    return (account, region) not in _disabled


def _disabled_of(account: str) -> list[str]:
    return sorted(region for owner, region in _disabled if owner == account)


def is_somebody(canonical_id: str) -> bool:
    """Whether a canonical user id belongs to an account that exists; only those of closed accounts do not."""
    return all(s3._canonical_owner_id(one) != canonical_id for one in _closed)


def refusal(account: str, region: str, service: str) -> iam_evaluator.AuthError | None:
    """What a caller is told in a region that is switched off; None where it is on.

    AWS does not know his keys there, and each service says so in its own words: `AuthFailure` in EC2,
    `InvalidClientTokenId` in the query protocol, `UnrecognizedClientException` in JSON, `InvalidAccessKeyId` in S3.
    Global services have no region to be switched off.

    Source: AWS Account Management reference guide, "Enable or disable AWS Regions in your account"; Amazon EC2 API
    reference, Error codes. That each service answers its code for an unknown key is observed, not documented.
    """
    if service in _GLOBAL or is_enabled(account, region):
        return None
    return iam_evaluator.AuthError(
        "UnrecognizedClientException", "The security token included in the request is invalid."
    )
