"""docs/costs.md: what three accounts pay, line by line, counted from what the bench has measured (bench/month.json)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import bill, prices
from bench.bill import BUSY, LARGE, QUIET, Account, Item, Watched
from bench.prices import Price

ACCOUNTS = (QUIET, BUSY, LARGE)
#: What no figure says.
_FRAME = Path(__file__).with_name("costs.md")
_GOAL = 1.0
_FACTS = {
    QUIET: "nothing happens, a few buckets and users, every enabled region governed",
    BUSY: "{buckets:,} buckets, {principals:,} users and roles; {deviations:g} deviations a day, each repaired, "
    "told to {readers} people and announced; {events:.0f} million management events a month, of which {wakes:,} are "
    "heard and come to nothing",
    LARGE: "{buckets:,} buckets, {principals:,} users and roles, all settings of a bucket looked at; {deviations:g} "
    "deviations a day; {events:.0f} million management events a month, of which {wakes:,} are heard and "
    "come to nothing",
}


@dataclass(frozen=True)
class Line:
    """One line of the bill, in words.

    Attributes:
        is_what: what it pays for.
        raises: what makes it more.
        lowers: what makes it less.
    """

    is_what: str
    raises: str
    lowers: str


LINES: Mapping[Price, Line] = {
    prices.ALARMS: Line(
        "two alarms of the stack, and the one on the bill that `billing-alarm` makes; each reads one metric",
        "nothing",
        "an alarm of your own on the bill: where it would warn, none is made",
    ),
    prices.QUEUE: Line(
        "nearly all of it is Lambda asking a queue for messages that are not there; see *Idle polling*",
        "messages: three requests a wake, two a piece of a sweep",
        "nothing that we would advise",
    ),
    prices.COMPUTE: Line(
        "the time of the functions, of 512 MB each, and of 1,769 for react",
        "buckets and principals, for each is looked at every hour; deviations; events that rules hear",
        "`regions` in `baseline.yaml`: each region is two pieces of each sweep; rules that are off",
    ),
    prices.REQUESTS: Line("runs of the functions", "as of their time", "as of their time"),
    prices.SPENDING: Line(
        "`billing-anomalies` asks one question a week about Cost Anomaly Detection, at a cent for each answer",
        "`emails` of that rule, which take another question; changes of monitors and subscriptions: each event is "
        "looked at",
        "`billing-anomalies: {mode: off}`",
    ),
    prices.FILES: Line(
        "files that the stack's own trail writes: records each five minutes where something happens, and hashes of "
        "each region each hour",
        "regions in which something happens all the time",
        "a trail that is there already, which `make deploy` uses: then this line and the records are that trail's",
    ),
    prices.RECORDS: Line(
        "the trail's records of everybody's management events, kept for 13 months",
        "events: Plumbline's own are a part of them",
        "`TrailRetentionDays`; a trail that is there already",
    ),
    prices.METRICS: Line(
        "whether functions failed, asked eight times a day; whether rules of a forwarder failed, asked four times a "
        "day; how long work waits, asked by looks that see some",
        "regions; events that rules hear all the time",
        "`regions` in `baseline.yaml`",
    ),
    prices.WATCHED: Line(
        "the look at Plumbline's own alarms, with each sweep",
        "nothing",
        "nothing",
    ),
    prices.EVENTS: Line(
        "signs of life of forwarders, events that come home from other regions, announcements to other programs",
        "what happens in other regions than home, and deviations",
        "a home where most happens; IAM's events are in us-east-1",
    ),
    prices.SETTINGS: Line(
        "settings of buckets, read one by one, for S3 has no list of them",
        "buckets, and rules about buckets that need another setting: five reads of each as shipped, nine with all",
        "a rule about buckets that is off; see *Very many buckets*",
    ),
    prices.READS: Line("what the ledger is asked", "sweeps, wakes", "nothing"),
    prices.WRITES: Line("what the ledger is told, in three copies: two indexes", "deviations", "nothing"),
    prices.LEDGER: Line(
        "what the ledger holds, and what restores it to any second of the last 35 days",
        "deviations, exemptions, buckets and users that are found wrong",
        "nothing",
    ),
    prices.LOGS: Line("what the functions log", "wakes", "nothing"),
    prices.KEPT_LOGS: Line("the logs, kept for 90 days", "wakes", "`LogRetentionDays`"),
    prices.LETTERS: Line(
        "the weekly summary, and an e-mail for each deviation until the hour's limit of 20 is reached",
        "deviations, and people who are subscribed",
        "clocks that wait, whose e-mails come in one digest",
    ),
    prices.TOPICS: Line("who is subscribed, asked by each look, and e-mails", "deviations", "nothing"),
}


def page(watched: Watched) -> str:
    """The whole page."""
    months = {account: bill.month(watched, account) for account in ACCOUNTS}
    large = {one.price: one for one in months[LARGE]}
    copied, analysed = bill.beside(watched, LARGE)
    idle = next(one for one in months[QUIET] if one.price is prices.QUEUE).parts["idle polls"]
    return _FRAME.read_text().format(
        region=prices.REGION,
        prices_at=prices.AT,
        regions=watched.forwarders + 1,
        measured=watched.at,
        accounts="\n".join(_summary(account, items) for account, items in months.items()),
        goal=_goal(months[QUIET]),
        tables="\n".join(_table(account, items) for account, items in months.items()),
        others="\n".join(_others(watched, account) for account in ACCOUNTS),
        lines="\n".join(_explained(one.price) for one in months[LARGE]),
        pollers=bill.POLLERS,
        idle=idle * prices.QUEUE.dollars,
        idle_beyond=Item(prices.QUEUE, idle).beyond_free,
        buckets=LARGE.buckets,
        reads=LARGE.reads,
        settings=_amount(large[prices.SETTINGS].units),
        settings_usd=large[prices.SETTINGS].dollars,
        copied=copied.dollars,
        analysed=analysed.dollars,
        runs=watched.runs,
        hours=bill.HOURS,
        looks=bill.LOOKS,
        memory=bill.MEMORY,
        reacts=bill.REACTS,
        answer=bill.ANSWER * 1000,
        measured_runs="\n".join(_runs(watched)),
        prices="\n".join(_price(one.price) for one in (*months[LARGE], copied, analysed)),
    )


def _summary(account: Account, items: Sequence[Item]) -> str:
    facts = _FACTS[account].format(**_facts(account))
    return f"| {account.name} | {facts} | {_all(items, free=True):,.2f} | {_all(items):,.2f} |"


def _goal(items: Sequence[Item]) -> str:
    most = ", ".join(f"{one.price.what} {one.dollars:.2f}" for one in items[:4])
    if (total := _all(items)) <= _GOAL:
        return f"The goal is a dollar for a quiet account without what is free, and it is met. The most of it: {most}."
    return (
        f"**The goal is a dollar for a quiet account without what is free, and it is missed by {total - _GOAL:.2f}.** "
        f"The most of it: {most}."
    )


def _table(account: Account, items: Sequence[Item]) -> str:
    lines = [f"## A {account.name} account", "", "| line | units | of which | with | without |"]
    lines.append("| --- | ---: | --- | ---: | ---: |")
    for item in items:
        parts = sorted(item.parts.items(), key=lambda part: -part[1])
        of = "; ".join(f"{name} {_amount(units)}" for name, units in parts) if len(parts) > 1 else "".join(item.parts)
        name, units = item.price.what, _amount(item.units)
        lines.append(f"| {name} | {units} | {of} | {item.beyond_free:,.2f} | {item.dollars:,.2f} |")
    lines.append(f"| **in all** | | | **{_all(items, free=True):,.2f}** | **{_all(items):,.2f}** |")
    return "\n".join(lines) + "\n"


def _others(watched: Watched, account: Account) -> str:
    copies, analysed = bill.beside(watched, account)
    return f"| {account.name} | {_amount(copies.units)} | {copies.dollars:,.2f} | {analysed.dollars:,.2f} |"


def _explained(price: Price) -> str:
    line = LINES[price]
    return f"| {price.what} | {line.is_what} | {line.raises} | {line.lowers} |"


def _runs(watched: Watched) -> Iterator[str]:
    named = {
        "a sweep, with a look at Plumbline itself": watched.sweep,
        "looks at Plumbline itself": watched.look,
        "settles a wake with a repair, cold": watched.wake,
        "settles a wake with a repair, warm": watched.warm_wake,
    }
    for name, run in named.items():
        memory = bill.REACTS if name.startswith("settles") else bill.MEMORY
        yield f"| {name} | {run.cpu:.2f} | {run.seconds(memory):.2f} |"


def _price(price: Price) -> str:
    return f"| {price.what} | {_number(price.dollars)} | {price.free:,.0f} | {price.page} |"


def _facts(account: Account) -> dict[str, object]:
    return {
        "buckets": account.buckets,
        "principals": account.principals,
        "deviations": account.deviations,
        "readers": account.readers,
        "events": account.events / 1e6,
        "wakes": int(account.wakes),
    }


def _all(items: Sequence[Item], *, free: bool = False) -> float:
    return sum(one.beyond_free if free else one.dollars for one in items)


def _amount(units: float) -> str:
    return f"{units:,.0f}" if units >= 100 else f"{units:.3g}"


def _number(dollars: float) -> str:
    return f"{dollars:.9f}".rstrip("0").rstrip(".")
