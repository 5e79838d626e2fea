"""The bench of a large ledger, on a small one: it measures what it says, and tells which goals are missed."""

from __future__ import annotations

from bench.ledger import Row, Size, commands, filled, line_of, measured
from bench.served_ledger import serving
from plumbline.adapters.dynamodb import Table
from plumbline.handlers.operate.commands import COMMANDS
from tests.fakes import ACCOUNT


def test_every_command_that_can_be_measured_is() -> None:
    """Nobody is suspended there, and no one is at work on anything with rights of his own."""
    measured_ = {words[0] for words in commands("7F3K").values()}
    assert {"suspend", "release", "done"} == COMMANDS.keys() - measured_


def test_a_list_longer_than_a_page_is_read_to_its_end_over_http() -> None:
    import boto3

    size = Size(700, 900, 4)
    served, some = filled(size)
    with serving(served) as address:
        keys = {"aws_access_key_id": "bench", "aws_secret_access_key": "bench"}
        client = boto3.client("dynamodb", region_name="us-east-1", endpoint_url=address, **keys)
        table = Table(lambda *_: client, "ledger", "us-east-1")
        before = served.calls
        found = table.open_findings(ACCOUNT)
        assert (700, True) == (len(found), served.calls - before > 1)
        assert some in {one.id for one in found}
        assert 900 == len(table.lives(ACCOUNT))
        assert 4 == len(table.all_exemptions(ACCOUNT))
        client.close()


def test_each_is_run_in_a_process_of_its_own_and_its_reads_are_counted() -> None:
    (row,) = measured(Size(40, 60, 6), only="react settles")
    assert (True, True) == (row.peak > 10, 0 < row.units <= 10)


def test_goals_that_are_missed_are_named() -> None:
    row = Row("status", cpu=3.0, peak=300, answered=7_000_000, units=1, writes=0)
    assert ["time", "memory", "answer"] == row.missed
    assert line_of(row).endswith("| **MISSED: time, memory, answer** |")
