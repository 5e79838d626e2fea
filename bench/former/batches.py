"""Version 0.1's react, handed the same batch in the same account, under roles and on a table of its own."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from bench.cold.resolver import PORT
from bench.drawn import ACCOUNT
from bench.former.layer import Layer, built
from bench.processes import PYTHON, NotMeasured
from bench.sizes import LAYER
from bench.sweep import STATE, Bench, spent
from bench.sweep_report import Spent

#: Seconds of CPU after which it is not waited for any longer: twice what its function had, at the share of 512 MB.
PATIENCE = 120
_ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
#: What version 0.1's functions found in their environment, as today's do.
_VARIABLES = ("ACCOUNT", "MODE", "ADOPTION_GRACE_DAYS", "CHAT_TOPIC", "STACK", "WAKES_QUEUE")
_TEXT, _HASH, _RANGE = "S", "HASH", "RANGE"
_KEYS = {"": ("pk", "sk"), "open": ("open", "due"), "ids": ("pk", "id")}


@dataclass(frozen=True, slots=True)
class Wake:
    """What one batch took.

    Attributes:
        done: whether it came to its end.
        cpu: seconds of one processor; where it did not, those after which it was stopped.
        peak: bytes that the process held at most.
        calls: what was asked of AWS, by operation.
        failed: messages that came back.
    """

    done: bool
    cpu: float
    peak: int
    calls: Counter[str]
    failed: int


@dataclass(frozen=True, slots=True)
class Former:
    """Version 0.1, ready to be woken."""

    bench: Bench
    layer: Layer
    environment: Mapping[str, str]
    numbers: count[int]

    def wake(self, batch: Mapping[str, Any]) -> Wake:
        """One cold process, handed one batch, on a table that knows a first sweep and nothing else."""
        table = _table(self.bench, f"former-{next(self.numbers)}", self.layer.adopted)
        line = [str(PYTHON), "-s", "-B", "-m", "bench.cold.batch_former"]
        line += [str(self.layer.function), str(self.layer.python), str(PATIENCE)]
        answers: list[Mapping[str, Any]] = []
        self.bench.served.taken()
        try:
            took = spent(
                line, {**self.environment, "PLUMBLINE_TABLE": table}, lambda handle: answers.append(handle(batch))
            )
        except NotMeasured:
            peak = STATE / "peak"
            if answers or not peak.exists():
                raise
            took = Spent(float(PATIENCE), 0.0, int(peak.read_text()))
        calls = Counter(one.operation for one in self.bench.served.taken())
        failed = len(answers[0]["returned"]["batchItemFailures"]) if answers else 0
        return Wake(bool(answers), took.cpu, took.peak, calls, failed)


def ready(bench: Bench) -> Former:
    """Build version 0.1, and give it roles of its own: what it asks of IAM is the drawn account's all the same.

    Raises:
        NotMeasured: its code is not there, or cannot be built.
    """
    layer = built(bench.account.built / LAYER, STATE / "former")
    iam = bench.account.aws.client("iam")
    react = _role(iam, "former-react", {"Service": "lambda.amazonaws.com"})
    roles = {one: _role(iam, f"former-{one}", {"AWS": react}) for one in ("eyes", "hands")}
    function = bench.account.aws.client("lambda").get_function_configuration(FunctionName="plumbline-react")
    todays = function["Environment"]["Variables"]
    variables = {name: todays[name] for name in (f"PLUMBLINE_{one}" for one in _VARIABLES)}
    variables |= {f"PLUMBLINE_{one.upper()}_ROLE": role for one, role in roles.items()}
    variables["PLUMBLINE_ALERTS_TOPIC"] = _topic(bench.account.aws.client("sns"))
    here = {PORT: bench.environment[PORT], "AWS_CA_BUNDLE": bench.auditor["AWS_CA_BUNDLE"]}
    return Former(bench, layer, bench.account.environment_of(react, variables) | here, count(1))


def _role(iam: Any, name: str, trusted: Mapping[str, str]) -> str:
    """A role that may do anything: what it may is not what is measured."""
    trust = {"Effect": "Allow", "Principal": dict(trusted), "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.attach_role_policy(RoleName=name, PolicyArn=_ADMINISTRATOR)
    return arn


def _topic(sns: Any) -> str:
    """A topic that somebody hears."""
    arn: str = sns.create_topic(Name="former-alerts")["TopicArn"]
    sns.subscribe(TopicArn=arn, Protocol="email", Endpoint="security@example.com")
    return arn


def _table(bench: Bench, name: str, adopted: Mapping[str, str]) -> str:
    """A table with the keys of version 0.1's, in which the first sweep of each control is over."""
    client = bench.account.aws.client("dynamodb")
    keys = {
        index: [{"AttributeName": one, "KeyType": kind} for one, kind in zip(pair, (_HASH, _RANGE), strict=True)]
        for index, pair in _KEYS.items()
    }
    names = sorted({one for pair in _KEYS.values() for one in pair})
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": one, "AttributeType": _TEXT} for one in names],
        KeySchema=keys.pop(""),
        GlobalSecondaryIndexes=[
            {"IndexName": index, "KeySchema": schema, "Projection": {"ProjectionType": "ALL"}}
            for index, schema in keys.items()
        ],
    )
    for control, body in adopted.items():
        place = {"pk": {_TEXT: f"account#{ACCOUNT}"}, "sk": {_TEXT: f"adopted#{control}"}}
        client.put_item(TableName=name, Item={**place, "body": {_TEXT: body}})
    return name
