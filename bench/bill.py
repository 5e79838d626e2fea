"""What a month costs, line by line: of what was watched in an hour (month.py), and of how much happens. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from bench import prices
from bench.prices import Price

_FIGURES = Path(__file__).with_name("month.json")
HOURS, DAYS, WEEKS = 730, 730 / 24, 730 / 24 / 7
#: How often an hour the sweep's function looks at Plumbline itself by its schedule, beside what a sweep begins with.
LOOKS = 6
#: Megabytes of a function, and of react: one whole core.
MEMORY, REACTS = 512, 1769
_WHOLE_CORE = 1769
#: Seconds that AWS takes for an answer, where it was not measured.
ANSWER = 0.060
#: Lambda keeps so many pollers on a queue, each asking every 20 seconds, so many functions run its messages at once.
#: Source: AWS Lambda developer guide, Configuring scaling behavior for SQS event source mappings: five, and as few as
#: two where no maximum concurrency is set. That each waits for 20 seconds people see: 15 empty answers a minute.
POLLERS, AT_ONCE, _POLLS_AN_HOUR = 5, 5, 180
POLLED = 1  # queue
#: Signs of life of one forwarder an hour.
_BEATS = 60 / 25
#: How often a day CloudWatch is asked which rules of a forwarder failed; of how many functions, and how often, whether
#: they failed.
_RULES_ASKED, _FUNCTIONS_ASKED, _FUNCTIONS_ASKED_A_DAY = 4, 4, 8
#: What a sweep of each week asks of Cost Explorer, for billing-anomalies: the monitors. Who names somebody to be told
#: has it ask for the subscriptions too.
_OF_SPENDING = 1
#: Log files that a trail writes an hour where something is read all the time, where once an hour, and of hashes.
_FILES_HERE, _FILES_THERE, _HASHES = 12, 1, 1
#: Bytes of one compressed record of a trail; months that they are kept, as the template has it, and that logs are.
_RECORD, RECORDS_KEPT, LOGS_KEPT = 250, 13, 3
#: Writes of an item, with the ledger's two indexes.
_COPIES = 3
#: What reads and writes items; what else the ledger is asked is no read of it.
_LEDGERS = frozenset(
    f"dynamodb {one}" for one in ("BatchGetItem", "GetItem", "PutItem", "Query", "TransactWriteItems", "UpdateItem")
)
#: What CloudTrail counts as data events beside these, which a trail of management events leaves out.
_DATA = frozenset({
    "cloudwatch GetMetricData", "sns Publish", "sqs ChangeMessageVisibility", "sqs ChangeMessageVisibilityBatch",
    "sqs DeleteMessage", "sqs DeleteMessageBatch", "sqs ReceiveMessage", "sqs SendMessage", "sqs SendMessageBatch",
})  # fmt: skip
#: Gigabytes of a quiet ledger, and of a finding with its indexes, a month's worth of which for a year and a month.
_LEDGER, _FINDING, _FINDINGS_KEPT = 1e-3, 20e-6, 13


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of a function took, in a process of its own.

    Attributes:
        cpu: seconds of a whole core.
        blocked: seconds in which it waited for an emulator.
        answer: seconds that the emulator took for an answer, in the mean.
    """

    cpu: float
    blocked: float
    answer: float

    def seconds(self, memory: int = MEMORY) -> float:
        """As Lambda takes them: at a share of a core, and with AWS's answers; as if nothing of both overlapped.

        Args:
            memory: megabytes of the function.
        """
        return self.cpu * _WHOLE_CORE / memory + self.blocked * (ANSWER / self.answer if self.answer else 0)

    def gigabyte_seconds(self, memory: int = MEMORY) -> float:
        """The same as Lambda bills it."""
        return self.seconds(memory) * memory / 1024


@dataclass(frozen=True, slots=True)
class Watched:
    """A quiet account that governs every region, watched for one sweep and one look at Plumbline itself.

    Attributes:
        at: on which day, ISO.
        runs: of the sweep's function in that sweep: one, which takes the pieces, and others where it calls them.
        settles: runs of react and announce that the sweep brought about.
        swept: AWS calls of all roles in that sweep, by service and operation.
        looked: the same of one look at Plumbline itself.
        log_bytes: what the functions logged in that sweep.
        look_log_bytes: the same of the look, and about that of any other run.
        alarms: the metrics that alarms of the stack read.
        forwarders: in how many other regions one stands.
        sweep: a whole sweep in one run, cold.
        look: one that looks at Plumbline itself, cold.
        wake: react's, cold, of one that repairs.
        warm_wake: the next in the same process.
        wake_calls: the same as calls.
    """

    at: str
    runs: int
    settles: int
    swept: Mapping[str, int]
    looked: Mapping[str, int]
    log_bytes: int
    look_log_bytes: int
    alarms: int
    forwarders: int
    sweep: Run
    look: Run
    wake: Run
    warm_wake: Run
    wake_calls: Mapping[str, int]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """What was written as `dataclasses.asdict` has it."""
        runs = {name: Run(**data[name]) for name in ("sweep", "look", "wake", "warm_wake")}
        return cls(**{**data, **runs})


