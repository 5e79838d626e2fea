"""Options that every test shares."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator

import pytest
from hypothesis import settings

#: The same code is given the same examples, so that what CI says of it is no matter of luck. Others are looked for by
#: PROPERTIES=random make test, best with ARGS and a number: --hypothesis-seed=7. No example is timed: that a machine is
#: busy is no mistake of the code.
settings.register_profile("same", derandomize=True, deadline=None)
settings.register_profile("random", deadline=None)
settings.load_profile(os.environ.get("PROPERTIES", "same"))


_BUILT = "PLUMBLINE_TESTS_BUILT"
#: Suites that wait for most of their time: they begin first, each on a worker, and what computes fills up the rest.
_LONG = ("tests/upgrade/", "tests/attacks/", "tests/end_to_end/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the suites that take longest, so that none of them is left alone at the end."""
    items.sort(key=lambda one: next((n for n, path in enumerate(_LONG) if one.nodeid.startswith(path)), len(_LONG)))


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main() -> Generator[None, object, object]:
    """Keep for the whole session, and for the workers that it starts, what was built to be deployed: see built.py."""
    if _BUILT in os.environ:
        return (yield)
    with tempfile.TemporaryDirectory(prefix="plumbline-built-") as folder:
        os.environ[_BUILT] = folder
        try:
            return (yield)
        finally:
            del os.environ[_BUILT]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--sync` rewrites generated files instead of failing on them."""
    parser.addoption("--sync", action="store_true", help="rewrite the generated blocks and pages")
