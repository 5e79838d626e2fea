"""Broken files, and the whole line that a person gets for each: `broken.txt`, which is read as it is written.

`make sync` writes the lines anew; whoever changes them reads them in the diff, as their reader will.
"""

from __future__ import annotations

import json
import re
import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.baseline.compiler import compile_file, compile_text, main
from plumbline.baseline.document import read
from plumbline.baseline.wishes import doubts, managed_policies
from plumbline.core.errors import BaselineError

TODAY = date(2026, 3, 2)
TABLE = Path(__file__).parent / "broken.txt"
_BEL = "<BEL>"  # a character that no editor shows
#: Words of YAML's and JSON Schema's libraries, pieces of patterns, and of a traceback.
_FOREIGN = re.compile(
    r"is not of type|does not match|[Aa]dditional properties|is a required property|is not one of|\^\[|\\[wd]|\(\?"
    r"|while (scanning|parsing)|found character|block (end|mapping)|could not determine|Traceback|line \d+, column"
)
#: How a line tells what to write.
_REMEDY = re.compile(
    r"write|did you mean|remove|add `|keep one|name (it once|at)|save the file|docs/controls\.md lists|has the account"
    r"|reads like|Write |indent it|name a kind"
)


def _cases() -> list[tuple[str, str, tuple[str, ...]]]:
    """Title, file, and lines of each case."""
    cases = []
    for block in TABLE.read_text().split("\n== ")[1:]:
        title, _, rest = block.partition("\n")
        lines = rest.removesuffix("\n").split("\n") if rest else []
        text = "\n".join(one for one in lines if not one.startswith("=> ")).replace(_BEL, "\x07")
        cases.append((title, text, tuple(one[3:] for one in lines if one.startswith("=> "))))
    return cases


CASES = _cases()


def _told(text: str) -> tuple[str, ...]:
    try:
        compile_text(text, name="baseline.yaml", today=TODAY)
    except BaselineError as error:
        return error.problems
    return ()


def test_the_table_is_as_the_build_tells_it(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--sync"):
        head = TABLE.read_text().split("\n== ")[0]
        blocks = [
            "\n".join([title, *([text.replace("\x07", _BEL)] if text else []), *(f"=> {one}" for one in _told(text))])
            for title, text, _ in CASES
        ]
        TABLE.write_text("\n== ".join([head, *(f"{one}\n" for one in blocks)]))
    assert len({title for title, _, _ in _cases()}) == len(_cases()) >= 150


@pytest.mark.parametrize(("text", "lines"), [one[1:] for one in CASES], ids=[one[0] for one in CASES])
def test_a_broken_file_is_told_in_whole_lines(text: str, lines: tuple[str, ...]) -> None:
    assert lines == _told(text)


@pytest.mark.parametrize("lines", [one[2] for one in CASES], ids=[one[0] for one in CASES])
def test_each_line_names_a_place_and_a_remedy_in_words_for_people(lines: tuple[str, ...]) -> None:
    assert lines
    assert [] == [one for one in lines if not re.match(r"baseline\.yaml:\d+: ", one)]
    assert [] == [one for one in lines if _FOREIGN.search(one)]
    assert [] == [one for one in lines if not _REMEDY.search(one)]


# --- files ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("controls: {}".encode("utf-16"), "{path}:1: this is no UTF-8 text; save the file as UTF-8"),
        ("controls:\n  # grün\n".encode("latin-1"), "{path}:2: this is no UTF-8 text; save the file as UTF-8"),
        (b"controls: {}\n\x00", "{path}:2: a character that no editor shows stands here (U+0000); remove it"),
        (b"\x7fELF\x02\x01", "{path}:1: a character that no editor shows stands here (U+007F); remove it"),
        (
            b"x" * 200_000,
            (
                "{path}:1: this has more than 100,000 characters, and no baseline needs as many; write patterns "
                "instead of long lists"
            ),
        ),
    ],
)  # fmt: skip
def test_what_is_no_text_is_told_in_one_line(data: bytes, expected: str, tmp_path: Path) -> None:
    path = tmp_path / "baseline.yaml"
    path.write_bytes(data)
    with pytest.raises(BaselineError) as caught:
        compile_file(path, today=TODAY)
    assert (expected.format(path=path),) == caught.value.problems


