"""What was measured of whole sweeps, and which goals are met."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bench import checks
from bench.drawn import Drawn
from bench.floor import Beside, floor, total
from bench.report import WIDTH, Goal
from bench.served import Seen

PLUMBLINE, PROWLER, CUSTODIAN = "Plumbline", "Prowler", "Custodian"
#: All controls, in a whole sweep as the schedule begins it.
WHOLE = "all"
#: The sweep after one of IAM's controls.
AGAIN = "iam again"
_MEGABYTE = 1_000_000
#: How many times fewer calls of IAM than either of the others.
_FEWER = 10
#: Calls over the floor, CPU beside Prowler's, and what growth counts as linear.
_OVER_FLOOR, _OF_PROWLER, _LINEAR = 0.05, 1 / 3, 1.1
#: The exponent of growth that counts as flat: 1.74 times for sixteen times as much.
_FLAT = 0.2
_COUNTED = tuple(service for services in checks.SERVICES.values() for service in services)


#: Side, family, and how large the account was; 0 is next to nothing.
Run = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Spent:
    """What a process took, all of it, Python's own start too.

    Attributes:
        cpu: user and system time, in seconds.
        wall: in seconds.
        peak: the most memory it ever held, in bytes.
    """

    cpu: float
    wall: float
    peak: int


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of one side.

    Attributes:
        family: `iam`, `s3`, `all`, or `AGAIN`.
        scale: how large the account was; 0 is next to nothing.
        calls: how often it called each operation, by service and name.
        twice: of IAM's and S3's, how often it called one again with the same parameters.
        cpu: user and system time, in seconds, start and all.
        wall: in seconds.
        peak: the most memory, in bytes.
        verdicts: how many it was asked for.
    """

    side: str
    family: str
    scale: int
    calls: Mapping[str, int]
    twice: Mapping[str, int]
    cpu: float
    wall: float
    peak: int
    verdicts: int

    @classmethod
    def of(cls, run: Run, calls: Sequence[Seen], spent: Spent, verdicts: int) -> Measured:
        """A run whose calls were written down."""
        again = Counter((one.name, one.region, one.parameters) for one in calls if one.service in _COUNTED)
        twice: Counter[str] = Counter()
        for (name, *_), count in again.items():
            if count > 1:
                twice[name] += count - 1
        by_name = dict(Counter(one.name for one in calls).most_common())
        return cls(*run, by_name, dict(twice), spent.cpu, spent.wall, spent.peak, verdicts)

    @property
    def counted(self) -> Mapping[str, int]:
        """The calls of IAM and S3."""
        return {name: count for name, count in self.calls.items() if name.partition(" ")[0] in _COUNTED}

    @property
    def number(self) -> int:
        """How many those are."""
        return sum(self.counted.values())

    @property
    def line(self) -> str:
        """For whoever waits."""
        return (
            f"{self.side} {self.family} {self.scale}x: {sum(self.calls.values())} calls, {self.cpu:.1f} s of CPU, "
            f"{self.wall:.0f} s, {self.peak / _MEGABYTE:.0f} MB"
        )


@dataclass(frozen=True, slots=True)
class Results:
    """All that was measured.

    Attributes:
        beside: what was in the account beside what was drawn.
    """

    measured: Sequence[Measured]
    beside: Beside

    @property
    def scales(self) -> Sequence[int]:
        """How large the accounts were, smallest first, without the one of next to nothing."""
        return sorted({one.scale for one in self.measured if one.scale})

    def of(self, side: str, family: str, scale: int) -> Measured | None:
        """A run; None where there was none."""
        found = (one for one in self.measured if (one.side, one.family, one.scale) == (side, family, scale))
        return next(found, None)

    def beyond_start(self, measured: Measured) -> float:
        """CPU of a run without what the same process takes in an account of next to nothing."""
        start = self.of(measured.side, measured.family, 0)
        return measured.cpu - (start.cpu if start else 0.0)


def goals(results: Results) -> list[Goal]:
    """Every goal with what was found."""
    return [*_of_calls(results), *_of_peers(results), *_of_cpu(results), *_of_growth(results)]


def _of_calls(results: Results) -> Iterator[Goal]:
    for scale in results.scales:
        sweep = results.of(PLUMBLINE, WHOLE, scale)
        if sweep is None:
            continue
        least = total(floor(Drawn.of(scale), results.beside))
        over = sweep.number / least - 1
        text = f"{scale}x: calls at most {_OVER_FLOOR:.0%} over the floor"
        yield Goal(text, f"{sweep.number:,} of {least:,}, {over:+.1%}", over <= _OVER_FLOOR)
        again = sum(sweep.twice.values())
        yield Goal(f"{scale}x: no call twice", f"{again}", not again)


