"""account-password-policy: raised to the baseline in one write, never weakened."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from plumbline.controls.account.account_password_policy import CONTROL, NOTHING, detect, merged, plan
from plumbline.core.calls import Call
from plumbline.core.targets import GLOBAL, Target
from tests.story import ACCOUNT, Story, World, defaults

TARGET = Target(ACCOUNT, GLOBAL, "account-password-policy", "policy")
DEFAULT = defaults(CONTROL)
WEAK = {"exists": True, **NOTHING, "MinimumPasswordLength": 6}


def _none(_world: World) -> Target:
    return TARGET


def _weak(world: World) -> Target:
    world.client("iam").update_account_password_policy(MinimumPasswordLength=8, RequireNumbers=True)
    return TARGET


def _mixed(world: World) -> Target:
    world.client("iam").update_account_password_policy(
        MinimumPasswordLength=20,
        MaxPasswordAge=60,
        PasswordReusePrevention=3,
        HardExpiry=True,
        AllowUsersToChangePassword=True,
    )
    return TARGET


STORIES = (
    Story("no policy", CONTROL.id, _none),
    Story("a weak policy", CONTROL.id, _weak),
    Story("stricter here, weaker there", CONTROL.id, _mixed),
)

states = st.fixed_dictionaries(
    {
        "exists": st.booleans(),
        "MinimumPasswordLength": st.integers(6, 128),
        "MaxPasswordAge": st.integers(0, 1095),
        "PasswordReusePrevention": st.integers(0, 24),
        **{name: st.booleans() for name, value in NOTHING.items() if value is False},
    }
)
settings = st.fixed_dictionaries(
    {
        name: st.booleans() if schema["type"] == "boolean" else st.integers(schema["minimum"], schema["maximum"])
        for name, schema in CONTROL.settings.items()
    }
)


def _age(days: int) -> float:
    return days or float("inf")


@given(states, settings)
def test_the_merged_policy_is_never_weaker_than_either(state: dict[str, Any], wanted: dict[str, Any]) -> None:
    both = merged(state, wanted)
    for name in set(NOTHING) - {"MaxPasswordAge"}:
        assert both[name] >= state[name]
    assert _age(both["MaxPasswordAge"]) == min(_age(state["MaxPasswordAge"]), _age(wanted["max_age_days"]))
    assert both["MinimumPasswordLength"] >= wanted["minimum_length"]
    assert both["PasswordReusePrevention"] >= wanted["reuse_prevention"]
    assert both["RequireSymbols"] >= wanted["require_symbols"]
    assert both["RequireNumbers"] >= wanted["require_numbers"]
    assert both["RequireUppercaseCharacters"] >= wanted["require_uppercase"]
    assert both["RequireLowercaseCharacters"] >= wanted["require_lowercase"]
    assert both["HardExpiry"] == state["HardExpiry"]


@given(states, settings)
def test_the_merged_policy_is_compliant_and_merging_again_changes_nothing(
    state: dict[str, Any], wanted: dict[str, Any]
) -> None:
    both = {"exists": True, **merged(state, wanted)}
    assert detect(both, wanted) is None
    assert merged(both, wanted) == merged(state, wanted)


@given(states, settings)
def test_one_write_carries_every_rule(state: dict[str, Any], wanted: dict[str, Any]) -> None:
    repair = plan(TARGET, state, wanted)
    if repair.refusal:
        assert state["HardExpiry"]
        assert _age(wanted["max_age_days"]) < _age(state["MaxPasswordAge"])
        return
    (write,) = repair.do
    expected = {name: value for name, value in merged(state, wanted).items() if value != 0 or value is False}
    assert write == Call("iam", "UpdateAccountPasswordPolicy", expected)


def test_no_policy_is_seen_and_its_undo_deletes() -> None:
    state = {"exists": False, **NOTHING}
    found = detect(state, DEFAULT)
    assert found
    assert found.summary == "does not exist"
    assert plan(TARGET, state, DEFAULT).undo == (Call("iam", "DeleteAccountPasswordPolicy", absent=("NoSuchEntity",)),)


def test_the_default_asks_nobody_to_change_a_password_by_date() -> None:
    assert merged(WEAK, DEFAULT)["MaxPasswordAge"] == 0


def test_a_shorter_age_under_hard_expiry_is_left_to_a_person() -> None:
    refusal = plan(TARGET, WEAK | {"HardExpiry": True, "MaxPasswordAge": 365}, DEFAULT | {"max_age_days": 90}).refusal
    assert "lock out" in refusal
