"""What the S3 controls share: every bucket with its region, where events name one, ARNs to limit a session to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from plumbline.core.calls import Ask, Call
from plumbline.core.cause import Event
from plumbline.core.control import Settings
from plumbline.core.errors import AwsRefusal
from plumbline.core.targets import GLOBAL, Target
from plumbline.wakes import cloudtrail

KIND = "s3-bucket"
GONE = ("NoSuchBucket",)
_DENIED = ("AccessDenied",)
#: S3 tells the buckets' regions only to a request that carries a parameter.
_BUCKETS = Call("s3", "ListBuckets", {"MaxBuckets": 1000})

_BLOCK = "s3-public-access-block"

#: The setting of controls about public buckets.
ALLOWED: Mapping[str, Any] = {
    "type": "array",
    "items": {"type": "string", "minLength": 1},
    "default": [],
    "description": "Buckets that are public on purpose; `*` and `?` match any text and any letter.",
}
#: The setting of controls about buckets that the baseline names; none are named unless somebody does.
NAMED: Mapping[str, Any] = {
    **ALLOWED,
    "description": "Buckets that this is for; `*` and `?` match any text and any letter.",
}


def buckets(ask: Ask) -> Iterable[Target]:
    """Every bucket of the account, each in its own region, whichever region is asked."""
    for bucket in ask(_BUCKETS).get("Buckets", ()):
        region = bucket.get("BucketRegion") or _region(ask, bucket["Name"])
        if region:
            yield Target(ask.account, region, KIND, bucket["Name"])


def located(detail: Event) -> Iterable[Target]:
    """The bucket an event is about. A bucket is created in the region its request names, else where it was sent."""
    asked = cloudtrail.section(detail.get("requestParameters")).get("CreateBucketConfiguration")
    region = cloudtrail.section(asked).get("LocationConstraint")
    bucket = cloudtrail.parameter(detail, "bucketName")
    return cloudtrail.here(detail, KIND, bucket, region=_named(region) if bucket and isinstance(region, str) else "")


def every_bucket(detail: Event) -> Iterable[Target]:
    """All buckets of the account, wherever they are: what the whole account is set to counts for each."""
    return cloudtrail.here(detail, KIND, "", region=GLOBAL)


def closed_to_all(control: str, enforced: Mapping[str, Settings]) -> Iterable[tuple[Sequence[str], str]]:
    """Buckets that the baseline leaves public on purpose, and an access block would close.

    Args:
        control: whose setting names them.
        enforced: settings of every enforced control, by id.
    """
    public = enforced.get(control, {}).get("allowed_buckets", ())
    if public and "account-s3-public-access" in enforced:
        advice = (
            "account-s3-public-access closes these buckets too, for it closes every one of the account; write "
            "`account-s3-public-access: {mode: observe}` below controls, or serve them otherwise and take them off here"
        )
        yield ("allowed_buckets",), advice
    closed = [one for one in public if not is_named(one, enforced.get(_BLOCK, {}).get("allowed_buckets", ()))]
    if closed and _BLOCK in enforced:
        advice = (
            f"{_BLOCK} closes {', '.join(closed)}; write `{_BLOCK}: {{allowed_buckets: [{', '.join(closed)}]}}` below "
            "controls as well, or take them off here"
        )
        yield ("allowed_buckets",), advice


def is_named(bucket: str, names: Iterable[str]) -> bool:
    """Whether one of the names, in which `*` and `?` match any text and any letter, is the bucket's."""
    return any(fnmatchcase(bucket, name) for name in names)


def is_allowed(bucket: str, settings: Settings) -> bool:
    """Whether the baseline lists the bucket as public on purpose."""
    return is_named(bucket, settings["allowed_buckets"])


def excepted(target: Target, settings: Settings) -> bool:
    """The same of a bucket that cannot be looked at."""
    return is_allowed(target.id, settings)


def arns(target: Target) -> tuple[str, ...]:
    """The bucket's ARN, in any partition."""
    return (f"arn:*:s3:::{target.id}",)


def seen(ask: Ask, call: Call) -> Any:  # noqa: ANN401 - AWS answers any shape
    """What a read about one bucket answers; None where the bucket is gone, or its name another account's by now.

    S3 is told whose bucket is meant, and denies a look at anybody else's; it denies one at ours where its policy does.
    The list of our buckets says which it is.

    Raises:
        AwsRefusal: the bucket is ours and AWS would not show it, or would not say whether it is ours.
    """
    try:
        return ask(call)
    except AwsRefusal as refusal:
        if not _is_anothers(ask, call.parameters["Bucket"], refusal):
            raise
        return None


def setting(ask: Ask, target: Target, operation: str, *none: str) -> Mapping[str, Any] | None:
    """What a read about one setting of a bucket answers; nothing in it where nothing is set.

    Args:
        ask: eyes.
        target: the bucket.
        operation: the read.
        *none: the error codes that say that nothing is set.

    Returns:
        the answer; None where the bucket is gone, or its name another account's by now.

    Raises:
        AwsRefusal: the bucket is ours and AWS would not show it, or would not say whether it is ours.
    """
    try:
        return ask(on(target, operation, absent=none)) or {}
    except AwsRefusal as refusal:
        if refusal.code in GONE or _is_anothers(ask, target.id, refusal):
            return None
        raise


def on(target: Target, operation: str, *, absent: tuple[str, ...] = GONE, **parameters: object) -> Call:
    """A call about one bucket, sent to the bucket's own region."""
    return Call("s3", operation, {"Bucket": target.id, **parameters}, target.region, absent)


def _is_anothers(ask: Ask, bucket: str, refusal: AwsRefusal) -> bool:
    """Whether a refused look was one at a bucket that is none of ours."""
    return refusal.code in _DENIED and all(one["Name"] != bucket for one in ask(_BUCKETS).get("Buckets", ()))


def _region(ask: Ask, bucket: str) -> str:
    """The region of a bucket where ListBuckets does not tell (older stores that speak S3's protocol)."""
    answer = ask(Call("s3", "GetBucketLocation", {"Bucket": bucket}, absent=GONE))
    return "" if answer is None else _named(answer.get("LocationConstraint") or "us-east-1")


def _named(constraint: str) -> str:
    return {"EU": "eu-west-1"}.get(constraint, constraint)  # what S3 called its first European region
