"""What is told of whole sweeps, and which goals are met."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench import checks
from bench.drawn import Drawn
from bench.floor import Beside, floor, total
from bench.report import WIDTH
from bench.served import Seen
from bench.sweep_report import AGAIN, CUSTODIAN, PLUMBLINE, PROWLER, WHOLE, Measured, Results, Spent, goals, lines

BESIDE = Beside(roles=12, policies=23, buckets=1)
FLOOR = {one.operation: one.calls for one in floor(Drawn.of(1), BESIDE)}
MEGABYTE = 1_000_000


def _run(side: str, family: str, scale: int, cpu: float, **changed: int) -> Measured:
    calls = {**{name: count * scale for name, count in FLOOR.items()}, "dynamodb Query": 50} if scale else {}
    return Measured(side, family, scale, {**calls, **changed}, {}, cpu, 60.0, 90 * MEGABYTE, 8)


def _results(*more: Measured) -> Results:
    both = (checks.IAM, checks.S3)
    starts = [_run(side, family, 0, 2.0) for side in (PLUMBLINE, PROWLER, CUSTODIAN) for family in (WHOLE, *both)]
    ours = [_run(PLUMBLINE, WHOLE, 1, 12.0), *(_run(PLUMBLINE, family, 1, 5.0) for family in both)]
    theirs = [_run(PROWLER, family, 1, 12.0) for family in both]
    changed = {(one.side, one.family, one.scale) for one in more}
    kept = [one for one in (*starts, *ours, *theirs) if (one.side, one.family, one.scale) not in changed]
    return Results([*kept, *more], BESIDE)


def _goal(results: Results, begin: str) -> tuple[str, bool]:
    return next((one.found, one.met) for one in goals(results) if one.text.startswith(begin))


def test_as_many_calls_as_the_floor_meet_the_goal_and_more_than_a_twentieth_over_it_miss_it() -> None:
    least = total(floor(Drawn.of(1), BESIDE))
    more = least // 20 + 1
    many = _run(PLUMBLINE, WHOLE, 1, 12.0, **{"iam GetRole": more})
    found = [_goal(results, "1x: calls") for results in (_results(), _results(many))]
    assert [
        (f"{least:,} of {least:,}, +0.0%", True),
        (f"{least + more:,} of {least:,}, {more / least:+.1%}", False),
    ] == found


@pytest.mark.parametrize(("more", "expected"), [(0, ("10 of 100, 10.0", True)), (1, ("11 of 100, 9.1", False))])
def test_ten_times_fewer_calls_of_iam_than_each_of_the_others_are_a_goal(more: int, expected: tuple[str, bool]) -> None:
    """In the first sweep, and in each one after it."""
    theirs = [_run(side, checks.IAM, 1, 1.0, **{"iam GetUser": 100}) for side in (PROWLER, CUSTODIAN)]
    results = Results(
        [replace(one, calls={"iam GetUser": 100}) for one in theirs]
        + [
            replace(_run(PLUMBLINE, family, 1, 1.0), calls={"iam ListAccessKeys": 10 + more})
            for family in (checks.IAM, AGAIN)
        ],
        BESIDE,
    )
    found = {one.text: (one.found, one.met) for one in goals(results) if "fewer calls" in one.text}
    assert (
        dict.fromkeys(
            (
                f"1x, {family}: 10 times fewer calls than {side}"
                for side in (PROWLER, CUSTODIAN)
                for family in ("iam", AGAIN)
            ),
            expected,
        )
        == found
    )


def test_one_call_twice_is_a_goal_missed() -> None:
    again = replace(_run(PLUMBLINE, WHOLE, 1, 12.0), twice={"iam GetRole": 1})
    assert [("0", True), ("1", False)] == [_goal(one, "1x: no call twice") for one in (_results(), _results(again))]


@pytest.mark.parametrize(("cpu", "expected"), [(5.0, ("0.30", True)), (5.4, ("0.34", False))])
def test_cpu_is_compared_without_what_it_takes_to_start(cpu: float, expected: tuple[str, bool]) -> None:
    assert expected == _goal(_results(_run(PLUMBLINE, checks.S3, 1, cpu)), "1x, s3: CPU")


@pytest.mark.parametrize(("cpu", "expected"), [(42.0, ("4.0", True)), (47.0, ("4.5", False))])
def test_four_times_the_account_is_four_times_the_cpu(cpu: float, expected: tuple[str, bool]) -> None:
    assert expected == _goal(_results(_run(PLUMBLINE, WHOLE, 4, cpu)), "4x: CPU linear")


@pytest.mark.parametrize(("megabytes", "expected"), [(118, ("1.31", True)), (120, ("1.33", False))])
def test_memory_that_grows_faster_than_the_fifth_root_is_a_goal_missed(
    megabytes: int, expected: tuple[str, bool]
) -> None:
    large = replace(_run(PLUMBLINE, WHOLE, 4, 42.0), peak=megabytes * MEGABYTE)
    assert expected == _goal(_results(large), "4x: memory flat")


def test_a_missed_goal_is_printed_as_missed() -> None:
    table = [*lines(_results(_run(PLUMBLINE, checks.S3, 1, 11.0)))]
    about = [one.split()[-1] for one in table if "third of Prowler" in one]
    assert ["met", "MISSED"] == about


def test_what_the_floor_does_not_have_is_told() -> None:
    table = "\n".join(lines(_results(_run(PLUMBLINE, WHOLE, 1, 12.0, **{"iam GetRole": 12}))))
    assert "  iam GetRole                                 -      12  not in the floor" in table


def test_every_line_fits_a_terminal() -> None:
    assert [] == [line for line in lines(_results()) if len(line) > WIDTH]


def test_a_call_is_made_twice_where_all_that_tells_it_from_others_is_the_same() -> None:
    calls = [
        Seen("iam", "GetRole", "us-east-1", "plumbline-eyes", 200),
        Seen("iam", "GetRole", "us-east-1", "plumbline-eyes", 200),
        Seen("iam", "GetRole", "us-east-1", "plumbline-hands", 200),
        Seen("s3", "GetBucketAcl", "us-east-1", "acme", 200),
        Seen("s3", "GetBucketAcl", "eu-west-1", "acme", 200),
        Seen("dynamodb", "Query", "us-east-1", "house", 200),
        Seen("dynamodb", "Query", "us-east-1", "house", 200),
    ]
    found = Measured.of((PLUMBLINE, WHOLE, 1), calls, Spent(1.0, 1.0, MEGABYTE), 1)
    assert ({"iam GetRole": 1}, 5) == (found.twice, found.number)
