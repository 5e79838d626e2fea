"""Alerts to the Alerts topic, and on request their twins for chat tools."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from plumbline.adapters.clients import ClientFactory, perform
from plumbline.alerts.alert import ADDRESS, Alert, Personal
from plumbline.core.calls import Call
from plumbline.core.errors import AwsRefusal
from plumbline.ports import Alerts

#: Bytes: SNS takes 256 KB of text and attributes together. No alert is written to be as long.
_MAX_BODY = 250_000
#: What Amazon Q Developer takes of each part of a message.
_MAX_TITLE, _MAX_DESCRIPTION, _MAX_STEP = 250, 8000, 350
_ELLIPSIS = "..."
#: The ampersand first: it begins the others.
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_HALF_AN_ENTITY = re.compile(r"&\w*$")
#: What begins with it names a person or a whole channel; within a word, as in an address, it names nobody.
_MENTION = re.compile(r"(?<!\w)@")

#: What SNS says in place of an ARN.
PENDING = "PendingConfirmation"
#: One read for each; a topic of alerts has two or three subscriptions.
_MOST_ASKED = 25
_OF_THE_BODY = "MessageBody"
_ESCALATION = "escalation"
#: What alerts carry for filters.
ATTRIBUTES = frozenset({"control", "severity", "account", "region", "outcome", _ESCALATION, "finding"})

T = TypeVar("T")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Topic:
    """The engine's Alerts: an SNS topic.

    Attributes:
        clients: the client factory.
        arn: the topic.
        region: where it is.
        chat: a topic for chat tools, whose messages are JSON; empty for none.
        people: the topic that people hear of their own users by; empty for none.
    """

    clients: ClientFactory
    arn: str
    region: str
    chat: str = ""
    people: str = ""

    def is_heard(self) -> bool | None:
        """See ports.Alerts. A topic for chat tools is heard where its own subscription is confirmed."""
        known = True
        for topic in filter(None, (self.arn, self.chat)):
            try:
                if any(self._hears(one) for one in _confirmed(self._subscriptions(topic))):
                    return True
            except (AwsRefusal, KeyError, ValueError, TypeError) as error:
                _log.warning("who hears %s is not known: %s", topic, error)
                known = False
        return False if known else None

    def waiting(self) -> Sequence[str]:
        """See ports.Alerts."""
        try:
            found = self._subscriptions(self.arn)
            return [str(one["Endpoint"]) for one in found if one["SubscriptionArn"] == PENDING]
        except (AwsRefusal, KeyError) as error:
            _log.warning("who has not confirmed %s is not known: %s", self.arn, error)
            return ()

    def _subscriptions(self, topic: str) -> Sequence[Mapping[str, str]]:
        call = Call("sns", "ListSubscriptionsByTopic", {"TopicArn": topic})
        found: Sequence[Mapping[str, str]] = perform(self.clients("", self.region, "sns"), call)["Subscriptions"]
        return found

    def _hears(self, subscription: Mapping[str, str]) -> bool:
        call = Call("sns", "GetSubscriptionAttributes", {"SubscriptionArn": subscription["SubscriptionArn"]})
        attributes = perform(self.clients("", self.region, "sns"), call)["Attributes"]
        return lets_alerts_through(attributes.get("FilterPolicy", ""), attributes.get("FilterPolicyScope", ""))

    def send(self, alert: Alert) -> None:
        """See ports.Alerts."""
        attributes = {
            name: {"DataType": "String", "StringValue": value} for name, value in alert.attributes.items() if value
        }
        publish = {
            "TopicArn": self.arn,
            "Subject": alert.subject,
            "Message": alert.body.encode()[:_MAX_BODY].decode(errors="ignore"),
            "MessageAttributes": attributes,
        }
        self._publish(publish)
        if self.chat:
            twin = {"TopicArn": self.chat, "Message": json.dumps(chat_message(alert)), "MessageAttributes": attributes}
            self._publish_too(twin, "twin for chat tools")
        for letter in alert.personal if self.people else ():
            self._publish_too(_addressed(self.people, letter), "letter to the person")

    def _publish(self, message: Mapping[str, object]) -> None:
        perform(self.clients("", self.region, "sns"), Call("sns", "Publish", message))

    def _publish_too(self, message: Mapping[str, object], what: str) -> None:
        """Publish what goes beside an alert that is out: telling that again each hour would help nobody."""
        try:
            self._publish(message)
        except AwsRefusal as error:
            _log.error("the %s was not sent: %s", what, error)


def _addressed(topic: str, letter: Personal) -> Mapping[str, object]:
    """A letter as SNS takes it: its subscription lets through what bears the person's own address, and nothing else."""
    return {
        "TopicArn": topic,
        "Subject": letter.subject,
        "Message": letter.body.encode()[:_MAX_BODY].decode(errors="ignore"),
        "MessageAttributes": {ADDRESS: {"DataType": "String", "StringValue": letter.address}},
    }


