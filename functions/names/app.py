"""names: says what the stack's resources are called and which regions it governs, and cleans up where the stack goes.

CloudFormation asks before it makes anything else of the stack. A template alone can neither shorten nor lower a name,
nor tell a stack that has a ledger already from a new one. Here what the stack owns keeps its name, whichever version
gave it; only what it does not own gets a new one, which nothing that an earlier stack left behind can have.

CloudFormation waits for an answer to every request, so every request gets one, whatever goes wrong. It is refused
rather than guessed: a wrong name would replace the ledger. Nothing here imports the layer: it must work before all else
does. One file of it is read, the baseline, for the regions, buckets and people that it names.

Source: CloudFormation custom resource request and response reference, in the AWS CloudFormation user guide; AWS
CloudFormation user guide, Grant self-managed permissions, for the principals of regions that have to be switched on.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import sys
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asking import FOR_THE_ANSWER, Request, client, patiently, time_for
from leaving import empty, free
from others import refuse_a_second
from people import subscribe

logger = logging.getLogger()

#: What every name of Plumbline can begin with: IAM, Lambda and EventBridge take 64 characters, CloudTrail's names have
#: three at least and no two hyphens side by side, S3's are of lower case (so a bucket is not named after the stack).
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9]*(-[A-Za-z0-9]+)*")
_SHORTEST, _LONGEST, _KEPT = 3, 40, 28
_ANSWER_SECONDS, _ANSWERS = 5, 3
#: After how long a role's rights are known wherever they are asked for, in milliseconds before the end of the time.
_UNTIL_KNOWN = 120_000
#: What of a region EC2 says that every account has it, and that this one has switched it on.
_FOR_EVERYBODY, _SWITCHED_ON = "opt-in-not-required", "opted-in"
#: Where AWS tells of services without a region, in the partition whose regions hand events to each other.
_FORWARDING, _GLOBAL_REGION = "aws", "us-east-1"
#: Where a layer, which stands on the path that modules are imported from, has what the baseline became.
_BASELINE = "plumbline/baseline/baseline.json"
#: The mode of a control that the baseline switched off.
_OFF = "off"
Context = Any


@dataclass(frozen=True, slots=True)
class Stack:
    """What is known of the stack.

    Attributes:
        id: its ARN; another one each time a stack of this name is made.
        owned: logical id -> physical id of what it holds now.
    """

    id: str
    owned: Mapping[str, str]

    @property
    def name(self) -> str:
        """As its owner calls it."""
        return self.id.split("/")[1]

    def prefix(self) -> str:
        """What the names of its resources begin with: its own name, wherever AWS takes that for all of them.

        A stack of version 0.1 called everything after itself, so it keeps doing so, however long its name is.
        """
        plain = _PLAIN.fullmatch(self.name) and _SHORTEST <= len(self.name) <= _LONGEST
        if plain or self.owned.get("Ledger") == f"{self.name}-ledger":
            return self.name
        shortened = re.sub("-+", "-", self.name)[:_KEPT].strip("-")
        return f"{shortened}-{_mark(self.id)}"


def names(stack: Stack, request_id: str, account: str, region: str, trail: str = "") -> dict[str, str]:
    """What the template may ask for with `!GetAtt Names.`.

    Args:
        stack: what it owns decides.
        request_id: of CloudFormation's request; makes what is named anew differ from all that was there before.
        account: the stack's account.
        region: the stack's region.
        trail: the existing trail that it is to use, by name or ARN; empty where it makes its own.

    Returns:
        `Prefix` of the names of everything; `Ledger` and `TrailBucket`, which outlive the stack, so that no later one
        may need the same name; `LedgerIsThere`: "true" where the stack has had its ledger before; `Trail`, by its name,
        which no template can cut out of an ARN.
    """
    prefix, fresh = stack.prefix(), _mark(stack.id, request_id)
    return {
        "Prefix": prefix,
        "Ledger": stack.owned.get("Ledger", f"{prefix}-ledger-{fresh}"),
        "LedgerIsThere": "true" if "Ledger" in stack.owned else "false",
        "TrailBucket": stack.owned.get("TrailBucket", f"plumbline-trail-{account}-{region}-{fresh}"),
        "Trail": trail.rpartition("/")[2] or prefix,
    }


def regions(
    known: Mapping[str, str], wanted: Sequence[str], home: str, partition: str, *, strictly: bool = True
) -> dict[str, Any]:
    """Where the stack puts forwarders, and who makes them there.

    Args:
        known: every region of AWS, and how EC2 says it stands for this account; empty where it may not be asked.
        wanted: the regions that the baseline names; empty for all that are switched on.
        home: the stack's own.
        partition: of AWS.
        strictly: whether a region that nobody can govern is refused, rather than left out.

    Returns:
        `Governed`, in one text; `Others`: the regions that get a forwarder: all that are governed but home, and the one
        where AWS tells of services without a region; if there is none, home alone, where a forwarder hears nothing, for
        CloudFormation takes no empty list; `Principals`: who has to be trusted for them.

    Raises:
        ValueError: a region that is wanted does not exist, or is not switched on; names those that are.
    """
    enabled = {name for name, status in known.items() if status in (_FOR_EVERYBODY, _SWITCHED_ON)}
    missing = sorted({*wanted} - enabled) if known else []
    if missing and strictly:
        raise ValueError(
            f"baseline.yaml names {', '.join(missing)} under regions, which AWS does not have, or this account has not "
            f"switched on. Name others, or none for all of them. Switched on: {', '.join(sorted(enabled))}"
        )
    if not (known or wanted):
        raise ValueError(
            "nobody may ask which regions are switched on (ec2:DescribeRegions); name some in baseline.yaml"
        )
    governed = ({*wanted} - {*missing}) or enabled
    forwarding = {*governed, _GLOBAL_REGION} - {home} if partition == _FORWARDING else set[str]()
    opted = sorted({name for name, status in known.items() if status != _FOR_EVERYBODY})
    return {
        "Governed": ", ".join(sorted(governed)),
        "Others": sorted(forwarding) or [home],
        "Principals": ["cloudformation.amazonaws.com", *(f"cloudformation.{name}.amazonaws.com" for name in opted)],
    }


def declared(baseline: Mapping[str, Any], partition: str) -> dict[str, Any]:
    """What the baseline declares, as the stack's own policies speak of it.

    Args:
        baseline: compiled.
        partition: of AWS.

    Returns:
        `Regions`: where things may run; `Buckets`: the ARNs of its groups' buckets and of what is in them. Either is a
        star where nothing is declared, or the control that declares it is off.
    """
    buckets = sorted(_setting(baseline, "s3-group-access", "buckets"))
    arns = [f"arn:{partition}:s3:::{name}{below}" for name in buckets for below in ("", "/*")]
    return {"Regions": sorted(_setting(baseline, "account-regions", "allowed")) or ["*"], "Buckets": arns or ["*"]}


def _setting(baseline: Mapping[str, Any], control: str, name: str) -> Any:  # noqa: ANN401 - a list or a mapping
    """A setting of a control; nothing where the control is off, or there is none."""
    rule = baseline["controls"].get(control, {})
    return (rule.get("settings", {}).get(name) if rule.get("mode") != _OFF else None) or ()


def _mark(*of: str) -> str:
    return hashlib.sha256("\n".join(of).encode()).hexdigest()[:8]


def handler(request: Request, context: Context) -> None:
    """Answer one request of CloudFormation, always."""
    try:
        data, reason = _answer(request, time_for(request, context.get_remaining_time_in_millis)), ""
    except Exception as error:  # noqa: BLE001 - a request without an answer holds a deployment up
        data, reason = {}, f"{type(error).__name__}: {error}"
        logger.error("refused: %s", reason)  # the request itself holds a signed address, which no log should
    answer = {
        "Status": "FAILED" if reason else "SUCCESS",
        "Reason": f"Plumbline could not prepare its stack: {reason}"[:1000] if reason else "",
        # The same for ever: CloudFormation would take another one for another resource.
        "PhysicalResourceId": request.get("PhysicalResourceId") or str(request.get("LogicalResourceId")),
        "StackId": request.get("StackId"),
        "RequestId": request.get("RequestId"),
        "LogicalResourceId": request.get("LogicalResourceId"),
        "Data": data,
    }
    _send(str(request["ResponseURL"]), json.dumps(answer).encode())


def _answer(request: Request, remaining: Callable[[], int]) -> Mapping[str, Any]:
    """What a request asks for. Where it asks for something to end, nobody may be left with a policy that goes.

    Raises:
        ValueError: nobody knows such a request.
    """
    kind, what = request.get("RequestType"), request.get("ResourceType")
    if kind == "Delete":
        if what == "Custom::Detachment":
            patiently(lambda: free(request, remaining), remaining)
        if what == "Custom::Emptying":
            empty(request, remaining)
        return {}
    if kind not in ("Create", "Update"):
        raise ValueError(f"CloudFormation asks to {kind!r}, which is neither Create, Update nor Delete")
    said = _SAID.get(str(what))
    if said is None:
        raise ValueError(f"there is no {what!r} here; see the Custom:: resources of the template")
    return said(request, remaining) or {}


def _names(request: Request, remaining: Callable[[], int]) -> Mapping[str, Any]:
    """What the stack's resources are called; none where the account has a Plumbline already."""
    wanted = request["ResourceProperties"]
    stack = Stack(request["StackId"], patiently(lambda: _owned(request["StackId"]), remaining))
    if request["RequestType"] == "Create":
        patiently(lambda: refuse_a_second(stack.owned.values(), remaining), remaining)
    return names(stack, request["RequestId"], wanted["Account"], wanted["Region"], wanted.get("ExistingTrailName", ""))


