"""Who asks what of which Plumbline, and the answer."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Protocol

from plumbline.alerts import wording
from plumbline.alerts.alert import Alert
from plumbline.alerts.shell import pasted
from plumbline.compose import Plumbline
from plumbline.core.errors import AwsRefusal, Conflict, PlumblineError
from plumbline.decisions.exemptions import ANY
from plumbline.findings.finding import SHORT, Finding, spoken
from plumbline.handlers.operate.proof import Place, endpoints
from plumbline.ports import Message, Sts

ALL = "all"
#: The findings that one command writes, beside reading all that are open: within ten seconds.
MOST_WRITTEN = 1000
#: How alike two ids of four letters are of which one letter was misread.
_ALIKE = 0.75


class Refused(PlumblineError):
    """What was typed cannot be done. The message says why and what to type instead."""


class Outlet(Protocol):
    """A queue."""

    def send(self, bodies: Sequence[str], *, delay: int = 0) -> None:
        """Send messages, or raise."""


class DeadLetters(Protocol):
    """A queue of messages that failed too often."""

    def receive(self) -> Sequence[Message]:
        """Some of them, which nobody else sees for a while; none where there are no more. Or raise."""

    def delete(self, receipt: str) -> None:
        """Delete one that was received, or raise."""


@dataclass(frozen=True, slots=True)
class Connections:
    """What of the stack only people's questions need.

    Attributes:
        units: takes the pieces of a sweep; None where there is no queue.
        topics: ARNs of the topics that people are told through; the Alerts topic is the first.
        alert_email: the address that the stack was given for alerts.
        escalation_email: the one for escalations; empty for none.
        sts: tells who signed a proof; None where nobody can be asked, and then nothing is changed.
        endpoints: where STS may be asked beside its addresses in AWS, each as `scheme://host`.
        wakes: takes what has to be looked at; None where there is no queue.
        dead: what failed too often; None where nothing is kept.
        undelivered: region -> what its forwarder could not deliver; None where there are no forwarders.
        people: ARN of the topic that people hear of their own users by; empty for none.
    """

    units: Outlet | None = None
    topics: tuple[str, ...] = ()
    alert_email: str = ""
    escalation_email: str = ""
    sts: Sts | None = None
    endpoints: Collection[str] = ()
    wakes: Outlet | None = None
    dead: DeadLetters | None = None
    undelivered: Callable[[str], DeadLetters] | None = None
    people: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answers.

    Attributes:
        text: for people.
        data: the same for scripts, JSON-like.
        ok: whether what was asked was done.
        perform: calls that whoever asked makes with rights of his own, each with `service`, `operation` as the AWS CLI
            spells it, `parameters`, and the error codes that are no failure in `absent`.
        then: the command that goes on once they are made.
        next: the command for the next page, where a script asked and there is one.
    """

    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    ok: bool = True
    perform: tuple[Mapping[str, Any], ...] = ()
    then: tuple[str, ...] = ()
    next: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The answer as the shell function reads it."""
        own = {"perform": self.perform, "then": self.then} if self.perform else {}
        more = {"next": self.next} if self.next else {}
        return {"ok": self.ok, "text": self.text, "data": self.data, **own, **more}


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks whom, and when.

    Attributes:
        by: the ARN of who asks, as STS has proven it; empty where a command only reads, and nobody needs to know.
    """

    plumbline: Plumbline
    connections: Connections
    by: str
    now: datetime

    @property
    def account(self) -> str:
        """The account that is asked about."""
        return self.plumbline.account

    @property
    def place(self) -> Place:
        """What a proof of who asks has to be made for."""
        deployment = self.plumbline.engine.deployment
        function = f"{deployment.sender.stack}-operate"
        known = endpoints(deployment.home) | set(self.connections.endpoints)
        return Place(self.account, deployment.home, function, known)

    def open_findings(self) -> list[Finding]:
        """All that is open, worst first, then what is due soonest."""
        return by_urgency(self.plumbline, self.plumbline.ledger.open_findings(self.account))

    def put(self, finding: Finding) -> bool:
        """Write a finding that nobody is settling; False where somebody was faster: the next sweep judges it."""
        if finding.is_leased(self.now):
            return False
        try:
            self.plumbline.ledger.save(finding, now=self.now)
        except Conflict:
            return False
        return True

    def put_all(self, findings: Sequence[Finding]) -> Sequence[Finding]:
        """Write findings that nobody is settling; those that were written: the next sweep judges the others."""
        free = [one for one in findings if not one.is_leased(self.now)]
        return self.plumbline.ledger.save_all(free, now=self.now)

    def tell(self, alert: Alert) -> str:
        """Send an alert; why it could not be sent, for the answer, as what it tells of is done already."""
        try:
            self.plumbline.engine.alerts.send(alert)
        except AwsRefusal as error:
            return f"The e-mail about this could not be sent: {error}"
        return ""