@pytest.mark.parametrize("data", [b"\xef\xbb\xbfcontrols: {}\n", b"controls: {}\r\n# x\r\n"], ids=["BOM", "Windows"])
def test_how_windows_saves_a_file_does_not_matter(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "baseline.yaml"
    path.write_bytes(data)
    assert compile_file(path, today=TODAY)["controls"]


# --- doubts --------------------------------------------------------------------------------------------------------


def test_a_policy_that_aws_does_not_have_is_said_and_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "baseline.yaml"
    path.write_text(
        "controls:\n  iam-groups:\n    groups:\n      analysts: [AmazonAthenaFulAccess, job-function/Billing]\n"
        "    self_service: true"
    )
    assert 0 == main([str(path)])
    said = capsys.readouterr()
    where = f"{path}:4: controls.iam-groups.groups.analysts[1]: "
    assert f"{where}AWS had no policy 'AmazonAthenaFulAccess'; did you mean 'AmazonAthenaFullAccess'?\n" == said.err
    assert said.out.startswith(f"{path}: fits; ")


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("ReadOnlyAccess", []),
        ("arn:aws:iam::aws:policy/job-function/Billing", []),
        ("arn:aws:iam::111122223333:policy/ours", []),
        ("Billing", ["AWS had no policy 'Billing'; did you mean 'job-function/Billing'?"]),
        ("OfNobody", ["AWS had no policy 'OfNobody'; see that AWS has it, or write yours by its ARN"]),
    ],
)
def test_policies_of_aws_are_known_by_name_and_path(policy: str, expected: list[str]) -> None:
    document = read(f"controls: {{iam-groups: {{groups: {{a: ['{policy}']}}}}}}", "b.yaml")
    assert expected == [what for _, what in doubts(document)]


def test_the_policies_that_the_defaults_name_are_known() -> None:
    assert {"AdministratorAccess", "AmazonS3FullAccess", "job-function/Billing"} <= managed_policies()


# --- whatever the file -------------------------------------------------------------------------------------------

_PIECES = st.sampled_from(
    ["controls", "iam-groups", "groups", "mode", "off", "clocks", "default", "act", "regions", "exemptions", "reviewed",
     "until", "target", "profile", "moj", "&a", "*a", "<<", "!!int", "!!python/name:os", "?", "|", ">", "%YAML", "---",
     "...",      "{", "}", "[", "]", ",", ":", ": ", "- ", "#", "'", '"', "\\", "\n", "\n  ", "\n    ", "\t", "@", "`",
     "0x1F", "014", "1e999",
     ".inf", "12:30", "2026-02-30", "~", "null", "\ufeff", "\x85", "\u2028", "\u201c", "\x00", "\x7f",
     "\U0001f600", "9" * 30]
)  # fmt: skip
_TEXTS = st.lists(_PIECES | st.text(max_size=4), max_size=40).map("".join) | st.text(max_size=80)


@settings(max_examples=400)
@given(_TEXTS)
def test_any_text_is_a_baseline_or_is_told_in_lines_that_name_theirs(text: str) -> None:
    began = time.process_time()
    problems = _told(text)
    assert time.process_time() - began < 1
    lines = text.count("\n") + text.count("\r") + text.count("\x85") + text.count("\u2028") + text.count("\u2029") + 1
    for one in problems:
        place = re.match(r"baseline\.yaml:(\d+): ", one)
        assert place, one
        assert 1 <= int(place[1]) <= lines + 1
        assert one.isprintable(), one
        assert not _FOREIGN.search(one.replace(text, "").replace(json.dumps(text), "")), one


@settings(max_examples=200)
@given(
    st.sampled_from([one[1] for one in CASES]),
    st.integers(0, 60),
    st.integers(0, 6),
    st.sampled_from(["", "\n", "{", "'"]),
)
def test_a_broken_file_broken_once_more_is_told_too(text: str, at: int, gone: int, instead: str) -> None:
    assert all(re.match(r"baseline\.yaml:\d+: ", one) for one in _told(text[:at] + instead + text[at + gone :]))


@pytest.mark.parametrize(
    "text",
    [
        "a: " + "[" * 3000,
        "a: " + "{a: " * 3000,
        "- " * 3000,
        "\n".join(f"{' ' * depth}a:" for depth in range(900)),
        "a: &a [" + "x," * 40_000 + "]\nb: [*a, *a, *a, *a]",
        "a: " + "9" * 90_000,
        "a: 0x" + "f" * 90_000,
        "a: " + ":".join(["59"] * 30_000),
        "&a " * 20_000,
        "exemptions: {reviewed: [{control: '*', owner: a, reason: b, until: 2026-09-01, target: '"
        + "*a" * 20_000
        + "'}]}",
        "controls: {" + ", ".join(f"c{number}: {{}}" for number in range(5000)) + "}",
    ],
    ids=[
        "brackets",
        "braces",
        "dashes",
        "steps",
        "unfolding",
        "digits",
        "hex",
        "sexagesimal",
        "anchors",
        "stars",
        "controls",
    ],
)
def test_a_monster_is_told_in_seconds(text: str) -> None:
    began = time.process_time()
    assert _told(text)
    assert time.process_time() - began < 5