def _regions(request: Request, remaining: Callable[[], int]) -> Mapping[str, Any]:
    """Where the stack puts forwarders."""
    wanted = request["ResourceProperties"]
    # Taken back, a deployment asks for what an earlier baseline said, and may be answered with that of the later.
    asked = wanted["Baseline"] == os.environ.get("BASELINE")
    known = patiently(lambda: _known(remaining), remaining)
    return regions(known, _baseline()["regions"], wanted["Home"], wanted["Partition"], strictly=asked)


def _declared(request: Request, _remaining: Callable[[], int]) -> Mapping[str, Any]:
    """What the baseline declares."""
    return declared(_baseline(), request["ResourceProperties"]["Partition"])


def _people(request: Request, remaining: Callable[[], int]) -> None:
    """Let the people of the roster hear."""
    patiently(lambda: subscribe(request["ResourceProperties"]["Topic"], _baseline().get("roster", {})), remaining)


def _protection(request: Request, remaining: Callable[[], int]) -> None:
    """Protect the ledger."""
    patiently(lambda: _protect(request["ResourceProperties"]["Table"]), remaining)


def _nothing(_request: Request, _remaining: Callable[[], int]) -> None:
    """There is nothing to do until it goes."""


def _owned(stack_id: str) -> dict[str, str]:
    """Logical id -> physical id of what the stack holds: not what it gave up, and not what it never got."""
    pages = client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack_id)
    return {
        one["LogicalResourceId"]: one["PhysicalResourceId"]
        for page in pages
        for one in page["StackResourceSummaries"]
        if one.get("PhysicalResourceId") and not one["ResourceStatus"].startswith(("DELETE_", "CREATE_FAILED"))
    }


