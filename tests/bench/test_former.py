"""Version 0.1 beside today's: where its code comes from, and what is said of what it did."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bench import batches, large
from bench.former import history, ledgers, sweeps
from bench.former.own.ledger import commands
from bench.ledger import Size
from bench.processes import NotMeasured
from local.embedded import ROOT

needs_history = pytest.mark.usefixtures("version_0_1")
SWEPT = sweeps.Swept(
    account="16x", milliseconds=140, within=300, invocations=5, killed=3, given_up=1, longest=300.0, noted=1.42,
    ended=1.42, reads=6434, of_buckets=2_000, twice=2094, cpu=1.7, held=2093, wakes=149,
)  # fmt: skip


@pytest.fixture
def version_0_1() -> None:
    """A clone without history, or without git, has no version 0.1 to measure."""
    if why := history.missing():
        pytest.skip(why)


def test_two_who_unpack_at_a_time_have_the_same(tmp_path: Path) -> None:
    if why := history.missing():
        pytest.skip(why)
    folder = tmp_path / "version"
    with ThreadPoolExecutor() as threads:
        found = list(threads.map(lambda _: history.unpacked(folder=folder), range(4)))
    assert [folder] * 4 == found
    assert [folder] == list(tmp_path.iterdir())


def test_without_the_history_it_is_said_what_brings_it(tmp_path: Path) -> None:
    with pytest.raises(NotMeasured, match="git fetch --unshallow"):
        history.unpacked("0" * 40, tmp_path / "unpacked")


def test_another_version_is_not_taken_for_it(tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text("Resources: {}\n")
    with pytest.raises(NotMeasured, match=r"does not hold version 0\.1"):
        history.unpacked(folder=tmp_path)


def test_its_code_comes_before_todays() -> None:
    folder = Path("unpacked")
    before = history.environment(folder)["PYTHONPATH"].split(os.pathsep)
    assert ["unpacked/layers/plumbline", "unpacked", str(ROOT)] == before
    assert "-P" in history.line("sweep")


def test_a_number_is_that_of_its_own_resource(tmp_path: Path) -> None:
    text = "Resources:\n  One:\n    Type: A\n\n    Timeout: 60\n  # about the other\n  Other:\n    Timeout: 300\n"
    (tmp_path / "template.yaml").write_text(text)
    assert (60, 300) == (history.number(tmp_path, "One", "Timeout"), history.number(tmp_path, "Other", "Timeout"))


def test_what_was_given_up_was_never_swept_whatever_was_noted() -> None:
    cells = [cell.strip() for cell in SWEPT.line.split("|")]
    assert ["16x, version 0.1", "140", "5, 3 killed", "300 of 300", "never; noted as done after 1"] == cells[1:6]
    assert SWEPT.line.count("|") == next(iter(large.lines([]))).count("|")


@needs_history
def test_it_has_ten_controls_which_are_there_today() -> None:
    from plumbline.controls import registry

    assert (10, True) == (
        len(history.controls(history.unpacked())),
        set(history.controls(history.unpacked())) <= registry.load().keys(),
    )


@needs_history
def test_its_own_code_sweeps_a_middling_account() -> None:
    found = sweeps.sweep("1x", large.ACCOUNTS["1x"], 60)
    assert (0, 3, 0) == (found.killed, found.invocations, found.twice)
    assert found.of_buckets == 400
    assert found.noted is not None
    assert found.noted < found.ended < found.within


@needs_history
def test_a_unit_that_takes_longer_than_its_function_has_is_killed_and_given_up() -> None:
    found = sweeps.sweep("1x", large.ACCOUNTS["1x"], 1_000)
    assert (3, 1, True) == (found.killed, found.given_up, found.noted is not None)


@needs_history
def test_its_ledger_is_written_in_its_own_format() -> None:
    served, some = ledgers.filled(Size(40, 60, 6))
    kinds = Counter(sk.partition("#")[0] for _, sk in served.table.items)
    assert {"finding": 60, "exemptions": 1, "swept": 1} == kinds
    assert some in {item["id"]["S"] for item in served.table.items.values() if "id" in item}


@needs_history
def test_what_it_does_is_run_in_a_process_of_its_own_and_its_reads_are_counted() -> None:
    (line,) = ledgers.lines(Size(40, 60, 6), only="react settles")
    name, *cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert ("react settles, version 0.1", 7) == (name, float(cells[4]))


@needs_history
def test_what_is_typed_is_what_it_knew() -> None:
    code = "from plumbline.operate import COMMANDS; print(*COMMANDS)"
    line, environment = [sys.executable, "-P", "-c", code], history.environment(history.unpacked())
    known = subprocess.run(line, check=True, capture_output=True, text=True, env=environment).stdout.split()
    assert {words[0] for words in commands("7F3K").values()} <= set(known)


def test_its_wakes_stand_below_todays_and_above_the_goals() -> None:
    lines = list(batches.lines([batches.Batch(1, 1, 1.5, 31, 8, 1 << 20)], ["| 1, version 0.1 |"]))
    assert lines.index("| 1, version 0.1 |") == lines.index("") - 1
