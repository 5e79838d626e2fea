"""What a bucket's lifecycle rules delete, and the same rules deleting later. Pure, but for `read`.

A rule that names a day deletes whatever there is on it, however young, and what is written later on the next one.

Source: Amazon S3 API reference, LifecycleRule; Amazon S3 user guide, Lifecycle configuration elements.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from plumbline.controls.s3._buckets import on, setting
from plumbline.core.calls import Ask, Call, Step
from plumbline.core.targets import Target

Rule = Mapping[str, Any]


def read(ask: Ask, target: Target) -> Mapping[str, Any] | None:
    """A bucket's rules as S3 answers them, dates as text; empty where there are none, None where it is gone."""
    answer = setting(ask, target, "GetBucketLifecycleConfiguration", "NoSuchLifecycleConfiguration")
    if answer is None:
        return None
    plain: Mapping[str, Any] = json.loads(json.dumps(answer, default=lambda date: date.isoformat()))
    return plain


def expiring(lifecycle: Mapping[str, Any], roots: Iterable[str]) -> Mapping[str, Rule]:
    """The rules that expire current objects below one of some prefixes, each by what it does in words.

    One that is for objects of some tag or size counts, for whoever may tag an object brings it under the rule.
    """
    roots = tuple(roots)
    found = {}
    for rule in lifecycle.get("Rules", ()):
        prefix = _prefix(rule)
        is_met = any(prefix.startswith(root) or root.startswith(prefix) for root in roots)
        if rule.get("Status") == "Enabled" and is_met and {"Days", "Date"} & set(rule.get("Expiration") or {}):
            found[f"rule {rule.get('ID') or 'without a name'} expires records {_when(rule['Expiration'])}"] = rule
    return found


def days(rule: Rule) -> int:
    """For how many days an expiring rule leaves what is written; none where it names a day."""
    return int(rule["Expiration"].get("Days", 0))


def later(target: Target, lifecycle: Mapping[str, Any], rules: Sequence[Rule], days: int) -> Step:
    """The write that lets some rules expire after so many days, and leaves all others, and all else, as they are."""

    def to(every: Sequence[Rule]) -> Call:
        size = lifecycle.get("TransitionDefaultMinimumObjectSize")
        more = {"TransitionDefaultMinimumObjectSize": size} if size else {}
        return on(target, "PutBucketLifecycleConfiguration", LifecycleConfiguration={"Rules": [*every]}, **more)

    before = lifecycle["Rules"]
    after = [{**one, "Expiration": {"Days": days}} if one in rules else one for one in before]
    return Step(do=to(after), undo=(to(before),))


def _prefix(rule: Rule) -> str:
    chosen = rule.get("Filter") or {}
    return str(rule.get("Prefix") or chosen.get("Prefix") or (chosen.get("And") or {}).get("Prefix") or "")


def _when(expiration: Mapping[str, Any]) -> str:
    if "Date" in expiration:
        return f"on {str(expiration['Date'])[:10]}"
    return f"after {expiration['Days']} day{'s' * (expiration['Days'] != 1)}"