def _known(remaining: Callable[[], int]) -> dict[str, str]:
    """Every region of AWS and how it stands for this account; none where a policy of the organisation denies to ask."""
    try:
        found = client("ec2").describe_regions(AllRegions=True)["Regions"]
    except Exception as error:
        if "UnauthorizedOperation" not in str(error) or remaining() > FOR_THE_ANSWER + _UNTIL_KNOWN:
            raise  # a role's rights show late
        return {}
    return {one["RegionName"]: one.get("OptInStatus") or _FOR_EVERYBODY for one in found}


def _baseline() -> Mapping[str, Any]:
    """The baseline in the layer; see `baseline.compiler`."""
    found = next((path for one in sys.path if (path := Path(one, _BASELINE)).is_file()), None)
    if found is None:
        raise FileNotFoundError(f"the layer holds no {_BASELINE}; run `sam build` and deploy again")
    compiled: Mapping[str, Any] = json.loads(found.read_text())
    return compiled


def _protect(table: str) -> None:
    """Let nobody delete the table by mistake."""
    dynamodb = client("dynamodb")
    if not dynamodb.describe_table(TableName=table)["Table"].get("DeletionProtectionEnabled"):
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=True)


_SAID: Mapping[str, Callable[[Request, Callable[[], int]], Mapping[str, Any] | None]] = {
    "Custom::Names": _names,
    "Custom::Regions": _regions,
    "Custom::Declared": _declared,
    "Custom::People": _people,
    "Custom::LedgerProtection": _protection,
    "Custom::Detachment": _nothing,
    "Custom::Emptying": _nothing,
}


def _send(address: str, body: bytes) -> None:
    for left in reversed(range(_ANSWERS)):
        try:
            # The address is CloudFormation's own, signed for a PUT without a content type.
            put = urllib.request.Request(address, data=body, method="PUT", headers={"Content-Type": ""})  # noqa: S310
            with urllib.request.urlopen(put, timeout=_ANSWER_SECONDS):  # noqa: S310
                return
        except OSError as error:
            logger.error("CloudFormation did not take the answer: %s", type(error).__name__)
            if not left:
                raise
