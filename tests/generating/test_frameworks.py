"""The page of published baselines: what it says, and what is wrong with the data before it is made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from plumbline.controls import registry
from tests.generating.frameworks import Source, load, page, problems
from tests.generating.reference import chapter

SOURCES = Path(__file__).parents[2] / "sources"


@dataclass(frozen=True)
class Rule:
    """As much of a control as the page needs."""

    id: str
    answers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


DOORS = Rule("doors", {"house": ("1", "2")})
LOCKS = Rule("locks", {"house": ("2",)})
RULES = {"doors": DOORS, "locks": LOCKS}


def _source(*items: Mapping[str, Any], **others: Any) -> Source:
    head = {"name": "House rules", "publisher": "the landlord", "version": "3", "title": "Rules", "address": "http://h"}
    return {**head, "items": list(items), **others}


HOUSE = _source(
    {"id": "1", "asks": "doors are shut"},
    {"id": "2", "asks": "locks | bolts hold", "partly": "The cellar.", "by": ["bolts"]},
    {"id": "3", "asks": "guests are announced", "verdict": "planned", "by": ["bell", "book"], "why": "In May."},
    {"id": "4", "asks": "people are kind", "verdict": "person", "why": "It takes one."},
    {"id": "5", "asks": "the weather is fine", "verdict": "no-api", "why": "Nobody can call it."},
    note="The numbers are the landlord's.",
)


def _problems(*items: Mapping[str, Any], rules: Mapping[str, Rule] = RULES) -> list[str]:
    """What is wrong when these items replace those of the same id, or are added."""
    ids = {item.get("id") for item in items}
    kept = [one for one in HOUSE["items"] if one["id"] not in ids]
    return problems({"house": {**HOUSE, "items": [*kept, *items]}}, rules)


def test_a_source_is_a_chapter_with_a_line_of_counts_and_a_table() -> None:
    chapter = page({"house": HOUSE}, RULES, link=lambda control: f"controls/x.md#{control}").partition("## ")[2]
    expected = """\
House rules

