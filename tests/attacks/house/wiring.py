"""Rules, queues, topics and who is subscribed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.attacks.house.facet import PREFIX, Clients, Facet, Seen, without


def _rules(clients: Clients) -> Seen:
    """Every bus, and every rule on it: a rule of anybody's may lead to what is Plumbline's."""
    found: dict[str, Any] = {}
    for bus in clients("events").list_event_buses()["EventBuses"]:
        found |= buses_rules(clients, bus["Name"])
    return found


def buses_rules(clients: Clients, bus: str, region: str = "") -> dict[str, Any]:
    """A bus, and the rules on it, by their names: those on a bus of its own behind the bus's."""
    client = clients("events", region=region)
    said = client.describe_event_bus(Name=bus)
    policy = json.loads(said["Policy"]) if said.get("Policy") else {}
    # A policy without a statement is none.
    policy = policy if policy.get("Statement") else {}
    found: dict[str, Any] = {f"bus {bus}": {"Policy": policy, "key": said.get("KmsKeyIdentifier", "")}}
    for one in client.list_rules(EventBusName=bus)["Rules"]:
        targets = client.list_targets_by_rule(Rule=one["Name"], EventBusName=bus)["Targets"]
        pattern = _unordered(json.loads(one["EventPattern"])) if one.get("EventPattern") else None
        rule = {**without(one, "Arn", "EventBusName"), "EventPattern": pattern}
        name = one["Name"] if bus == _DEFAULT else f"{bus}/{one['Name']}"
        found[name] = {"rule": rule, "targets": sorted(targets, key=lambda target: str(target["Id"]))}
    return found


_DEFAULT = "default"


def _unordered(pattern: Any) -> Any:
    """A pattern as all that match the same are written: no list of it has an order."""
    if isinstance(pattern, Mapping):
        return {key: _unordered(one) for key, one in pattern.items()}
    if isinstance(pattern, list):
        return sorted((_unordered(one) for one in pattern), key=lambda one: json.dumps(one, sort_keys=True))
    return pattern


def _mend_rules(clients: Clients, name: str, was: Any, now: Any) -> None:
    mend_rule(clients, name, was, now)


def mend_rule(clients: Clients, name: str, was: Any, now: Any, region: str = "") -> None:
    """Put back what `buses_rules` has read: a bus, or a rule.

    A bus that is to go goes after its rules: what is put back comes again until nothing differs.
    """
    client = clients("events", region=region)
    if name.startswith("bus "):
        _mend_bus(client, name.removeprefix("bus "), was, now)
        return
    bus, _, name = name.rpartition("/")
    on = {"EventBusName": bus or _DEFAULT}
    there = [one["Id"] for one in (now or {}).get("targets", ())]
    if was is None:
        if there:
            client.remove_targets(Rule=name, Ids=there, **on)
        client.delete_rule(Name=name, **on)
        return
    rule = {key: value for key, value in was["rule"].items() if value}
    if rule.get("EventPattern"):
        rule["EventPattern"] = json.dumps(rule["EventPattern"])
    client.put_rule(**rule, **on)
    stray = [one for one in there if one not in {target["Id"] for target in was["targets"]}]
    if stray:
        client.remove_targets(Rule=name, Ids=stray, **on)
    if was["targets"]:
        client.put_targets(Rule=name, Targets=was["targets"], **on)


def _mend_bus(client: Any, name: str, was: Any, now: Any) -> None:
    if was is None:
        # It sorts before its rules, so these are gone the second time.
        if not client.list_rules(EventBusName=name)["Rules"]:
            client.delete_event_bus(Name=name)
        return
    if now is None:
        client.create_event_bus(Name=name)
        now = {"Policy": {}, "key": ""}
    if now["Policy"] and not was["Policy"]:
        client.remove_permission(EventBusName=name, RemoveAllPermissions=True)
    elif now["Policy"] != was["Policy"]:
        client.put_permission(EventBusName=name, Policy=json.dumps(was["Policy"]))
    if now["key"] != was["key"]:
        client.update_event_bus(Name=name, KmsKeyIdentifier=was["key"])


