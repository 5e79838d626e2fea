"""The account everything is measured in: the embedded AWS, with the real template built and deployed into it.

Its queues are unplugged from the functions: the bench alone wakes Plumbline, in processes of its own, which reach it by
AWS's own names and over TLS.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from bench import certificates, front
from bench.cold.resolver import PORT
from bench.front import Front
from local import deployment
from local.embedded import ROOT, EmbeddedAWS, SeenCall

STATE = ROOT / ".plumbline" / "bench"
_EVENT = ROOT / "events" / "iam" / "iam-access-key-created" / "CreateAccessKey.json"
_TELL_ENVIRONMENT = "import os\ndef handler(event, context):\n    return dict(os.environ)\n"
#: What Custodian's policy needs, and no more.
_CUSTODIAN_MAY = ("iam:GetUser", "iam:ListUsers", "iam:ListUserTags", "iam:ListAccessKeys", "iam:UpdateAccessKey")
_THE_EMULATORS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3_CONTROL", "AWS_DISABLE_HOST_PREFIX_INJECTION")
_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@dataclass(frozen=True, slots=True)
class Key:
    """An active access key of a user that no baseline lists."""

    user: str
    id: str


@dataclass(frozen=True, slots=True)
class Account:
    """The deployed account.

    Attributes:
        aws: the emulator.
        built: where `sam build` put the functions and the layer.
        front: how it is reached by what is measured.
        ledger: the name of the stack's table.
    """

    aws: EmbeddedAWS
    built: Path
    front: Front
    ledger: str
    _numbers: Iterator[int]

    def key(self) -> Key:
        """A new user's new key, Active. The budget of repairs is full again: it is not what is measured."""
        self.forget("spent#")
        iam, user = self.aws.client("iam"), f"intruder-{next(self._numbers)}"
        iam.create_user(UserName=user)
        return Key(user, iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"])

    def is_active(self, key: Key) -> bool:
        """Whether a key can still be used."""
        keys = self.aws.client("iam").list_access_keys(UserName=key.user)["AccessKeyMetadata"]
        return any(one["AccessKeyId"] == key.id and one["Status"] == "Active" for one in keys)

    def deactivate(self, key: Key) -> None:
        """Put a key right by hand."""
        self.aws.client("iam").update_access_key(UserName=key.user, AccessKeyId=key.id, Status="Inactive")

    def event(self, key: Key) -> dict[str, Any]:
        """The EventBridge event of a key's creation, as of now: the recorded one, about this key."""
        event = json.loads(_EVENT.read_text())
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        detail = event["detail"]
        detail["requestParameters"]["userName"] = key.user
        detail["responseElements"]["accessKey"] |= {"userName": key.user, "accessKeyId": key.id}
        detail["eventTime"] = now
        return {**event, "time": now}

    def environment_of(self, role: str, variables: Mapping[str, str]) -> dict[str, str]:
        """The environment, credentials too, that a function under `role` finds: one is made and asked for its own.

        What leads a function of the embedded AWS to its plain endpoint is left out: AWS has nothing of the kind.


        Args:
            role: the role's ARN.
            variables: the function's own variables.
        """
        functions, name = self.aws.client("lambda"), f"environment-{next(self._numbers)}"
        package = io.BytesIO()
        with zipfile.ZipFile(package, "w") as archive:
            archive.writestr("app.py", _TELL_ENVIRONMENT)
        functions.create_function(
            FunctionName=name,
            Role=role,
            Runtime="python3.13",
            Handler="app.handler",
            Code={"ZipFile": package.getvalue()},
            Environment={"Variables": dict(variables)},
        )
        found: dict[str, str] = self.aws.invoke(name)
        functions.delete_function(FunctionName=name)
        own = {one: value for one, value in found.items() if one not in _THE_EMULATORS}
        return own | {PORT: str(self.front.port)}

    def react_environment(self) -> dict[str, str]:
        """What the deployed react finds in its environment."""
        react = self.aws.client("lambda").get_function_configuration(FunctionName="plumbline-react")
        return self.environment_of(react["Role"], react["Environment"]["Variables"])

    def custodian_environment(self) -> dict[str, str]:
        """The same for a function under a role of Custodian's."""
        iam = self.aws.client("iam")
        role = iam.create_role(RoleName="custodian", AssumeRolePolicyDocument=json.dumps(_TRUST))["Role"]["Arn"]
        allowed = {"Effect": "Allow", "Action": list(_CUSTODIAN_MAY), "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        iam.put_role_policy(RoleName="custodian", PolicyName="custodian", PolicyDocument=policy)
        return self.environment_of(role, {})

    def buckets(self, count: int) -> list[str]:
        """New buckets."""
        names = [f"measured-{next(self._numbers)}" for _ in range(count)]
        for name in names:
            self.aws.client("s3").create_bucket(Bucket=name)
        return names

    def forget(self, *beginnings: str) -> None:
        """Take items out of the ledger, whose policy lets nobody but Plumbline write: it is lifted meanwhile.

        Args:
            beginnings: how the sort keys begin.
        """
        table, named = self.aws.client("dynamodb"), "pk, sk"
        arn = table.describe_table(TableName=self.ledger)["Table"]["TableArn"]
        policy = table.get_resource_policy(ResourceArn=arn)["Policy"]
        table.delete_resource_policy(ResourceArn=arn)
        try:
            for page in table.get_paginator("scan").paginate(TableName=self.ledger, ProjectionExpression=named):
                for item in page["Items"]:
                    if item["sk"]["S"].startswith(beginnings):
                        table.delete_item(TableName=self.ledger, Key={"pk": item["pk"], "sk": item["sk"]})
        finally:
            table.put_resource_policy(ResourceArn=arn, Policy=policy)

    def last_call(self) -> int:
        """The number of the latest call in the journal."""
        return max((call.number for call in self.aws.calls()), default=0)

    def calls(self, since: int) -> list[SeenCall]:
        """What the roles under measurement have called after a number, oldest first."""
        return [call for call in self.aws.calls(since) if call.role.startswith(("plumbline-", "custodian"))]


@contextmanager
def deployed(state: Path = STATE, baseline: Path | None = None, *, plugged: bool = False) -> Iterator[Account]:
    """Start the embedded AWS, build, deploy, unplug; stop it at the end of the block.

    Args:
        state: a folder for all that it leaves.
        baseline: another baseline.yaml than the project's.
        plugged: whether the queues stay plugged; a sweep looks at Plumbline itself, and mends what is unplugged.
    """
    with EmbeddedAWS.start(state=state) as aws:
        deployment.build(aws, baseline=baseline)
        ledger = deployment.deploy(aws, {"AlertEmail": "security@example.com"})["LedgerTable"]
        _sweep(aws, ledger)
        if not plugged:
            _unplug(aws)
        with front.opened(aws.endpoint, certificates.issue(state / "tls")) as opened:
            yield Account(aws, state / "build", opened, ledger, count(1))


def _sweep(aws: EmbeddedAWS, ledger: str) -> None:
    """The first sweep: until it is made nobody knows what is new, and nothing is repaired."""
    aws.invoke("plumbline-sweep", {})
    table, swept = aws.client("dynamodb"), {"pk": {"S": f"account#{aws.account}"}, "sk": {"S": "swept"}}
    aws.wait(lambda: "Item" in table.get_item(TableName=ledger, Key=swept), timeout=240, what="the first sweep is over")


def _unplug(aws: EmbeddedAWS) -> None:
    functions = aws.client("lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.delete_event_source_mapping(UUID=mapping["UUID"])
    aws.client("events").disable_rule(Name="plumbline-sweep")
    aws.wait(_quiet(aws), timeout=30, what="the deployment's own wakes are settled")


def _quiet(aws: EmbeddedAWS) -> Any:
    seen = {"calls": -1, "since": 0.0}

    def quiet() -> bool:
        calls = len(aws.calls())
        if calls != seen["calls"]:
            seen.update(calls=calls, since=time.monotonic())
        return time.monotonic() - seen["since"] > 1

    return quiet
