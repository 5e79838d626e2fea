"""What a handful of paired runs can say, and how surely."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev

_SURE = 0.95


@dataclass(frozen=True, slots=True)
class Ratio:
    """How much one side takes of what another takes, from runs in pairs.

    Attributes:
        middle: the geometric mean of the pairs' ratios.
        low: where the 95 % interval of that mean begins.
        high: where it ends.
    """

    middle: float
    low: float
    high: float

    def within(self, share: float) -> bool:
        """Whether the whole interval lies as near to 1 as `share`, on either side."""
        return 1 - share <= self.low and self.high <= 1 + share

    @property
    def as_ratio(self) -> str:
        """`0.71 x (0.69-0.73)`."""
        return f"{self.middle:.2f} x ({self.low:.2f}-{self.high:.2f})"

    @property
    def as_difference(self) -> str:
        """`+0.4 % (-1.2 to +2.0)`."""
        middle, low, high = ((one - 1) * 100 for one in (self.middle, self.low, self.high))
        return f"{middle:+.1f} % ({low:+.1f} to {high:+.1f})"


def paired(one: Sequence[float], other: Sequence[float]) -> Ratio:
    """The ratio of two series that were taken in pairs; what slowed one pair's machine weighs on both of it.

    By Student's t on the logarithms. With fewer than two pairs nothing is known: the interval is without end.
    """
    logs = [math.log(a / b) for a, b in zip(one, other, strict=True)]
    middle = fmean(logs)
    half = _quantile(len(logs) - 1) * stdev(logs) / math.sqrt(len(logs)) if len(logs) > 1 else math.inf
    return Ratio(math.exp(middle), math.exp(middle - half), math.exp(middle + half))


def _quantile(degrees: int) -> float:
    """Student's t for a two-sided interval of 95 %, by Hill's expansion; below three degrees it is not near enough."""
    exact = {1: 12.706, 2: 4.303}
    if degrees in exact:
        return exact[degrees]
    z = NormalDist().inv_cdf((1 + _SURE) / 2)
    return (
        z
        + (z**3 + z) / (4 * degrees)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * degrees**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * degrees**4)
    )
