"""A YAML text as data: what it holds, on which line, and what it must not hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from plumbline.baseline.document import read, read_file
from plumbline.core.errors import BaselineError


def _refusal(text: str) -> tuple[str, ...]:
    with pytest.raises(BaselineError) as caught:
        read(text, "baseline.yaml")
    return caught.value.problems


def test_data_lines_and_spelling_are_kept() -> None:
    document = read("a:\n  - 7\n  - off\n  - {b: 2026-03-02}\n  -", "baseline.yaml")
    assert {"a": [7, False, {"b": "2026-03-02"}, None]} == document.data
    assert {(): 1, ("a",): 1, ("a", 0): 2, ("a", 1): 3, ("a", 2): 4, ("a", 2, "b"): 4, ("a", 3): 5} == document.lines
    assert {("a", 0): "7", ("a", 1): "off", ("a", 3): ""} == document.spelled


def test_every_key_is_text_as_it_was_written() -> None:
    assert {"off": "x", "7": "y", "2026-03-02": "z", "null": "n"} == read(
        "{off: x, 7: y, 2026-03-02: z, null: n}", ""
    ).data


def test_an_anchor_is_its_value_and_what_is_merged_gives_way() -> None:
    text = "base: &base {a: 1, b: 1}\none: {<<: *base, b: 2}\ntwo: {<<: *base}\nagain: *base"
    both = {"a": 1, "b": 1}
    assert {"base": both, "one": {"a": 1, "b": 2}, "two": both, "again": both} == read(text, "").data


def test_a_mapping_that_is_merged_and_named_again_is_not_called_doubled() -> None:
    assert {"a": {"k": 2}, "b": {"k": 2}} == read("a: &a {<<: {k: 1}, k: 2}\nb: *a", "").data


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [*a]",
        "a: &a {b: *a}",
        "[" * 22,
        "[" * 22 + "]" * 22,
        "[" * 5000 + "]" * 5000,
        "{a: " * 5000,
        "a: &a {<<: *a, b: *a}",
        "- &a [1,1,1,1,1,1,1,1,1,1]\n"
        + "".join(f"- &{new} [{', '.join([f'*{old}'] * 10)}]\n" for old, new in ("ab", "bc", "cd", "de", "ef")),
    ],
    ids=lambda text: text[:24],
)
def test_what_contains_itself_or_unfolds_without_end_is_refused_in_one_line(text: str) -> None:
    (problem,) = _refusal(text)
    assert problem.startswith(
        (
            "baseline.yaml:1: this unfolds to more than 20 levels, or more than 100000 values; write it plainly",
            "baseline.yaml:1: a bracket is not closed; write } or ] there",
        )
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1\nb: {a: 1,\n  a: 2}", "3: b.a: this is written twice, on lines 2 and 3; keep one"),
        ("a: 1\n? [b]\n: 2", "1: a list or a mapping stands where a key belongs; write a word"),
        ("a:\n  - !!binary aGk=", "2: a[1]: the tag !!binary is not known here; write the value without it"),
        ("a: !Sub x", "1: a: the tag !Sub is not known here; write the value without it"),
        ("a: !!set {b}", "1: a: the tag !!set is not known here; write the value without it"),
        ("a: 1\nb: .nan", "2: b: .nan is no number that can be used; write one such as 14"),
        ("a: -.inf", "1: a: -.inf is no number that can be used; write one such as 14"),
        ("a: !!int x", "1: a: x is no number that can be used; write one such as 14"),
        ("a: !!bool x", "1: a: x is no number that can be used; write one such as 14"),
        (f"a: {'9' * 5000}", f"1: a: {'9' * 57}... is no number that can be used; write one such as 14"),
        ("a: 1\nb: {", "2: a bracket is not closed; write } or ] there"),
        ("a: 1\n---\nb: 2", "2: a second document begins here; write one, and remove this line"),
        ("a: \x07", "1: a character that no editor shows stands here (U+0007); remove it"),
        ("a: *b", "1: *b refers to nothing; write it in quotes, or write out what is meant"),
        ("# nothing\n", "1: the file is empty; write at least `controls: {}`"),
    ],
)
def test_what_no_baseline_can_hold_is_refused_with_its_line(text: str, expected: str) -> None:
    assert (f"baseline.yaml:{expected}",) == _refusal(text)


def test_all_of_it_is_told_at_once_in_the_order_of_the_file() -> None:
    assert ["baseline.yaml:1", "baseline.yaml:2", "baseline.yaml:4"] == [
        one.split(": ")[0] for one in _refusal("a: .nan\nb: !x y\nc: 1\nc: 2")
    ]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9")
    for name, expected in (
        ("none.yaml", r"none.yaml:1: this file cannot be read \(No such file or directory\); write its path"),
        ("latin.yaml", "latin.yaml:1: this is no UTF-8 text; save the file as UTF-8"),
    ):
        with pytest.raises(BaselineError, match=expected):
            read_file(tmp_path / name, name)