[Rules](http://h), the landlord. Version: 3.

The numbers are the landlord's.

5 items: answered 1, answered in part 1, planned 1, needs a person 1, no API 1.

| item | asks | answered by | what is left, and why |
| --- | --- | --- | --- |
| 1 | doors are shut | [doors](controls/x.md#doors) |  |
| 2 | locks \\| bolts hold | in part: [doors](controls/x.md#doors), [locks](controls/x.md#locks) | The cellar. Planned: `bolts`. |
| 3 | guests are announced | *planned*: `bell`, `book` | In May. |
| 4 | people are kind | *needs a person* | It takes one. |
| 5 | the weather is fine | *no API* | Nobody can call it. |
"""  # noqa: E501 - a row of a table is a line
    assert expected == chapter


def test_the_counts_follow_the_controls() -> None:
    answers_more = {"all": Rule("all", {"house": ("1", "2", "3", "4", "5")})}
    text = page({"house": HOUSE}, answers_more, link=str)
    assert "5 items: answered 4, answered in part 1, planned 0, needs a person 0, no API 0." in text.splitlines()


def test_each_source_has_its_own_answers() -> None:
    garden = _source({"id": "1", "asks": "trees stand", "verdict": "person", "why": "They grow."}, name="Garden rules")
    text = page({"garden": garden, "house": HOUSE}, RULES, link=str)
    assert ["Garden rules", "House rules"] == [line[3:] for line in text.splitlines() if line.startswith("## ")]
    assert "| 1 | trees stand | *needs a person* | They grow. |\n\n## House rules\n" in text


def test_data_that_fits_has_no_problems() -> None:
    assert [] == problems({"house": HOUSE}, RULES)


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        (
            {"house": ("1", "2", "22")},
            "control doors answers house 22, which does not exist; did you mean 2?",
        ),
        (
            {"house": ("1", "2", "cellar")},
            "control doors answers house cellar, which does not exist",
        ),
        (
            {"house": ("1", "2"), "hose": ("1",)},
            "control doors answers source hose, which does not exist; did you mean house?",
        ),
        (
            {"house": ("1", "2", "2")},
            "control doors answers house 2 2 times; name it once",
        ),
    ],
)
def test_an_answer_that_fits_no_question_is_named(answers: dict[str, tuple[str, ...]], problem: str) -> None:
    assert [problem] == problems({"house": HOUSE}, {"doors": Rule("doors", answers), "locks": LOCKS})


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        (
            {"id": "6", "asks": "x"},
            "house 6: no control answers it, and it has no verdict; write planned, person or no-api, and why",
        ),
        (
            {"id": "6", "asks": "x", "partly": "y"},
            "house 6: says what is left, and no control answers any of it; give it a verdict",
        ),
        (
            {"id": "2", "asks": "x", "verdict": "person", "why": "y"},
            "house 2: answered by doors, locks, and has the verdict person; remove it, or say in `partly` what is left",
        ),
        (
            {"id": "2", "asks": "x", "partly": "z", "verdict": "person", "why": "y"},
            "house 2: answered by doors, locks, and has the verdict person; remove it, or say in `partly` what is left",
        ),
        (
            {"id": "2", "asks": "x", "partly": "z", "why": "y"},
            "house 2: a verdict and `why` belong together; write both or neither",
        ),
        (
            {"id": "6", "asks": "x", "verdict": "person"},
            "house 6: a verdict and `why` belong together; write both or neither",
        ),
        (
            {"id": "6", "asks": "x", "verdict": "planned", "why": "y"},
            "house 6: is planned, and `by` does not say by which control",
        ),
        (
            {"id": "6", "asks": "x", "verdict": "planned", "by": ["locks", "bell"], "why": "y"},
            "house 6: planned by locks, which exists; let it answer the item",
        ),
        (
            {"id": "2", "asks": "x", "partly": "y", "by": ["doors"]},
            "house 2: planned by doors, which exists; let it answer the item",
        ),
        (
            {"id": "6", "asks": "x", "verdict": "person", "by": ["bell"], "why": "y"},
            "house 6: `by` is for what is planned; remove it",
        ),
        (
            {"id": "1", "asks": "x", "by": ["bell"]},
            "house 1: `by` is for what is planned; remove it",
        ),
    ],
)
def test_an_item_is_answered_or_answered_in_part_or_says_why_not(item: Mapping[str, Any], problem: str) -> None:
    assert [problem] == _problems(item)


def test_an_id_stands_once() -> None:
    twice = {"id": "6", "asks": "x", "verdict": "person", "why": "y"}
    assert ["house 6: the id stands 2 times; keep one"] == _problems(twice, twice)


@pytest.mark.parametrize(
    ("item", "problem"),
    [
        (
            {"id": "6", "asks": "x", "verdict": "person", "whi": "y"},
            "house: items 6: Additional properties are not allowed ('whi' was unexpected)",
        ),
        ({"id": 2.1, "asks": "x"}, "house: items 6 id: 2.1 is not of type 'string'"),
        ({"id": "6"}, "house: items 6: 'asks' is a required property"),
        (
            {"id": "6", "asks": "x", "verdict": "soon", "why": "y"},
            "house: items 6 verdict: 'soon' is not one of ['planned', 'person', 'no-api']",
        ),
        (
            {"id": "6", "asks": "x", "verdict": "planned", "by": "bell", "why": "y"},
            "house: items 6 by: 'bell' is not of type 'array'",
        ),
    ],
)
def test_a_misshapen_item_is_told_by_its_place(item: Mapping[str, Any], problem: str) -> None:
    assert [problem] == _problems(item)


def test_a_misshapen_source_is_told_and_hides_no_other() -> None:
    garden = {name: value for name, value in HOUSE.items() if name != "title"} | {"color": "green"}
    cellar = _source({"id": "1", "asks": "it is dry"})
    expected = [
        "garden: Additional properties are not allowed ('color' was unexpected)",
        "garden: 'title' is a required property",
        "attic: None is not of type 'object'",
        "cellar 1: no control answers it, and it has no verdict; write planned, person or no-api, and why",
    ]
    actual = problems({"garden": garden, "attic": None, "cellar": cellar}, {})  # type: ignore[dict-item]
    assert sorted(expected) == sorted(actual)


def test_a_folder_is_loaded_by_the_names_of_its_files(tmp_path: Path) -> None:
    (tmp_path / "house-1.0.yaml").write_text("name: House rules\n", encoding="utf-8")
    (tmp_path / "garden.yaml").write_text("name: Garden rules\n", encoding="utf-8")
    (tmp_path / "README.md").write_text("no source\n", encoding="utf-8")
    assert [("garden", {"name": "Garden rules"}), ("house-1.0", {"name": "House rules"})] == list(
        load(tmp_path).items()
    )


def test_the_sources_are_whole() -> None:
    """Every item of the Ministry's baseline, of the Startup Security Baseline's two chapters, and of CIS 7.0."""
    sources = load(SOURCES)
    assert {"cis-7.0": 70, "moj": 27, "ssb": 32} == {key: len(source["items"]) for key, source in sources.items()}
    chapters = [item["id"].partition(".")[0] for item in sources["ssb"]["items"]]
    assert (17, 15) == (chapters.count("ACCT"), chapters.count("WKLD"))


def test_what_the_sources_say_of_what_nobody_answers_is_sound() -> None:
    """Whoever answers the rest: a control that answers every item without a verdict leaves no problem."""
    sources = load(SOURCES)
    answers = {
        key: tuple(item["id"] for item in source["items"] if "verdict" not in item) for key, source in sources.items()
    }
    assert [] == problems(sources, {"rest": Rule("rest", answers)})


def test_the_sources_and_the_controls_fit() -> None:
    assert [] == problems(load(SOURCES), registry.load())


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"cis-7.0": ("2.141",)}, "control iam-groups answers cis-7.0 2.141, which does not exist; did you mean 2.14?"),
        ({"cis-1.4": ("1.16",)}, "control iam-groups answers source cis-1.4, which does not exist"),
    ],
)
def test_a_control_that_answers_what_does_not_exist_is_named(answers: Mapping[str, tuple[str, ...]], said: str) -> None:
    controls = dict(registry.load())
    before = controls["iam-groups"]
    controls["iam-groups"] = replace(before, answers={**before.answers, **answers})
    assert [said] == [one.partition("; did you mean cis")[0] for one in problems(load(SOURCES), controls)]


def test_the_page_leads_to_the_controls() -> None:
    """Every control that answers something has its link, and every link its chapter."""
    written = page(load(SOURCES), registry.load(), link=chapter)
    linked = set(re.findall(r"\[([a-z0-9-]+)\]\(", written))
    assert {one.id for one in registry.load().values() if one.answers} == linked
    strays = []
    for one in sorted(linked):
        file, _, anchor = chapter(one).partition("#")
        text = (SOURCES.parent / "docs" / file).read_text(encoding="utf-8")
        strays += [] if re.search(rf"(?m)^#+ {anchor}$", text) else [one]
    assert [] == strays
