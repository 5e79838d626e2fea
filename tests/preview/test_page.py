"""What `make preview` prints and writes: whatever a name contains, it stays text."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from preview import page
from preview.__main__ import _print
from preview.looking import Blind, Row

NAME = "[/red]<script>alert(1)</script>[link=https://evil.example]x"
ROW = Row("high", "s3-public-acl", "t", f"bucket {NAME} is public", f"takes the grants off {NAME}", "after 7 days")


def test_brackets_in_a_name_are_no_markup_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    _print([ROW], [Blind("iam-groups", NAME, "AccessDenied")], "111122223333")
    printed = "".join(capsys.readouterr().out.split())
    assert "[/red]" in printed
    assert "evil.example" in printed


def test_tags_in_a_name_are_no_tags_on_the_page() -> None:
    html = page.render([ROW], [Blind("iam-groups", NAME, "AccessDenied")], "111122223333", datetime.now(timezone.utc))
    assert "<script" not in html
    assert "&lt;script&gt;" in html
