"""What goes to SNS and, on request, to chat tools and other programs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError

from plumbline.adapters.sns import Topic, chat_message, lets_alerts_through
from plumbline.alerts.alert import Alert, Personal, Sender
from plumbline.alerts.weekly import weekly
from tests.fakes import NOW, House


@pytest.fixture
def alert() -> Alert:
    house = House()
    house.settle()
    return house.alerts.letters[0]


class Wire:
    """A client factory that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        #: topic -> its subscriptions: their ARN, as SNS lists it, and their filter policy.
        self.subscriptions: dict[str, list[tuple[str, str]]] = {}
        self.refuses: set[str] = set()
        self.reads: list[str] = []

    def __call__(self, _account: str, _region: str, service: str, *_: str) -> Any:
        """A client of any service."""
        wire = self

        class Client:
            """Any service."""

            def can_paginate(self, _method: str) -> bool:
                """Nothing here has pages."""
                return False

            def publish(self, **parameters: Any) -> dict[str, Any]:
                """SNS."""
                wire.sent.append((service, parameters))
                return {}

            def list_subscriptions_by_topic(self, **parameters: Any) -> dict[str, Any]:
                """SNS."""
                wire.read("ListSubscriptionsByTopic")
                found = wire.subscriptions.get(parameters["TopicArn"], ())
                return {"Subscriptions": [{"SubscriptionArn": arn, "Endpoint": f"{arn[-1]}@e.com"} for arn, _ in found]}

            def get_subscription_attributes(self, **parameters: Any) -> dict[str, Any]:
                """SNS."""
                wire.read("GetSubscriptionAttributes")
                policies = dict(one for several in wire.subscriptions.values() for one in several)
                policy = policies[parameters["SubscriptionArn"]]
                return {"Attributes": {"FilterPolicy": policy} if policy else {}}

        return Client()

    def read(self, operation: str) -> None:
        """Count a read, or refuse it."""
        self.reads.append(operation)
        if operation in self.refuses:
            raise ClientError({"Error": {"Code": "AuthorizationError", "Message": "no"}}, operation)


MAIN = ("arn:aws:sns:us-east-1:111122223333:plumbline-alerts:1", "")
ESCALATIONS = ("arn:aws:sns:us-east-1:111122223333:plumbline-alerts:2", '{"escalation": ["true"]}')
PENDING = ("PendingConfirmation", "")


@pytest.mark.parametrize(
    ("alerts", "chat", "heard"),
    [
        ([], [], False),
        ([PENDING], [], False),
        ([("Deleted", "")], [], False),
        ([PENDING, ESCALATIONS], [], False),
        ([MAIN], [], True),
        ([ESCALATIONS, MAIN], [], True),
        ([PENDING], [("arn:chat:1", "")], True),
        ([PENDING], [PENDING], False),
    ],
)
def test_somebody_hears_who_has_confirmed_and_whose_filter_lets_alerts_through(
    alerts: list[tuple[str, str]],
    chat: list[tuple[str, str]],
    heard: bool,  # noqa: FBT001 -- an answer
) -> None:
    wire = Wire()
    wire.subscriptions = {"arn:alerts": alerts, "arn:chat": chat}
    assert heard is Topic(wire, "arn:alerts", "us-east-1", "arn:chat").is_heard()
    assert [] == wire.sent


@pytest.mark.parametrize("operation", ["ListSubscriptionsByTopic", "GetSubscriptionAttributes"])
def test_what_cannot_be_found_out_is_not_taken_for_an_answer(operation: str) -> None:
    wire = Wire()
    wire.subscriptions, wire.refuses = {"arn:alerts": [MAIN]}, {operation}
    assert Topic(wire, "arn:alerts", "us-east-1").is_heard() is None


def test_however_many_have_subscribed_few_are_asked_about() -> None:
    wire = Wire()
    wire.subscriptions = {"arn:alerts": [(f"arn:{number}", '{"escalation": ["true"]}') for number in range(100)]}
    assert not Topic(wire, "arn:alerts", "us-east-1").is_heard()
    assert 26 == len(wire.reads)


def test_addresses_that_nobody_confirmed_are_named() -> None:
    wire = Wire()
    wire.subscriptions = {"arn:alerts": [MAIN, PENDING]}
    topic = Topic(wire, "arn:alerts", "us-east-1")
    assert ["n@e.com"] == list(topic.waiting())
    wire.refuses = {"ListSubscriptionsByTopic"}
    assert [] == list(topic.waiting())


@pytest.mark.parametrize(
    ("policy", "scope", "through"),
    [
        ("", "", True),
        ('{"severity": ["critical", "high"]}', "MessageAttributes", True),
        ('{"escalation": ["true"]}', "", False),
        ('{"escalation": ["true", "false"]}', "", True),
        ('{"escalation": [{"anything-but": "true"}]}', "", True),
        ('{"escalation": [{"anything-but": ["false"]}]}', "", False),
        ('{"escalation": [{"exists": true}]}', "", True),
        ('{"escalation": [{"exists": false}]}', "", False),
        ('{"team": ["blue"]}', "", False),
        ('{"team": [{"exists": false}]}', "", True),
        ('{"control": []}', "", False),
        ('{"severity": ["high"], "escalation": ["true"]}', "", False),
        ('{"severity": ["high"]}', "MessageBody", False),
    ],
)
def test_a_filter_that_keeps_all_ordinary_alerts_away_hears_nothing(
    policy: str,
    scope: str,
    through: bool,  # noqa: FBT001 -- an answer
) -> None:
    """Amazon SNS Developer Guide, "Amazon SNS subscription filter policies"."""
    assert through is lets_alerts_through(policy, scope)


