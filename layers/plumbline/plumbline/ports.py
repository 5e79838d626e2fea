"""What the engine needs of the world outside, in its own words: a ledger, AWS, and a place where alerts go."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from plumbline.alerts.alert import Alert
from plumbline.core.calls import Ask, Call, Mended
from plumbline.core.control import Control
from plumbline.core.targets import Target
from plumbline.findings.brief import Brief
from plumbline.findings.budgets import Budget
from plumbline.findings.digested import Digested
from plumbline.findings.finding import Finding
from plumbline.findings.hearing import Hearing

_S = TypeVar("_S")
_T = TypeVar("_T")


class Ledger(Protocol):
    """What is remembered. Every method raises LedgerDown when it cannot do its work."""

    def brief(
        self, control: str, target: Target, now: datetime, adopted: str = "", budget: Budget | None = None, /
    ) -> Brief:
        """All that bears on one wake, consistently read.

        Args:
            control: its id.
            target: what is looked at.
            now: the time, in UTC.
            adopted: what the control's adoption is kept under (see `adoption.kept_as`); its id when empty.
            budget: the counters to read; those of a lesser control that nobody broke when None.
        """

    def counted(self, known: Brief, control: str, account: str, budget: Budget, now: datetime, /) -> Brief:
        """The same with what other counters say."""

    def save(
        self,
        finding: Finding,
        *,
        now: datetime,
        spend: Mapping[str, int] | None = None,
        alert: str = "",
        bury: Finding | None = None,
    ) -> Finding:
        """Write a finding over the version it was read in, and give it back with its new version.

        Args:
            finding: what to write.
            now: the time of the write.
            spend: count one repair of this clock hour in each of these counters, which have room for so many, in the
                same transaction.
            alert: the counter of alerts in which to count one of this clock hour, in the same transaction.
            bury: the earlier life that this one follows, kept in the history in the same transaction.

        Raises:
            Conflict: somebody else wrote first, or used up a budget meanwhile; nothing was written.
        """

    def save_all(self, findings: Sequence[Finding], *, now: datetime) -> Sequence[Finding]:
        """Write findings over the versions they were read in; those that nobody else has written meanwhile."""

    def bury(self, finding: Finding, *, now: datetime) -> None:
        """Write an earlier life back into the history."""

    def once(self, key: str, *, now: datetime, within: timedelta) -> bool:
        """Claim `key` for a while: True for the first who asks."""

    def told(self, key: str, *, now: datetime, within: timedelta) -> None:
        """Keep `key` claimed for longer, now that what it stands for is done."""

    def told_of(self, prefix: str, now: datetime) -> frozenset[str]:
        """The keys beginning with `prefix` that are claimed, or kept as told."""

    def adopted(self, account: str) -> Mapping[str, str]:
        """The controls whose first sweep has begun, and how far it has come (see adoption.py)."""

    def adopt(self, account: str, control: str, mark: str) -> None:
        """Record how far the first sweep of a control has come."""

    def awaiting_digest(self, account: str) -> Sequence[Finding]:
        """The findings, open or closed, that a person is told of with the next digest."""

    def digested(self, account: str) -> Digested:
        """What digests have told of, and no finding says yet."""

    def note_digested(self, account: str, digested: Digested) -> None:
        """Record that."""

    def hearing(self, account: str) -> Hearing:
        """Whether anybody ever confirmed that alerts reach him."""

    def note_hearing(self, account: str, hearing: Hearing) -> None:
        """Record that."""

    def open_findings(self, account: str) -> Sequence[Finding]:
        """Every open finding; a write of this second may be missing."""

    def recent(self, account: str, since: datetime) -> Sequence[Finding]:
        """What is open, or waits for a digest, and every life that was closed since; of some more than one state."""


class Eyes(Ask, Protocol):
    """Reads that may be forgotten: a look at a whole account holds no more than its next controls ask for."""

    def remember(self, services: Container[str], /) -> None:
        """Forget the answers of all services but these, as IAM calls them, and what was made of answers."""

    def afresh(self) -> Eyes:
        """The same eyes that have forgotten everything but what wide reads were told, and when they opened."""

    def about(self, target: Target, /) -> Ask:
        """The same eyes for a look at one target: what names it is asked once, and forgotten with this look."""

    def many(
        self, work: Callable[[_S], _T], items: Sequence[_S], more: Callable[[], bool], at_once: int, /
    ) -> list[_T]:
        """Work on items, several at a time, begun in order for as long as there is more time.

        Args:
            work: what to do with each; safe to run in several threads.
            items: in order.
            more: whether another one may begin.
            at_once: how many run at a time at most.

        Returns:
            what came of the first of them, in order.
        """


class Aws(Protocol):
    """AWS, as one account's roles see it."""

    def eyes(self, account: str, region: str) -> Eyes:
        """Reads with the read-only role. Answers are remembered for the life of the returned value only.

        The settles of one batch may share it, until it is renewed.
        """

    def renew(self, account: str, region: str, since: datetime) -> None:
        """Let nobody share eyes any more that opened before a moment."""

    def anew(self, account: str, region: str, now: datetime) -> bool:
        """Let what is written now be planned from what is read now, wide reads of the last seconds apart.

        Returns:
            whether anything was read before, for others: then it is to be read again.
        """

    def hands(
        self, control: Control, target: Target, calls: Sequence[Call], resources: Sequence[str]
    ) -> Callable[[Call], Mended | bool | None]:
        """Makes these calls, and no others, with the writing roles, limited to what they need of these resources.

        What it gives back makes one of them: in the form that `control.mend` gives it where AWS refuses it as it is,
        and then it answers that form. It answers False where AWS had nothing to make it on: what it is about is gone,
        or is so already.

        Args:
            control: whose declared writes are the most that is allowed.
            target: where the calls are sent, unless they say otherwise.
            calls: every call that will be made.
            resources: the ARNs of the plans that the calls belong to.

        Raises:
            AwsRefusal: a role could not be assumed, or not within the limits of its session, or only a person may make
                one of the calls (see `core.giving`). Nothing was written.
        """


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom AWS takes somebody for.

    Attributes:
        account: twelve digits.
        arn: of a user, an account's root, or a session: `arn:aws:sts::...:assumed-role/ROLE/SESSION`, without the path
            of the role.
    """

    account: str
    arn: str


class Sts(Protocol):
    """AWS, asked in another's words who he is."""

    def identity(self, url: str, headers: Mapping[str, str]) -> Identity:
        """Whom AWS takes the signer of a request for.

        Args:
            url: the presigned request; it goes to nobody but STS, and whoever calls has made sure of that.
            headers: those that are signed with it.

        Raises:
            AwsRefusal: AWS does not take the signature, with its code, such as SignatureDoesNotMatch.
            NotReached: STS did not answer, or answered what cannot be read.
        """


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was received from a queue.

    Attributes:
        id: SQS's own.
        body: as it was sent.
        receipt: what it is deleted with.
        sender: who sent it, as SQS knows: the id of a user, or of a role with the session's name.
        sent: when.
    """

    id: str
    body: str
    receipt: str
    sender: str = ""
    sent: datetime | None = None


class Alerts(Protocol):
    """Where alerts go."""

    @property
    def arn(self) -> str:
        """What it is called, where whoever subscribes has to name it."""

    def is_heard(self) -> bool | None:
        """Whether somebody who has confirmed hears alerts now; None where that cannot be found out."""

    def waiting(self) -> Sequence[str]:
        """The addresses that nobody has confirmed yet, as far as that can be found out."""

    def send(self, alert: Alert) -> None:
        """Hand an alert to SNS.

        Raises:
            AwsRefusal: SNS did not take it.
        """
