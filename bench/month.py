"""What a month costs: one quiet hour is watched in the embedded account, its runs are measured, and bill.py counts.

    python -m bench.month [--json bench/month.json]

A sweep and a look at Plumbline itself are watched: who ran, what was called, what was logged. The same runs are made
anew in processes of the functions' Python, over TLS, to see what each takes: CPU of a whole core, of which a function's
memory buys a share, and waiting. docs/costs.md is made of the file.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from typing import Self

from boto3 import Session

from bench import bill, certificates, front, report
from bench.account import Account
from bench.bill import Run, Watched
from bench.cold import peak
from bench.processes import PYTHON, Command, NotMeasured, Sample, once, started
from bench.sizes import LAYER
from bench.wakes import Trust, in_sqs
from local import deployment
from local.embedded import ROOT, EmbeddedAWS, EmbeddedAWSError

_STATE = ROOT / ".plumbline" / "month"
_HOUSE = {"plumbline-task": "house"}
_FUNCTIONS = ("react", "sweep", "operate", "announce")
#: A run that is disturbed takes more CPU, never less.
_TRIES = 3


def watch() -> Watched:
    """Deploy, let the first sweep be over and done with, watch the next one, and measure its runs.

    Raises:
        EmbeddedAWSError: the account could not be made ready.
        NotMeasured: a run did not do what it is measured for.
    """
    with _deployed() as account:
        aws = account.aws
        _done(aws, {}, "the first sweep and its digest", quiet=35)
        _done(aws, {}, "the sweep that finds adoption done")
        ran, logged = _ran(aws), _logged(aws)
        swept = _watched(aws, {}, "a quiet sweep")
        runs, log_bytes = _ran(aws) - ran, _logged(aws) - logged
        logged = _logged(aws)
        looked = _watched(aws, _HOUSE, "a look at Plumbline itself")
        look_log_bytes = _logged(aws) - logged
        stacks = aws.client("cloudformation").list_stack_instances(StackSetName="plumbline-forwarders")["Summaries"]
        alarms = aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
        functions = _Functions.of(account)
        sweeps = _sweeps(functions)
        cold, warm, calls = _wakes(account, functions)  # last: what it repairs is no quiet account any more
        return Watched(
            at=time.strftime("%Y-%m-%d", time.gmtime()),
            runs=runs["sweep"],
            settles=runs["react"] + runs["announce"],
            swept=swept,
            looked=looked,
            log_bytes=log_bytes,
            look_log_bytes=look_log_bytes,
            alarms=sum(len(one.get("Metrics", ())) or 1 for one in alarms),
            forwarders=len(stacks),
            wake=cold,
            warm_wake=warm,
            wake_calls=calls,
            **sweeps,
        )


@contextmanager
def _deployed() -> Iterator[Account]:
    """Plumbline in an account of its own, whose queues stay plugged; AWS's names of all its regions lead to it."""
    regions = Session().get_available_regions("ec2")
    names = [
        *certificates.NAMES,
        *(f"*.{one}.amazonaws.com" for one in regions),
        *(f"*.s3-control.{one}.amazonaws.com" for one in regions),
        *(f"*.ddb.{one}.amazonaws.com" for one in regions),  # where it is asked about what an ARN names
    ]
    with EmbeddedAWS.start(state=_STATE) as aws:
        deployment.build(aws)
        ledger = deployment.deploy(aws, {"AlertEmail": "security@example.com"})["LedgerTable"]
        issued = certificates.issue(_STATE / "tls", names)
        with front.opened(aws.endpoint, issued, holds=bill.ANSWER) as opened:  # what is asked at a time waits at a time
            yield Account(aws, _STATE / "build", opened, ledger, count(1))


@dataclass(frozen=True, slots=True)
class _Functions:
    """Functions as they were built and deployed, but that they trust the run's own authority.

    Attributes:
        account: where.
        layer: a copy of the layer.
        bundle: the certificates in it.
    """

    account: Account
    layer: Path
    bundle: Path

    @classmethod
    def of(cls, account: Account) -> Self:
        """With a layer made anew."""
        layer = _STATE / "layer"
        shutil.rmtree(layer, ignore_errors=True)
        return cls(account, layer, Trust(account.front.certificates.root.read_text()).few(account.built / LAYER, layer))

    def named(self, name: str, script: str, **changed: str) -> Command:
        """One of them, run by a module of bench.cold, with some of its variables changed."""
        deployed = self.account.aws.client("lambda").get_function_configuration(FunctionName=f"plumbline-{name}")
        environment = self.account.environment_of(deployed["Role"], deployed["Environment"]["Variables"])
        own = {"AWS_CA_BUNDLE": str(self.bundle), peak.INTO: str(_STATE / "peak")}
        built = self.account.built / f"{name.capitalize()}Function"
        return Command(script, (str(built), str(self.layer / "python")), environment | own | changed)


