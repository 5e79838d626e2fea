"""What `make deploy` says once it has deployed: who has to click, and what sends him a new link."""

from __future__ import annotations

import json
import shlex
from typing import Any
from unittest.mock import patch

import pytest

from deploy.__main__ import after
from plumbline.adapters.clients import perform as stock
from tests.story import ACCOUNT, HOME, world

TEMPLATE = {
    "Resources": {
        name: {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": f"plumbline-{name.lower()}"}}
        for name in ("Alerts", "Watchdog")
    },
    "Outputs": {"AlertsTopicArn": {"Value": {"Ref": "Alerts"}}},
}
OWNER, BOSS = "security@example.com", "ciso@example.com"


def _said(capsys: pytest.CaptureFixture[str], *waiting: tuple[str, str]) -> str:
    """What it says while these wait, by topic and address; moto confirms everything at once."""
    listed: dict[str, list[dict[str, str]]] = {}
    for topic, address in waiting:
        arn = f"arn:aws:sns:{HOME}:{ACCOUNT}:plumbline-{topic}"
        listed.setdefault(arn, []).append({"Endpoint": address, "SubscriptionArn": "PendingConfirmation"})

    def perform(client: Any, call: Any) -> Any:
        if call.operation == "ListSubscriptionsByTopic":
            return {"Subscriptions": listed.get(call.parameters["TopicArn"], ())}
        return stock(client, call)

    with world() as here, patch("deploy.looking.perform", perform):
        here.client("cloudformation", HOME).create_stack(StackName="plumbline", TemplateBody=json.dumps(TEMPLATE))
        assert 0 == after(here._make, HOME, "plumbline", BOSS)
    return capsys.readouterr().out


def test_whoever_hears_of_escalations_alone_is_asked_again_for_these_alone(capsys: pytest.CaptureFixture[str]) -> None:
    said = _said(capsys, ("alerts", OWNER), ("alerts", BOSS), ("watchdog", OWNER))
    commands = [shlex.split(one) for one in said.splitlines() if one.startswith("  aws sns subscribe")]
    only = ["--attributes", '{"FilterPolicy":"{\\"escalation\\":[\\"true\\"]}"}']
    assert [(OWNER, []), (BOSS, only), (OWNER, [])] == [
        (one[one.index("--notification-endpoint") + 1], one[one.index("--notification-endpoint") + 2 :])
        for one in commands
    ]
    assert f"{OWNER} and {BOSS} must click the 3 links" in " ".join(said.split())


def test_where_everybody_has_confirmed_it_says_so_of_the_alerts_and_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    said = " ".join(_said(capsys).split())
    assert "every address that alerts go to has confirmed" in said
    assert "who of the roster does not hear of his own user yet" in said
