"""The template, the permissions and the reference follow from the controls."""

from __future__ import annotations

import pytest

from tests.generated import everything


def test_committed_files_are_what_the_controls_say(request: pytest.FixtureRequest) -> None:
    expected = everything()
    if request.config.getoption("--sync"):
        for path, text in expected.items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
    actual = {path: path.read_text() if path.exists() else "" for path in expected}
    differing = [path.name for path in expected if expected[path] != actual[path]]
    assert not differing, f"run `make sync`: {', '.join(differing)} do not follow from the controls"
