"""The first-hour guide says what was recorded, its pictures fetch nothing, and none of them is missing or spare."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from local.first_hour import EMAIL, HOME, but_for_ids
from tests.generated import ROOT
from tests.generating import first_hour

GUIDE = first_hour.GUIDE.read_text()
RECORD = first_hour.recorded()
PICTURES = first_hour.pictures(RECORD)


def test_every_command_in_a_box_was_typed_as_it_is_printed() -> None:
    """Change one, and `make first-hour` has to be run again."""
    typed = {name: [but_for_ids(one) for one in screen["commands"]] for name, screen in RECORD["screens"].items()}
    printed = {name: [but_for_ids(one) for one in every] for name, every in first_hour.commands(GUIDE).items()}
    assert printed == typed


def test_every_picture_is_shown_once_with_words_for_whoever_cannot_see_it() -> None:
    shown = re.findall(r"!\[([^\]]{40,})\]\(pictures/([\w-]+\.svg)\)", GUIDE)
    assert sorted(PICTURES) == sorted(name for _, name in shown)
    assert sorted(PICTURES) == sorted(one.name for one in (ROOT / "docs/pictures").glob("*.svg"))


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_a_picture_is_small_and_fetches_nothing(name: str) -> None:
    drawn = PICTURES[name]
    assert len(drawn.encode()) < 100_000
    tree = ET.fromstring(drawn)  # noqa: S314 - our own
    assert "http://www.w3.org/2000/svg" in tree.tag
    told = "".join(tree.itertext())
    outside = re.sub(r"<text.*?</text>", "", drawn, flags=re.DOTALL).replace("http://www.w3.org/2000/svg", "")
    assert [] == re.findall(r"https?:|@import|@font-face|<image|<script|href", outside)
    assert told.startswith(f"\n{first_hour.PICTURED[name.removesuffix('.svg')]}")


def test_a_picture_of_an_e_mail_is_all_of_it_but_for_the_lines_that_every_e_mail_has() -> None:
    said = ET.fromstring(PICTURES["digest.svg"])  # noqa: S314 - our own
    drawn = "".join("".join(said.itertext()).split()).replace("\xa0", "")
    letter = RECORD["letters"]["digest"]
    before, _, _ = letter["text"].partition("Where the shell does not know")
    assert "".join(before.split()) in drawn
    assert "nonce=" not in drawn
    assert (EMAIL, True) == (letter["to"], HOME in letter["text"])


def test_what_the_guide_quotes_is_what_the_screen_showed() -> None:
    assert GUIDE == first_hour.written(GUIDE, RECORD)
    other = {"screens": {**RECORD["screens"], "baseline": {"commands": ["make baseline"], "shown": ["other\n"]}}}
    assert "```text\nother\n```" in first_hour.written(GUIDE, other)


def test_an_id_is_the_one_of_the_record_and_a_command_that_was_never_typed_stays_to_be_found() -> None:
    guide = "<!-- play undo -->\n```sh\nplumbline undo 7F3K\nplumbline status\n```\n"
    record = {"screens": {"undo": {"commands": ["plumbline undo 5PE7"], "shown": [""]}}}
    assert guide.replace("7F3K", "5PE7") == first_hour.written(guide, record)
