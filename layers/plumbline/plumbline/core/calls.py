"""AWS API calls as data: what is asked, what a repair does, how it is taken back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from plumbline.core.reach import Reach
from plumbline.core.recorded import Recorded

_T = TypeVar("_T")
#: Where botocore's name of an operation is not the IAM action that allows it. CloudTrail's may be a third one.
#: Source: Service Authorization Reference.
_ACTIONS = {
    ("accessanalyzer", "CreateAnalyzer"): "access-analyzer:CreateAnalyzer",
    ("accessanalyzer", "DeleteAnalyzer"): "access-analyzer:DeleteAnalyzer",
    ("accessanalyzer", "ListAnalyzers"): "access-analyzer:ListAnalyzers",
    ("accessanalyzer", "ListFindings"): "access-analyzer:ListFindings",
    ("s3", "ListBuckets"): "s3:ListAllMyBuckets",
    ("s3", "GetPublicAccessBlock"): "s3:GetBucketPublicAccessBlock",
    ("s3", "PutPublicAccessBlock"): "s3:PutBucketPublicAccessBlock",
    ("s3", "DeletePublicAccessBlock"): "s3:PutBucketPublicAccessBlock",
    ("s3", "DeleteBucketOwnershipControls"): "s3:PutBucketOwnershipControls",
    ("s3", "GetBucketLifecycleConfiguration"): "s3:GetLifecycleConfiguration",
    ("s3", "GetBucketEncryption"): "s3:GetEncryptionConfiguration",
    ("s3", "PutBucketEncryption"): "s3:PutEncryptionConfiguration",
    ("s3", "PutBucketLifecycleConfiguration"): "s3:PutLifecycleConfiguration",
    ("s3control", "GetPublicAccessBlock"): "s3:GetAccountPublicAccessBlock",
    ("s3control", "PutPublicAccessBlock"): "s3:PutAccountPublicAccessBlock",
    ("s3control", "DeletePublicAccessBlock"): "s3:PutAccountPublicAccessBlock",
    ("budgets", "DescribeBudgets"): "budgets:ViewBudget",
    ("budgets", "DescribeNotificationsForBudget"): "budgets:ViewBudget",
    ("budgets", "DescribeSubscribersForNotification"): "budgets:ViewBudget",
    ("budgets", "CreateBudget"): "budgets:ModifyBudget",
    ("budgets", "UpdateBudget"): "budgets:ModifyBudget",
    ("budgets", "DeleteBudget"): "budgets:ModifyBudget",
    ("budgets", "CreateNotification"): "budgets:ModifyBudget",
    ("budgets", "DeleteNotification"): "budgets:ModifyBudget",
    ("budgets", "CreateSubscriber"): "budgets:ModifyBudget",
    ("budgets", "DeleteSubscriber"): "budgets:ModifyBudget",
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
        wide: whether it reads a whole account, page after page: what is written may be planned from an answer that is
            some seconds old, as it is by the time such a read has ended.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    region: str = ""
    absent: tuple[str, ...] = ()
    wide: bool = False

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
class Mended:
    """A write that AWS refused for something in it, without that.

    Attributes:
        call: the write to make instead.
        left_out: what was left out and why, as it reads after what the repair does.
    """

    call: Call
    left_out: str


@dataclass(frozen=True, slots=True)
class Step:
    """One write, and the writes that take it back. An undo must be harmless when its write never happened.

    Attributes:
        do: the write.
        undo: what takes it back.
        fact: the fact of the deviation that it is about, where the repair of the others does not depend on it. What
            AWS lets nobody here do for this one holds up only the steps of the same fact.
    """

    do: Call
    undo: tuple[Call, ...] = ()
    fact: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """The repair of one deviation, computed from the state before it.

    Attributes:
        steps: in order; each with its own undo, so that half a repair can be taken back.
        resources: the ARNs (IAM wildcards allowed) that the writing session is limited to. Where they are too many for
            one session, each call keeps those that its parameters name, by ARN or by the name at its end.
        summary: what the repair does, one sentence in the present tense.
        irreversible: what an undo cannot bring back; empty when it brings back everything.
        means: what people have to know of what it leaves behind, in whole sentences; at most some 250 characters.
        later: the shell commands that a person may need because of it.
        refusal: why there is no safe repair; then `steps` is empty and a person has to act.
        left: facts of the deviation that this repair cannot put right -> why, as it reads after a colon. What it does
            put right is repaired and told, and the finding stays open for these. Only beside `steps`: see `partly`.
        by_person: whether it takes the rights of a person, for it gives some (see `giving`); no control says so itself.
    """

    steps: tuple[Step, ...] = ()
    resources: tuple[str, ...] = ()
    summary: str = ""
    irreversible: str = ""
    means: str = ""
    later: tuple[str, ...] = ()
    refusal: str = ""
    left: Mapping[str, str] = field(default_factory=dict)
    by_person: bool = False

    @classmethod
    def partly(
        cls,
        steps: Sequence[Step],
        left: Mapping[str, str],
        *,
        resources: Sequence[str] = (),
        summary: str = "",
        irreversible: str = "",
        means: str = "",
        later: Sequence[str] = (),
    ) -> Plan:
        """The plan that repairs what can be repaired; a refusal where that is nothing.

        Args:
            steps: the repair of all facts but those in `left`.
            left: fact -> why it cannot be repaired.
            resources: as in `Plan`.
            summary: as in `Plan`.
            irreversible: as in `Plan`.
            means: as in `Plan`.
            later: as in `Plan`.
        """
        if not steps:
            return cls(refusal=reasons(left))
        return cls(tuple(steps), tuple(resources), summary, irreversible, means, tuple(later), left=dict(left))

    @property
    def do(self) -> tuple[Call, ...]:
        """The calls that repair."""
        return tuple(step.do for step in self.steps)

    @property
    def undo(self) -> tuple[Call, ...]:
        """The calls that put the earlier state back, last write first."""
        return tuple(call for step in reversed(self.steps) for call in step.undo)


def reasons(left: Mapping[str, str]) -> str:
    """Why facts are not repaired, in one line: a reason that they all share alone, else each behind its facts."""
    facts: dict[str, list[str]] = {}
    for fact, why in left.items():
        facts.setdefault(why, []).append(fact)
    if len(facts) == 1:
        return next(iter(facts))
    return "; ".join(f"{', '.join(named)}: {why}" for why, named in facts.items())


class Ask(Protocol):
    """Performs one read. Lists are read to their last page; equal questions are asked once.

    Attributes:
        account: the account that is looked at.
        region: the region that is looked at; calls without one go there.
        home: the region Plumbline runs in.
        stack: what its stack is called.
        trail: the existing trail that the stack was told to use, by name or ARN; empty where it made its own.
        recorded: Plumbline's own parts as they were when its stack was last deployed; none where nobody wrote it down.
        reach: the regions as the last sweep saw them, and which of them it hears; none where nobody has looked.
        now: when this look began, in UTC: for what is judged by its age. A state that carries it, or a number of days
            made of it, is another one each time, so `observe` keeps of it what `detect` needs and no more.

    Raises:
        AwsRefusal: AWS answered with an error that the call does not list as `absent`.
    """

    account: str
    region: str
    home: str
    stack: str
    trail: str
    now: datetime

    @property
    def recorded(self) -> Recorded:
        """See above."""

    @property
    def reach(self) -> Reach:
        """See above."""

    def once(self, make: Callable[[Ask], _T], /) -> _T:
        """What a function makes of answers, made once for as long as the answers are remembered."""

    def foresee(self, calls: Sequence[Call], /) -> None:
        """Asks what will be asked, several at a time, so that each answer is there by then.

        It ends where AWS refuses one of them: whoever asks for that himself finds out.
        """

    def __call__(self, call: Call, /) -> Any:  # noqa: ANN401 - AWS answers any shape
        """AWS's answer, or None where its error code is in `call.absent`."""
