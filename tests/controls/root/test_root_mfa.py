"""root-mfa: a root user without a second factor is told each day, with what to choose where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local import moto_account
from plumbline.controls.root.root_mfa import CONTROL, describe, detect, locate, observe, plan
from plumbline.core.calls import Plan
from plumbline.core.control import Deviation
from plumbline.core.targets import GLOBAL, Target
from tests.story import ACCOUNT, HOME, Story, World, defaults, world

EVENTS = Path(__file__).parents[3] / "events" / "root" / CONTROL.id
ROOT = Target(ACCOUNT, GLOBAL, "root-mfa", "root")
BARE = {"mfa": False, "password": True, "keys": False, "certificates": False, "virtual": 0}
STRICT = {"not_virtual": True, "second_device": True}


def _root(world: World, **facts: Any) -> Target:
    root = moto_account.root_of(world.account)
    for name, value in facts.items():
        setattr(root, name, value)
    return ROOT


STORIES = (
    Story("root has no MFA", CONTROL.id, _root, alert_only=True),
    Story(
        "root's MFA is an app",
        CONTROL.id,
        lambda world: _root(world, mfa=True, devices=1),
        settings={"not_virtual": True},
        alert_only=True,
    ),
)


def detail(name: str = "DeactivateMFADevice", **changes: Any) -> dict[str, Any]:
    recorded: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())["detail"]
    return {**recorded, **changes}


@pytest.mark.parametrize("has", ["password", "keys", "certificates"])
def test_whoever_can_sign_in_with_anything_needs_a_second_factor(has: str) -> None:
    state = {**BARE, "password": False, has: True}
    assert detect(state, defaults(CONTROL)) == Deviation("has no second factor (MFA)", ("no MFA",))


def test_a_root_without_any_credentials_needs_none() -> None:
    state = {**BARE, "password": False}
    assert detect(state, STRICT) is None
    assert describe(state) == "root has no MFA; it has no credentials at all"


def test_which_kind_of_device_it_is_counts_only_where_the_baseline_says_so() -> None:
    one, two, other = ({**BARE, "mfa": True, "virtual": number} for number in (1, 2, 0))
    assert [detect(state, defaults(CONTROL)) for state in (one, two, other)] == [None] * 3
    virtual = Deviation(
        "has a virtual MFA device, and the baseline wants another kind", ("virtual device",), "other-device"
    )
    assert [detect(state, {**STRICT, "second_device": False}) for state in (one, two, other)] == [
        virtual, virtual, None,
    ]  # fmt: skip
    single = Deviation("has a single virtual MFA device, as far as AWS tells", ("single device",), "other-device")
    assert [detect(state, {**STRICT, "not_virtual": False}) for state in (one, two, other)] == [single, None, None]


def test_it_says_what_to_choose_in_the_words_of_the_console() -> None:
    steps = "choose the account's name at the upper right and then Security credentials"
    for state, settings in ((BARE, defaults(CONTROL)), ({**BARE, "mfa": True, "virtual": 1}, STRICT)):
        said = plan(ROOT, state, settings)
        assert said == Plan(refusal=said.refusal)
        assert steps in said.refusal
        assert "Assign MFA device" in said.refusal


def test_the_devices_of_others_are_not_roots() -> None:
    with world() as here:
        iam = here.client("iam")
        iam.create_user(UserName="ann")
        serial = iam.create_virtual_mfa_device(VirtualMFADeviceName="ann")["VirtualMFADevice"]["SerialNumber"]
        iam.enable_mfa_device(
            UserName="ann", SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="654321"
        )
        _root(here, mfa=True, devices=1)
        seen = observe(here.accounts.eyes(ACCOUNT, HOME), ROOT)
    assert seen == {**BARE, "mfa": True, "virtual": 1}
    assert describe(seen) == "root has MFA, with 1 virtual device"


def test_a_root_of_whose_password_aws_says_nothing_has_one() -> None:
    class Eyes:
        def __call__(self, _call: object) -> Any:
            return {"SummaryMap": {"AccountMFAEnabled": 0, "AccountAccessKeysPresent": 0}}

    assert observe(Eyes(), ROOT) == BARE  # type: ignore[arg-type]


def test_a_users_device_is_not_roots_whoever_sees_to_it() -> None:
    there = [Target("111122223333", GLOBAL, "root-mfa", "root")]
    assert list(locate(detail())) == there
    assert list(locate(detail(requestParameters=None))) == there
    assert list(locate(detail(requestParameters={"userName": "ann"}))) == []
