"""The nouns of Plumbline: plain frozen values, standard library only.

Everything that decides (controls, clocks, the engine's order of work) is written in these words, so that it can be
tested with plain data. Nothing here reads a clock, an environment variable or the network.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any, Protocol

#: What `observe` read about a target: JSON-like data, or None when the target does not exist.
State = Mapping[str, Any] | None
Settings = Mapping[str, Any]
Event = Mapping[str, Any]

GLOBAL = "global"
ALL = "*"


class Severity(str, Enum):
    """How bad a deviation is, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """0 for the worst, so that sorting puts it first."""
        return list(Severity).index(self)


class Response(str, Enum):
    """What Plumbline does about a deviation that is due."""

    ENFORCE = "enforce"  # repair, then tell
    PROPOSE = "propose"  # store the plan, tell, wait for a person's approval
    OBSERVE = "observe"  # everything but the writes: tell what would have been done
    ALERT = "alert"  # tell; a person repairs
    OFF = "off"  # neither watched nor told

    @property
    def caution(self) -> int:
        """0 acts by itself; higher does less. The more careful of two modes wins."""
        return list(Response).index(self)


class Origin(str, Enum):
    """What made Plumbline look."""

    EVENT = "event"
    SWEEP = "sweep"
    ADOPTION = "adoption"  # the first sweep of a control: it was there before Plumbline
    PERSON = "person"


class Scope(str, Enum):
    """Where the sweep looks for a control's targets."""

    GLOBAL = "global"  # once per account
    HOME = "home"  # once per account, in the region Plumbline is deployed in
    BILLING = "us-east-1"  # once per account, in the region that carries AWS/Billing
    EACH = "each"  # in every region the baseline names


# --- errors ---------------------------------------------------------------------------------------


class PlumblineError(Exception):
    """Every error Plumbline raises on purpose. The message says what was attempted, on what, and what to do."""


