"""CloudTrail's records arrive in their bucket.

Holds: of the trails that record everything, at least one delivers: S3 takes its log files. How old an error is AWS does
not say; one that a later delivery has followed counts for nothing, where AWS shows that.
Why: a trail that logs and does not deliver looks healthy and keeps nothing. Its events still wake Plumbline, but what
happened cannot be looked up later. A bucket that was deleted, a changed policy or a key that CloudTrail may not use is
the usual reason, and a quiet way to leave no record.
Repair: none. What is wrong is the bucket, its policy or its key, and these have their owner: see whether the bucket is
there, whether its policy lets CloudTrail write and its key lets CloudTrail encrypt, or give the trail another bucket.
Undo: none; nothing is changed.
Source: CloudTrail API reference, GetTrailStatus; CloudTrail user guide, Amazon S3 bucket policy for CloudTrail.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from plumbline.controls.detection._trails import READS, missing, read
from plumbline.core.calls import Ask
from plumbline.core.clock import Clock, Response
from plumbline.core.control import Control, Deviation, Scope, Settings, Severity
from plumbline.core.targets import GLOBAL, State, Target

KIND = "cloudtrail-delivery"
_EVERY_TRAIL = "trails"


def find(ask: Ask) -> Iterable[Target]:
    """The one target of the account."""
    yield Target(ask.account, GLOBAL, KIND, _EVERY_TRAIL)


def observe(ask: Ask, target: Target) -> State:
    """The trails that record everything, each with its bucket and the error by which S3 refuses its records."""
    whole = [one for one in read(ask, target.account) if not missing(one)]
    return {"trails": [{name: one[name] for name in ("name", "bucket", "undelivered")} for one in whole]}


def detect(state: State, _settings: Settings) -> Deviation | None:
    """All of them are refused. Where none records everything, `cloudtrail-logging` tells."""
    refused = [one for one in _trails(state) if one["undelivered"]]
    if not refused or len(refused) < len(_trails(state)):
        return None
    first = refused[0]
    return Deviation(
        f"has stopped: bucket {first['bucket']} refuses what trail {first['name']} writes ({first['undelivered']})",
        tuple(f"{one['name']}: {one['undelivered']}" for one in refused),
    )


def describe(state: State) -> str:
    """Each trail, its bucket, and whether its records arrive."""
    lines = [
        f"trail {one['name']} to bucket {one['bucket']}: {one['undelivered'] or 'delivers'}" for one in _trails(state)
    ]
    return "; ".join(lines) or "no trail records everything"


def _trails(state: State) -> list[Mapping[str, Any]]:
    assert state is not None  # noqa: S101 - an account always has a state
    trails: list[Mapping[str, Any]] = state["trails"]
    return trails


CONTROL = Control(
    id="cloudtrail-delivery",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.HIGH,
    response=Response.ALERT,
    clocks={"default": Clock(remind=(timedelta(days=1), timedelta(days=3)), escalate=timedelta(days=7))},
    scope=Scope.GLOBAL,
    kinds=(KIND,),
    wakes_on=(),
    reads=READS,
    writes=frozenset(),
    noun="delivery of CloudTrail's records",
    find=find,
    observe=observe,
    detect=detect,
    describe=describe,
    answers={"ssb": ("ACCT.07",)},
)