def _sweeps(functions: _Functions) -> dict[str, Run]:
    """The runs of the sweep's function: a whole sweep, which takes its own pieces, and a look at Plumbline itself."""
    sweep = functions.named("sweep", "sweep_plumbline")
    swept = [once(sweep, {}) for _ in range(_TRIES)]
    return {"sweep": _run(_least(swept)), "look": _run(_least([once(sweep, _HOUSE) for _ in range(_TRIES)]))}


def _wakes(account: Account, functions: _Functions) -> tuple[Run, Run, Mapping[str, int]]:
    """React's runs, cold and warm, of the wake that repairs one key; and what it calls."""
    command = functions.named("react", "wake_plumbline")
    found: list[tuple[Sample, Sample]] = []
    for _ in range(_TRIES):
        with started(command) as handle:
            since = account.last_call()
            one = handle(in_sqs(account.event(account.key())))
            calls = Counter(f"{call.service} {call.operation}" for call in account.calls(since))
            found.append((one, handle(in_sqs(account.event(account.key())))))
    cold, warm = (_run(_least(samples)) for samples in zip(*found, strict=True))
    return cold, warm, dict(sorted(calls.items()))


def _least(samples: Sequence[Sample]) -> Sample:
    return min(samples, key=lambda one: one.cpu)


def _run(sample: Sample) -> Run:
    """What is not CPU is waiting for answers, or for a processor of a busy machine, which no function has to share."""
    answer = sample.waited / sample.calls if sample.calls else 0.0
    return Run(sample.cpu, min(sample.waited, max(0.0, sample.wall - sample.cpu)), answer)


def _watched(aws: EmbeddedAWS, event: Mapping[str, str], what: str) -> Mapping[str, int]:
    """What Plumbline's roles call because of an invocation of the sweep."""
    last = max(call.number for call in aws.calls())
    _done(aws, event, what)
    return dict(
        sorted(
            Counter(
                f"{call.service} {call.operation}" for call in aws.calls(last) if call.role.startswith("plumbline-")
            ).items()
        )
    )


def _done(aws: EmbeddedAWS, event: Mapping[str, str], what: str, quiet: float = 3) -> None:
    aws.invoke("plumbline-sweep", dict(event))
    seen = {"calls": -1, "since": 0.0}

    def silent() -> bool:
        calls = len(aws.calls())
        if calls != seen["calls"]:
            seen.update(calls=calls, since=time.monotonic())
        return time.monotonic() - seen["since"] > quiet

    aws.wait(silent, timeout=300, what=f"{what} is over")


def _lines(aws: EmbeddedAWS, function: str) -> list[str]:
    pages = (
        aws.client("logs").get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/plumbline-{function}")
    )
    return [one["message"] for page in pages for one in page["events"]]


def _ran(aws: EmbeddedAWS) -> Counter[str]:
    return Counter({one: sum(line.startswith("REPORT") for line in _lines(aws, one)) for one in _FUNCTIONS})


def _logged(aws: EmbeddedAWS) -> int:
    return sum(len(line) for one in _FUNCTIONS for line in _lines(aws, one))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.month", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured there, for docs/costs.md")
    parser.add_argument("--read", type=Path, metavar="FILE", help="measure nothing; print what was written there")
    arguments = parser.parse_args()
    if not PYTHON.exists():
        sys.stderr.write(f"missing: {PYTHON}; run `make setup .venv/bench/.ready`\n")
        return 1
    try:
        watched = bill.read(arguments.read) if arguments.read else watch()
    except (EmbeddedAWSError, NotMeasured) as error:
        sys.stderr.write(f"not measured: {error}\n")
        return 1
    if arguments.json:
        arguments.json.write_text(json.dumps(asdict(watched), indent=1, sort_keys=True) + "\n")
    for account in (bill.QUIET, bill.BUSY, bill.LARGE):
        sys.stdout.write("\n".join(report.bill(account.name, bill.month(watched, account))) + "\n")
        sys.stdout.write("\n".join(report.beside(bill.beside(watched, account))) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
