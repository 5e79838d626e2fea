"""The part of status about who hears: who has confirmed, who has not, and the commands that mend it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from plumbline.alerts.hearing import FORGOTTEN_AFTER_HOURS, NEVER, lost, subscribing
from plumbline.core.calls import Call
from plumbline.core.errors import AwsRefusal
from plumbline.findings.hearing import Hearing
from plumbline.handlers.operate.asked import Asked

#: What SNS says in place of an ARN.
_UNCONFIRMED = ("PendingConfirmation", "Deleted")
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
            only = bool(escalation) and one.endpoint == escalation
            lines += ["", *(f"  {line}" for line in subscribing(one.topic, region, one.endpoint, escalations=only))]
        return lines


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