@dataclass(frozen=True, slots=True)
class Urgent:
    """The engine's Alerts for what is about Plumbline itself: who silences one topic is told of through the other.

    Attributes:
        alerts: where alerts go.
        watchdog: where they go as well when nobody hears the first, or it takes nothing.
    """

    alerts: Alerts
    watchdog: Alerts

    @property
    def arn(self) -> str:
        """See ports.Alerts."""
        return self.alerts.arn

    def is_heard(self) -> bool | None:
        """See ports.Alerts."""
        return self.alerts.is_heard()

    def waiting(self) -> Sequence[str]:
        """See ports.Alerts."""
        return self.alerts.waiting()

    def send(self, alert: Alert) -> None:
        """See ports.Alerts. Raises only where neither topic takes it."""
        try:
            self.alerts.send(alert)
        except AwsRefusal as error:
            _log.error("the Alerts topic did not take an alert about Plumbline itself: %s", error)
        else:
            if self.alerts.is_heard():
                return
        self.watchdog.send(alert)


def _confirmed(subscriptions: Iterable[Mapping[str, str]]) -> Iterator[Mapping[str, str]]:
    """Those that somebody has confirmed, and no more of them than it makes sense to ask about."""
    return islice((one for one in subscriptions if one["SubscriptionArn"].startswith("arn:")), _MOST_ASKED)


def lets_alerts_through(policy: str, scope: str = "") -> bool:
    """Whether a subscription with this filter hears of what is found and repaired, be it only of some.

    Args:
        policy: its filter policy, as JSON; empty for none.
        scope: where the filter looks; an alert's body is no JSON, so no filter on it lets one through.

    Raises:
        ValueError: the policy is no JSON.

    Source: Amazon SNS Developer Guide, "Amazon SNS subscription filter policies".
    """
    if not policy:
        return True
    if scope == _OF_THE_BODY:
        return False
    wanted: Mapping[str, object] = json.loads(policy)
    return all(_may_match(name, conditions) for name, conditions in wanted.items())


def _may_match(name: str, conditions: object) -> bool:
    """Whether some alert that does not escalate has an attribute that the filter wants."""
    if not isinstance(conditions, list) or (name not in ATTRIBUTES and {"exists": False} not in conditions):
        return False
    if name != _ESCALATION:
        return bool(conditions)
    return any(one in ("false", {"exists": True}, {"prefix": "false"}) or _is_not(one, "true") for one in conditions)


def _is_not(condition: object, value: str) -> bool:
    return isinstance(condition, Mapping) and condition.get("anything-but") in (value, [value])


def chat_message(alert: Alert) -> dict[str, object]:
    """An alert as chat tools take it; what is empty is left out.

    Source: custom notifications of Amazon Q Developer in chat applications, version 1.0 of their schema.
    """
    title = alert.subject.removeprefix("[Plumbline] ")
    content = {
        "textType": "client-markdown",
        "title": _plain(f"Plumbline: {title}", _MAX_TITLE),
        "description": _plain(alert.about.get("lead") or title, _MAX_DESCRIPTION),
        "nextSteps": [_code(one) for one in alert.commands],
    }
    metadata = {
        "threadId": _thread(alert),
        "summary": _plain(title, _MAX_TITLE),
        "eventType": alert.attributes.get("outcome", ""),
        "relatedResources": [alert.about["target"]] if alert.about.get("target") else [],
        "additionalContext": _filled(alert.attributes),
    }
    return {"version": "1.0", "source": "custom", "content": _filled(content), "metadata": _filled(metadata)}


def _thread(alert: Alert) -> str:
    """What is read together: all about one finding, or one rule that cannot look. Any other alert stands alone."""
    attributes = alert.attributes
    if attributes.get("finding"):
        return attributes["finding"]
    alone = hashlib.sha256(alert.body.encode()).hexdigest()[:12]
    return f"{attributes.get('outcome') or 'plumbline'}-{attributes.get('control') or alone}"


def _plain(text: str, limit: int) -> str:
    """Text in which Slack and Teams find no tag, no link of their own and nobody to call, cut to what they take."""
    safe = _MENTION.sub("@\u200b", text)
    for char, entity in _ENTITIES.items():
        safe = safe.replace(char, entity)
    if len(safe) <= limit:
        return safe
    return _HALF_AN_ENTITY.sub("", safe[: limit - len(_ELLIPSIS)]) + _ELLIPSIS


def _code(text: str) -> str:
    """Text to be typed, set as code; a backtick in it would end the code."""
    typed = text.replace("`", "'")
    return f"`{_plain(typed, _MAX_STEP - 2)}`"


def _filled(part: Mapping[str, T]) -> dict[str, T]:
    return {name: value for name, value in part.items() if value}
