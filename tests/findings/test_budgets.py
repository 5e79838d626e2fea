"""Which counters of a clock hour a repair counts in."""

from __future__ import annotations

from plumbline.baseline.rules import Breakers
from plumbline.controls.house.house_integrity import CONTROL as HOUSE
from plumbline.controls.iam.iam_admin_grants import CONTROL as GRANTS
from plumbline.core.cause import Cause
from plumbline.findings.budgets import EVERY_CRITICAL, Budget

LIMITS = Breakers(per_control=10, in_all=25)


def test_a_repair_that_nobody_is_known_for_counts_with_its_control_and_with_all() -> None:
    assert {GRANTS.id: 10, EVERY_CRITICAL: 25} == Budget.of(GRANTS, Cause()).most(GRANTS.id, LIMITS)


def test_whoever_switches_off_much_of_plumbline_uses_up_no_repairs() -> None:
    """Neither the rest of Plumbline's, nor those of the account's critical controls."""
    assert {} == Budget.of(HOUSE, Cause()).most(HOUSE.id, LIMITS)
