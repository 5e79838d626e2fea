"""One account for every story."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.attacks.house import House
from tests.attacks.stage import Stage
from tests.attacks.stage import stage as deployed


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Plumbline deployed, and everybody let in who attacks."""
    with deployed(tmp_path_factory.mktemp("attacks")) as made:
        yield made


@pytest.fixture(scope="session")
def before(stage: Stage) -> House:
    """The house before the first attack, as every story finds it and leaves it."""
    return House.of(stage.client)
