"""root-access-keys: a key of root's is told at once and each day, with how to be rid of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from local import moto_account
from plumbline.controls.root.root_access_keys import CONTROL, describe, detect, locate, plan
from plumbline.core.control import Deviation
from plumbline.core.targets import GLOBAL, Target
from plumbline.wakes.messages import from_event
from tests.eventbridge import rules_woken
from tests.recorded import put
from tests.story import ACCOUNT, Story, World, defaults

EVENTS = Path(__file__).parents[3] / "events" / "root" / CONTROL.id
ROOT = Target(ACCOUNT, GLOBAL, "root-access-keys", "root")


def _key(world: World) -> Target:
    moto_account.root_of(world.account).keys = True
    return ROOT


STORIES = (Story("root has an access key", CONTROL.id, _key, alert_only=True),)


def event(name: str = "CreateAccessKey") -> dict[str, Any]:
    recorded: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return recorded


def test_any_key_deviates() -> None:
    assert detect({"keys": True}, {}) == Deviation("has an access key", ("access key",))
    assert detect({"keys": False}, {}) is None
    assert [describe({"keys": keys}) for keys in (True, False)] == [
        "root has an access key", "root has no access key",
    ]  # fmt: skip


def test_it_says_what_to_choose_in_the_words_of_the_console() -> None:
    said = plan(ROOT, {"keys": True}, defaults(CONTROL))
    assert "then Security credentials; in the section Access keys select the key, and under Actions" in said.refusal
    assert said.steps == ()


def test_a_key_that_root_makes_for_a_user_is_not_roots() -> None:
    for place, value in (
        (("detail", "requestParameters"), {"userName": "backup"}),
        (("detail", "responseElements", "accessKey", "userName"), "backup"),
    ):
        assert list(locate(put(event(), place, value)["detail"])) == []
    assert [wake.target for wake in from_event(event(), {CONTROL.id: CONTROL})] == [
        Target("111122223333", GLOBAL, "root-access-keys", "root")
    ]


def test_a_users_own_call_wakes_nothing() -> None:
    theirs = put(event(), ("detail", "userIdentity", "type"), "IAMUser")
    assert list(from_event(theirs, {CONTROL.id: CONTROL})) == []
    assert "RootRule" in rules_woken(event())
