"""What is deployed with which parameters, and the words in which a person is told. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from deploy.trails import PER_100_000, best, caveats, faults, named, parameter, spoken
from plumbline.alerts.reach import told_in, unheard
from plumbline.controls.detection._trails import Trail

TRAIL = "ExistingTrailName"
#: What to write for TRAIL= so that the stack makes a trail of its own.
NEW = "new"
#: A stack in these was never made, or cannot be changed.
_NEVER_MADE = ("", "REVIEW_IN_PROGRESS")
_FAILED_AT_FIRST = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED")
_SECOND_COPY = f"AWS charges {PER_100_000:.2f} USD for each 100,000 management events that a second trail delivers"
#: Metrics and alarms on the bill exist there only.
_BILLED_IN = "us-east-1"


class Refused(Exception):
    """It cannot be deployed like that; the message says why and what to do instead."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What an account looks like before.

    Attributes:
        account: its number.
        caller: the ARN of whoever deploys.
        region: the home region to be.
        status: of the stack, as CloudFormation says it; empty where there is none.
        parameters: the stack's, as they are now.
        own_trail: the name of the trail that the stack made; empty where it made none.
        trails: all of the account's, as cloudtrail-logging reads them.
        deployer: the ARN of the user or role who deploys; empty where AWS did not say.
    """

    account: str
    caller: str
    region: str
    status: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    own_trail: str = ""
    trails: Sequence[Trail] = ()
    deployer: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person typed.

    Attributes:
        stack: the stack's name.
        email: who is told; empty to keep who is.
        trail: a trail's name or ARN; `NEW` for one of the stack's own; empty to look, or to keep what the stack has.
        parameters: further parameters.
    """

    stack: str
    email: str = ""
    trail: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is deployed.

    Attributes:
        parameters: what the stack is given; what is left out it keeps.
        told: one paragraph for each thing a person should know.
    """

    parameters: Mapping[str, str]
    told: Sequence[str]


def decide(seen: Seen, wanted: Wanted) -> Decision:
    """What to deploy.

    Args:
        seen: the account.
        wanted: what a person typed.

    Raises:
        Refused: something is missing or wrong.
    """
    if seen.status in _FAILED_AT_FIRST:
        raise Refused(
            f"The stack {wanted.stack} is left over from a first deployment that failed ({seen.status}). Delete it, "
            f"and deploy again: sam delete --stack-name {wanted.stack} --region {seen.region}"
        )
    is_new = seen.status in _NEVER_MADE
    if is_new and not wanted.email:
        raise Refused("Say who is told: make deploy EMAIL=you@example.com")
    trail, told = _trail(seen, wanted, is_new=is_new)
    email = {"AlertEmail": wanted.email} if wanted.email else {}
    kept = "anew" if is_new else f"over what is there ({seen.status}); what you do not name stays as it is"
    head = f"Account {seen.account}, as {seen.caller}. The stack {wanted.stack} is deployed in {seen.region} {kept}."
    deployer = {"Deployer": seen.deployer} if seen.deployer else {}
    return Decision({**email, **trail, **deployer, **wanted.parameters}, [head, *told, *_region(seen)])


def _trail(seen: Seen, wanted: Wanted, *, is_new: bool) -> tuple[Mapping[str, str], Sequence[str]]:
    """The trail's parameter, where it is to be set, and what is said about it."""
    others = [one for one in seen.trails if not _is_the_stacks(one, seen)]
    if wanted.trail == NEW:
        return {TRAIL: ""}, _makes_one(others)
    if wanted.trail:
        return _chosen(seen, wanted)
    if not is_new:
        return {}, list(_kept(seen, others))
    found = best(others)
    if found is None:
        return {TRAIL: ""}, _makes_one(others)
    told = f"Plumbline listens to {spoken(found)}, and no second trail is made: {_SECOND_COPY}."
    return {TRAIL: parameter(found, seen.region)}, [" ".join([told, *caveats(found)])]


