"""status says who hears, before anything else where nobody does, with commands that can be pasted."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from plumbline.alerts.hearing import ONLY_ESCALATIONS, of_own_user, subscribing
from plumbline.findings.hearing import Hearing
from plumbline.handlers.operate.commands import Connections
from tests.fakes import NOW, House, Letterbox, Memory

ALERTS = "arn:aws:sns:us-east-1:111122223333:plumbline-alerts"
WATCHDOG = "arn:aws:sns:us-east-1:111122223333:plumbline-watchdog"
ANN, CISO = "security@example.com", "ciso@example.com"


def _listed(endpoint: str, *, confirmed: bool) -> dict[str, str]:
    arn = f"{ALERTS}:{endpoint}" if confirmed else "PendingConfirmation"
    return {"SubscriptionArn": arn, "Endpoint": endpoint}


def _house(*subscriptions: dict[str, str], heard: bool | None, known: Hearing | None = None) -> House:
    house = House(
        alerts=Letterbox(heard=heard),
        ledger=Memory(heard=known or Hearing()),
        connections=Connections(None, (ALERTS, WATCHDOG), ANN, CISO),
    )
    house.aws.subscriptions = {ALERTS: list(subscriptions), WATCHDOG: [_listed(ANN, confirmed=True)]}
    return house


def test_that_nobody_has_ever_confirmed_stands_before_anything_else() -> None:
    house = _house(_listed(ANN, confirmed=False), _listed(CISO, confirmed=True), heard=False)
    answer = house.type("status")
    first = answer.text.splitlines()[0]
    assert "!! NOBODY HAS EVER CONFIRMED: NOTHING IS REPAIRED !!" == first
    assert (False, [{"topic": "plumbline-alerts", "endpoint": ANN}]) == (
        answer.data["ever_heard"],
        answer.data["unconfirmed"],
    )
    assert f"  --notification-endpoint {ANN}".replace(".", "\\.") in answer.text
    assert "within 48 hours" in answer.text
    assert Hearing() == house.ledger.heard, "asking writes nothing"


def test_that_nobody_hears_any_more_stands_before_anything_else() -> None:
    house = _house(heard=False, known=Hearing(NOW, NOW))
    text = " ".join(house.type("status", now=NOW + timedelta(hours=3)).text.split())
    assert text.startswith("!! NOBODY HEARS Plumbline's e-mails any more since Monday 2 March 2026, 09:30 UTC;")


def test_an_address_that_aws_has_forgotten_is_named_though_sns_does_not_know_it() -> None:
    house = _house(_listed(ANN, confirmed=True), heard=True)
    text = house.type("status").text
    assert "ciso@example[.]com is not subscribed to plumbline-alerts" in " ".join(text.split())
    assert """--attributes '{"FilterPolicy":"{\\"escalation\\":[\\"true\\"]}"}'""" in text


def test_where_all_hear_nothing_is_said_of_it() -> None:
    house = _house(_listed(ANN, confirmed=True), _listed(CISO, confirmed=True), heard=True)
    text = house.type("status").text
    assert text.startswith("Plumbline, account 111122223333")
    assert ("every address is confirmed" in text, "aws sns" in text) == (True, False)


@pytest.mark.parametrize("address", [ANN, "o'brien+a b@example.com", "$(touch pwned)`touch pwned`;touch pwned@e.com"])
@pytest.mark.parametrize("only", [lambda _: "", lambda _: ONLY_ESCALATIONS, of_own_user])
def test_the_commands_do_what_they_say_when_they_are_pasted(
    address: str,
    only: Callable[[str], str],
    tmp_path: Path,
) -> None:
    commands = "\n".join(f"  {line}" for line in subscribing(ALERTS, "us-east-1", address, only=only(address)))
    script = f"aws() {{ printf '<%s>' \"$@\"; echo; }}\n{commands}\n"
    done = subprocess.run(["bash", "-euc", script], cwd=tmp_path, text=True, capture_output=True, check=True)
    attributes = f"<--attributes><{only(address)}>" if only(address) else ""
    topic = f"<--region><us-east-1><--topic-arn><{ALERTS}>"
    subscribe = f"<sns><subscribe><--protocol><email>{topic}<--notification-endpoint><{address}>{attributes}"
    confirm = f"<sns><confirm-subscription>{topic}<--authenticate-on-unsubscribe><true><--token><TOKEN>"
    assert [subscribe, confirm] == done.stdout.splitlines()
    assert [] == list(tmp_path.iterdir())