def test_a_letter_is_one_call_unless_somebody_asked_for_more(alert: Alert) -> None:
    wire = Wire()
    Topic(wire, "arn:alerts", "us-east-1").send(alert)
    ((service, sent),) = wire.sent
    assert (service, sent["TopicArn"], sent["Subject"]) == ("sns", "arn:alerts", alert.subject)
    assert sent["MessageAttributes"]["control"] == {"DataType": "String", "StringValue": "lamp-off"}


def _letter(subject: str = "[Plumbline] week: none", **parts: Any) -> Alert:
    return Alert(subject, **{"body": "", **parts})


def _said(text: str) -> dict[str, Any]:
    """What a chat tool is told when an event's text reaches every part that is shown."""
    message: Any = chat_message(_letter(f"[Plumbline] {text}", about={"lead": text}, commands=[text]))
    return {**message["content"], "summary": message["metadata"]["summary"]}


def test_no_text_is_markup_to_a_chat_tool_and_nobody_is_called() -> None:
    said = _said("<!channel> & <http://evil|x> @here (@ann) `rm` by ann@example.com")
    harmless = "&lt;!channel&gt; &amp; &lt;http://evil|x&gt; @\u200bhere (@\u200bann) `rm` by ann@example.com"
    assert said["title"] == f"Plumbline: {harmless}"
    assert (said["description"], said["summary"]) == (harmless, harmless)
    assert said["nextSteps"] == ["`" + harmless.replace("`", "'") + "`"]


@pytest.mark.parametrize("char", ["x", "&", "@", "`"])
def test_no_part_is_longer_than_a_chat_tool_takes_nor_cut_within_an_entity(char: str) -> None:
    said = _said(char * 10_000)
    lengths = [len(said["title"]), len(said["description"]), len(said["nextSteps"][0]), len(said["summary"])]
    assert all(most - 6 < length <= most for length, most in zip(lengths, (250, 8000, 350, 250), strict=True))
    shown = (said["title"], said["description"], said["nextSteps"][0].strip("`"), said["summary"])
    assert all(not one.removesuffix("...").replace("&amp;", "").count("&") for one in shown)
    assert all(one.endswith("...") for one in shown)


def test_what_is_empty_is_left_out() -> None:
    message = chat_message(_letter(attributes={"outcome": "", "region": ""}))
    assert message["content"] == {
        "textType": "client-markdown",
        "title": "Plumbline: week: none",
        "description": "week: none",
    }
    assert set(cast("dict[str, Any]", message["metadata"])) == {"threadId", "summary"}


def test_letters_are_threaded_by_their_finding_or_rule_and_others_stand_alone(alert: Alert) -> None:
    def thread(one: Alert) -> Any:
        return cast("dict[str, Any]", chat_message(one)["metadata"])["threadId"]

    weeks = [weekly({}, [], Sender(), NOW + timedelta(days=days), 0) for days in (0, 7)]
    assert thread(alert) == alert.attributes["finding"]
    assert len({thread(one) for one in weeks}) == 2
    assert thread(weeks[0]) == thread(weeks[0])
    assert thread(weeks[0]).startswith("week-")
    blind = [_letter(attributes={"outcome": "unknown", "control": control}) for control in ("iam-groups", "s3-acl")]
    assert [thread(one) for one in blind] == ["unknown-iam-groups", "unknown-s3-acl"]


def test_a_chat_tool_gets_a_twin_in_the_schema_it_takes(alert: Alert) -> None:
    wire = Wire()
    Topic(wire, "arn:alerts", "us-east-1", chat="arn:chat").send(alert)
    message = json.loads(wire.sent[1][1]["Message"])
    assert (message["version"], message["source"]) == ("1.0", "custom")
    assert message["content"]["title"] == "Plumbline: repaired: lamp hall was on (by mallory)"
    assert message["content"]["nextSteps"][0].startswith("`plumbline undo ")
    assert message["metadata"]["relatedResources"] == ["111122223333/global/lamp/hall"]


@pytest.mark.parametrize("refusing", ["arn:chat", "arn:people"])
def test_a_topic_beside_that_refuses_does_not_make_the_alert_come_again(alert: Alert, refusing: str) -> None:
    wire = Wire()

    def clients(*where: str) -> Any:
        client = wire(*where)
        publish = client.publish

        def picky(**parameters: Any) -> Any:
            if parameters["TopicArn"] == refusing:
                raise ClientError({"Error": {"Code": "NotFound", "Message": "gone"}}, "Publish")
            return publish(**parameters)

        client.publish = picky
        return client

    told = replace(alert, personal=(Personal("ann@example.com", "yours", "Your lamp."),))
    Topic(clients, "arn:alerts", "us-east-1", chat="arn:chat", people="arn:people").send(told)
    others = {"arn:chat", "arn:people"} - {refusing}
    assert ["arn:alerts", *others] == [sent["TopicArn"] for _, sent in wire.sent]


def test_a_person_hears_by_a_topic_that_filters_on_his_own_address(alert: Alert) -> None:
    """Source: Amazon SNS Developer Guide, "Amazon SNS subscription filter policies": on attributes of the message."""
    wire = Wire()
    told = replace(alert, personal=(Personal("ann@example.com", "[Plumbline] yours: a lamp", "Your lamp."),))
    Topic(wire, "arn:alerts", "us-east-1", people="arn:people").send(told)
    assert ["arn:alerts", "arn:people"] == [sent["TopicArn"] for _, sent in wire.sent]
    assert {
        "TopicArn": "arn:people",
        "Subject": "[Plumbline] yours: a lamp",
        "Message": "Your lamp.",
        "MessageAttributes": {"address": {"DataType": "String", "StringValue": "ann@example.com"}},
    } == wire.sent[1][1]
