"""What IAM Access Analyzer finds is known, and archived or resolved.

Holds: no finding of external access is active for a resource of this account: what it lets in from outside you have
either archived, because it is meant, or taken away. Each resource is told once, whatever the number of findings about
it; who is let in later is news, and told as such. A role or user is everywhere the same, and is told by the analyzer
of the region in which AWS keeps IAM (us-east-1), where it is governed. AWS tells of a finding within an hour or so, and
the sweep asks each hour. While no analyzer works in a region, nobody can know, and what was open there stays open.
Why: a bucket, a key, a role or a queue that lets in another account, or everybody, is how data leaves without anybody
breaking in. Access Analyzer reads the policies as AWS itself does, also those that no rule here knows.
Repair: none; whether it is meant only you can know. Archive what is meant in the console of IAM Access Analyzer, best
by an archive rule; take away what is not, and the finding is resolved.
Undo: none; nothing is changed.
Source: IAM user guide, IAM Access Analyzer findings, and Monitoring IAM Access Analyzer with Amazon EventBridge; IAM
Access Analyzer API reference, ListFindings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from plumbline.controls.iam._analyzers import ANALYZERS, WORKING, external
from plumbline.core.calls import Ask, Call
from plumbline.core.cause import Event
from plumbline.core.clock import Clock, Response
from plumbline.core.control import Control, Deviation, On, Scope, Settings, Severity
from plumbline.core.errors import AwsRefusal
from plumbline.core.targets import State, Target
from plumbline.wakes import cloudtrail

KIND = "access-analyzer-resource"
#: What every region's analyzer tells of, by the beginning of its ARN, and where AWS keeps it.
_OF_IAM = {
    "arn:aws:iam:": "us-east-1",
    "arn:aws-cn:iam:": "cn-north-1",
    "arn:aws-us-gov:iam:": "us-gov-west-1",
}
_ACTIVE = {"status": {"eq": ["ACTIVE"]}}
#: Actions that are named of one finding.
_FEW = 3


def locate(detail: Event) -> Iterable[Target]:
    """The resource that a finding is about; all of its region's where the event does not say.

    Not those of other accounts, which an organisation's analyzer tells of as well.
    """
    arn, owner = detail.get("resource"), detail.get("accountId")
    if isinstance(owner, str) and owner != cloudtrail.account(detail):
        return ()
    named = arn if isinstance(arn, str) else ""
    return cloudtrail.here(detail, KIND, named, region=_of_iam(named))


def survey(ask: Ask) -> Mapping[Target, State]:
    """Every resource about which a finding is active, as one list of each analyzer tells."""
    if not _working(ask):
        return {}
    by_resource: dict[str, list[Mapping[str, Any]]] = {}
    for one in _active(ask, _ACTIVE):
        if one.get("resource") and _of_iam(one["resource"]) in ("", ask.region):
            by_resource.setdefault(one["resource"], []).append(one)
    return {Target(ask.account, ask.region, KIND, arn): _state(arn, findings) for arn, findings in by_resource.items()}


def observe(ask: Ask, target: Target) -> State:
    """One resource; nothing is found where the findings about it are archived, resolved or deleted.

    Raises:
        AwsRefusal: there is no analyzer that works: who has deleted it has resolved nothing.
    """
    if not _working(ask):
        raise AwsRefusal("NoAnalyzer", f"no analyzer of external access works in {ask.region}", ANALYZERS)
    return _state(target.id, _active(ask, {**_ACTIVE, "resource": {"eq": [target.id]}}))


def _working(ask: Ask) -> list[str]:
    """The ARNs of the analyzers that work."""
    return [one["arn"] for one in external(ask) if one["status"] in WORKING]


def _active(ask: Ask, wanted: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The findings that fit, of this account's resources."""
    calls = (Call("accessanalyzer", "ListFindings", {"analyzerArn": arn, "filter": wanted}) for arn in _working(ask))
    found = [one for call in calls for one in ask(call)["findings"]]
    return [one for one in found if one.get("resourceOwnerAccount", ask.account) == ask.account]


def _of_iam(arn: str) -> str:
    """The region that tells of a resource of IAM; empty for what stands in a region of its own."""
    return next((region for begins, region in _OF_IAM.items() if arn.startswith(begins)), "")


def _state(arn: str, findings: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    told = {_told(one): bool(one.get("isPublic")) for one in findings}
    return {"resource": arn, "found": sorted(told), "public": any(told.values())}


def _told(finding: Mapping[str, Any]) -> str:
    """Who may do what; two findings of the same are one fact."""
    if finding.get("error"):
        return f"Access Analyzer cannot read it ({finding['error']})"
    who = ", ".join(sorted({str(one) for one in (finding.get("principal") or {}).values()})) or "somebody"
    actions = sorted(map(str, finding.get("action") or ()))
    more = f" and {len(actions) - _FEW} more" if len(actions) > _FEW else ""
    narrowed = ", under a condition" if finding.get("condition") else ""
    return f"{'anybody' if who == '*' else who}: {', '.join(actions[:_FEW]) or 'access'}{more}{narrowed}"


def detect(state: State, _settings: Settings) -> Deviation | None:
    """A resource with an active finding."""
    assert state is not None  # noqa: S101 - observe always answers
    if not state["found"]:
        return None
    wrong = "is open to everybody" if state["public"] else "can be reached from outside the account"
    return Deviation(f"{wrong}, as IAM Access Analyzer finds", tuple(state["found"]))


def describe(state: State) -> str:
    """Who may do what."""
    assert state is not None  # noqa: S101 - observe always answers
    return "; ".join(state["found"]) or "no finding about it is active"


CONTROL = Control(
    id="access-analyzer-findings",
    doc=__doc__ or "",
    since="0.2",
    severity=Severity.MEDIUM,
    response=Response.ALERT,
    clocks={"default": Clock(remind=(timedelta(days=1), timedelta(days=3)), escalate=timedelta(days=7))},
    scope=Scope.EACH,
    kinds=(KIND,),
    wakes_on=(
        On(
            "aws.access-analyzer",
            (),
            locate,
            detail_type="Access Analyzer Finding",
            match={"resource": [{"exists": True}]},
        ),
    ),
    reads=frozenset({"access-analyzer:ListAnalyzers", "access-analyzer:ListFindings"}),
    writes=frozenset(),
    noun="{id}",
    survey=survey,
    observe=observe,
    detect=detect,
    describe=describe,
    answers={"moj": ("analyzer-findings",)},
)
