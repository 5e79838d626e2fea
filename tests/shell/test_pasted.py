"""What Plumbline suggests, pasted into a real bash: every word comes back as it is."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plumbline.alerts.shell import pasted
from plumbline.core.cause import Origin
from plumbline.decisions.exemptions import exactly
from plumbline.handlers.operate.commands import COMMANDS
from plumbline.wakes.messages import Wake
from tests.fakes import LAMP, MALLORY, NOW, House
from tests.handlers.operate.test_answers import answers
from tests.shell.bash import Bash

PACKAGE = Path(__file__).parents[2] / "layers/plumbline/plumbline"

_ANY = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"], categories=None), max_size=30)
_NASTY = st.text(st.sampled_from("*?[]'\"`$!\\ \n\t~#&;|<>(){}-=%^é\u200b\u202e\x1b"), max_size=12)
_WORD = _ANY | _NASTY
#: bash prints each argument, ended by a NUL, so that nothing in it can be mistaken.
_ECHO = "plumbline() { printf '%s\\0' \"$@\"; }"

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Bash:
    """One bash for all."""
    return Bash.at(tmp_path_factory.mktemp("bash"))


def _arguments(here: Bash, command: str) -> list[str]:
    said = here.run(f"{_ECHO}\n{command}")
    assert (0, "") == (said.code, said.err), command
    return said.out.split("\0")[:-1]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(_WORD, min_size=1, max_size=5))
def test_any_word_comes_back_as_it_was(here: Bash, words: list[str]) -> None:
    command = pasted(*words)
    assert words == _arguments(here, command)
    assert not [char for char in command if not char.isprintable()], "one line, and nothing that moves a cursor"


def _suggested(text: str) -> list[str]:
    """The commands of an answer: all that stands behind "type:" to the end of its line, or alone on the next one."""
    return re.findall(r"ype: ?\n?\s*(plumbline .*)$", text, re.MULTILINE)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=_WORD.filter(lambda one: "/" not in one and one.strip() == one != ""), reason=_WORD)
def test_what_is_suggested_for_a_target_of_any_name_means_that_target(here: Bash, name: str, reason: str) -> None:
    """An exemption without --control is answered with the whole command; pasted, it exempts exactly that."""
    house, target = House(), replace(LAMP, id=name)
    house.aws.lamps[name] = {"on": ["a"]}
    house.engine.settle(Wake("lamp-off", target, Origin.EVENT, MALLORY), now=NOW)
    answer = house.type("exempt", exactly(target), "--days", "7", "--owner", "ann", "--reason", f"x{reason}")
    (command,) = _suggested(answer.text)
    words = _arguments(here, command)
    assert [
        "exempt",
        exactly(target),
        "--days",
        "7",
        "--owner",
        "ann",
        "--reason",
        f"x{reason}",
        "--control",
        "all",
    ] == words
    assert house.type(*words).ok
    assert [True] == [one.covers("lamp-off", target) for one in house.ledger.exemptions]
    (made,) = house.ledger.exemptions
    (end,) = _suggested(house.type("exemptions").text)
    assert ["unexempt", made.id] == _arguments(here, end)


def test_whatever_is_suggested_is_a_command_that_can_be_typed(here: Bash) -> None:
    """In the answers to a round of commands, in an account in which everything has a difficult name."""
    suggested = {one for _, text in answers("it's a *") for one in _suggested(text)}
    verbs = set()
    for one in suggested:
        verb, *words = _arguments(here, one)
        COMMANDS[verb].read([word for word in words if word != "--json"])
        verbs.add(verb)
    assert {"show", "plan", "resume", "exempt", "unexempt", "findings", "exemptions"} <= verbs


def test_no_command_is_named_in_the_package_that_does_not_exist() -> None:
    named = {
        (path.name, verb)
        for path in PACKAGE.rglob("*.py")
        for verb in re.findall(r"ype: plumbline ([a-z]+)", path.read_text())
    }
    assert set() == {(path, verb) for path, verb in named if verb not in COMMANDS}
    assert named


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed here; CloudShell has it")
def test_the_pattern_that_began_it_is_quoted_and_no_file_takes_its_place(tmp_path: Path) -> None:
    here = Bash.at(tmp_path)
    answer = House().type("exempt", "*", "--control", "all", "--days", "7", "--owner", "ann", "--reason", "party")
    (command,) = _suggested(answer.text)
    assert "plumbline exempt '*' --control all --days 7 --owner ann --reason party --all" == command
    assert "*" == _arguments(here, command)[1]
