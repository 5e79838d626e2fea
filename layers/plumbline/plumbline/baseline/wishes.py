"""What the schema accepts and its author cannot have meant: names that are none, and numbers that YAML reads otherwise.

Refused, because a list entry that fits nothing is silent: a key of the user it means would be switched off. What may be
right after all, such as a policy that AWS has made since, is a doubt, which is said and stops nothing.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from plumbline.baseline.advice import shown
from plumbline.baseline.document import Document, Place, Problem
from plumbline.core import people

#: One name of an AWS policy a line, with its path. Beside the sources of the project: functions never look here.
POLICIES = Path(__file__).parents[4] / "sources" / "aws-managed-policies.txt"

_CURLY = "\u201c\u201d\u201e\u2018\u2019\u201a"
#: The numbers that YAML 1.1 and people read in the same way.
_PLAIN = re.compile(r"[+-]?(0|[1-9]\d*)(\.\d+)?")
_AWS = re.compile(r"(?:arn:[\w-]+:iam::aws:policy/)?([\w+=,.@/-]+)")
#: What names consist of: IAM's user guide, "IAM and AWS STS quotas", and S3's, "Bucket naming rules": buckets made in
#: us-east-1 before March 2018 may have 255 characters, capitals and _. `*` and `?` are wildcards.
_USER = re.compile(r"[\w+=,.@*?-]{1,64}", re.ASCII)
_GROUP = re.compile(r"[\w+=,.@*?-]{1,128}", re.ASCII)
_WITH_PATH = re.compile(r"(?:[!-~]{1,510}/)?[\w+=,.@*?-]{1,64}", re.ASCII)
_HOLDER = re.compile(rf"(?:user|group|role)/{_WITH_PATH.pattern}", re.ASCII)
_BUCKET = re.compile(r"[\w.*?-]{1,255}", re.ASCII)
_NEW_BUCKET = re.compile(r"(?=.{3,63}$)[a-z0-9][a-z0-9.-]*[a-z0-9]")
_OF_ANY: Mapping[Place, tuple[str, re.Pattern[str]]] = {  # whichever control has such a setting
    ("allowed_users",): ("user", _USER),
    ("allowed_buckets",): ("bucket", _BUCKET),
}
_NAMES: Mapping[Place, tuple[str, re.Pattern[str]]] = {
    ("iam-admin-grants", "administrators", "users"): ("user", _USER),
    ("iam-admin-grants", "administrators", "groups"): ("group", _GROUP),
    ("iam-admin-grants", "administrators", "roles"): ("role", _WITH_PATH),
    ("iam-inline-policies", "keep_inline"): ("holder", _HOLDER),
    ("s3-access-logging", "buckets"): ("bucket", _BUCKET),
    ("s3-versioning", "buckets"): ("bucket", _BUCKET),
}  # fmt: skip


def misunderstood(document: Document) -> Iterator[Problem]:
    """Each place of a document that fits the schema, and cannot mean what its author wished.

    Args:
        document: a baseline or a profile that the schema accepts.
    """
    yield from _read_otherwise(document)
    rules = document.data.get("controls") or {}
    for control, rule in rules.items():
        for place, value in _texts(rule, ("controls", control)):
            names = _OF_ANY.get(place[2:-1]) or _NAMES.get(place[1:-1])
            if problem := _no_text(value) or (_no_name(value, *names) if names else ""):
                yield place, problem
    yield from _no_new_bucket(rules)
    for number, one in enumerate((document.data.get("exemptions") or {}).get("reviewed") or ()):
        for key in ("target", "owner", "reason"):
            if problem := _no_text(one[key]) if key == "target" else _invisible(one[key]):
                yield ("exemptions", "reviewed", number, key), problem
    yield from _nobody_to_name(document.data)
    regions = document.data.get("regions") or []
    for number, one in enumerate(regions):
        if one in regions[:number]:
            yield ("regions", number), f"{one} stands in this list twice; name it once"


def doubts(document: Document) -> Iterator[Problem]:
    """What may be a mistake, and may be right: a policy of AWS that this version does not know, people elsewhere."""
    listed = [(one, (key, number)) for key in people.LISTS for number, one in enumerate(document.data.get(key) or [])]
    elsewhere = people.strangers(one for one, _ in listed)
    for one, place in listed:
        if one in elsewhere:
            yield place, _ELSEWHERE.format(one)
    groups = ((document.data.get("controls") or {}).get("iam-groups") or {}).get("groups") or {}
    known = managed_policies()
    for group, policies in groups.items():
        for number, policy in enumerate(policies):
            name = _AWS.fullmatch(policy)
            if name and known and name[1] not in known:
                with_path = [one for one in known if one.endswith(f"/{name[1]}")]
                near = with_path or difflib.get_close_matches(name[1], known, n=1, cutoff=0.75)
                hint = f"did you mean '{near[0]}'?" if near else "see that AWS has it, or write yours by its ARN"
                yield ("controls", "iam-groups", "groups", group, number), f"AWS had no policy '{name[1]}'; {hint}"


_ELSEWHERE = (
    "'{}' is not of the account that the first one named is of, and only those of the account that this is deployed in "
    "count; write * for its number where one file serves several"
)


@cache
def managed_policies() -> frozenset[str]:
    """The names of AWS's own policies, with their paths, as they were when this version was made; empty: not known."""
    try:
        return frozenset(POLICIES.read_text(encoding="utf-8").split())
    except OSError:
        return frozenset()


