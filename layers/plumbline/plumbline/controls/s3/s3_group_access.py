"""In the baseline's buckets everybody has exactly what his groups have there.

Holds: every bucket that `buckets` names exists, and its policy gives each user of IAM the union of what the baseline
gives his groups, and himself until a day, on each prefix: `list`, `read`, `write`, `delete`, and `own` for a folder of
his own. It denies him everything else in this bucket, whatever other policies allow him. Users whom the baseline gives
nothing there can do nothing in it: so can no machine that signs in as a user, unless it is named under `people` or in a
group. Roles, AWS services, root and the administrators of the baseline are left alone. Where the bucket is not one that
s3-versioning names, who may write and not delete can write new objects only: an upload has to carry `If-None-Match`,
for to write is to overwrite. A listing has to name its prefix with the slash at its end, as in `raw/`. Every other
statement of the policy stays letter for letter. What Lake Formation hands out with rights of its own it is asked about.
Why: AWS's own policies for data people read and write by what a bucket or a key is called, and list every bucket. Who
may see which data then hangs on names, and nobody can say who can read what.
Repair: writes its own statements into the bucket's policy, each with a Sid that begins with `PlumblineAccess`, and
takes out those of them that are not asked for. A bucket that is missing is made, with AWS's defaults, which let nobody
in from outside. A policy longer than 20 KB S3 takes not: you are told how long it would be.
Undo: puts the earlier policy back, letter for letter, or none; deletes a bucket that it made while that is empty. What
the policies say stays when Plumbline is deleted: docs/operating.md says how to take it out.
Source: Amazon S3 user guide, Bucket policies; Enforce conditional writes; AWS managed policies for Glue, Athena, Lake
Formation and SageMaker; IAM user guide, Policy evaluation logic.
"""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

from plumbline.controls.iam._entitled import administrators, trusted
from plumbline.controls.iam._principals import EVERYTHING, partition
from plumbline.controls.s3 import _policies as policies
from plumbline.controls.s3._access_setting import BUCKETS as SETTING
from plumbline.controls.s3._buckets import KIND, arns, buckets, every_bucket, located, on, seen
from plumbline.controls.s3._levels import SID, User, statements_of
from plumbline.core.calls import Ask, Call, Plan, Step
from plumbline.core.cause import Event
from plumbline.core.clock import AT_ONCE, FOUND, FOUND_BY_SWEEP, Response
from plumbline.core.control import EVERY, Control, Deviation, On, Scope, Settings, Severity, said_elsewhere
from plumbline.core.errors import AwsRefusal
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.rights.documents import Document, Statement, document, listed, statements
from plumbline.wakes import cloudtrail

#: The kind and the id of the one target that stands for which buckets there are.
ALL, DECLARED = "s3-buckets", "declared"
_EMPTY: Document = {"Version": "2012-10-17", "Statement": []}
#: Characters that the ARNs of all buckets may have: the stack's policy `buckets` names them twice over.
#: Source: IAM quotas, 6,144 characters of a managed policy; AWS CloudFormation user guide, custom resource response
#: objects, 4,096 bytes.
_MOST, _AROUND = 2600, len('"arn:aws-us-gov:s3:::/*","arn:aws-us-gov:s3:::",')


def find(ask: Ask) -> Iterator[Target]:
    """Every bucket, and what stands for those that are missing."""
    yield from buckets(ask)
    yield Target(ask.account, GLOBAL, ALL, DECLARED)


def locate_all(detail: Event) -> Iterable[Target]:
    """Whether one of the baseline's buckets is missing."""
    return cloudtrail.here(detail, ALL, DECLARED, region=GLOBAL)


def observe(ask: Ask, target: Target) -> State:
    """The buckets there are; or of one its policy, and every user with his groups. None where it is gone."""
    if target.kind == ALL:
        return {"there": sorted(one.id for one in buckets(ask)), "home": ask.home}
    try:
        answer = seen(ask, on(target, "GetBucketPolicy", absent=("NoSuchBucketPolicy",)))
    except AwsRefusal as refusal:
        if refusal.code == "NoSuchBucket":
            return None
        raise
    if answer is None and all(one.id != target.id for one in buckets(ask)):
        return None
    users = sorted((one["Arn"], sorted(one.get("GroupList") or ())) for one in ask(EVERYTHING)["UserDetailList"])
    return {
        "bucket": target.id,
        "account": ask.account,
        "partition": partition(ask),
        "policy": answer and document(answer["Policy"]),
        "text": answer["Policy"] if answer else "",
        "users": dict(users),
    }


