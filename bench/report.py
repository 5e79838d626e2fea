"""The table: every figure beside a floor, a peer or a goal of the same run."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench import wakes
from bench.bill import Item
from bench.figures import Ratio, paired
from bench.processes import Sample
from bench.sizes import Size
from bench.wakes import Contest, Counted

WIDTH = 80
_TIMES_FLOOR, _TIMES_BY_HAND, _WARM, _MEGABYTES, _DOLLARS = 1.3, 0.8, 0.3, 3.0, 1.0
_NO_DEARER = 0.03
_BUCKET_SECONDS = 0.005
_MILLION = 1_000_000
_EXPLAINED = {
    wakes.FLOOR: "import boto3, make the distinct clients of a repair",
    wakes.BARE: "the clients Plumbline makes, the calls it performs",
    wakes.BY_HAND: "a handler written for this repair alone",
    wakes.BY_HAND_OUR_ROOTS: "the same, trusting the few certificates ours does",
    wakes.BY_HAND_NO_GC: "the same, garbage collector off as in ours",
    wakes.PLUMBLINE: "react: judge, store undo, repair, e-mail",
    wakes.GROWN: f"the same with {wakes.SIZE} controls",
    wakes.WARM: "the next wake in the same process",
    wakes.CUSTODIAN: "its handler, with byte code added: repair",
    wakes.CUSTODIAN_AS_DEPLOYED: "its handler as it ships it, no byte code",
}
_PAIRS = (
    *((wakes.PLUMBLINE, other) for other in (wakes.BY_HAND, wakes.BY_HAND_OUR_ROOTS, wakes.BY_HAND_NO_GC)),
    *((wakes.PLUMBLINE, other) for other in (wakes.FLOOR, wakes.BARE, wakes.CUSTODIAN, wakes.CUSTODIAN_AS_DEPLOYED)),
    (wakes.WARM, wakes.PLUMBLINE),
)
_NOT_THE_SAME = (
    "Not the same work. Plumbline asks its ledger for exemptions, pauses and budgets, reads and writes under two "
    "narrow roles, stores how to undo before it changes anything, deactivates that one key, looks again, e-mails, and "
    "records the outcome. Custodian deactivates every active key of the user; it keeps no undo, sends no e-mail (that "
    "is a second function, c7n-mailer), does not look again, and acts under one role."
)


@dataclass(frozen=True, slots=True)
class Results:
    """All that was measured."""

    samples: Mapping[str, Sequence[Sample]]
    counted: Sequence[Counted]
    ours: Sequence[Size]
    peer: Size
    contest: Contest
    reads: Mapping[str, float]
    bill: Sequence[Item]


@dataclass(frozen=True, slots=True)
class Goal:
    """A line of the goals, and whether it is met."""

    text: str
    found: str
    met: bool


def goals(results: Results) -> list[Goal]:
    """Every goal with what was found."""
    own, cpu = (_ratio(results.samples, wakes.PLUMBLINE, wakes.FLOOR, of).middle for of in (_own, _cpu))
    peer = _ratio(results.samples, wakes.PLUMBLINE, wakes.CUSTODIAN, _own).middle
    by_hand = _ratio(results.samples, wakes.PLUMBLINE, wakes.BY_HAND, _cpu)
    larger = _larger(results)
    warm = _ratio(results.samples, wakes.WARM, wakes.PLUMBLINE, _cpu)
    few, many = results.contest.today.modules, results.contest.grown.modules
    zipped = sum(size.zipped for size in results.ours) / _MILLION
    month = sum(item.beyond_free for item in results.bill)
    return [
        Goal(f"{wakes.SIZE} controls import the same modules", f"{len(few)} and {len(many)}", few == many),
        Goal(
            f"{wakes.SIZE} controls, CPU: interval within {_NO_DEARER:.0%}",
            larger.as_difference,
            larger.within(_NO_DEARER),
        ),
        Goal(f"cold wake, CPU: at most {_TIMES_BY_HAND} x by hand", by_hand.as_ratio, by_hand.middle <= _TIMES_BY_HAND),
        Goal(f"warm wake, CPU: at most {_WARM} x cold", warm.as_ratio, warm.middle <= _WARM),
        Goal(
            f"a bucket read: at most {_BUCKET_SECONDS * 1000:.0f} ms of CPU",
            f"{results.reads[wakes.PLUMBLINE] * 1000:.1f} ms",
            results.reads[wakes.PLUMBLINE] <= _BUCKET_SECONDS,
        ),
        Goal(f"cold wake, own time: at most {_TIMES_FLOOR} x floor", f"{own:.2f} x", own <= _TIMES_FLOOR),
        Goal(f"cold wake, CPU: at most {_TIMES_FLOOR} x floor", f"{cpu:.2f} x", cpu <= _TIMES_FLOOR),
        Goal("cold wake, own time: below Custodian", f"{peer:.2f} x", peer < 1),
        *(
            Goal(f"{one.wake}: at most {one.goal} AWS calls", f"{len(one.calls)}", len(one.calls) <= one.goal)
            for one in results.counted
            if one.goal
        ),
        Goal(f"layer and functions, zipped: at most {_MEGABYTES:g} MB", f"{zipped:.2f} MB", zipped <= _MEGABYTES),
        Goal(f"a quiet month: below {_DOLLARS:g} USD", f"{month:.2f} USD", month < _DOLLARS),
    ]


def lines(results: Results) -> Iterator[str]:
    """The whole table."""
    yield from _times(results)
    yield from reads(results.reads)
    yield from _calls(results.counted)
    yield from _sizes(results)
    yield from bill("quiet", results.bill)
    yield from _heading("Goals")
    for goal in goals(results):
        yield f"  {goal.text:<{WIDTH - 36}}{goal.found:>26}{'met' if goal.met else 'MISSED':>8}"


def _times(results: Results) -> Iterator[str]:
    rounds = len(next(iter(results.samples.values())))
    yield from _heading("Cold wake: a new process meets one new access key")
    yield f"  Milliseconds, median of {rounds} rounds (lowest-highest), over TLS. Own: all but"
    yield f"  waiting for AWS, an emulator on this machine. Clients: {len(results.contest.today.clients)}."
    yield ""
    yield f"  {'':<24}{'all':>6}{'waited':>9}{'own':>20}{'CPU':>19}"
    for name, samples in results.samples.items():
        yield (
            f"  {name:<24}{_ms(samples, _wall):>6}{_ms(samples, _waited):>9}"
            f"{_spread(samples, _own):>20}{_spread(samples, _cpu):>19}"
        )
        yield f"    {_EXPLAINED[name]}"
    yield ""
    yield "  CPU in pairs: the mean of the ratios within each round, and its 95 % interval"
    yield ""
    for one, other in _PAIRS:
        yield f"  {f'{one} / {other}':<50}{_ratio(results.samples, one, other, _cpu).as_ratio:>28}"
    yield f"  {f'{wakes.GROWN} - {wakes.PLUMBLINE}':<44}{_larger(results).as_difference:>34}"
    yield ""
    yield from textwrap.wrap(_NOT_THE_SAME, WIDTH - 2, initial_indent="  ", subsequent_indent="  ")


def reads(found: Mapping[str, float]) -> Iterator[str]:
    """What a bucket read takes, by who reads."""
    yield from _heading("A bucket read: GetBucketAcl over TLS, one bucket after the other")
    for name, seconds in found.items():
        yield f"  {name:<24}{seconds * 1000:>8.1f} ms of CPU"


def _calls(counted: Sequence[Counted]) -> Iterator[str]:
    yield from _heading("AWS calls of a wake, from the account's own journal")
    for one in counted:
        yield f"  {one.wake}: {len(one.calls)}" + (f" (at most {one.goal})" if one.goal else "")
        yield from textwrap.wrap(", ".join(one.calls), WIDTH - 4, initial_indent="    ", subsequent_indent="    ")


def _sizes(results: Results) -> Iterator[str]:
    yield from _heading("Size of what is uploaded")
    yield f"  {'kB':<40}{'zipped':>10}{'byte code':>13}{'unzipped':>13}"
    total = Size(
        "Plumbline in all",
        *(sum(getattr(one, part) for one in results.ours) for part in ("zipped", "byte_code", "unzipped")),
    )
    for size in (*results.ours, total, results.peer):
        yield f"  {size.name:<40}{_kb(size.zipped):>10}{_kb(size.byte_code):>13}{_kb(size.unzipped):>13}"


def bill(name: str, items: Sequence[Item]) -> Iterator[str]:
    """What a month of an account costs."""
    yield from _heading(f"What a month costs: {name}")
    yield "  In USD: with what AWS gives every account for nothing, for ever; and where"
    yield "  other things have used that up. docs/costs.md says what each line is."
    yield ""
    yield f"  {'':<36}{'units':>14}{'with':>12}{'without':>12}"
    for item in items:
        yield f"  {item.price.what:<36}{item.units:>14,.0f}{item.beyond_free:>12.2f}{item.dollars:>12.2f}"
    with_free, without = sum(one.beyond_free for one in items), sum(one.dollars for one in items)
    yield f"  {'in all':<36}{'':>14}{with_free:>12.2f}{without:>12.2f}"


def beside(items: Sequence[Item]) -> Iterator[str]:
    """What others charge because of it."""
    for item in items:
        yield f"  {item.price.what:<36}{item.units:>14,.0f}{'':>12}{item.dollars:>12.2f}"


def _heading(text: str) -> Iterator[str]:
    yield ""
    yield f"== {text} {'=' * (WIDTH - len(text) - 4)}"
    yield ""


_Figure = Callable[[Sample], float]


def _wall(sample: Sample) -> float:
    return sample.wall


def _waited(sample: Sample) -> float:
    return sample.waited


def _own(sample: Sample) -> float:
    return sample.own


def _cpu(sample: Sample) -> float:
    return sample.cpu


def _ratio(samples: Mapping[str, Sequence[Sample]], one: str, other: str, figure: _Figure) -> Ratio:
    return paired([figure(each) for each in samples[one]], [figure(each) for each in samples[other]])


def _larger(results: Results) -> Ratio:
    return _ratio(results.samples, wakes.GROWN, wakes.PLUMBLINE, _cpu)


def _ms(samples: Sequence[Sample], figure: _Figure) -> str:
    return f"{median(map(figure, samples)) * 1000:.0f}"


def _spread(samples: Sequence[Sample], figure: _Figure) -> str:
    found = [figure(one) * 1000 for one in samples]
    return f"{median(found):.0f} ({min(found):.0f}-{max(found):.0f})"


def _kb(count: int) -> str:
    return f"{count / 1000:,.0f}"
