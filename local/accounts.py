"""Which AWS accounts there are, beside the one that was started, and which regions they have switched on.

Every twelve digits are somebody's account, unless a test closes it; every region is switched on, unless a test
switches it off. AWS has both: accounts that were closed, and regions that an account never opted into.
"""

from __future__ import annotations

from ministack.core import iam_evaluator
from ministack.services import s3

_closed: set[str] = set()
_disabled: set[tuple[str, str]] = set()


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


def is_somebody(canonical_id: str) -> bool:
    """Whether a canonical user id belongs to an account that exists; only those of closed accounts do not."""
    return all(s3._canonical_owner_id(one) != canonical_id for one in _closed)


def refusal(account: str, region: str) -> iam_evaluator.AuthError | None:
    """What a caller is told in a region that is switched off; None where it is on.

    AWS does not know his keys there, and each service says so in its own words: `AuthFailure` in EC2,
    `InvalidClientTokenId` in the query protocol, `UnrecognizedClientException` in JSON, `InvalidAccessKeyId` in S3.
    Global services are signed for us-east-1, which cannot be switched off.

    Source: AWS Account Management reference guide, "Enable or disable AWS Regions in your account"; Amazon EC2 API
    reference, Error codes. That each service answers its code for an unknown key is observed, not documented.
    """
    if is_enabled(account, region):
        return None
    return iam_evaluator.AuthError(
        "UnrecognizedClientException", "The security token included in the request is invalid."
    )