def read(file: Path = _FIGURES) -> Watched:
    """What was measured last, as `python -m bench.month --json bench/month.json` wrote it."""
    return Watched.from_json(json.loads(file.read_text()))


@dataclass(frozen=True, slots=True)
class Account:
    """How much there is in an account, and how much happens.

    Attributes:
        name: what it is called.
        buckets: how many more there are than a quiet account's few.
        reads: settings that a sweep reads of each bucket.
        principals: users and roles.
        deviations: each day; each is repaired, told in one e-mail, and announced to other programs.
        wakes: events each month that a rule hears, of which nothing comes.
        events: management events each month, of everybody.
        readers: who reads each e-mail.
        elsewhere: the share of events that happen in another region than home.
    """

    name: str
    buckets: int = 0
    reads: int = 0
    principals: int = 0
    deviations: float = 0
    wakes: float = 0
    events: float = 0
    readers: int = 1
    elsewhere: float = 0.2


QUIET = Account("quiet")
BUSY = Account("busy", buckets=200, reads=7, principals=350, deviations=50, wakes=50_000, events=5e6, readers=3)
LARGE = Account(
    "very large", buckets=20_000, reads=9, principals=5_000, deviations=50, wakes=500_000, events=50e6, readers=3
)
#: CPU seconds of one more call of a sweep, and how many are under way at once: `make sweeps`, 16 times, all controls.
_CALL, _IN_FLIGHT = 0.0014, 16
#: Calls of IAM that a sweep makes for each principal more: `make sweeps`, iam at 16 times.
_OF_A_PRINCIPAL = 0.33


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the bill.

    Attributes:
        price: what is charged.
        units: how many a month.
        parts: what they are for, in words, with how many.
    """

    price: Price
    units: float
    parts: Mapping[str, float] = field(default_factory=dict)

    @property
    def dollars(self) -> float:
        """What it costs when others have used up what is free."""
        return self.units * self.price.dollars

    @property
    def beyond_free(self) -> float:
        """What it costs when nobody else uses it."""
        return max(0.0, self.units - self.price.free) * self.price.dollars


def item(price: Price, **parts: float) -> Item:
    """A line of the bill; what it is made of is named by words with underscores between them."""
    named = {name.replace("_", " "): units for name, units in parts.items() if units}
    return Item(price, sum(named.values()), named)


def month(watched: Watched, account: Account) -> Sequence[Item]:
    """Everything that Plumbline's own month costs, dearest first.

    What a second trail and GuardDuty charge for it is `beside`: most accounts have neither.
    """
    hourly = _calls(watched)
    ledger = {name: count for name, count in hourly.items() if name in _LEDGERS}
    writes = sum(count for name, count in ledger.items() if _is_write(name))
    wakes, found = account.wakes, account.deviations * DAYS
    of_a_wake = {name: count for name, count in watched.wake_calls.items() if name in _LEDGERS}
    wake_writes = sum(count for name, count in of_a_wake.items() if _is_write(name))
    wake_reads = sum(of_a_wake.values()) - wake_writes
    beats = watched.forwarders * _BEATS * HOURS
    settings = account.buckets * account.reads * HOURS
    runs = {
        "sweeps": watched.runs * HOURS,
        "looks at itself": LOOKS * HOURS,
        "wakes": watched.settles * HOURS + found + wakes / _batch(account),
        "announcements": found * 2,
    }
    events = wakes + found
    items = (
        item(prices.REQUESTS, **{name.replace(" ", "_"): count for name, count in runs.items()}),
        item(prices.COMPUTE, **_gigabyte_seconds(watched, account)),
        item(
            prices.QUEUE,
            idle_polls=POLLED * POLLERS * _POLLS_AN_HOUR * HOURS,
            calls=_of(hourly, "sqs ") * HOURS,
            wakes=3 * events,
            signs_of_life=beats,
        ),
        item(prices.READS, sweeps=(sum(ledger.values()) - writes) * HOURS, wakes=events * wake_reads),
        item(prices.WRITES, sweeps=_COPIES * writes * HOURS, wakes=_COPIES * (found * wake_writes + wakes)),
        item(prices.LEDGER, ledger=_LEDGER + found * _FINDINGS_KEPT * _FINDING),
        item(prices.ALARMS, of_the_stack=watched.alarms, on_the_bill=1),
        item(
            prices.METRICS,
            rules_of_forwarders=watched.forwarders * _RULES_ASKED * DAYS,
            functions=_FUNCTIONS_ASKED * _FUNCTIONS_ASKED_A_DAY * DAYS,
            late_wakes=LOOKS * HOURS if wakes else 0,  # as if there were one in the queue at each look
        ),
        item(prices.WATCHED, calls=(_of(hourly, "cloudwatch ") - hourly.get("cloudwatch GetMetricData", 0)) * HOURS),
        item(prices.LOGS, **_logged(watched, account)),
        item(prices.KEPT_LOGS, **{name: LOGS_KEPT * size for name, size in _logged(watched, account).items()}),
        item(prices.LETTERS, weekly_summaries=WEEKS * account.readers, alerts=found * account.readers),
        item(prices.TOPICS, calls=_of(hourly, "sns ") * HOURS, alerts=found),
        item(
            prices.FILES,
            trail=(_FILES_HERE + (_FILES_THERE + _HASHES) * watched.forwarders + _HASHES) * HOURS,
            lists=hourly.get("s3 ListBuckets", 0) * HOURS + account.buckets / 1000 * HOURS,
        ),
        item(prices.SETTINGS, **_settings(hourly, settings)),
        item(prices.RECORDS, trail=(own_events(watched, account) + account.events) * _RECORD * RECORDS_KEPT / 1e9),
        item(
            prices.EVENTS,
            signs_of_life=beats,
            events_from_elsewhere=account.elsewhere * events,
            announcements=found * 2,
        ),
        item(prices.SPENDING, billing_anomalies=_OF_SPENDING * WEEKS),
    )
    return sorted(items, key=lambda one: -one.dollars)


def beside(watched: Watched, account: Account) -> Sequence[Item]:
    """What others charge because of Plumbline: a further trail's copy of its reads, and who analyses them."""
    own = own_events(watched, account)
    return (item(prices.COPIES, reads=own), item(prices.ANALYSED, reads=own))


