"""Measure one wake, and a batch of ten, in an account of five thousand roles.

    .venv/dev/bin/python -m bench.batches [--json FILE]

Somebody makes roles administrators, and react takes that back: each repair asks who would be left as an administrator,
which takes a read of the whole account. The account is served from memory under AWS's own names (`served.py`), and
what is detached there is gone. Exit code 0 means that it was measured; a goal that is missed is printed as MISSED.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.drawn import ACCOUNT, ADMINISTRATOR, Drawn, ManyRoles
from bench.former import batches
from bench.processes import PYTHON, NotMeasured
from bench.sweep import Bench, ready, spent
from bench.wakes import in_sqs
from local.embedded import ROOT, EmbeddedAWSError

_EVENT = ROOT / "events" / "iam" / "iam-admin-grants" / "AttachRolePolicy.json"
_EVERYTHING = "GetAccountAuthorizationDetails"
#: Milliseconds of a call to AWS from another continent, and from home.
_CALL = 0.06
#: Megabytes of memory that buy one whole processor. Source: AWS Lambda developer guide, Configure memory.
_WHOLE = 1_769
#: What a function may have: what react has, and what it could have.
_MEMORY = (512, 1_024, _WHOLE)
_MEGA = 1 << 20
#: How many messages -> seconds that they may take, with the memory that react has.
GOALS = {1: 15.0, 10: 40.0}
#: Megabytes that react may hold.
MOST = 256


@dataclass(frozen=True, slots=True)
class Batch:
    """What one batch took.

    Attributes:
        messages: how many events.
        repaired: how many roles are no administrators any more.
        cpu: seconds of one processor, user and system, from the process's first line.
        calls: AWS calls.
        bulk: how often the account was read as a whole.
        peak: bytes that the process held at most.
    """

    messages: int
    repaired: int
    cpu: float
    calls: int
    bulk: int
    peak: int

    def seconds(self, memory: int) -> float:
        """How long it takes where so many megabytes buy a share of a processor, and a call takes its time."""
        return self.cpu / min(1.0, memory / _WHOLE) + self.calls * _CALL


def _center_role(drawn: Drawn) -> Mapping[str, Any]:
    """The role by which administrators of the organisation come in: without it nobody is left, and nothing is taken."""
    name, path = "AWSReservedSSO_AdministratorAccess_0123456789abcdef", "/aws-reserved/sso.amazonaws.com/"
    provider = f"arn:aws:iam::{ACCOUNT}:saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE"
    trust = {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithSAML"}
    return {
        "Path": path,
        "RoleName": name,
        "RoleId": "AROACENTER0000000000",
        "Arn": f"arn:aws:iam::{ACCOUNT}:role{path}{name}",
        "CreateDate": drawn.now,
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
        "AttachedManagedPolicies": [{"PolicyArn": ADMINISTRATOR, "PolicyName": "AdministratorAccess"}],
        "RolePolicyList": [],
        "InstanceProfileList": [],
    }


def _event(role: str, number: int) -> dict[str, Any]:
    """The recorded event of somebody who makes a role an administrator, about this role, as of now."""
    event = json.loads(_EVENT.read_text())
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    event["detail"] |= {"eventTime": now, "eventID": f"bench-{number}", "recipientAccountId": ACCOUNT}
    event["detail"]["requestParameters"] |= {"roleName": role, "policyArn": ADMINISTRATOR}
    return {**event, "time": now, "account": ACCOUNT}


def _shown(bench: Bench, messages: int) -> Mapping[str, Any]:
    """Serve the account anew; a batch of so many messages about it."""
    drawn = Drawn(ManyRoles(), datetime.now(UTC).replace(microsecond=0))
    own = {**bench.own, "RoleDetailList": [*bench.own["RoleDetailList"], _center_role(drawn)]}
    bench.served.show(drawn, own, bench.buckets)
    bench.account.forget("finding#", "history#", "spent#")
    bench.served.taken()
    roles = [one.name for one in drawn.roles if one.is_strong][:messages]
    batch: dict[str, Any] = {"Records": []}
    for number, role in enumerate(roles):
        (record,) = in_sqs(_event(role, number))["Records"]
        batch["Records"].append({**record, "messageId": f"m-{number}", "receiptHandle": f"r-{number}"})
    return batch


def measure(bench: Bench, messages: int) -> Batch:
    """One cold process, handed one batch.

    Raises:
        NotMeasured: a message failed, or a role still is an administrator.
    """
    batch = _shown(bench, messages)
    line = [str(PYTHON), "-s", "-B", "-m", "bench.cold.batch_plumbline"]
    line += [str(bench.account.built / "ReactFunction"), str(bench.layer / "python")]
    answers: list[Mapping[str, Any]] = []
    took = spent(line, bench.react_environment(), lambda handle: answers.append(handle(batch)))
    failed = answers[0]["returned"]["batchItemFailures"]
    calls = Counter(one.operation for one in bench.served.taken())
    if failed or calls["DetachRolePolicy"] != messages:
        raise NotMeasured(f"of {messages} messages {len(failed)} came back, {calls['DetachRolePolicy']} were repaired")
    return Batch(messages, calls["DetachRolePolicy"], took.cpu, calls.total(), calls[_EVERYTHING], took.peak)


def beside(former: batches.Former, messages: int) -> str:
    """The line of version 0.1, handed the same batch.

    Raises:
        NotMeasured: a message failed, or a role still is an administrator.
    """
    took = former.wake(_shown(former.bench, messages))
    repaired = took.calls["DetachRolePolicy"]
    if took.done and (took.failed or repaired != messages):
        raise NotMeasured(f"of {messages} messages {took.failed} came back, {repaired} were repaired by version 0.1")
    one = Batch(messages, repaired, took.cpu, took.calls.total(), took.calls[_EVERYTHING], took.peak)
    return _line(one, ", version 0.1" if took.done else f", version 0.1: not done by then, {repaired} repaired")


def lines(found: Sequence[Batch], former: Sequence[str] = ()) -> Iterator[str]:
    """The table, what stands below it of version 0.1, and the goals."""
    head = [f"s at {memory} MB" for memory in _MEMORY]
    yield f"| messages | CPU, s | calls | pages of the account | {' | '.join(head)} | MB |"
    yield "| ---: | ---: | ---: | ---: |" + " ---: |" * (len(head) + 1)
    for one in found:
        yield _line(one)
    yield from former
    yield ""
    for one in found:
        goal, took = GOALS[one.messages], one.seconds(react_memory())
        met = "met" if took <= goal else "**MISSED**"
        yield f"{one.messages} at react's {react_memory()} MB within {goal:.0f} s: {took:.1f} s, {met}"
    most = max(one.peak for one in found) / _MEGA
    yield f"under {MOST} MB: {most:.0f}, {'met' if most < MOST else '**MISSED**'}"


def _line(one: Batch, side: str = "") -> str:
    each = " | ".join(f"{one.seconds(memory):.1f}" for memory in _MEMORY)
    return f"| {one.messages}{side} | {one.cpu:.1f} | {one.calls} | {one.bulk} | {each} | {one.peak / _MEGA:.0f} |"


def react_memory() -> int:
    """Megabytes that react has, as the template says."""
    text = (ROOT / "template.yaml").read_text()
    react = text[text.index("  ReactFunction:\n") :]
    own = react[: react.index("\n\n")].partition("MemorySize: ")[2]
    found = own or text.partition("MemorySize: ")[2]
    return int(found.split()[0])


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.batches", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured")
    parser.add_argument("--former", action="store_true", help="version 0.1 beside it")
    arguments = parser.parse_args()
    former: Sequence[str] = ()
    try:
        with ready() as bench:
            found = [measure(bench, messages) for messages in GOALS]
            if arguments.former:
                sides = batches.ready(bench)
                former = [beside(sides, messages) for messages in GOALS]
    except (EmbeddedAWSError, NotMeasured) as error:
        sys.stderr.write(f"not measured: {error}\n")
        return 1
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(one) for one in found], indent=1) + "\n")
    sys.stdout.write("\n".join(lines(found, former)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