def finding_of(asked: Asked, typed: str) -> Finding:
    """The finding that a person means.

    Raises:
        Refused: there is none, or more than one.
    """
    prefix = spoken(typed)
    if len(prefix) < SHORT or not (prefix.isascii() and prefix.isalnum()):
        raise Refused(
            f"'{wording.clean(typed, 40)}' is no finding's id; ids have {SHORT} or more letters or digits, as 7F3K. "
            "Type: plumbline findings"
        )
    # a life that goes on after another one has its earlier state in the history too: the later version counts
    lives = sorted(asked.plumbline.ledger.by_id(asked.account, prefix), key=lambda one: one.version)
    same = {one.id: one for one in lives}
    found = sorted(same.values(), key=lambda one: (not one.is_open, -one.first_seen.timestamp()))
    if not found:
        raise Refused(_no_finding(asked, prefix))
    if len(found) > 1:
        longer = "\n".join(f"  {one.id}  {one.control}  {wording.clean(str(one.target), 60)}" for one in found)
        raise Refused(f"{len(found)} findings begin with {prefix}; type more of its id:\n{longer}")
    return found[0]


def _no_finding(asked: Asked, prefix: str) -> str:
    """That there is none, and which of the open ones, or which exemption, may be meant."""
    if any(prefix == one.id for one in asked.plumbline.ledger.all_exemptions(asked.account)):
        return f"{prefix} is an exemption and no finding. To end it, type: {pasted('unexempt', prefix)}"
    near = difflib.get_close_matches(prefix[:SHORT], [one.short for one in asked.open_findings()], n=1, cutoff=_ALIKE)
    if near:
        return f"there is no finding {prefix}; did you mean {near[0]}? Type: {pasted('show', near[0])}"
    return f"there is no finding {prefix}. Ids stand in the e-mails and in the list. Type: {pasted('findings')}"


def names_control(asked: Asked, typed: str) -> bool:
    """Whether what a person typed is the id of a control, today's or an earlier one."""
    return typed in asked.plumbline.engine.controls or typed in asked.plumbline.index.renamed


def control_of(asked: Asked, typed: str) -> str:
    """Today's id of the control that a person means by any of its ids, or `*` for all of them.

    Raises:
        Refused: there is no such control.
    """
    known = asked.plumbline.engine.controls
    if typed in (ALL, ANY):
        return ANY
    if names_control(asked, typed):
        return asked.plumbline.index.renamed.get(typed, typed)
    near = difflib.get_close_matches(typed, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"write one of: all, {', '.join(sorted(known))}"
    raise Refused(f"there is no control '{wording.clean(typed, 60)}'; {hint}")


def by_urgency(plumbline: Plumbline, found: Sequence[Finding]) -> list[Finding]:
    """Worst first, then what is due soonest."""
    never = datetime.max.replace(tzinfo=timezone.utc)

    def rank(one: Finding) -> tuple[int, datetime, str]:
        control = plumbline.engine.controls.get(one.control)
        return (control.severity.rank if control else 0, one.due or never, one.id)

    return sorted(found, key=rank)