def _nobody_to_name(data: Mapping[str, Any]) -> Iterator[Problem]:
    """Operators and deployers who are nobody, everybody, or there already."""
    for key in people.LISTS:
        listed = data.get(key) or []
        for number, one in enumerate(listed):
            twice = f"{shown(one)} stands in this list twice; name it once" if one in listed[:number] else ""
            if problem := twice or _no_text(one) or people.unfit(one):
                yield (key, number), problem


def _read_otherwise(document: Document) -> Iterator[Problem]:
    """Numbers that YAML reads in another way than people: octal, sexagesimal, with underscores."""
    for place, spelled in document.spelled.items():
        value: Any = document.data
        for step in place:
            value = value[step]
        if isinstance(value, int | float) and not isinstance(value, bool) and not _PLAIN.fullmatch(spelled):
            yield place, f"{spelled} is {value} to YAML; write {value} if that is meant, else plain digits, such as 14"


def _texts(value: Any, place: Place) -> Iterator[tuple[Place, str]]:  # noqa: ANN401 - whatever a setting holds
    """Every text below a place; keys that people choose, such as names of groups, are in their values' places."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _texts(one, (*place, key))
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _texts(one, (*place, number))


def _no_text(text: str) -> str:
    """What is wrong with a text that stands for a name, whatever it names."""
    if text != text.strip():
        return f"'{text}' has a space at its {'beginning' if text != text.lstrip() else 'end'}; write '{text.strip()}'"
    if any(char in _CURLY for char in text):
        plain = text.translate({ord(char): None for char in _CURLY})
        return f"{text} has curly quotes, which are a part of the name to YAML; write '{plain}'"
    return _invisible(text)


def _invisible(text: str) -> str:
    odd = next((char for char in text if char not in " \n" and unicodedata.category(char)[0] in "CZ"), "")
    return f"a character that nobody sees (U+{ord(odd):04X}) stands in this text; write it anew" if odd else ""


def _no_name(text: str, what: str, pattern: re.Pattern[str]) -> str:
    if text.startswith("arn:"):
        name = text.rpartition(":::")[2] if what == "bucket" else text.rpartition("/")[2]
        if what == "role":
            name = text.partition(":role/")[2] or name
        if what == "holder":
            name = text.rpartition(":")[2]
        return f"this is an ARN, and names are compared here; write '{name}'"
    if text.startswith("s3://"):
        return f"this is an address, and names are compared here; write '{text.removeprefix('s3://').split('/')[0]}'"
    if not pattern.fullmatch(text):
        may = "letters, digits, dots, _ and -" if what == "bucket" else "letters, digits and +=,.@_-"
        kind = {"role": "role, with or without its path,", "holder": "user, group or role"}.get(what, what)
        return (
            f"no {kind} can be called {shown(text)}: names have {may}, and * and ? stand for any; write one that may be"
        )
    return ""


def _no_new_bucket(rules: Mapping[str, Any]) -> Iterator[Problem]:
    """The bucket of a trail that has to be made must be one that can be."""
    bucket = (rules.get("cloudtrail-logging") or {}).get("bucket", "")
    plain = re.sub(r"\{(stack|account|region)\}", "x1x", bucket)
    if bucket and not _NEW_BUCKET.fullmatch(plain):
        yield (
            ("controls", "cloudtrail-logging", "bucket"),
            f"no bucket can be called '{bucket}'; write 3 to 63 small letters, digits, dots and hyphens",
        )