def detect(state: State, settings: Settings) -> Deviation | None:
    """A bucket that is missing; or a policy that does not say what the baseline says."""
    if state is None:
        return None
    if "there" in state:
        missing = _missing(state, settings)
        gone = tuple(map(_absent, missing))
        return Deviation(f"are not all there: {', '.join(missing)}", gone) if missing else None
    facts = _facts(state, settings)
    return Deviation("does not give everybody exactly what the baseline says", tuple(facts)) if facts else None


def excepted(target: Target, settings: Settings) -> bool:
    """A bucket that the baseline does not name; what stands for those that are missing is looked at all the same."""
    return target.kind == KIND and target.id not in settings["buckets"]


def _missing(state: Mapping[str, Any], settings: Settings) -> list[str]:
    return sorted({*settings["buckets"]} - {*state["there"]})


def _absent(bucket: str) -> str:
    return f"bucket {bucket} does not exist"


def wanted(state: Mapping[str, Any], settings: Settings) -> list[Statement]:
    """Our statements as the bucket's policy should have them; none where the baseline does not name it."""
    said = settings["buckets"].get(state["bucket"])
    if said is None:
        return []
    who = administrators(settings)
    users = [User(arn, tuple(groups), _is_administrator(arn, groups, who)) for arn, groups in state["users"].items()]
    keeps = any(fnmatchcase(state["bucket"], one) for one in said_elsewhere(settings, "s3-versioning", "buckets"))
    of = {"partition": state["partition"], "account": state["account"]}
    return statements_of(state["bucket"], said, users, **of, keeps_versions=keeps)


def _is_administrator(arn: str, groups: Sequence[str], who: Mapping[str, Sequence[str]]) -> bool:
    return trusted({"kind": "user", "name": arn.rpartition("/")[2], "groups": groups}, who)


def _own(policy: Document | None) -> dict[str, Statement]:
    """The statements of a policy that are ours, by Sid."""
    return {str(one["Sid"]): one for one in statements(policy or {}) if str(one.get("Sid", "")).startswith(SID)}


def _facts(state: Mapping[str, Any], settings: Settings) -> dict[str, str]:
    """What is wrong, each with the Sid that it is about."""
    there, said = _own(state["policy"]), {str(one["Sid"]): one for one in wanted(state, settings)}
    facts = {}
    for sid in sorted({*there, *said}):
        if sid not in there:
            facts[f"{sid} is missing"] = sid
        elif sid not in said:
            facts[f"{sid} is not asked for"] = sid
        elif _plain(there[sid]) != _plain(said[sid]):
            facts[f"{sid} says something else"] = sid
    return facts


def _plain(value: Any) -> str:  # noqa: ANN401 - a part of a policy
    """A statement however S3 gives it back: lists in any order, and one value for a list of one."""
    return json.dumps(_sorted(value), sort_keys=True)


def _sorted(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, Mapping):
        return {key: one if key in ("Sid", "Effect") else _sorted(one) for key, one in value.items()}
    return sorted(str(one) for one in listed(value))


def describe(state: State) -> str:
    """How much of a policy is ours, or which buckets there are."""
    if state is None:
        return "the bucket does not exist"
    if "there" in state:
        return f"there are {', '.join(state['there'])}" if state["there"] else "there is no bucket"
    own, every = len(_own(state["policy"])), len(statements(state["policy"] or {}))
    return f"its policy has {own} statements of Plumbline's, and {every - own} others"


