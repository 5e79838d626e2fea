"""No object is opened to everybody by its own access control list.

Holds: nobody gives an object to the groups AllUsers (anyone) or AuthenticatedUsers (anyone with any AWS account),
neither when it is written nor later. The first such call of a day in each bucket tells at once. Objects are not looked
at, for an account has too many: what was opened before is shut by the account's access block
(`account-s3-public-access`), which ignores such grants and refuses new ones. Only events tell, and only where a trail
records data events of S3, which Plumbline's own does not. Where an access block ignores the grant it does not work, and
the event does not say so.
Why: the bucket may be as private as can be, and the one file that matters is on the internet. Uploads with a canned ACL
copied from an old example do this every day.
Repair: none by itself, for whoever opened it may serve it. Switch on the account's access block, or take the grant off
the object.
Undo: nothing to undo.
Source: Amazon S3 user guide, Access control list overview; Amazon S3 CloudTrail events, object-level actions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from plumbline.controls.s3._buckets import ALLOWED, is_allowed
from plumbline.core.cause import Event
from plumbline.core.clock import NEVER, Response, instant
from plumbline.core.control import Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.targets import State, Target
from plumbline.wakes import cloudtrail

KIND = "s3-objects"
_GROUPS = {"AllUsers": "anyone", "AuthenticatedUsers": "anyone with an AWS account"}
_URI = "http://acs.amazonaws.com/groups/global/"
#: What a permission on an object lets its holder do; worst first.
_MEANS = {
    "FULL_CONTROL": "read {} and change its permissions",
    "WRITE_ACP": "change the permissions of {}",
    "READ": "read {}",
    "READ_ACP": "read the permissions of {}",
}
#: What a canned ACL gives to whom.
_CANNED = {
    "authenticated-read": ("AuthenticatedUsers", "READ"),
    "public-read": ("AllUsers", "READ"),
    "public-read-write": ("AllUsers", "READ"),
}
_HEADERS = {
    "x-amz-grant-full-control": "FULL_CONTROL",
    "x-amz-grant-read": "READ",
    "x-amz-grant-read-acp": "READ_ACP",
    "x-amz-grant-write-acp": "WRITE_ACP",
}


def locate(detail: Event) -> Iterable[Target]:
    """The objects of a bucket on a day, so that many calls tell once; none where another account has the bucket."""
    owners = {
        one.get("accountId")
        for one in map(cloudtrail.section, _listed(detail.get("resources")))
        if one.get("type") == "AWS::S3::Bucket" and one.get("accountId")
    }
    if owners - {cloudtrail.account(detail)}:
        return ()
    return cloudtrail.here(detail, KIND, cloudtrail.parameter(detail, "bucketName"), _day(detail))


def witness(detail: Event) -> State:
    """Which object was given to whom."""
    return {
        "bucket": cloudtrail.parameter(detail, "bucketName"),
        "key": cloudtrail.parameter(detail, "key"),
        "event": str(detail.get("eventName", "")),
        "grants": sorted(set(_grants(cloudtrail.section(detail.get("requestParameters"))))),
    }


def detect(state: State, settings: Settings) -> Deviation | None:
    """A grant to everybody on an object of a bucket that is not public on purpose."""
    if state is None or not state["grants"] or is_allowed(state["bucket"], settings):
        return None
    worst = min(state["grants"], key=lambda one: list(_MEANS).index(one.partition(" ")[2]))
    return Deviation(f"were opened: {_words(worst, state['key'])}", tuple(state["grants"]))


def describe(state: State) -> str:
    """What was called, and who may do what with the object since."""
    if state is None or not state["grants"]:
        return "nothing was opened to everybody"
    words = "; ".join(_words(one, state["key"]) for one in state["grants"])
    return f"{state['event']}: {words}; more of this bucket on the same day are not told again"


def _grants(parameters: Mapping[str, Any]) -> Iterator[str]:
    """Each group and permission that a call gives, by canned ACL, header or document."""
    for canned in map(str, _listed(parameters.get("x-amz-acl"))):
        if canned in _CANNED:
            yield " ".join(_CANNED[canned])
    for header, permission in _HEADERS.items():
        text = " ".join(map(str, _listed(parameters.get(header))))
        yield from (f"{group} {permission}" for group in _GROUPS if f"{_URI}{group}" in text)
    access = cloudtrail.section(parameters.get("AccessControlPolicy")).get("AccessControlList")
    for grant in map(cloudtrail.section, _listed(cloudtrail.section(access).get("Grant"))):
        group = str(cloudtrail.section(grant.get("Grantee")).get("URI")).removeprefix(_URI)
        permission = str(grant.get("Permission"))
        if group in _GROUPS and permission in _MEANS:
            yield f"{group} {permission}"


def _words(grant: str, key: str) -> str:
    group, _, permission = grant.partition(" ")
    return f"{_GROUPS[group]} may {_MEANS[permission].format(key or 'an object')}"


def _listed(value: Any) -> list[Any]:  # noqa: ANN401 - records hold anything
    """CloudTrail writes one value where there is one, and a list where there are more."""
    return list(value) if isinstance(value, list) else [] if value is None else [value]


def _day(detail: Event) -> str:
    at = instant(detail.get("eventTime"))
    return f"{at:%Y-%m-%d}" if at else "unknown-day"


CONTROL = Control(
    id="s3-public-object",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.HIGH,
    response=Response.ALERT,
    clocks={"default": NEVER},
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    wakes_on=(
        On("s3.amazonaws.com", ("PutObjectAcl",), locate),
        On(
            "s3.amazonaws.com",
            ("CopyObject", "CreateMultipartUpload", "PutObject"),
            locate,
            # writing is what buckets are for: only what says whom it is for wakes
            match={
                "$or": [
                    {"requestParameters": {"x-amz-acl": sorted(_CANNED)}},
                    *({"requestParameters": {header: [{"exists": True}]}} for header in _HEADERS),
                ]
            },
        ),
    ),
    reads=frozenset(),
    writes=frozenset(),
    noun="objects of bucket {first}",
    detect=detect,
    describe=describe,
    witness=witness,
    settings={"allowed_buckets": ALLOWED},
)
