"""Names in baseline.yaml that nothing in the account has: such an entry allows nothing, and says nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from plumbline.core.calls import Ask, Call
from plumbline.core.clock import Response
from plumbline.handlers.operate.asked import Asked

#: Whose names a setting lists, by control and setting; a setting of settings by its key.
_LISTS: Mapping[tuple[str, ...], str] = {
    ("iam-admin-grants", "administrators", "users"): "User",
    ("iam-admin-grants", "administrators", "groups"): "Group",
    ("iam-admin-grants", "administrators", "roles"): "Role",
    ("iam-inline-policies", "keep_inline"): "",
    ("s3-access-logging", "buckets"): "Bucket",
    ("s3-versioning", "buckets"): "Bucket",
}
#: The same of settings that mean the same in whichever control has them.
_OF_ANY: Mapping[str, str] = {"allowed_users": "User", "allowed_buckets": "Bucket"}
_BUCKET = "Bucket"


@dataclass(frozen=True, slots=True)
class Entry:
    """A name, or a pattern of names, that the baseline lists.

    Attributes:
        setting: where it stands, as `iam-access-key-created.allowed_users`.
        name: as it is written.
        kind: User, Group, Role or Bucket.
    """

    setting: str
    name: str
    kind: str

    def fits(self, name: str) -> bool:
        """Whether it means something of this name. IAM ignores the case of names, and so does this: it only doubts."""
        bare = self.name.partition("/")[2] if self.setting.endswith("keep_inline") else self.name
        return fnmatchcase(name.lower(), bare.lower())


def unmatched(asked: Asked) -> list[Entry]:
    """The entries that fit nothing there is in the account; defaults are nobody's mistake, and are left out.

    Raises:
        AwsRefusal: the account's names cannot be read.
    """
    entries = list(_entries(asked))
    if not entries:
        return []
    names = _names(asked.plumbline.engine.aws.eyes(asked.account, asked.plumbline.engine.deployment.home), entries)
    return [one for one in entries if not any(one.fits(name) for name in names[one.kind])]


def _entries(asked: Asked) -> Iterator[Entry]:
    engine = asked.plumbline.engine
    lists = dict(_LISTS)
    for name, of_one in engine.controls.items():
        lists |= {(name, one): kind for one, kind in _OF_ANY.items() if one in of_one.settings}
    for (control, setting, *key), kind in lists.items():
        known = engine.controls.get(control)
        if known is None or engine.rule(control).response is Response.OFF:
            continue
        default = known.settings.get(setting, {}).get("default", {})
        value = engine.rule(control).settings.get(setting, default)
        for part in key:
            value, default = value.get(part, ()), default.get(part, ())
        for name in value:
            if name not in default:
                yield Entry(".".join((control, setting, *key)), name, kind or name.partition("/")[0].capitalize())


def _names(ask: Ask, entries: Sequence[Entry]) -> Mapping[str, Sequence[str]]:
    """What there is of each kind that is asked about, in one read for IAM and one for S3."""
    kinds = {one.kind for one in entries}
    found: dict[str, Sequence[str]] = {}
    if _BUCKET in kinds:
        answer = ask(Call("s3", "ListBuckets", {"MaxBuckets": 1000}))
        found[_BUCKET] = [one["Name"] for one in answer.get("Buckets", ())]
    principals = sorted(kinds - {_BUCKET})
    if principals:
        answer = ask(Call("iam", "GetAccountAuthorizationDetails", {"Filter": principals, "MaxItems": 1000}))
        for kind in principals:
            listed = answer.get(f"{kind}DetailList", ())
            path = (lambda one: one.get("Path", "/").lstrip("/")) if kind == "Role" else (lambda _: "")
            found[kind] = [f"{path(one)}{one[f'{kind}Name']}" for one in listed]
    return found
