"""The part of status about who hears: who has confirmed, who has not, and the commands that mend it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from plumbline.alerts.hearing import (
    FORGOTTEN_AFTER_HOURS,
    NEVER,
    ONLY_ESCALATIONS,
    lost,
    of_own_user,
    subscribing,
)
from plumbline.core.calls import Call
from plumbline.core.errors import AwsRefusal
from plumbline.findings.hearing import Hearing
from plumbline.handlers.operate.asked import Asked

#: What SNS says in place of an ARN.
_PENDING, _GONE = "PendingConfirmation", "Deleted"
_UNCONFIRMED = (_PENDING, _GONE)
#: So that an answer stays readable: of more addresses, the first.
_MOST_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Deaf:
    """An address that a topic does not reach.

    Attributes:
        topic: the topic's ARN.
        endpoint: the address; empty where nobody knows one.
        is_pending: whether AWS waits for its confirmation, rather than not knowing it at all.
    """

    topic: str
    endpoint: str
    is_pending: bool

    @property
    def name(self) -> str:
        """The topic as people call it."""
        return self.topic.rpartition(":")[2]


@dataclass(frozen=True, slots=True)
class Heard:
    """Who hears.

    Attributes:
        hearing: whether anybody ever did, and does now.
        deaf: the addresses that hear nothing.
        silent: the names of topics that nobody hears at all.
        error: why that could not be looked at; empty where it could.
    """

    hearing: Hearing
    deaf: tuple[Deaf, ...] = ()
    silent: tuple[str, ...] = ()
    error: str = ""

    @property
    def row(self) -> str:
        """As a row of status."""
        if self.error:
            return f"could not look: {self.error}"
        if not self.deaf and not self.silent:
            return "every address is confirmed"
        who = [f"{one.endpoint} {_why(one)} {one.name}" for one in self.deaf if one.endpoint]
        nobody = [f"NOBODY HEARS {' and '.join(self.silent)}"] if self.silent else []
        said = [*nobody, "; ".join(who), "Click the link in AWS's e-mail, or do as below"]
        return ". ".join(filter(None, said))

    @property
    def head(self) -> Sequence[str]:
        """What has to be said before anything else."""
        if not self.hearing.ever:
            how = "Plumbline's e-mails reach nobody. Click the link in AWS's confirmation e-mail, or do as below."
            return (f"!! {NEVER} !!", how, "")
        return (f"!! {lost(self.hearing)} !!", "") if self.hearing.silent else ()

    def foot(self, asked: Asked) -> Sequence[str]:
        """The commands that make every address hear."""
        if not self.deaf:
            return ()
        lines = [
            "",
            f"AWS forgets an address that nobody confirms within {FORGOTTEN_AFTER_HOURS} hours. In CloudShell this",
            "subscribes it again, and confirms it so that no click on a link in an e-mail can end it:",
        ]
        region, escalation = asked.plumbline.engine.deployment.home, asked.connections.escalation_email
        for one in self.deaf[:_MOST_SHOWN]:
            only = ONLY_ESCALATIONS if escalation and one.endpoint == escalation else ""
            lines += ["", *(f"  {line}" for line in subscribing(one.topic, region, one.endpoint, only=only))]
        return lines


@dataclass(frozen=True, slots=True)
class Addressed:
    """The people of the roster whose addresses are known.

    Attributes:
        waiting: addresses that have not confirmed.
        missing: addresses that are not subscribed: AWS has forgotten them, or they are of a later baseline.
        count: how many there are in all.
        error: why that could not be looked at; empty where it could.
    """

    waiting: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    count: int = 0
    error: str = ""

    @property
    def row(self) -> str:
        """As a row of status; empty where no address is known."""
        if self.error:
            return f"could not look: {self.error}"
        if not self.count:
            return ""
        hear = self.count - len(self.waiting) - len(self.missing)
        said = [f"{hear} of {self.count} addresses of the roster {'hears' if hear == 1 else 'hear'} of their own users"]
        said += [f"not confirmed: {_some(self.waiting)}"] if self.waiting else []
        said += [f"not subscribed: {_some(self.missing)}"] if self.missing else []
        return "; ".join(said)

    def foot(self, asked: Asked) -> Sequence[str]:
        """The commands that subscribe whom AWS has forgotten."""
        lines = (
            ["", "AWS has forgotten people who did not confirm in time. This asks them again:"] if self.missing else []
        )
        topic, region = asked.connections.people, asked.plumbline.engine.deployment.home
        for one in self.missing[:_MOST_SHOWN]:
            lines += ["", *(f"  {line}" for line in subscribing(topic, region, one, only=of_own_user(one)))]
        return lines


def addressed(asked: Asked) -> Addressed:
    """Which people of the roster hear of their own users, as SNS knows it."""
    engine, topic = asked.plumbline.engine, asked.connections.people
    wanted = sorted({one.email.lower() for one in engine.baseline.roster if one.email})
    if not (wanted and topic):
        return Addressed()
    eyes = engine.aws.eyes(asked.account, engine.deployment.home)
    try:
        found = eyes(Call("sns", "ListSubscriptionsByTopic", {"TopicArn": topic})).get("Subscriptions", ())
    except AwsRefusal as error:
        return Addressed(count=len(wanted), error=str(error))
    arns = {one["Endpoint"].lower(): one["SubscriptionArn"] for one in found if one["SubscriptionArn"] != _GONE}
    waiting = tuple(one for one in wanted if arns.get(one) == _PENDING)
    return Addressed(waiting, tuple(one for one in wanted if one not in arns), len(wanted))


def _some(addresses: Sequence[str]) -> str:
    """The first of them, and how many more."""
    more = f" and {len(addresses) - _MOST_SHOWN} more" if len(addresses) > _MOST_SHOWN else ""
    return f"{', '.join(addresses[:_MOST_SHOWN])}{more}"


def heard(asked: Asked) -> Heard:
    """Who hears, as the ledger and SNS know it; writes nothing."""
    engine = asked.plumbline.engine
    hearing = asked.plumbline.ledger.hearing(asked.account).after(engine.alerts.is_heard(), asked.now)
    eyes = engine.aws.eyes(asked.account, engine.deployment.home)
    deaf: list[Deaf] = []
    silent: list[str] = []
    for topic in asked.connections.topics:
        try:
            found = eyes(Call("sns", "ListSubscriptionsByTopic", {"TopicArn": topic})).get("Subscriptions", ())
        except AwsRefusal as error:
            return Heard(hearing, error=str(error))
        waiting = [one["Endpoint"] for one in found if one["SubscriptionArn"] in _UNCONFIRMED]
        gone = [one for one in _wanted(asked, topic) if one not in {known["Endpoint"] for known in found}]
        mine = [*(Deaf(topic, one, is_pending=True) for one in waiting)]
        mine += [Deaf(topic, one, is_pending=False) for one in gone]
        if len(waiting) == len(found):
            silent.append(topic.rpartition(":")[2])
            mine = mine or [Deaf(topic, "", is_pending=False)]
        deaf += mine
    return Heard(hearing, tuple(deaf), tuple(silent))


def _wanted(asked: Asked, topic: str) -> Iterator[str]:
    """The addresses that the stack subscribed to a topic."""
    connections = asked.connections
    if connections.alert_email:
        yield connections.alert_email
    if connections.escalation_email and topic == connections.topics[0]:
        yield connections.escalation_email


def _why(one: Deaf) -> str:
    return "has not confirmed" if one.is_pending else "is not subscribed to"