def queues(clients: Clients, region: str = "") -> Seen:
    """Plumbline's queues, with all that does not change by itself."""
    client = clients("sqs", region=region)
    volatile = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible",
                "ApproximateNumberOfMessagesDelayed", "LastModifiedTimestamp", "CreatedTimestamp")  # fmt: skip
    return {
        url.rpartition("/")[2]: without(
            client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"], *volatile
        )
        for url in client.list_queues(QueueNamePrefix=PREFIX).get("QueueUrls", ())
    }


def mend_queue(clients: Clients, name: str, was: Any, now: Any, region: str = "") -> None:
    """Put a queue back."""
    client = clients("sqs", region=region)
    assert was, f"queue {name} is new, and no story makes one"
    if not now:
        given = {key: one for key, one in was.items() if key not in ("QueueArn", "CreatedTimestamp")}
        client.create_queue(QueueName=name, Attributes=given)
        return
    changed = {key: was.get(key, "") for key in {*was, *now} if was.get(key) != now.get(key)}
    client.set_queue_attributes(QueueUrl=client.get_queue_url(QueueName=name)["QueueUrl"], Attributes=changed)


def _topics(clients: Clients) -> Seen:
    client = clients("sns")
    counted = ("SubscriptionsConfirmed", "SubscriptionsPending", "SubscriptionsDeleted", "EffectiveDeliveryPolicy")
    return {
        one["TopicArn"]: without(client.get_topic_attributes(TopicArn=one["TopicArn"])["Attributes"], *counted)
        for one in client.list_topics()["Topics"]
        if f":{PREFIX}-" in one["TopicArn"]
    }


def _mend_topics(clients: Clients, name: str, was: Any, now: Any) -> None:
    assert was, f"topic {name} is new, and no story makes one"
    assert now, f"topic {name} is gone; nothing here makes it again"
    for key in sorted({*was, *now}):
        if was.get(key) != now.get(key):
            clients("sns").set_topic_attributes(TopicArn=name, AttributeName=key, AttributeValue=was.get(key, ""))


#: What a subscriber may have that changes what he hears; `{}` is what a filter is set to that is taken off.
_HEARING = ("FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy")
_AS_EVER = (None, "", "{}", "false", "MessageAttributes")


def _subscriptions(clients: Clients) -> Seen:
    """Who hears what, by topic and address: one that subscribed again has another ARN."""
    client = clients("sns")
    found: dict[str, Any] = {}
    for one in client.list_subscriptions()["Subscriptions"]:
        if f":{PREFIX}-" in one["TopicArn"] and one["SubscriptionArn"].startswith("arn:"):
            is_now = client.get_subscription_attributes(SubscriptionArn=one["SubscriptionArn"])["Attributes"]
            said = {key: is_now[key] for key in _HEARING if is_now.get(key) not in _AS_EVER}
            found[f"{one['TopicArn']} {one['Protocol']} {one['Endpoint']}"] = said
    return found


def subscription(clients: Clients, topic: str, endpoint: str) -> str:
    """The ARN under which an address hears a topic."""
    for one in clients("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]:
        if one["Endpoint"] == endpoint:
            return str(one["SubscriptionArn"])
    raise AssertionError(f"{endpoint} does not hear {topic}")


def _mend_subscriptions(clients: Clients, name: str, was: Any, now: Any) -> None:
    client = clients("sns")
    topic, protocol, endpoint = name.split(" ")
    if now is None:
        client.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint)
        now = {}
    arn = subscription(clients, topic, endpoint)
    if was is None:
        client.unsubscribe(SubscriptionArn=arn)
        return
    for key in ("FilterPolicy", "RawMessageDelivery", "RedrivePolicy"):
        if was.get(key) != now.get(key):
            client.set_subscription_attributes(
                SubscriptionArn=arn,
                AttributeName=key,
                AttributeValue=was.get(key, "{}" if key == "FilterPolicy" else ""),
            )


FACETS: Mapping[str, Facet] = {
    "queue": Facet(queues, mend_queue, "sqs"),
    "topic": Facet(_topics, _mend_topics, "sns"),
    "subscription": Facet(_subscriptions, _mend_subscriptions, "sns"),
}
LAST: Mapping[str, Facet] = {"rule": Facet(_rules, _mend_rules, "events")}
