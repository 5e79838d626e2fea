"""Nobody is locked out: whatever takes rights or keys away refuses where nobody could come in any more, and says so."""

from __future__ import annotations

import importlib

import pytest

from plumbline.controls import registry
from plumbline.core.control import Control
from tests.story import Story, world

#: The calls that can take from a person what he comes in by, or what he may do then.
TAKES = frozenset(
    f"iam:{verb}"
    for verb in (
        *("DetachUserPolicy", "DetachGroupPolicy", "DetachRolePolicy"),
        *("DeleteUserPolicy", "DeleteGroupPolicy", "DeleteRolePolicy"),
        *("RemoveUserFromGroup", "UpdateGroup", "DeleteUser", "DeleteGroup", "DeleteRole", "SetDefaultPolicyVersion"),
        *("UpdateAccessKey", "DeleteAccessKey", "UpdateServiceSpecificCredential", "UpdateAssumeRolePolicy"),
        *("DeleteLoginProfile", "UpdateLoginProfile", "DeactivateMFADevice", "DeleteVirtualMFADevice"),
        *("PutUserPermissionsBoundary", "PutRolePermissionsBoundary", "DeleteSAMLProvider"),
    )
)
#: Those that declare such a call, and by which nobody loses a way in.
TAKES_NOTHING = {
    "iam-service-credentials": "such a credential reaches one service, and neither the console nor IAM",
    "iam-role-trust": "strangers alone lose a role; what it stops is a day old, and nobody has used it",
    "iam-inline-policies": "the same text is attached before it is deleted",
    "account-region-guard": "it detaches in its undo alone, and administrators do not carry what it attaches",
    "house-guard": "it detaches in its undo alone, and what it attaches denies nothing but changes of Plumbline",
}


def _taking() -> list[Control]:
    return [one for one in registry.load().values() if one.writes & TAKES and one.id not in TAKES_NOTHING]


def _stories(control: Control) -> tuple[Story, ...]:
    module = f"tests.controls.{registry.family(control.id)}.test_{control.id.replace('-', '_')}"
    told: tuple[Story, ...] = getattr(importlib.import_module(module), "LAST_WAYS_IN", ())
    return told


def test_each_exception_is_one_still() -> None:
    assert set(TAKES_NOTHING) == {one for one in TAKES_NOTHING if registry.load()[one].writes & TAKES}


@pytest.mark.parametrize("control", _taking(), ids=repr)
def test_what_takes_rights_or_keys_tells_how_it_leaves_the_last_way_in(control: Control) -> None:
    assert _stories(control), f"tests/controls/.../test_{control.id.replace('-', '_')}.py tells no LAST_WAYS_IN"


@pytest.mark.parametrize("story", [one for control in _taking() for one in _stories(control)], ids=str)
def test_the_last_way_in_is_left_and_the_reason_says_what_to_do(story: Story) -> None:
    with world() as told:
        target = story.breaks(told)
        observe = story.rule.observe
        assert observe
        state = observe(told.accounts.eyes(target.account, target.region), target)
        assert story.rule.detect(state, story.all_settings), "the story breaks nothing"
        repair = story.rule.plan(target, state, story.all_settings)
    assert () == repair.steps
    assert "you might be locked out; " in repair.refusal
