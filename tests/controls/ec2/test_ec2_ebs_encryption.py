"""ec2-ebs-encryption: on in each region, and off again when a person says so."""

from __future__ import annotations

from plumbline.controls.ec2.ec2_ebs_encryption import CONTROL
from plumbline.core.calls import Call
from plumbline.core.control import Deviation
from plumbline.core.targets import Target
from tests.story import ACCOUNT, HOME, Story, World

KIND = "ec2-ebs-encryption"
TARGET = Target(ACCOUNT, HOME, KIND, "account")


def _never_switched_on(_world: World) -> Target:
    return TARGET


def _switched_off_elsewhere(world: World) -> Target:
    world.client("ec2", HOME).enable_ebs_encryption_by_default()
    world.client("ec2", "us-west-2").disable_ebs_encryption_by_default()
    return Target(ACCOUNT, "us-west-2", KIND, "account")


STORIES = (
    Story("never switched on", CONTROL.id, _never_switched_on),
    Story("off in another region", CONTROL.id, _switched_off_elsewhere),
)


def _state(*, on: bool) -> dict[str, object]:
    return {"values": {"EbsEncryptionByDefault": on}, "held_by": "", "message": ""}


def test_off_is_a_deviation_and_on_is_none() -> None:
    assert Deviation("is off", ("EbsEncryptionByDefault is off",)) == CONTROL.detect(_state(on=False), {})
    assert CONTROL.detect(_state(on=True), {}) is None


def test_it_is_switched_on_and_the_undo_switches_it_off() -> None:
    repair = CONTROL.plan(TARGET, _state(on=False), {})
    assert (Call("ec2", "EnableEbsEncryptionByDefault"),) == repair.do
    assert (Call("ec2", "DisableEbsEncryptionByDefault"),) == repair.undo


def test_it_reads_in_a_sentence() -> None:
    assert CONTROL.name(TARGET) == f"EBS encryption by default in {HOME}"
    assert CONTROL.describe(_state(on=False)) == "EbsEncryptionByDefault is off"
