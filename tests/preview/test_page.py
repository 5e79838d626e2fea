"""What `make preview` prints and writes: whatever a name contains, it stays text."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from preview import page
from preview.__main__ import _print
from preview.looking import Blind, Row, together

NAME = "[/red]<script>alert(1)</script>[link=https://evil.example]x"
NOW = datetime(2026, 11, 26, 9, 5, tzinfo=timezone.utc)
ROW = Row(
    "high",
    "s3-public-acl",
    "111122223333/us-east-1/s3-bucket/acme-data",
    f"bucket {NAME} is public",
    f"takes the grants off {NAME}",
    "after 7 days",
    "2026-12-03",
)
ABOUT = ["Plumbline listens to trail audit <b>.", "No second trail is made."]


class _Read(HTMLParser):
    """A page as a reader gets it: its tags, and its text without them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name in {"href", "src", "style"}]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_brackets_in_a_name_are_no_markup_in_the_table(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    _print([ROW], [Blind("iam-groups", NAME, "AccessDenied")], "111122223333", ABOUT)
    printed = "".join(capsys.readouterr().out.split())
    assert "[/red]" in printed
    assert "evil.example" in printed
    assert "111122223333/us-east-1/s3-bucket/acme-data" in printed
    assert "2026-12-03" in printed
    assert "Nosecondtrailismade." in printed


def test_tags_in_a_name_are_no_tags_on_the_page() -> None:
    html = page.render([ROW], [Blind("iam-groups", NAME, "AccessDenied")], ABOUT, "111122223333", NOW)
    assert "<script" not in html
    assert f"bucket {NAME} is public" in _Read(html).text


def test_the_page_says_what_where_when_and_what_to_know_before() -> None:
    read = _Read(page.render([ROW, ROW], [], ABOUT, "111122223333", NOW))
    assert "Account 111122223333: 2 out of line" in read.text
    assert "2 high. Seen on 26 November 2026, 09:05 UTC. Nothing was changed." in read.text
    assert "111122223333/us-east-1/s3-bucket/acme-data" in read.text
    assert "3 December 2026" in read.text
    assert "Dates count from 26 November 2026, as if you deployed today." in read.text
    assert all(one in read.text for one in ABOUT)


def test_one_setting_of_many_regions_is_one_row_that_names_them() -> None:
    off = [
        Row("medium", "ec2-ebs-encryption", f"111122223333/{one}/x/account", f"EBS encryption in {one} is off", "on",
            "after 7 days", region=one, alike="EBS encryption in each of these regions is off")
        for one in ("us-west-2", "eu-west-1")
    ]  # fmt: skip
    both, bucket = together([off[0], ROW, off[1]])
    assert ("EBS encryption in each of these regions is off", "eu-west-1, us-west-2") == (both.what, both.target)
    assert ROW == bucket
    assert [off[0], ROW] == together([off[0], ROW]), "one region alone is called by its name"
    read = _Read(page.render([*off, ROW], [], [], "111122223333", NOW))
    assert ("3 out of line" in read.text, read.text.count("EBS encryption")) == (True, 1)


def test_a_page_without_findings_has_no_empty_table() -> None:
    read = _Read(page.render([], [], ABOUT, "111122223333", NOW))
    assert "table" not in read.tags
    assert "Everything watched is in line with the baseline." in read.text


def test_a_long_name_may_break_behind_its_separators_and_a_word_stays_whole() -> None:
    html = page.render([ROW], [], [], "111122223333", NOW)
    assert "111122223333/<wbr>us-<wbr>east-<wbr>1/<wbr>s3-<wbr>bucket/<wbr>acme-<wbr>data" in html
    long = Row("low", "a", "VeryLongNameWithoutAnySeparators", "w", "w", "never")
    html += page.render([long], [], [], "111122223333", NOW)
    assert "Very<wbr>Long<wbr>Name<wbr>Without<wbr>Any<wbr>Separators" in html
    assert "overflow-wrap: anywhere" not in html
    assert "word-break" not in html


@given(st.text(), st.text(), st.text())
def test_whatever_a_name_holds_is_text(what: str, target: str, paragraph: str) -> None:
    row = Row("critical", "iam-groups", target, what, what, "never; tells")
    empty, full = (
        _Read(page.render([one], [Blind("a", one.target, one.what)], [told], "111122223333", NOW))
        for one, told in ((Row("critical", "iam-groups", "t", "w", "w", "never; tells"), "p"), (row, paragraph))
    )
    assert full.tags - {"wbr"} == empty.tags - {"wbr"}
    assert "".join(re.findall(r"\w", what)) in "".join(re.findall(r"\w", full.text))
