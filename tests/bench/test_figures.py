"""What a ratio of paired runs may claim."""

from __future__ import annotations

import math

import pytest

from bench.figures import Ratio, _quantile, paired


def test_a_slow_minute_weighs_on_both_of_a_pair() -> None:
    machine = [1.0, 3.0, 0.5, 7.0]
    found = paired([0.8 * slow for slow in machine], machine)
    assert pytest.approx((0.8, 0.8, 0.8)) == (found.middle, found.low, found.high)


def test_the_interval_is_students_on_the_logarithms() -> None:
    found = paired([math.exp(one) for one in (-0.02, 0.0, 0.01, 0.03, 0.03)], [1.0] * 5)
    half = 2.776 * 0.02121 / math.sqrt(5)  # t of four degrees; the sample's standard deviation
    assert pytest.approx((0.01, 0.01 - half, 0.01 + half), abs=1e-4) == tuple(
        math.log(one) for one in (found.middle, found.low, found.high)
    )


#: Source: any table of Student's distribution, two-sided, 95 %.
@pytest.mark.parametrize(("degrees", "expected"), [(1, 12.706), (2, 4.303), (3, 3.182), (9, 2.262), (14, 2.145)])
def test_the_quantiles_are_those_of_the_tables(degrees: int, expected: float) -> None:
    assert pytest.approx(expected, rel=2e-3) == _quantile(degrees)


def test_one_pair_says_nothing_for_sure() -> None:
    assert (2.0, 0.0, math.inf) == tuple(getattr(paired([2.0], [1.0]), one) for one in ("middle", "low", "high"))


@pytest.mark.parametrize(
    ("low", "high", "expected"), [(0.98, 1.02, True), (0.96, 1.0, False), (1.0, 1.04, False), (0.9, 1.1, False)]
)
def test_only_a_whole_interval_lies_within(low: float, high: float, *, expected: bool) -> None:
    assert expected is Ratio(1.0, low, high).within(0.03)


def test_a_ratio_is_told_as_one_and_as_a_difference() -> None:
    found = Ratio(0.714, 0.692, 1.0349)
    assert ("0.71 x (0.69-1.03)", "-28.6 % (-30.8 to +3.5)") == (found.as_ratio, found.as_difference)
