"""Options that every test shares."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--sync` rewrites generated files instead of failing on them."""
    parser.addoption("--sync", action="store_true", help="rewrite the generated blocks and pages")
