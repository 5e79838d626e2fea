"""docs/first-hour.md from its beginning to its end: every command in a box is typed, and what it says comes true."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from local import first_hour
from tests.generating.first_hour import commands, recorded

GUIDE = first_hour.GUIDE.read_text()


@pytest.fixture(scope="module")
def played() -> Mapping[str, Any]:
    """What came of it this time."""
    return first_hour.play(first_hour.blocks(GUIDE), tell=lambda _: None)


def _alike(text: str) -> str:
    """A subject, without what is another one each time."""
    return re.sub(r"\d+", "N", text)


def test_every_command_ends_as_the_guide_says(played: Mapping[str, Any]) -> None:
    assert sorted(commands(GUIDE)) == sorted(played["screens"])


def test_the_e_mails_of_the_pictures_still_come(played: Mapping[str, Any]) -> None:
    """Change one of these, and `make first-hour` has to be run again."""
    before = {name: _alike(one["subject"]) for name, one in recorded()["letters"].items()}
    assert before == {name: _alike(one["subject"]) for name, one in played["letters"].items()}


def test_who_may_do_what_is_what_the_baseline_of_the_guide_says(played: Mapping[str, Any]) -> None:
    (said,) = played["screens"]["who"]["shown"]
    assert [True, True, False] == [f"user {one}" in said for one in ("jun", "kim", "nobody")]


def test_what_somebody_widened_was_put_back_and_undone(played: Mapping[str, Any]) -> None:
    assert "AmazonS3FullAccess" in played["letters"]["widened"]["text"]
    (undone,) = played["screens"]["undo"]["shown"]
    assert "attach-group-policy" in undone
