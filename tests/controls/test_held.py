"""What may be held from above: each control that knows of it also knows by which refusal it would learn of it."""

from __future__ import annotations

import pytest

from plumbline.controls import registry
from plumbline.controls._switch import HELD
from plumbline.core.clock import NEVER
from plumbline.core.control import Control

SWITCHES = [pytest.param(one, id=one.id) for one in registry.load().values() if HELD in one.clocks]
#: Where AWS refuses what an identity may not do. Source: common errors in S3's and EC2's API references.
REFUSALS = {"s3": {"AccessDenied"}, "ec2": {"UnauthorizedOperation"}}


@pytest.mark.parametrize("control", SWITCHES)
def test_a_refused_write_is_known_for_what_it_is(control: Control) -> None:
    services = {action.partition(":")[0] for action in control.writes}
    assert set().union(*(REFUSALS[one] for one in services)) == control.held_by


@pytest.mark.parametrize("control", SWITCHES)
def test_what_nobody_here_can_end_is_told_once(control: Control) -> None:
    assert control.clocks[HELD] == NEVER
