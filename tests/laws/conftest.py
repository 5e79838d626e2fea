"""What the laws share: a world for each story, fresh for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.rig import Broken
from tests.story import stories, world

STORIES = [pytest.param(story, id=str(story)) for story in stories()]


@pytest.fixture(params=STORIES)
def broken(request: pytest.FixtureRequest) -> Iterator[Broken]:
    """The world as a story leaves it."""
    with world() as told:
        yield Broken.tell(request.param, told)
