"""Measure whole sweeps of accounts of several sizes, beside Prowler and Cloud Custodian for the same verdicts.

    .venv/dev/bin/python -m bench.sweep [--scales 1,4,16] [--peers 1,4] [--json FILE]

Every side calls the same account under AWS's own names (`served.py`), in the same run, each in a process of its own.
What each finds is compared with what is known to be wrong; a side that sees anything else is not measured. Exit code 0
means that it was measured; a goal that is missed is printed as MISSED. A peer whose environment is missing is named
and left out.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from csv import DictReader
from csv import field_size_limit as largest_field
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, cast

from botocore.session import Session

from bench import certificates, checks, custodian, served, sweep_report
from bench.account import Account, deployed
from bench.checks import Verdict
from bench.cold.peak import INTO
from bench.cold.resolver import PORT
from bench.drawn import ACCOUNT, REGION, Drawn
from bench.floor import Beside
from bench.processes import PYTHON, NotMeasured
from bench.served import Served
from bench.sizes import LAYER
from bench.sweep_report import AGAIN, CUSTODIAN, PLUMBLINE, PROWLER, WHOLE, Measured, Results, Spent
from bench.wakes import Trust
from local.embedded import ROOT, EmbeddedAWSError

PROWLER_PYTHON = ROOT / ".venv" / "prowler" / "bin" / "python"
STATE = ROOT / ".plumbline" / "sweep"
_BASELINE = Path(__file__).with_name("sweep.yaml")
#: An account of next to nothing: what a run of it takes is what it takes to start.
_NOTHING = 0
_UNITS, _WAKES = "PLUMBLINE_UNITS_QUEUE", "PLUMBLINE_WAKES_QUEUE"
_OWN = "plumbline"
#: How much longer than Plumbline a peer runs, at a guess.
_AS_LONG = 8
_DETAILS = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")


@dataclass(frozen=True, slots=True)
class Bench:
    """The deployed account, and what is served in its place.

    Attributes:
        account: the embedded AWS with Plumbline in it.
        served: the account that the sides see.
        own: what Plumbline's own stack has in IAM.
        buckets: the buckets that it has.
        environment: of the sweep's function.
        auditor: the keys of somebody who may read everything, for the peers.
        layer: the built layer, trusting the run's authority.
    """

    account: Account
    served: Served
    own: Mapping[str, Sequence[Mapping[str, Any]]]
    buckets: Sequence[str]
    environment: Mapping[str, str]
    auditor: Mapping[str, str]
    layer: Path

    @property
    def beside(self) -> Beside:
        """What is in the account beside what was drawn."""
        return Beside(len(self.own["RoleDetailList"]), len(self.own["Policies"]), len(self.buckets))

    def react_environment(self) -> dict[str, str]:
        """What react finds in its environment here."""
        here = {name: self.environment[name] for name in (PORT, "AWS_CA_BUNDLE")}
        return self.account.react_environment() | here


_Side = Callable[[Bench, Drawn, str], Measured]


@contextmanager
def ready() -> Iterator[Bench]:
    """Deploy Plumbline, and serve accounts in its place until the end of the block."""
    regions = Session().get_available_regions("ec2")
    names = (
        *certificates.NAMES,
        f"*.s3-control.{REGION}.amazonaws.com",
        *(f"*.{one}.amazonaws.com" for one in regions if one != REGION),
    )
    with (
        deployed(STATE, _BASELINE, plugged=True) as account,
        served.opened(account.aws.endpoint, certificates.issue(STATE / "served", names)) as opened,
    ):
        trust = Trust(opened.certificates.root.read_text())
        few, bundle = trust.few(account.built / LAYER, STATE / "layer"), trust.all(STATE / "served")
        sweep = account.aws.client("lambda").get_function_configuration(FunctionName="plumbline-sweep")
        environment = account.environment_of(sweep["Role"], sweep["Environment"]["Variables"])
        opened.units = environment[_UNITS]
        own: dict[str, list[Mapping[str, Any]]] = {one: [] for one in _DETAILS}
        for page in account.aws.client("iam").get_paginator("get_account_authorization_details").paginate():
            for kind, found in own.items():
                found += [one for one in page.get(kind, ()) if _OWN in one["Arn"]]
        buckets = [one["Name"] for one in account.aws.client("s3").list_buckets()["Buckets"] if _OWN in one["Name"]]
        keys = {name: value for name, value in account.aws.environment().items() if name.startswith("AWS_")}
        kept = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_EC2_METADATA_DISABLED")
        port = {PORT: str(opened.port)}
        yield Bench(
            account,
            opened,
            own,
            buckets,
            environment | port | {"AWS_CA_BUNDLE": str(few)},
            {name: keys[name] for name in kept if name in keys}
            | port
            | {"AWS_CA_BUNDLE": str(bundle), "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION},
            STATE / "layer",
        )


def measure(
    bench: Bench, scales: Sequence[int], peers: Sequence[int], kept: Callable[[Sequence[Measured]], object]
) -> tuple[Results, Sequence[str]]:
    """Every side in every account, what takes longest last.

    Args:
        bench: where.
        scales: how large the accounts are.
        peers: in which of them the peers run, too.
        kept: gets what there is after each measurement, for a run is long.

    Returns:
        What was measured; and what was not, in words.
    """
    both = (checks.IAM, checks.S3)
    runs: list[tuple[int, _Side, str, int]] = [
        (scale, _plumbline, family, scale)
        for scale in (_NOTHING, *scales)
        for family in (WHOLE, checks.IAM, AGAIN, checks.S3)
    ]
    theirs = [side for python, side in _PEERS if peers and python.exists()]
    runs += [
        (scale * _AS_LONG, side, family, scale) for scale in (_NOTHING, *peers) for side in theirs for family in both
    ]
    found: list[Measured] = []
    failed: list[str] = []
    for _, side, family, scale in sorted(runs, key=lambda run: run[0]):
        drawn = Drawn.of(scale)
        bench.served.show(drawn, bench.own, bench.buckets)
        try:
            found.append(side(bench, drawn, family))
        except NotMeasured as error:
            sys.stderr.write(f"not measured: {error}\n")
            failed.append(str(error))
        else:
            kept(found)
    return Results(found, bench.beside), failed


def _plumbline(bench: Bench, drawn: Drawn, family: str) -> Measured:
    """The sweep's function, which takes the pieces of a sweep, or one with the controls of a family.

    The sweep after one of IAM's controls, `AGAIN`, knows what that has found to last.
    """
    line = [str(PYTHON), "-s", "-B", "-m", "bench.cold.sweep_plumbline"]
    line += [str(bench.account.built / "SweepFunction"), str(bench.layer / "python")]
    # Nobody settles what a run reports, so nothing is known of it: what is wrong is news, and nothing waits for long.
    bench.account.forget("finding#", "reported#", *(() if family == AGAIN else ("lasting#",)))
    bench.served.taken()
    calls: list[served.Seen] = []
    wakes: list[Mapping[str, Any]] = []
    verdicts = checks.VERDICTS if family == WHOLE else checks.of(checks.IAM if family == AGAIN else family)

    def talk(handle: Callable[[Any], Any]) -> None:
        if family == WHOLE:
            handle({})
        else:
            controls = [name for one in verdicts for name in one.controls]
            unit = {"plumbline-unit": 1, "account": ACCOUNT, "region": "global", "controls": controls, "last": False}
            bench.served.waiting.append(json.dumps(unit))
            handle({"plumbline-task": "pieces"})
        for body in (*bench.served.undone.values(), *bench.served.waiting):
            raise NotMeasured(f"the sweep could not look through {body[:200]}")
        wakes.extend(map(json.loads, _sent(calls, bench, _WAKES)))

    took = spent(line, bench.environment, lambda handle: talk(lambda event: _noting(bench, calls, handle, event)))
    seen = {
        one.what: frozenset(
            checks.subject(wake["target"])
            for wake in wakes
            if wake.get("control") in one.controls and _OWN not in wake["target"]
        )
        for one in verdicts
    }
    return _judged(PLUMBLINE, family, drawn, calls, took, seen, verdicts)


def _noting(bench: Bench, calls: list[served.Seen], handle: Callable[[Any], Any], event: Any) -> Any:
    answer = handle(event)
    calls += bench.served.taken()
    return answer


def _sent(calls: Sequence[served.Seen], bench: Bench, queue: str) -> list[str]:
    """The bodies of the messages that were sent to one of the queues."""
    batches = [json.loads(one.parameters.partition("/")[2]) for one in calls if one.operation == "SendMessageBatch"]
    url = bench.environment[queue]
    return [one["MessageBody"] for batch in batches if batch["QueueUrl"] == url for one in batch["Entries"]]


def _prowler(bench: Bench, drawn: Drawn, family: str) -> Measured:
    folder = _folder(f"prowler-{family}-{drawn.shape.scale}")
    verdicts = [one for one in checks.of(family) if one.checks]
    asked = [check for one in verdicts for check in one.checks]
    line = [str(PROWLER_PYTHON), "-s", "-m", "bench.cold.sweep_prowler", str(folder), *asked]
    bench.served.taken()
    took = spent(line, {**bench.auditor, "HOME": str(folder)}, None)
    largest_field(1 << 30)  # a finding carries every framework that it is part of
    failed: dict[str, set[str]] = {}
    with (folder / "found.csv").open(newline="") as table:
        for row in DictReader(table, delimiter=";"):
            named = f"{row['RESOURCE_UID']} {row['RESOURCE_NAME']}"
            if row["STATUS"] == "FAIL" and _OWN not in named:
                failed.setdefault(row["CHECK_ID"], set()).add(checks.subject(named))
    seen = {one.what: frozenset[str]().union(*(failed.get(check, ()) for check in one.checks)) for one in verdicts}
    return _judged(PROWLER, family, drawn, bench.served.taken(), took, seen, verdicts)


def _custodian(bench: Bench, drawn: Drawn, family: str) -> Measured:
    folder = _folder(f"custodian-{family}-{drawn.shape.scale}")
    verdicts = [one for one in checks.of(family) if one.filters]
    policies = folder / "policies.json"
    policies.write_text(json.dumps(checks.policies(verdicts)))
    line = [str(custodian.PYTHON), "-s", "-m", "bench.cold.sweep_custodian", str(folder), str(policies)]
    bench.served.taken()
    took = spent(line, {**bench.auditor, "HOME": str(folder)}, None)
    seen: dict[str, frozenset[str]] = {}
    for number, one in enumerate(verdicts):
        names: set[str] = set()
        for kind in one.filters:
            for resource in json.loads((folder / f"bench-{kind}-{number}" / "resources.json").read_text()):
                named = next(
                    (str(resource[key]) for key in ("UserName", "RoleName", "GroupName", "Name") if key in resource), ""
                )
                names |= {checks.subject(named)} if _OWN not in named else set()
        seen[one.what] = frozenset(names)
    return _judged(CUSTODIAN, family, drawn, bench.served.taken(), took, seen, verdicts)


def _judged(
    side: str,
    family: str,
    drawn: Drawn,
    calls: Sequence[served.Seen],
    took: Spent,
    seen: Mapping[str, frozenset[str]],
    verdicts: Sequence[Verdict],
) -> Measured:
    """A measurement, where the side has seen what is wrong and nothing else.

    Raises:
        NotMeasured: it has not, or it made a call that the account knows no answer to.
    """
    scale = drawn.shape.scale
    unknown = sorted({one.name for one in calls if one.code in ("InvalidAction", "NotImplemented")})
    if unknown:
        raise NotMeasured(f"{side} asked for {', '.join(unknown)}, which bench/answers/ does not know")
    if scale != _NOTHING:
        for one in verdicts:
            wrong = one.subjects(drawn) - frozenset(one.spared(drawn) if side == PLUMBLINE else ())
            if seen[one.what] != wrong:
                more, less = sorted(seen[one.what] - wrong)[:5], sorted(wrong - seen[one.what])[:5]
                raise NotMeasured(f"{side} at {scale}x, {one.what}: sees {more} too, and does not see {less}")
    return Measured.of((side, family, scale), calls, took, len(verdicts))


def spent(
    line: Sequence[str],
    environment: Mapping[str, str],
    talk: Callable[[Callable[[Any], Any]], None] | None,
) -> Spent:
    """Run a process to its end, and say what it took.

    Args:
        line: the command.
        environment: nothing else is inherited but PATH.
        talk: hands it events and reads its answers; None for a process that needs none.

    Raises:
        NotMeasured: it failed.
    """
    log, peak = STATE / "process.log", STATE / "peak"
    peak.unlink(missing_ok=True)
    began = time.monotonic()
    with log.open("w+") as sink:
        process = subprocess.Popen(
            line,
            cwd=ROOT,
            env={"PATH": os.environ.get("PATH", os.defpath), INTO: str(peak), **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if talk else sink,
            stderr=sink,
            text=True,
        )
        given, answered = cast("IO[str]", process.stdin), process.stdout

        def handle(event: Any) -> Any:
            given.write(json.dumps(event) + "\n")
            given.flush()
            answer = answered.readline() if answered else ""
            if not answer:
                raise NotMeasured(f"{line[-3]} ended without an answer:\n{log.read_text()[-2000:]}")
            return json.loads(answer)

        try:
            if talk:
                talk(handle)
        finally:
            given.close()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise NotMeasured(f"{' '.join(line[:6])} ended with {process.returncode}:\n{log.read_text()[-2000:]}")
    return Spent(used.ru_utime + used.ru_stime, time.monotonic() - began, int(peak.read_text()))


#: The peers, each in an environment of its own.
_PEERS: Sequence[tuple[Path, _Side]] = ((PROWLER_PYTHON, _prowler), (custodian.PYTHON, _custodian))


def _folder(name: str) -> Path:
    folder = STATE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.sweep", description=__doc__)
    parser.add_argument("--scales", default="1,4,16", help="how large the accounts are (1,4,16)")
    parser.add_argument(
        "--peers", default="1,4", help="in which of them the peers run (1,4); in 16 they take half an hour"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what there is after each measurement")
    parser.add_argument("--read", type=Path, metavar="FILE", help="measure nothing; print what was written there")
    arguments = parser.parse_args()
    if arguments.read:
        sys.stdout.write("\n".join(sweep_report.lines(_read(arguments.read))) + "\n")
        return 0
    scales, peers = ([int(one) for one in text.split(",") if one] for text in (arguments.scales, arguments.peers))
    missing = [str(one) for one in (PYTHON, *(python for python, _ in _PEERS)) if not one.exists()]
    if missing:
        sys.stderr.write(f"missing: {', '.join(missing)}; run `make setup .venv/bench/.ready .venv/prowler/.ready`\n")
    if not PYTHON.exists():
        return 1
    try:
        with ready() as bench:

            def keep(found: Sequence[Measured]) -> None:
                sys.stderr.write(f"{time.strftime('%H:%M:%S')} {found[-1].line}\n")
                if arguments.json:
                    whole = {"beside": asdict(bench.beside), "measured": [asdict(one) for one in found]}
                    arguments.json.write_text(json.dumps(whole, indent=1) + "\n")

            results, failed = measure(bench, scales, peers, keep)
    except (EmbeddedAWSError, NotMeasured) as error:
        sys.stderr.write(f"not measured: {error}\n")
        return 1
    sys.stdout.write("\n".join(sweep_report.lines(results)) + "\n")
    sys.stderr.write("".join(f"not measured: {one}\n" for one in failed))
    return 1 if failed else 0


def _read(file: Path) -> Results:
    found = json.loads(file.read_text())
    return Results([Measured(**one) for one in found["measured"]], Beside(**found["beside"]))


if __name__ == "__main__":
    sys.exit(main())
