"""Who types a command is proven by the account's own STS: what a right to invoke operate is worth, and what not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest

from local import typed
from local.embedded import ACCOUNT
from tests.end_to_end.account import Account

OPERATE = "plumbline-operate"
PAUSE = ("pause", "--hours", "1", "--reason", "x")
POWER = "arn:aws:iam::aws:policy/PowerUserAccess"


def _signed(account: Account, who: str, words: tuple[str, ...] = PAUSE) -> dict[str, Any]:
    return typed.request(account.aws.session(who), account.aws.endpoint, ACCOUNT, OPERATE, words)


def _sent(account: Account, asked: Mapping[str, Any], as_: str = "carl") -> Mapping[str, Any]:
    answer: Mapping[str, Any] = account.aws.invoke(OPERATE, asked, as_=as_)
    return answer


@pytest.fixture(scope="module", autouse=True)
def carl(account: Account) -> Iterator[None]:
    """Somebody who may invoke every function, and nothing of Plumbline's business; for now without the guard."""
    paused = account.operate("pause", "house-guard", "--hours", "1", "--reason", "callers without a guard")
    assert paused["ok"], paused["text"]
    account.aws.user("carl", policies=[POWER])
    account.aws.user("olga", policies=[account.outputs["OperatorPolicyArn"]])
    account.quiet()
    yield
    assert account.operate("resume", "house-guard")["ok"]


def test_a_right_to_invoke_operate_commands_nothing(account: Account) -> None:
    forged = boto3.Session(ACCOUNT, "guessed", region_name=account.aws.region)
    as_root = {"command": list(PAUSE), "by": f"arn:aws:iam::{ACCOUNT}:root"}
    root_by_number = typed.request(forged, account.aws.endpoint, ACCOUNT, OPERATE, PAUSE)
    stolen = {**_signed(account, "admin", ("sweep",)), "command": list(PAUSE)}
    answers = [_sent(account, one) for one in (as_root, root_by_number, stolen)]
    assert [(False, "Unproven")] * 3 == [(one["ok"], one["data"]["error"]) for one in answers]
    assert "Paused" not in account.operate("status")["text"]


def test_who_may_not_is_refused_by_what_he_is_and_the_owner_hears(account: Account) -> None:
    answer = _sent(account, _signed(account, "carl"))
    assert (False, "NotAllowed") == (answer["ok"], answer["data"]["error"])
    assert [f"arn:aws:iam::{ACCOUNT}:user/carl"] == [
        part for one in account.mail_about("refused: a command of carl") for part in one.text.split() if "/carl" in part
    ]


def test_an_operator_does_it_once_and_is_named(account: Account) -> None:
    asked = _signed(account, "olga")
    first, again = _sent(account, asked, "olga"), _sent(account, asked)
    assert (True, False, "Unproven") == (first["ok"], again["ok"], again["data"]["error"])
    assert f"arn:aws:iam::{ACCOUNT}:user/olga" in account.mail_about("paused: all repairs")[-1].text
    assert account.operate("resume")["ok"]


def test_what_only_reads_needs_no_proof(account: Account) -> None:
    assert _sent(account, {"command": ["findings"]})["ok"]
