"""Whoever suspends users is asked by a release and an undo whether it holds somebody."""

from __future__ import annotations

from plumbline.controls import registry
from plumbline.controls.iam._suspending import SUSPENDING, SUSPENDING_WRITES
from plumbline.core.giving import TAKES


def test_every_control_that_suspends_is_one_that_a_release_and_an_undo_know_of() -> None:
    """What attaches a policy to users and switches off keys suspends; nothing else needs both."""
    suspending = {one.id for one in registry.load().values() if one.writes >= SUSPENDING_WRITES}
    assert suspending == set(SUSPENDING) & set(registry.load())


def test_no_role_that_takes_may_attach_anything() -> None:
    assert {"iam:AttachUserPolicy"} == SUSPENDING_WRITES - TAKES