def _chosen(seen: Seen, wanted: Wanted) -> tuple[Mapping[str, str], Sequence[str]]:
    found = named(seen.trails, wanted.trail)
    if found is None:
        there = ", ".join(one["name"] for one in seen.trails) or "none"
        raise Refused(
            f"There is no trail {wanted.trail} that account {seen.account} can see; there is: {there}. Name one of "
            f"them with TRAIL=, leave TRAIL out, or write TRAIL={NEW} and the stack makes one."
        )
    if faults(found):
        raise Refused(
            f"Plumbline cannot rely on {spoken(found)}: it {' and '.join(faults(found))}. Name another one with "
            f"TRAIL=, leave TRAIL out, or write TRAIL={NEW} and the stack makes one."
        )
    if _is_the_stacks(found, seen):
        return {}, [f"Plumbline goes on listening to {spoken(found)}, which is the stack's own."]
    lost = ""
    if seen.own_trail:
        lost = f" The stack's own trail {seen.own_trail} is deleted; its bucket stays, with what it recorded."
    told = f"Plumbline listens to {spoken(found)}, as you say.{lost}"
    return {TRAIL: parameter(found, seen.region)}, [" ".join([told, *caveats(found)])]


def _makes_one(others: Sequence[Trail]) -> Sequence[str]:
    made = (
        "The stack makes a trail, with a bucket of its own. The first copy of management events in each "
        "region is free; its bucket costs what S3 charges for a few megabytes."
    )
    recording = [one for one in others if one["logging"] and "leaves out management events" not in faults(one)]
    if recording:
        names = " and ".join(f"{spoken(one)}, which {_why_not(one)}" for one in recording)
        made += f" It records again what is recorded by {names}: {_SECOND_COPY}."
    return [made]


def _why_not(trail: Trail) -> str:
    return " and ".join(faults(trail)) or "would do"


def _kept(seen: Seen, others: Sequence[Trail]) -> Iterator[str]:
    """What is said of the trail that a stack has already: it is never changed unless a person says so."""
    used = seen.parameters.get(TRAIL, "")
    if used:
        found = named(seen.trails, used)
        if found is None:
            yield (
                f"This stack was told to listen to the trail {used}, which does not exist. Until it does, Plumbline "
                f"hears nothing and works by its hourly sweep alone: name another with TRAIL=, or write TRAIL={NEW}."
            )
        elif faults(found):
            yield (
                f"This stack listens to {spoken(found)}, which {' and '.join(faults(found))}. `cloudtrail-logging` "
                f"tells you, and repairs what it may; if it is to stay so, name another with TRAIL=, or write "
                f"TRAIL={NEW}."
            )
        else:
            yield " ".join([f"Plumbline goes on listening to {spoken(found)}.", *caveats(found)])
        return
    other = best(others)
    if other is None:
        yield "Plumbline goes on listening to the stack's own trail."
        return
    yield (
        f"The stack keeps its own trail, though {spoken(other)} records the same: {_SECOND_COPY}. To do without the "
        f"stack's: make deploy TRAIL={parameter(other, seen.region)}; its bucket stays."
    )


def _is_the_stacks(trail: Trail, seen: Seen) -> bool:
    return bool(seen.own_trail == trail["name"] and trail["own"] and trail["region"] == seen.region)


def _region(seen: Seen) -> Iterator[str]:
    """What is not heard in this home region, and what is otherwise there."""
    told = unheard(seen.region)
    if told:
        there = f"AWS_REGION={told_in(seen.region)} make deploy ..."
        yield f"The home region is {seen.region}. {told} To hear it, deploy there: {there}"
    elif seen.region != _BILLED_IN and not seen.region.startswith(("cn-", "us-gov-")):
        yield f"The home region is {seen.region}. Every other is heard there as well: a forwarder stands in each."
