"""Who hears of his own user: the addresses of the baseline's roster, each subscribed once, to what bears it alone.

Nobody is ever unsubscribed: to whoever has left the roster nothing is addressed any more, and a right to unsubscribe
could not be kept to one topic. An address that nobody confirmed AWS forgets after 48 hours; the next deployment of
another baseline subscribes it again.

Source: Amazon SNS API reference, Subscribe and ListSubscriptionsByTopic; Amazon SNS Developer Guide, "Amazon SNS
subscription filter policies", and "Filter policy constraints in Amazon SNS" (200 for each topic, unless AWS has raised
it); AWS What's New, 10 May 2023, "Amazon SNS automatic deletion of unconfirmed subscriptions".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from asking import client

#: By what the functions that tell address a letter; see `adapters/sns.py`.
ADDRESS = "address"
#: What SNS lists in place of the ARN of a subscription that is none any more.
_ENDED = "Deleted"
#: What SNS refuses for good -> what it says of the address, and what to do.
_REFUSED = {
    "InvalidParameter": "SNS does not take {address}, which the roster in baseline.yaml has as an e-mail address",
    "FilterPolicyLimitExceeded": (
        "SNS takes no more addresses of the roster in baseline.yaml, {address} is the next of {count}: have AWS raise "
        "the quota `Filter policies per topic`, delete the subscriptions of those who have left, or leave some out"
    ),
}


def addresses(roster: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The addresses of a roster, each once, whatever its case."""
    return sorted({one["email"].lower() for one in roster.values() if one.get("email")})


def subscribe(topic: str, roster: Mapping[str, Mapping[str, Any]]) -> None:
    """Subscribe every address of the roster that is not.

    Args:
        topic: its ARN.
        roster: name -> what the baseline says of the person.

    Raises:
        ValueError: SNS does not take an address, or so many of them; names it, and says what to do.
    """
    wanted = addresses(roster)
    if not wanted:
        return
    sns = client("sns")
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic)
    there = {
        one["Endpoint"].lower() for page in pages for one in page["Subscriptions"] if one["SubscriptionArn"] != _ENDED
    }
    for address in wanted:
        if address in there:
            continue
        only = {"FilterPolicy": json.dumps({ADDRESS: [address]})}
        try:
            sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=address, Attributes=only)
        except Exception as error:
            why = next((said for code, said in _REFUSED.items() if code in str(error)), "")
            if not why:
                raise
            raise ValueError(f"{why.format(address=address, count=len(wanted))}: {error}") from error