def own_events(watched: Watched, account: Account) -> float:
    """Management events that Plumbline makes in a month; what it does with the ledger, messages and logs is none."""
    hourly = _calls(watched)
    read = sum(count for name, count in hourly.items() if name not in _LEDGERS | _DATA)
    more = account.buckets * account.reads + account.principals * _OF_A_PRINCIPAL
    wakes = sum(count for name, count in watched.wake_calls.items() if name not in _LEDGERS | _DATA)
    return (read + more) * HOURS + (account.wakes + account.deviations * DAYS) * wakes


def _calls(watched: Watched) -> dict[str, int]:
    """Calls of an hour."""
    names = {*watched.swept, *watched.looked}
    return {name: watched.swept.get(name, 0) + LOOKS * watched.looked.get(name, 0) for name in names}


def _gigabyte_seconds(watched: Watched, account: Account) -> dict[str, float]:
    more = account.buckets * account.reads + account.principals * _OF_A_PRINCIPAL
    longer = more * (_CALL * _WHOLE_CORE / MEMORY + ANSWER / _IN_FLIGHT) * MEMORY / 1024
    found, batches = account.deviations * DAYS, account.wakes / _batch(account)
    wake, warm_wake = watched.wake.gigabyte_seconds(REACTS), watched.warm_wake.gigabyte_seconds(REACTS)
    return {
        "sweeps": watched.sweep.gigabyte_seconds() * HOURS,
        "buckets_and_principals": longer * HOURS,
        "looks_at_itself": LOOKS * watched.look.gigabyte_seconds() * HOURS,
        "wakes": (watched.settles * HOURS + found + batches) * wake + (account.wakes - batches) * warm_wake / 2,
        "announcements": found * 2 * watched.wake.gigabyte_seconds() / 2,
    }


def _logged(watched: Watched, account: Account) -> dict[str, float]:
    each = watched.look_log_bytes
    wakes = (account.wakes + account.deviations * DAYS) * each
    return {"sweeps": (watched.log_bytes + LOOKS * each) * HOURS / 1e9, "wakes": wakes / 1e9}


def _settings(hourly: Mapping[str, int], settings: float) -> dict[str, float]:
    few = _of(hourly, "s3 ") - hourly.get("s3 ListBuckets", 0)
    return {"of_few_buckets": few * HOURS, "of_the_others": settings}


def _batch(account: Account) -> float:
    """Wakes that react gets at a time: where little happens, each comes alone."""
    return 1 if account.wakes < 100_000 else 3


def _of(calls: Mapping[str, int], beginning: str) -> int:
    return sum(count for name, count in calls.items() if name.startswith(beginning))


def _is_write(name: str) -> bool:
    return any(one in name for one in ("Put", "Write", "Update"))
