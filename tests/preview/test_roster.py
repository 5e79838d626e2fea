"""`make roster`: the account's users, as a file that the build takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.baseline.compiler import compile_text
from plumbline.baseline.rules import Baseline
from plumbline.core.roster import Person
from preview.roster import main, people, text_of
from tests.story import World, world

TODAY = date(2026, 3, 2)
#: Names that IAM takes: letters, digits and +=,.@_- . Source: IAM user guide, IAM and AWS STS quotas.
NAMES = st.from_regex(r"[\w+=,.@-]{1,30}", fullmatch=True).filter(str.isascii)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with world() as told:
        monkeypatch.setenv("AWS_REGION", told.home)
        iam = told.client("iam")
        iam.create_group(GroupName="administrators")
        iam.create_user(UserName="maria", Tags=[{"Key": "Email", "Value": "maria@example.com"}])
        iam.add_user_to_group(GroupName="administrators", UserName="maria")
        iam.create_user(UserName="no")
        iam.create_user(UserName="ci")
        iam.create_access_key(UserName="ci")
        yield told


EXPECTED = """
roster:
  ci: {keys: true}
  maria: {groups: [administrators], email: "maria@example.com"}
  "no": {}
"""


def test_it_writes_behind_what_the_file_says(here: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "baseline.yaml"
    file.write_text("# ours\ncontrols: {}  # nothing otherwise\n")
    assert 0 == main(["--baseline", str(file)])
    written = file.read_text()
    assert written.startswith("# ours\ncontrols: {}  # nothing otherwise\n# Who had a user on ")
    assert written.endswith(EXPECTED)
    assert f"{file} has a roster of 3 users of account {here.account} now." in capsys.readouterr().out
    compile_text(written, name="", today=TODAY)


def test_a_file_that_has_one_is_left_as_it_is(here: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "baseline.yaml"
    file.write_text("roster: {maria: {}}\n")
    assert 1 == main(["--baseline", str(file)])
    assert "roster: {maria: {}}\n" == file.read_text()
    assert "has a roster already, and nothing was written" in capsys.readouterr().err


def test_a_file_that_says_the_same_otherwise_is_left_and_told_what_wins(
    here: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, text = tmp_path / "baseline.yaml", "controls:\n  iam-access-key-created: {allowed_users: [ci]}\n"
    file.write_text(text)
    assert 1 == main(["--baseline", str(file)])
    assert text == file.read_text()
    told = capsys.readouterr().err
    assert "do not go together; nothing was written" in told
    assert f"{file}:2: controls.iam-access-key-created.allowed_users: the roster on line 4 says this, and wins" in told


def test_it_may_only_be_shown(here: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "baseline.yaml"
    assert 0 == main(["--print", "--baseline", str(file)])
    assert capsys.readouterr().out.endswith(EXPECTED)
    assert not file.exists()


def test_an_account_without_users_gets_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "baseline.yaml"
    with world() as told:
        monkeypatch.setenv("AWS_REGION", told.home)
        assert 0 == main(["--baseline", str(file)])
    assert "has no IAM users" in capsys.readouterr().out
    assert not file.exists()


@given(st.dictionaries(NAMES, st.booleans(), min_size=1, max_size=4), st.lists(NAMES, max_size=3, unique=True))
def test_whatever_users_are_called_the_build_reads_the_same_people(
    users: Mapping[str, bool], groups: list[str]
) -> None:
    """Names such as `no`, `1e5` or `=`, which YAML takes for something else."""
    once = {name.lower(): name for name in users}.values()
    details = {"UserDetailList": [{"UserName": name, "GroupList": groups} for name in once]}
    found = people(details, frozenset(name for name in once if users[name]))
    compiled = Baseline.from_json(compile_text(text_of(found, "2026-03-02"), name="", today=TODAY))
    assert tuple(found) == compiled.roster


def test_an_address_comes_from_a_tag_or_is_the_name_itself() -> None:
    tagged = {"UserName": "jun", "Tags": [{"Key": "e-mail", "Value": "jun@example.com"}]}
    named = {"UserName": "li@example.com", "Tags": [{"Key": "email", "Value": "ask her"}]}
    expected = [Person("jun", (), "jun@example.com"), Person("li@example.com", (), "li@example.com")]
    assert expected == people({"UserDetailList": [named, tagged]}, frozenset())
