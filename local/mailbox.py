"""The mailbox: what SNS sends by e-mail, kept where the demo and the tests can read it.

Stock ministack writes a line in its log for an e-mail, and its subscription confirms itself.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ministack.core import iam_evaluator
from ministack.services import sns

from local.cfn_types import after_create
from local.recorder import mail

# What AWS writes over a message without a subject. EventBridge gives it none; the emulator makes one up.
_SUBJECT, _WITHOUT = "AWS Notification Message", ("", None, "EventBridge Notification")
_MAIL_PROTOCOLS = frozenset({"email", "email-json"})

Handler = Callable[[Mapping[str, list[str]]], tuple[int, dict[str, str], bytes]]


def install(*, confirm: bool) -> None:
    """Deliver e-mails to the mailbox; leave subscriptions pending unless they are to confirm themselves."""
    sns._fanout = _fan_out_and_post(sns._fanout)
    sns._confirm_subscription = _remember_how(sns._confirm_subscription)
    sns._unsubscribe = _ask_who_unsubscribes(sns._unsubscribe)
    sns._subscribe = _answer_pending(sns._subscribe)
    if not confirm:
        for name in ("_list_subscriptions", "_list_subscriptions_by_topic"):
            setattr(sns, name, _hide_unconfirmed(getattr(sns, name)))
        sns._subscribe = _leave_pending(sns._subscribe)
        after_create("AWS::SNS::Subscription", lambda _, props: _set_pending(props.get("TopicArn", "")))
        after_create("AWS::SNS::Topic", lambda topic_arn, _: _set_pending(topic_arn))


def confirm_all(to: str) -> int:
    """Click every confirmation link sent to an address; returns how many there were."""
    clicked = 0
    for subscription in _every_subscription():
        if subscription["endpoint"] == to and not subscription["confirmed"]:
            subscription |= {"confirmed": True, "token": None}
            subscription["attributes"]["PendingConfirmation"] = "false"
            clicked += 1
    return clicked


def confirmations(to: str) -> list[dict[str, str]]:
    """What the confirmation e-mails to an address hold: the topic and the token of each link not yet clicked."""
    return [
        {"topic": one["topic_arn"], "token": str(one["token"])}
        for one in _every_subscription()
        if one["endpoint"] == to and not one["confirmed"]
    ]


def unsubscribe_all(to: str) -> int:
    """Click the unsubscribe link of an e-mail to an address; returns how many subscriptions that ended.

    Where the confirmation asked for authentication the e-mails have no such link.
    """
    mine = [one for one in _every_subscription() if one["endpoint"] == to and one["confirmed"]]
    ended = [one for one in mine if not one.get("authenticated")]
    for subscription in ended:
        _end(subscription)
    return len(ended)


def expire(to: str) -> int:
    """Let two days pass for an address that did not confirm: AWS deletes such subscriptions; returns how many."""
    pending = [one for one in _every_subscription() if one["endpoint"] == to and not one["confirmed"]]
    for subscription in pending:
        _end(subscription)
    return len(pending)


def _end(subscription: Mapping[str, Any]) -> None:
    topic = sns._topic_by_arn_any_scope(subscription["topic_arn"])
    topic["subscriptions"] = [one for one in topic["subscriptions"] if one is not subscription]
    sns._refresh_subscription_counts(topic)
    sns._sub_arn_to_topic.pop(subscription["arn"], None)


def _remember_how(confirm: Handler) -> Handler:
    """Stock: every confirmation counts as authenticated. AWS: where asked, only an account's own keys unsubscribe.

    Source: Amazon SNS API reference, ConfirmSubscription, AuthenticateOnUnsubscribe.
    """

    def confirm_and_remember(parameters: Mapping[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
        token = (parameters.get("Token") or [""])[0]
        confirmed = [one for one in _every_subscription() if one.get("token") == token]
        answer = confirm(parameters)
        authenticated = (parameters.get("AuthenticateOnUnsubscribe") or [""])[0].lower() == "true"
        for subscription in confirmed:
            subscription["authenticated"] = authenticated
            subscription["attributes"]["ConfirmationWasAuthenticated"] = str(authenticated).lower()
        return answer

    return confirm_and_remember


def _ask_who_unsubscribes(unsubscribe: Handler) -> Handler:
    """Stock: a link unsubscribes whatever was asked. AWS: not one whose confirmation asked for authentication."""

    def unsubscribe_if_allowed(parameters: Mapping[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
        arn = (parameters.get("SubscriptionArn") or [""])[0]
        kept = any(one["arn"] == arn and one.get("authenticated") for one in _every_subscription())
        if kept and iam_evaluator._anonymous.get():
            return sns._error("AuthorizationError", "Authentication is required to unsubscribe", 403)  # type: ignore[no-any-return]
        return unsubscribe(parameters)

    return unsubscribe_if_allowed


def _fan_out_and_post(fanout: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(fanout)
    def fan_out_and_post(
        topic_arn: str,
        msg_id: str,
        message: str,
        subject: str,
        message_structure: str = "",
        message_attributes: dict[str, Any] | None = None,
        **fifo: str,
    ) -> None:
        fanout(topic_arn, msg_id, message, subject, message_structure, message_attributes, **fifo)
        topic = sns._topic_by_arn_any_scope(topic_arn) or {}
        for subscription in topic.get("subscriptions", ()):
            protocol = subscription.get("protocol")
            if protocol not in _MAIL_PROTOCOLS or not subscription.get("confirmed"):
                continue
            text = sns._resolve_message_for_protocol(message, message_structure, protocol)
            if sns._matches_filter_policy(subscription, message_attributes or {}, text):
                _post(topic_arn, subscription, subject, text, message_attributes or {})

    return fan_out_and_post


def _post(
    topic_arn: str, subscription: Mapping[str, Any], subject: str, text: str, attributes: Mapping[str, Any]
) -> None:
    mail.append(
        {
            "topic": topic_arn,
            "to": subscription.get("endpoint", ""),
            "protocol": subscription.get("protocol"),
            "subject": _SUBJECT if subject in _WITHOUT else subject,
            "text": text,
            "attributes": {
                name: value.get("StringValue", "") if isinstance(value, dict) else value
                for name, value in attributes.items()
            },
        }
    )


def _answer_pending(subscribe: Handler) -> Handler:
    """AWS answers Subscribe for an e-mail address with the words, whatever happens to the confirmation later."""

    def subscribe_by_mail(parameters: Mapping[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = subscribe(parameters)
        arn = _between(body, b"<SubscriptionArn>", b"</SubscriptionArn>")
        if arn and (parameters.get("Protocol") or [""])[0] in _MAIL_PROTOCOLS:
            body = body.replace(arn, b"pending confirmation")
        return status, headers, body

    return subscribe_by_mail


def _leave_pending(subscribe: Handler) -> Handler:
    def subscribe_and_wait_for_a_click(
        parameters: Mapping[str, list[str]],
    ) -> tuple[int, dict[str, str], bytes]:
        answer = subscribe(parameters)
        _set_pending((parameters.get("TopicArn") or [""])[0])
        return answer

    return subscribe_and_wait_for_a_click


def _hide_unconfirmed(listing: Handler) -> Handler:
    """AWS lists an unconfirmed subscription under the ARN `PendingConfirmation`."""

    def list_subscriptions(parameters: Mapping[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
        status, headers, body = listing(parameters)
        for subscription in _every_subscription():
            if not subscription["confirmed"]:
                body = body.replace(f">{subscription['arn']}<".encode(), b">PendingConfirmation<")
        return status, headers, body

    return list_subscriptions


def _set_pending(topic_arn: str) -> None:
    topic = sns._topic_by_arn_any_scope(topic_arn) or {}
    for subscription in topic.get("subscriptions", ()):
        if subscription["protocol"] in _MAIL_PROTOCOLS and "asked" not in subscription:
            subscription |= {"asked": True, "confirmed": False, "token": subscription["arn"]}
            subscription["attributes"]["PendingConfirmation"] = "true"


def _every_subscription() -> Iterator[dict[str, Any]]:
    for topic in list(sns._topics._data.values()):
        yield from topic["subscriptions"]


def _between(text: bytes, start: bytes, end: bytes) -> bytes:
    return text.partition(start)[2].partition(end)[0]