class BaselineError(PlumblineError):
    """The baseline cannot be used. `problems` holds one line for each thing that is wrong."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class UnknownTarget(PlumblineError, ValueError):
    """A text that is no target."""


class MalformedWake(PlumblineError, ValueError):
    """A message on the wakes queue that is neither an event nor a wake."""


class AwsRefusal(PlumblineError):
    """AWS answered a call with an error.

    Attributes:
        code: AWS's error code, such as `AccessDenied`.
        call: the call that was refused, or None where it was not a control's call.
    """

    def __init__(self, code: str, message: str, call: Call | None = None) -> None:
        self.code, self.call = code, call
        super().__init__(f"{call.action if call else 'AWS'} was refused: {code}: {message}")


class Conflict(PlumblineError):
    """Somebody else wrote the finding first; the wake has to be looked at again."""


class LedgerDown(PlumblineError):
    """The ledger could not be read or written. Nothing may be repaired."""


# --- targets, calls, plans ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """One thing a control judges.

    Attributes:
        account: twelve digits.
        region: a region, or `global` for services without one.
        kind: what it is, in AWS's own word, such as `iam-user` or `s3-bucket`.
        id: its name within the account and region. `*` (alone or as `name/*`) stands for every one of that kind,
            for events that do not say which.
    """

    account: str
    region: str
    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.account}/{self.region}/{self.kind}/{self.id}"

    @classmethod
    def parse(cls, text: str) -> Target:
        """The target that prints as `text`.

        Raises:
            UnknownTarget: the text has not the form account/region/kind/id.
        """
        parts = text.split("/", 3)
        if len(parts) != 4 or not all(parts) or not (parts[0].isdigit() and len(parts[0]) == 12):  # noqa: PLR2004
            message = (
                f"'{text[:200]}' is no target; write account/region/kind/id, as in 111122223333/global/iam-user/ann"
            )
            raise UnknownTarget(message)
        return cls(*parts)

    @property
    def is_pattern(self) -> bool:
        """Whether this stands for many targets that have to be looked up."""
        return self.id == ALL or self.id.endswith("/" + ALL)

    def covers(self, other: Target) -> bool:
        """Whether `other` is this target, or one of those this pattern stands for."""
        if not self.is_pattern:
            return self == other
        return (
            self.account == other.account
            and self.kind in (ALL, other.kind)
            and self.region in (ALL, GLOBAL, other.region)
            and other.id.startswith(self.id.removesuffix(ALL))
        )


#: Where botocore's name of an operation is not the IAM action that allows it. CloudTrail's may be a third one.
#: Source: Service Authorization Reference.
_ACTIONS = {
    ("s3", "ListBuckets"): "s3:ListAllMyBuckets",
    ("s3", "GetPublicAccessBlock"): "s3:GetBucketPublicAccessBlock",
    ("s3", "PutPublicAccessBlock"): "s3:PutBucketPublicAccessBlock",
    ("s3", "DeletePublicAccessBlock"): "s3:PutBucketPublicAccessBlock",
    ("s3", "GetBucketLifecycleConfiguration"): "s3:GetLifecycleConfiguration",
    ("s3", "GetBucketEncryption"): "s3:GetEncryptionConfiguration",
    ("s3", "PutBucketEncryption"): "s3:PutEncryptionConfiguration",
}


@dataclass(frozen=True, slots=True)
class Call:
    """One AWS API call as data.

    Attributes:
        service: botocore's service name.
        operation: the API's operation name, such as `UpdateAccessKey`.
        parameters: as boto3 takes them.
        region: where to send it; empty for the target's own region.
        absent: error codes that mean "there is none": a read then answers None, a write is content.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    region: str = ""
    absent: tuple[str, ...] = ()

    @property
    def action(self) -> str:
        """The IAM action that allows this call."""
        return _ACTIONS.get((self.service, self.operation), f"{self.service}:{self.operation}")

    @property
    def key(self) -> str:
        """The same for equal calls, so that a sweep asks each question once."""
        return json.dumps([self.service, self.operation, self.parameters, self.region], sort_keys=True, default=str)

    def to_json(self) -> dict[str, Any]:
        """Plain data for the ledger."""
        return {
            "service": self.service,
            "operation": self.operation,
            "parameters": dict(self.parameters),
            "region": self.region,
            "absent": list(self.absent),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Call:
        """The call that `to_json` wrote."""
        return cls(data["service"], data["operation"], data["parameters"], data["region"], tuple(data["absent"]))


@dataclass(frozen=True, slots=True)
class Step:
    """One write, and the writes that take it back. An undo must be harmless when its write never happened."""

    do: Call
    undo: tuple[Call, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """The repair of one deviation, computed from the state before it.

    Attributes:
        steps: in order; each with its own undo, so that half a repair can be taken back.
        resources: the ARNs (IAM wildcards allowed) that the writing session is limited to.
        summary: what the repair does, one sentence in the present tense.
        irreversible: what an undo cannot bring back; empty when it brings back everything.
        refusal: why there is no safe repair; then `steps` is empty and a person has to act.
    """

    steps: tuple[Step, ...] = ()
    resources: tuple[str, ...] = ()
    summary: str = ""
    irreversible: str = ""
    refusal: str = ""

    @property
    def do(self) -> tuple[Call, ...]:
        """The calls that repair."""
        return tuple(step.do for step in self.steps)

    @property
    def undo(self) -> tuple[Call, ...]:
        """The calls that put the earlier state back, last write first."""
        return tuple(call for step in reversed(self.steps) for call in step.undo)


@dataclass(frozen=True, slots=True)
class Deviation:
    """What is wrong with a target.

    Attributes:
        summary: what is wrong, as it reads after the target's name: "is public: anyone may list it".
        items: the single facts that are wrong, such as policy names. Adoption's grace covers the facts it found;
            a new fact on the same target is a new deviation.
        clock: which of the control's clocks runs; `default` unless the control tells kinds of deviation apart.
    """

    summary: str
    items: tuple[str, ...] = ()
    clock: str = "default"


@dataclass(frozen=True, slots=True)
class Clock:
    """When, after first seen, a finding is reminded of, escalated and repaired. None: never.

    Only consecutive time counts: a finding that closes and comes back starts afresh.
    """

    remind: tuple[timedelta, ...] = ()
    escalate: timedelta | None = None
    act: timedelta | None = None


#: Repaired when it is seen. What is there a day later was held back, or could not be repaired: somebody has to know.
AT_ONCE = Clock(escalate=timedelta(days=1), act=timedelta(0))
NEVER = Clock()


@dataclass(frozen=True, slots=True)
class Cause:
    """Who did what, as the trail tells it. Every text in it is hostile until cleaned.

    Attributes:
        action: the API call or sign-in, such as `PutBucketAcl`.
        who: the name a person would use: `mallory`, `root`, `deploy-role (session ci-42)`.
        principal: the full ARN or principal id.
        at: when it happened, ISO 8601 in UTC.
        source: the IP address or the AWS service it came from.
        tool: the user agent.
        event_id: CloudTrail's eventID.
    """

    action: str = ""
    who: str = ""
    principal: str = ""
    at: str = ""
    source: str = ""
    tool: str = ""
    event_id: str = ""

    def to_json(self) -> dict[str, str]:
        """Plain data for the ledger and the queue."""
        return {name: getattr(self, name) for name in self.__slots__ if getattr(self, name)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Cause:
        """The cause that `to_json` wrote; unknown fields are dropped."""
        return cls(**{name: str(data[name]) for name in cls.__slots__ if name in data})


class Ask(Protocol):
    """Performs one read. Lists are read to their last page; equal questions are asked once.

    Raises:
        AwsRefusal: AWS answered with an error that the call does not list as `absent`.
    """

    account: str
    region: str
    home: str
    stack: str

    def __call__(self, call: Call, /) -> Any:  # noqa: ANN401 - AWS answers any shape
        """AWS's answer, or None where its error code is in `call.absent`."""


@dataclass(frozen=True, slots=True)
class On:
    """A CloudTrail event that wakes a control.

    Attributes:
        source: `eventSource`, such as `iam.amazonaws.com`.
        names: event names as CloudTrail writes them (not always the API's). Empty: any, told apart by `match`.
        locate: event detail -> the targets to look at. It must not judge. A target whose id is `*` makes the whole
            control look, for events that leave out what they were about.
        detail_type: EventBridge's `detail-type`.
        match: further fields of the event pattern's `detail`.
        reads_too: whether read-only calls wake as well (needs a rule state of its own).
        failed_too: whether calls that AWS refused wake as well. They changed nothing, so this is for a control to which
            trying is doing.
    """

    source: str
    names: tuple[str, ...]
    locate: Callable[[Event], Iterable[Target]]
    detail_type: str = "AWS API Call via CloudTrail"
    match: Mapping[str, Any] = field(default_factory=dict)
    reads_too: bool = False
    failed_too: bool = False


class _Every:
    """A set of facts that has them all."""

    def __contains__(self, _fact: object) -> bool:
        return True


#: Every fact of a deviation, whatever it is.
EVERY: Container[str] = _Every()

Find = Callable[[Ask], Iterable[Target]]
Observe = Callable[[Ask, Target], State]
Detect = Callable[[State, Settings], Deviation | None]
Part = Callable[[State, Plan], State]


class MakePlan(Protocol):
    """Computes a repair."""

    def __call__(self, target: Target, state: State, settings: Settings, facts: Container[str] = EVERY, /) -> Plan:
        """The repair of one deviation.

        Args:
            target: what deviates.
            state: how it was observed just now.
            settings: the control's, from the baseline.
            facts: the deviation's `items` that may be repaired now; others are in adoption's grace. A control whose
                facts are one write of one value repairs them all together.
        """


def no_plan(_target: Target, _state: State, _settings: Settings, _facts: Container[str] = EVERY, /) -> Plan:
    """The plan of a control that only tells."""
    return Plan(refusal="there is no API that repairs this; a person has to")


def whole(state: State, _plan: Plan) -> State:
    """All of a state: what a repair is about where a target is one thing."""
    return state


@dataclass(frozen=True, slots=True)
class Control:
    """One rule of the baseline, in one file. Its module's docstring is its documentation.

    Attributes:
        id: the file's name in kebab-case; reads well after "exempt".
        severity: how bad a deviation is.
        response: what is done about one, unless the baseline says otherwise.
        clocks: `default`, and others by the name a `Deviation` gives or `found-by-sweep` (a deviation no event
            announced). baseline.yaml overrides each.
        scope: where the sweep looks.
        kinds: the kinds of its targets.
        wakes_on: the events that make Plumbline look at once.
        reads: IAM actions that find and observe need, no more.
        writes: IAM actions that plans need, undo included, no more.
        noun: what one target is called in an e-mail, such as "bucket {id}"; `{kind}` is the last word of its kind,
            `{first}` and `{last}` are the parts of an id with a slash.
        detect: state, settings -> what is wrong, or None. Pure.
        describe: state -> what it is now, in a few plain words; stands in e-mails as before and after. Pure.
        plan: target, state, settings, facts -> the repair of those facts. Pure.
        part: state, plan -> what of the state that repair is about: an undo asks whether this is still as it was left.
            For targets whose state tells of more, such as other resources of the account. Pure.
        find: ask -> the targets of a sweep, read in bulk.
        observe: ask, target -> the fresh state of one target.
        survey: ask -> the same states for all targets, where bulk reads give them; used instead of find + observe.
        witness: for controls that events alone can tell about: event detail -> state. There is nothing to observe.
        settings: JSON Schema of each setting, with `default` and `description`.
        clashes: settings of every enforced control, by id -> what of this control's own another one would take back:
            the path of the setting, and what to write instead. Asked when the baseline is built.
        blinds: its deviation blinds Plumbline, so the sweep checks it before all others.
    """

    id: str
    severity: Severity
    response: Response
    clocks: Mapping[str, Clock]
    scope: Scope
    kinds: tuple[str, ...]
    wakes_on: tuple[On, ...]
    reads: frozenset[str]
    writes: frozenset[str]
    noun: str
    detect: Detect
    describe: Callable[[State], str]
    plan: MakePlan = no_plan
    part: Part = whole
    find: Find | None = None
    observe: Observe | None = None
    survey: Callable[[Ask], Mapping[Target, State]] | None = None
    witness: Callable[[Event], State] | None = None
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    clashes: Callable[[Mapping[str, Settings]], Iterable[tuple[Sequence[str], str]]] | None = None
    blinds: bool = False

    def name(self, target: Target) -> str:
        """The target as a person would call it."""
        first, _, last = target.id.partition("/")
        return self.noun.format(
            id=target.id, region=target.region, kind=target.kind.rpartition("-")[2], first=first, last=last or first
        )


def same(one: State, other: State) -> bool:
    """Whether two states say the same, whichever of them has been through the ledger."""
    return json.dumps(one, sort_keys=True, default=str) == json.dumps(other, sort_keys=True, default=str)


def utc(text: str) -> datetime:
    """The instant that an ISO 8601 text names; UTC where it names no zone.

    Raises:
        ValueError: the text names no instant, or one beyond the calendar.
    """
    at = datetime.fromisoformat(text)
    try:
        return at.replace(tzinfo=timezone.utc) if at.tzinfo is None else at.astimezone(timezone.utc)
    except OverflowError as error:
        raise ValueError(f"'{text}' lies beyond the calendar") from error