def _of_peers(results: Results) -> Iterator[Goal]:
    for scale in results.scales:
        for side in (PROWLER, CUSTODIAN):
            theirs = results.of(side, checks.IAM, scale)
            for family in (checks.IAM, AGAIN):
                ours = results.of(PLUMBLINE, family, scale)
                if ours is None or theirs is None:
                    continue
                fewer = theirs.number / ours.number
                text = f"{scale}x, {family}: {_FEWER} times fewer calls than {side}"
                yield Goal(text, f"{ours.number:,} of {theirs.number:,}, {fewer:.1f}", fewer >= _FEWER)


def _of_cpu(results: Results) -> Iterator[Goal]:
    for scale in results.scales:
        for family in (checks.IAM, checks.S3):
            ours, theirs = (results.of(side, family, scale) for side in (PLUMBLINE, PROWLER))
            if ours is None or theirs is None:
                continue
            share = results.beyond_start(ours) / results.beyond_start(theirs)
            yield Goal(f"{scale}x, {family}: CPU below a third of Prowler's", f"{share:.2f}", share < _OF_PROWLER)


def _of_growth(results: Results) -> Iterator[Goal]:
    sweeps = [one for scale in results.scales if (one := results.of(PLUMBLINE, WHOLE, scale))]
    if len(sweeps) < 2:
        return
    first, last = sweeps[0], sweeps[-1]
    by = last.scale / first.scale
    cpu = results.beyond_start(last) / results.beyond_start(first)
    yield Goal(f"{last.scale}x: CPU linear, at most {by * _LINEAR:.1f} times", f"{cpu:.1f}", cpu <= by * _LINEAR)
    memory = last.peak / first.peak
    flat = by**_FLAT
    yield Goal(f"{last.scale}x: memory flat, at most {flat:.2f} times", f"{memory:.2f}", memory <= flat)


def lines(results: Results) -> Iterator[str]:
    """The whole table."""
    yield from _heading("Whole sweeps: calls, and what the process takes")
    yield "  CPU is user and system time, without start: the same process in an account of"
    yield "  next to nothing. Wall clock says little on a machine that does other work."
    yield ""
    yield f"  {'':<24}{'calls':>9}{'twice':>7}{'start s':>9}{'CPU s':>9}{'wall s':>9}{'MB':>7}"
    for one in sorted(results.measured, key=lambda one: (one.scale, one.family, one.side)):
        if not one.scale:
            continue
        net = results.beyond_start(one)
        yield (
            f"  {f'{one.scale}x {one.family} {one.side}':<24}{one.number:>9,}{sum(one.twice.values()):>7,}"
            f"{one.cpu - net:>9.1f}{net:>9.1f}{one.wall:>9.0f}{one.peak / _MEGABYTE:>7.0f}"
        )
    for scale in results.scales:
        yield from _floor(results, scale)
    yield from _heading("Goals")
    for goal in goals(results):
        yield f"  {goal.text:<{WIDTH - 34}}{goal.found:>24}{'met' if goal.met else 'MISSED':>8}"


def _floor(results: Results, scale: int) -> Iterator[str]:
    sweep = results.of(PLUMBLINE, WHOLE, scale)
    if sweep is None:
        return
    yield from _heading(f"{scale}x: the floor, and what the sweep called")
    made = Counter(sweep.counted)
    for one in floor(Drawn.of(scale), results.beside):
        if one.calls or made[one.operation]:
            yield f"  {one.operation:<38}{one.calls:>7,}{made[one.operation]:>8,}  {one.why}"[:WIDTH]
        del made[one.operation]
    for name, count in sorted(made.items()):
        yield f"  {name:<38}{'-':>7}{count:>8,}  not in the floor"
    others: Counter[str] = Counter()
    for name, count in sweep.calls.items():
        if name not in sweep.counted:
            others[name.partition(" ")[0]] += count
    yield f"  others: {', '.join(f'{name} {count}' for name, count in others.most_common())}"[:WIDTH]


def _heading(text: str) -> Iterator[str]:
    yield ""
    yield f"== {text} {'=' * (WIDTH - len(text) - 4)}"
    yield ""
