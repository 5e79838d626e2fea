"""A deployed account, and what the tests do and see in it."""

from __future__ import annotations

import itertools
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local.embedded import EmbeddedAWS, Mail, NotInTime, SeenCall

#: Longer than the queue hides what a process has taken that died before its first sign of life.
SECONDS = 420.0
#: Seconds after which the next sweep comes round, as it does after an hour on AWS.
_HOUR_HERE = 60.0
#: Where Plumbline lives: all of it has to hold in any region. `PLUMBLINE_HOME=us-east-1 make test` tries another.
HOME = os.environ.get("PLUMBLINE_HOME", "ap-southeast-2")
#: Where AWS tells of services without a region, and keeps the metrics of the bill.
VIRGINIA = "us-east-1"


@dataclass
class Account:
    """The embedded account with Plumbline in it."""

    aws: EmbeddedAWS
    outputs: Mapping[str, str]
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def fresh(self, stem: str) -> str:
        """A name no test has used."""
        return f"{stem}-{next(self._numbers)}"

    def user(self) -> str:
        """A fresh user without keys."""
        name = self.fresh("user")
        self.aws.client("iam").create_user(UserName=name)
        return name

    def bucket(self) -> str:
        """A fresh old-style bucket: ACLs allowed, public access not blocked."""
        name = self.fresh("acme-data")
        self.aws.bucket(name, ObjectOwnership="BucketOwnerPreferred")
        self.aws.client("s3").delete_public_access_block(Bucket=name)
        return name

    def key_status(self, user: str) -> list[str]:
        """The states of a user's access keys."""
        keys = self.aws.client("iam").list_access_keys(UserName=user)["AccessKeyMetadata"]
        return [key["Status"] for key in keys]

    def until(self, predicate: Callable[[], object], what: str) -> float:
        """Wait for something; the seconds it took."""
        return self.aws.wait(predicate, timeout=SECONDS, what=what)

    def mail_about(self, pattern: str, since: int = 0) -> list[Mail]:
        """The e-mails whose subject fits, to the alert address."""
        return [
            mail
            for mail in self.aws.mail(since=since)
            if re.search(pattern, mail.subject) and mail.to == "security@example.com"
        ]

    def latest_mail(self) -> int:
        """The number of the last e-mail so far."""
        return max((mail.number for mail in self.aws.mail()), default=0)

    def latest_call(self) -> int:
        """The number of the last API call so far."""
        return max((call.number for call in self.aws.calls()), default=0)

    def calls_of(self, role: str, since: int = 0) -> list[SeenCall]:
        """The API calls of one of Plumbline's roles."""
        return [call for call in self.aws.calls(since=since) if call.role == f"plumbline-{role}"]

    def operate(self, *command: str) -> Mapping[str, Any]:
        """A command as an administrator types it, with the proof that it is he, and with what takes his own rights."""
        answer: Mapping[str, Any] = self.aws.typed(*command)
        if not answer.get("perform"):
            return answer
        iam = self.aws.client("iam", as_="admin")
        for one in answer["perform"]:
            try:
                getattr(iam, one["operation"].replace("-", "_"))(**one["parameters"])
            except ClientError as error:
                if error.response["Error"]["Code"] not in one["absent"]:
                    raise
        return self.operate(*answer["then"])

    def operate_until_done(self, *command: str, what: str) -> None:
        """Type a command again and again until it is done: what it is about may be on its way, or the next sweep's.

        Raises:
            NotInTime: it was refused for as long as anybody waits; names what it answered last.
        """
        answers: list[str] = []
        swept = time.monotonic()

        def done() -> bool:
            nonlocal swept
            answer = self.operate(*command)
            answers.append(answer["text"])
            if not answer["ok"] and time.monotonic() - swept > _HOUR_HERE:
                self.sweep()
                swept = time.monotonic()
            return bool(answer["ok"])

        try:
            self.until(done, what)
        except NotInTime as error:
            raise NotInTime(f"{error}. The last of {len(answers)} answers: {answers[-1]}") from error

    def first_sweep(self) -> None:
        """The sweep that CloudFormation's own event starts after a deployment, and everything it wakes."""
        # Until it is written down, what an event tells of may have been there before, and has the grace.
        self.until(lambda: self.operate("status")["data"]["last_sweep"], "the sweep that the deployment starts is done")
        self.until(lambda: self.waiting("units") == 0, "every unit of the first sweep is looked through")
        self.quiet()

    def sweep(self) -> None:
        """A whole sweep and everything it wakes."""
        self.aws.invoke("plumbline-sweep", {})
        self.until(lambda: self.waiting("units") == 0, "every unit of the sweep is looked through")
        self.quiet()

    def quiet(self, seconds: float = 1.0) -> None:
        """Wait until Plumbline has had nothing to do for a while."""
        seen = {"calls": -1, "since": 0.0}

        def silent() -> bool:
            calls = len([call for call in self.aws.calls() if call.role.startswith("plumbline-")])
            if calls != seen["calls"]:
                seen.update(calls=calls, since=time.monotonic())
            return time.monotonic() - seen["since"] > seconds

        self.until(silent, "Plumbline has nothing left to do")

    def send(self, *bodies: str, to: str = "wakes") -> None:
        """Put messages on a queue at once, as an intruder who can take its policy away for a moment would."""
        sqs, queue = self.aws.client("sqs"), self.queue(to)
        policy = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"]["Policy"]
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": ""})
        entries = [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]
        sqs.send_message_batch(QueueUrl=queue, Entries=entries)
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})

    def queue(self, name: str) -> str:
        """A queue's URL."""
        return str(self.aws.client("sqs").get_queue_url(QueueName=f"plumbline-{name}")["QueueUrl"])

    def waiting(self, name: str) -> int:
        """How many messages a queue holds: seen, in flight, or still delayed."""
        kinds = ("", "NotVisible", "Delayed")
        names = [f"ApproximateNumberOfMessages{kind}" for kind in kinds]
        got = self.aws.client("sqs").get_queue_attributes(QueueUrl=self.queue(name), AttributeNames=names)["Attributes"]
        return sum(int(got[one]) for one in names)

    def processes(self, function: str) -> list[int]:
        """The processes that a function of this account runs in now: another may be at work beside it."""
        marks = {f"AWS_LAMBDA_FUNCTION_NAME=plumbline-{function}", f"AWS_ENDPOINT_URL={self.aws.endpoint}"}
        found: list[int] = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if marks <= set((folder / "environ").read_bytes().decode(errors="replace").split("\0")):
                    found.append(int(folder.name))
        return found

    def look_at_the_house(self) -> None:
        """The look at Plumbline itself that the schedule makes every ten minutes."""
        self.aws.invoke("plumbline-sweep", {"plumbline-task": "house"})
        self.quiet()

    @contextmanager
    def deaf_to_iam(self) -> Iterator[None]:
        """What AWS tells of IAM wakes nobody for a while; a forwarder's own rule would be put back at once."""
        events, rule = self.aws.client("events"), {"Name": "plumbline-iam"}
        if self.aws.region != VIRGINIA:
            rule = {"Name": "plumbline-home-wakes", "EventBusName": "plumbline-home"}
        before = events.describe_rule(**rule)
        events.disable_rule(**rule)
        try:
            yield
        finally:  # enabling it would not be enough: it hears reads as well
            kept = ("Name", "EventBusName", "EventPattern", "State", "Description")
            events.put_rule(**{name: before[name] for name in kept if name in before})

    @contextmanager
    def denied(self, role: str, action: str) -> Iterator[None]:
        """One of Plumbline's roles may not do something for a while."""
        iam = self.aws.client("iam")
        statement = {"Effect": "Deny", "Action": action, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        policy = iam.create_policy(PolicyName=self.fresh("outage"), PolicyDocument=document)["Policy"]["Arn"]
        iam.attach_role_policy(RoleName=f"plumbline-{role}", PolicyArn=policy)
        try:
            yield
        finally:
            iam.detach_role_policy(RoleName=f"plumbline-{role}", PolicyArn=policy)