def plan(target: Target, state: State, settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
    """Make what is missing; write our statements, and nothing else, into a policy."""
    assert state is not None  # noqa: S101 - detect finds nothing wrong with what does not exist
    if "there" in state:
        return _made([one for one in _missing(state, settings) if _absent(one) in facts], state["home"], settings)
    meant = {sid for fact, sid in _facts(state, settings).items() if fact in facts}
    said = [one for one in wanted(state, settings) if one["Sid"] in meant]
    policy = state["policy"]
    kept = [one for one in statements(policy or {}) if one.get("Sid") not in meant]
    after = {**(policy or _EMPTY), "Statement": [*kept, *said]}
    if why := policies.too_long(after):
        return Plan(refusal=why)
    words = f"lets the policy of bucket {target.id} give everybody what the baseline says, and nothing else"
    return Plan(
        steps=(policies.step(target, policy, state["text"], after),),
        resources=arns(target),
        summary="; ".join((words, *policies.dead_words(policy))),
        means="A user whom the baseline gives nothing in it, a machine's too, can do nothing in it from then on; "
        "roles, services and administrators are left alone.",
    )


def _made(missing: Sequence[str], home: str, settings: Settings) -> Plan:
    return Plan(
        steps=tuple(_creates(one, settings["buckets"][one].get("region") or home) for one in missing),
        resources=tuple(f"arn:*:s3:::{one}" for one in missing),
        summary=f"makes {', '.join(f'bucket {one}' for one in missing)}",
        irreversible="what was in it before, if it was deleted",
    )


def _creates(bucket: str, region: str) -> Step:
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    gone = ("NoSuchBucket", "BucketNotEmpty")
    return Step(
        do=Call("s3", "CreateBucket", {"Bucket": bucket, **where}, region, absent=("BucketAlreadyOwnedByYou",)),
        undo=(Call("s3", "DeleteBucket", {"Bucket": bucket}, region, absent=gone),),
        fact=_absent(bucket),
    )


def part(state: State, plan: Plan) -> State:
    """The buckets that a repair made; or the policy, as AWS takes it."""
    if state is not None and "there" in state:
        return {"there": [one for one in state["there"] if one in {call.parameters["Bucket"] for call in plan.do}]}
    return policies.part(state, plan)


def clashes(enforced: Mapping[str, Settings]) -> Iterable[tuple[Sequence[str], str]]:
    """Buckets that another control wants otherwise, and what AWS would not take."""
    said = enforced[CONTROL.id]["buckets"]
    for bucket, one in said.items():
        for problem in _problems(bucket, one, enforced):
            yield ("buckets", bucket), problem
    spent = sum(2 * len(bucket) + _AROUND for bucket in said)
    if spent > _MOST:
        advice = (
            f"the names of these {len(said)} buckets take {spent} characters in the policy that denies all others, and "
            f"AWS leaves {_MOST}; name fewer, or shorter ones"
        )
        yield ("buckets",), advice


def _problems(bucket: str, said: Mapping[str, Any], enforced: Mapping[str, Settings]) -> Iterator[str]:
    for control in ("s3-public-policy", "s3-public-acl"):
        if any(fnmatchcase(bucket, one) for one in enforced.get(control, {}).get("allowed_buckets", ())):
            yield (
                f"{control} leaves this bucket public, so that anybody may do more in it than your groups; take it off "
                f"{control}'s allowed_buckets, or off here"
            )
    if bucket.startswith("plumbline-trail-") or bucket == enforced.get("cloudtrail-logging", {}).get("bucket"):
        yield "this is the trail's bucket, which nobody may change anything in; put your data into another one"
    for name, one in (said.get("people") or {}).items():
        try:
            date.fromisoformat(one["until"])
        except ValueError:
            yield f"'{one['until']}', the last day of {name}, is no day of the calendar; write one, as 2027-01-31"
    groups = {group for given in (said.get("prefixes") or {}).values() for group in given}
    few = [User(f"arn:aws:iam::{'0' * 12}:user/{one}", (one,)) for one in groups]
    few += [User(f"arn:aws:iam::{'0' * 12}:user/{one}") for one in said.get("people") or {}]
    least = {"Statement": statements_of(bucket, said, few, partition="aws", account="0" * 12, keeps_versions=True)}
    size = len(json.dumps(least).encode())
    if size > policies.LONGEST:
        yield (
            f"with one person in each group the bucket's policy has {size} bytes already, and S3 takes "
            f"{policies.LONGEST}; name fewer prefixes, or spread them over buckets"
        )


CONTROL = Control(
    id="s3-group-access",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.HIGH,
    response=Response.ENFORCE,
    clocks={"default": AT_ONCE, FOUND_BY_SWEEP: FOUND},
    scope=Scope.GLOBAL,
    kinds=(KIND, ALL),
    wakes_on=(
        On("s3.amazonaws.com", ("CreateBucket", "DeleteBucketPolicy", "PutBucketPolicy"), located),
        On("s3.amazonaws.com", ("DeleteBucket",), locate_all),
        On(
            "iam.amazonaws.com",
            ("AddUserToGroup", "CreateUser", "DeleteUser", "RemoveUserFromGroup", "UpdateGroup", "UpdateUser"),
            every_bucket,
        ),
    ),
    reads=frozenset(
        {"iam:GetAccountAuthorizationDetails", "s3:GetBucketLocation", "s3:GetBucketPolicy", "s3:ListAllMyBuckets"}
    ),
    writes=frozenset({"s3:CreateBucket", "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:PutBucketPolicy"}),
    noun="{kind} {id}",
    find=find,
    observe=observe,
    detect=detect,
    describe=describe,
    plan=plan,
    part=part,
    mend=policies.mend,
    excepted=excepted,
    people=True,
    follows=True,
    elsewhere={"s3-versioning": ("buckets",)},
    clashes=clashes,
    settings={"buckets": SETTING},
)
