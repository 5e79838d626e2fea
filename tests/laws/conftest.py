"""What the laws share: quick worlds, one for each story, and fresh again once a test has changed it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
from botocore.loaders import JSONFileLoader
from moto.iam.models import IAMBackend, ManagedPolicy

from tests.rig import Broken
from tests.story import Story, stories, world

STORIES = [pytest.param(story, id=str(story)) for story in stories()]


def _copied(policy: ManagedPolicy) -> ManagedPolicy:
    """As `copy` does it, but without what moto counts of each that is made."""
    copied: ManagedPolicy = object.__new__(type(policy))
    copied.__dict__.update(policy.__dict__)
    return copied


@pytest.fixture(autouse=True, scope="session")
def _quick_worlds() -> Iterator[None]:
    """Read what is read in every world once: AWS's 1,500 managed policies in moto, and botocore's service models.

    moto loads the policies for each of twelve partitions; no test leaves the first.
    """
    load, read = IAMBackend._init_aws_policies, JSONFileLoader().load_file
    policies: list[ManagedPolicy] = []

    def of_one_partition(backend: IAMBackend) -> list[ManagedPolicy]:
        if backend.region_name != "aws":
            return []
        if not policies:
            policies.extend(load(backend))
        return [_copied(one) for one in policies]

    kept = cache(read)

    def read_once(path: str) -> Any:
        data = kept(path)
        # moto writes into what it has read of a service, and others read the same
        return {**data, "metadata": {**data["metadata"]}} if data and "metadata" in data else data

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(IAMBackend, "_init_aws_policies", of_one_partition)
        patch.setattr(JSONFileLoader, "load_file", staticmethod(read_once))
        yield


@dataclass
class _Storyteller:
    """Tells one story, and tells it again when the world is no longer as it left it."""

    story: Story
    stack: ExitStack = field(default_factory=ExitStack)
    broken: Broken | None = None

    def tell(self) -> Broken:
        if self.broken is None or not self.broken.put_back():
            self.stack.close()
            self.broken = Broken.tell(self.story, self.stack.enter_context(world()))
        return self.broken


@pytest.fixture(scope="module", params=STORIES)
def storyteller(request: pytest.FixtureRequest) -> Iterator[_Storyteller]:
    """Each story of each control, told once for the tests of a module."""
    storyteller = _Storyteller(request.param)
    yield storyteller
    storyteller.stack.close()


@pytest.fixture
def broken(storyteller: _Storyteller) -> Broken:
    """The world as a story leaves it."""
    return storyteller.tell()
