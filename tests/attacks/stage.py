"""The account in which the stories are played: Plumbline deployed, people with some rights before and after it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from local import deployment
from local.embedded import ACCOUNT as ACCOUNT_ID
from local.embedded import EmbeddedAWS, Mail, SeenCall
from plumbline.core.reach import Reach
from plumbline.findings.packed import body, text_of
from tests import built
from tests.attacks.attack import ELSEWHERE, OPTED_IN, Attacker, Blow, Deed, Way, document
from tests.attacks.attackers import ADMIN, ATTACKERS, DEPLOYER
from tests.attacks.house import elsewhere, memory, wiring
from tests.end_to_end.account import Account

OWNER = "security@example.com"
#: A role of the account's own that the baseline knows as an administrator.
DEPLOYS = "deploys"
#: A group that makes administrators, and is called otherwise. It was there before Plumbline, and has its week of grace.
HELPDESK = "helpdesk"
#: The shipped baseline, but for people whose keys it knows, each attacker with one, for that role, for a deployer, and
#: for the regions: two beside home are as good as sixteen, and one of them can be switched off.
BASELINE = json.dumps(
    {
        "regions": ["us-east-1", ELSEWHERE, OPTED_IN],
        "deployers": [f"arn:aws:iam::{ACCOUNT_ID}:user/{DEPLOYER.name}"],
        "controls": {
            "iam-access-key-created": {"allowed_users": [one.name for one in ATTACKERS if not one.identity_center]},
            "iam-admin-grants": {
                "administrators": {
                    "roles": [
                        "aws-reserved/sso.amazonaws.com/*AWSReservedSSO_AdministratorAccess_*",
                        DEPLOYS,
                    ]
                }
            },
        },
    }
)
#: An administrator's role, as Identity Center made it.
_ADMINISTRATOR = "aws-reserved/sso.amazonaws.com/AWSReservedSSO_AdministratorAccess_0123456789abcdef"
_AWS_POLICIES = "arn:aws:iam::aws:policy/"
#: What fills up a principal, ten with what he has: AWS's own policies, those that do more than read last.
_FILLERS = (
    "AmazonEC2ReadOnlyAccess", "AmazonRDSReadOnlyAccess", "AmazonVPCReadOnlyAccess", "AmazonRoute53ReadOnlyAccess",
    "AmazonKinesisReadOnlyAccess", "AmazonGlacierReadOnlyAccess", "AmazonSSMReadOnlyAccess", "AWSBatchFullAccess",
    "AmazonECS_FullAccess",
)  # fmt: skip
_SCHEDULES = {Way.HOUSE: "rate(10 minutes)", Way.SWEEP: "rate(1 hour)"}
_NAMED = re.compile(r"<([a-z][a-z -]*)>")
#: How often is looked, and how long nothing has to happen to count as quiet; in seconds.
_POLL, _QUIET = 0.05, 0.6
#: The same while a queue holds nothing, what a function has in hand, and what waits for one to start.
_HELD = (0.0, 1.5, 4.0)
#: Seconds for the first sweep, and for settling everybody who is let in; on a machine that does much else beside.
_FIRST_SWEEP = 300.0
#: How the names of operations begin that change nothing, and the first status that says that nothing was done.
_READS, _REFUSED = ("BatchGet", "Describe", "Filter", "Get", "Head", "List", "Query", "Receive", "Simulate"), 400
#: How many are let in before the hour's budgets are full again.
_IN_AN_HOUR = 8


@dataclass(frozen=True, slots=True)
class Landed:
    """What came of one blow.

    Attributes:
        blow: which.
        refused: why it did not land, in AWS's code or Plumbline's words; empty where it did.
    """

    blow: Blow | Deed
    refused: str


@dataclass
class Stage:
    """The account, the attackers, and what can be seen of both without asking Plumbline."""

    account: Account
    _clients: dict[tuple[str, str, str], Any] = field(default_factory=dict)
    _mail: list[Mail] = field(default_factory=list)
    _calls: list[SeenCall] = field(default_factory=list)
    _own: int = 0
    _allowed: dict[tuple[str, tuple[str, ...], str], list[str]] = field(default_factory=dict)

    @property
    def aws(self) -> EmbeddedAWS:
        """The emulator."""
        return self.account.aws

    def client(self, service: str, who: str = "admin", region: str = "") -> Any:
        """A client of one service, acting as somebody, at home or elsewhere; kept, for it costs more than a call."""
        key = (service, who, region or self.aws.region)
        if key not in self._clients:
            self._clients[key] = self.aws.client(service, who, key[2])
        return self._clients[key]

    def invoke(self, function: str, payload: object) -> Any:
        """Invoke a function as an administrator."""
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(payload).encode())
        return json.loads(answer["Payload"].read() or b"null")

    def an_hour_passes(self) -> None:
        """What was repaired and told in this clock hour counts no more: each story has an hour of its own.

        Of Plumbline's own parts each is put back three times a day, so each story has a day of its own as well.
        """
        # The table's own policy lets no administrator write into it; the emulator's root user is above it.
        client = self.client("dynamodb", "root")
        condition = "pk = :account AND begins_with(sk, :what)"
        for what in ("spent#", "finding#house-integrity#"):
            values = {":account": {"S": f"account#{self.aws.account}"}, ":what": {"S": what}}
            asked = {"KeyConditionExpression": condition, "ExpressionAttributeValues": values}
            for item in client.query(TableName=self.ledger, **asked)["Items"]:
                client.delete_item(TableName=self.ledger, Key={key: item[key] for key in ("pk", "sk")})

    def tick(self, way: Way) -> None:
        """Do what a schedule does when its time has come; nothing where it is switched off, or has no target."""
        if way is Way.SWEEP:
            self._an_hour_of_signs_passes()
        events, expression = self.client("events"), _SCHEDULES[way]
        for rule in events.list_rules(NamePrefix="plumbline-")["Rules"]:
            if rule.get("ScheduleExpression") == expression and rule["State"] == "ENABLED":
                for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
                    function = str(target["Arn"]).rpartition(":function:")[2]
                    self.invoke(function, json.loads(target.get("Input", "{}")))

    def _an_hour_of_signs_passes(self) -> None:
        """What was heard of the regions is an hour old, and each forwarder that can gives another sign of life."""
        client, key = (
            self.client("dynamodb", "root"),
            {"pk": {"S": f"account#{self.aws.account}"}, "sk": {"S": "reach"}},
        )
        item = client.get_item(TableName=self.ledger, Key=key).get("Item")
        if item is not None:
            kept = Reach.from_json(json.loads(text_of(item)))
            client.put_item(TableName=self.ledger, Item={**key, **body(json.dumps(_older(kept).to_json()))})
        # What is told once is told again when it comes again in another hour.
        told = {"KeyConditionExpression": "pk = :once AND begins_with(sk, :reach)",
                "ExpressionAttributeValues": {":once": {"S": "once"}, ":reach": {"S": "reach#"}}}  # fmt: skip
        for one in client.query(TableName=self.ledger, **told)["Items"]:
            client.delete_item(TableName=self.ledger, Key={name: one[name] for name in key})
        for region in elsewhere.REGIONS:
            self.aws.fire("plumbline-alive", region=region)

    def alarm(self, name: str) -> None:
        """Let an alarm go off as CloudWatch does when its time has come; nothing where it is gone or muted."""
        cloudwatch = self.client("cloudwatch")
        for one in cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]:
            if one["ActionsEnabled"]:
                cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="before")
                cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="nothing for three hours")

    # --- what is called how ---------------------------------------------------------------------------

    def named(self, name: str, who: Attacker, region: str = "") -> str:
        """What a name in a story stands for, in the home region or where it is attacked.

        Raises:
            AssertionError: no story may say so; the message names it.
        """
        what, _, which = name.partition(" ")
        region, account = region or self.aws.region, self.aws.account
        made: Mapping[str, Callable[[], str]] = {
            "me": lambda: self.arn(who),
            "my-name": lambda: who.name,
            "function": lambda: f"plumbline-{which}",
            "role": lambda: f"arn:aws:iam::{account}:role/plumbline/plumbline-{which}",
            "policy": lambda: f"arn:aws:iam::{account}:policy/plumbline/plumbline-{which}",
            "topic": lambda: f"arn:aws:sns:{region}:{account}:plumbline-{which}",
            "queue": lambda: f"{self.aws.endpoint}/{account}/plumbline-{which}",
            "queue-arn": lambda: f"arn:aws:sqs:{region}:{account}:plumbline-{which}",
            "rule-arn": lambda: f"arn:aws:events:{region}:{account}:rule/plumbline-{which}",
            "bus-arn": lambda: f"arn:aws:events:{self.aws.region}:{account}:event-bus/plumbline-{which}",
            "forwarder": lambda: self._forwarder(region).rpartition(":stack/")[2].partition("/")[0],
            "forwarder-arn": lambda: self._forwarder(ELSEWHERE),
            "forwarders-arn": lambda: self._forwarders,
            "elsewhere": lambda: ELSEWHERE,
            "subscription": lambda: wiring.subscription(
                self.client, f"arn:aws:sns:{region}:{account}:plumbline-{which}", OWNER
            ),
            "trigger": lambda: self._trigger(which),
            "ledger": lambda: self.ledger,
            "ledger-arn": lambda: f"arn:aws:dynamodb:{region}:{account}:table/{self.ledger}",
            "permission": lambda: self._permission(which),
            "names-function": lambda: self._naming,
            "bucket": lambda: self.bucket,
            "sam-bucket": lambda: self._bucket_named("aws-sam-cli-managed-default"),
            "account": lambda: account,
        }
        assert what in made, f"<{name}> stands for nothing: there are {', '.join(made)}"
        return made[what]()

    def arn(self, who: Attacker) -> str:
        """An attacker's ARN, as policies know it."""
        if who is ADMIN:
            return f"arn:aws:iam::{self.aws.account}:role/{_ADMINISTRATOR}"
        kind = "role/aws-reserved/sso.amazonaws.com" if who.identity_center else "user"
        return f"arn:aws:iam::{self.aws.account}:{kind}/{who.name}"

    def _trigger(self, function: str) -> str:
        found = self.client("lambda").list_event_source_mappings(FunctionName=f"plumbline-{function}")
        return str(found["EventSourceMappings"][0]["UUID"])

    def _permission(self, function: str) -> str:
        policy = self.client("lambda").get_policy(FunctionName=f"plumbline-{function}")["Policy"]
        return str(json.loads(policy)["Statement"][0]["Sid"])

    def _forwarder(self, region: str) -> str:
        stacks = self.client("cloudformation", region=region).describe_stacks()["Stacks"]
        return next(str(one["StackId"]) for one in stacks if one["StackName"].startswith("StackSet-plumbline-"))

    @cached_property
    def _forwarders(self) -> str:
        said = self.client("cloudformation").describe_stack_set(StackSetName="plumbline-forwarders")["StackSet"]
        return str(said["StackSetARN"])

    @cached_property
    def _naming(self) -> str:
        stack = self.client("cloudformation").describe_stack_resource(
            StackName="plumbline", LogicalResourceId="NamesFunction"
        )
        return str(stack["StackResourceDetail"]["PhysicalResourceId"])

    @cached_property
    def ledger(self) -> str:
        """The ledger's table."""
        return memory.ledger_name(self.client)

    @cached_property
    def bucket(self) -> str:
        """The bucket of the trail's records."""
        return self._bucket_named("plumbline-trail")

    def _bucket_named(self, start: str) -> str:
        buckets = self.client("s3").list_buckets()["Buckets"]
        return next(str(one["Name"]) for one in buckets if one["Name"].startswith(start))

    def filled(self, value: Any, who: Attacker, region: str = "") -> Any:
        """A value of a story with its names filled in, as they are in a region; at home where it is empty."""
        if isinstance(value, str):
            return _NAMED.sub(lambda found: self.named(found[1], who, region), value)
        if isinstance(value, Mapping):
            return {self.filled(key, who, region): self.filled(one, who, region) for key, one in value.items()}
        if isinstance(value, list):
            return [self.filled(one, who, region) for one in value]
        return value

    # --- acting -------------------------------------------------------------------------------------

    def strike(self, blow: Blow | Deed, who: Attacker, *, as_: str | None = None) -> Landed:
        """Let somebody do something, and say what came of it."""
        try:
            if isinstance(blow, Deed):
                answer = blow.do(self, who)
            elif blow.tears_down and self._may(blow, who):
                return Landed(blow, "")
            else:
                call = getattr(self.client(blow.service, as_ or who.name, blow.region), blow.operation)
                answer = call(**self.filled(blow.parameters, who, blow.region))
        except ClientError as error:
            return Landed(blow, error.response["Error"]["Code"])
        return Landed(blow, _refusal(answer))

    def allowed(self, who: Attacker, actions: tuple[str, ...], resource: str) -> list[str]:
        """Which calls somebody may make on something, with the rights he was let in with; asked once."""
        key = (who.name, actions, resource)
        if key not in self._allowed:
            asked = {"PolicySourceArn": self.arn(who), "ActionNames": list(actions), "ResourceArns": [resource]}
            answers = self.client("iam").simulate_principal_policy(**asked)["EvaluationResults"]
            self._allowed[key] = [str(one["EvalActionName"]) for one in answers if one["EvalDecision"] == "allowed"]
        return self._allowed[key]

    def _may(self, blow: Blow, who: Attacker) -> bool:
        """Whether IAM's simulator would let a call through, whatever its conditions."""
        model = self.client(blow.service).meta.service_model
        action = f"{model.signing_name}:{''.join(part.title() for part in blow.operation.split('_'))}"
        action = action.replace("monitoring:", "cloudwatch:")
        return bool(self.allowed(who, (action,), self._resource(blow, who)))

    def _resource(self, blow: Blow, who: Attacker) -> str:
        name = str(next(iter(self.filled(blow.parameters, who, blow.region).values())))
        region, account = blow.region or self.aws.region, self.aws.account
        if name.startswith("arn:"):
            return name
        if blow.service == "cloudformation":
            return self._stack_arn(name, region)
        forms = {
            "lambda": f"arn:aws:lambda:{region}:{account}:function:{name}",
            "sqs": f"arn:aws:sqs:{region}:{account}:{name.rpartition('/')[2]}",
            "dynamodb": f"arn:aws:dynamodb:{region}:{account}:table/{name}",
            "events": f"arn:aws:events:{region}:{account}:{'event-bus' if 'bus' in blow.operation else 'rule'}/{name}",
            "s3": f"arn:aws:s3:::{name}",
        }
        return forms[blow.service]

    def _stack_arn(self, name: str, region: str) -> str:
        if name == "plumbline-forwarders":
            return self._forwarders
        if name == "plumbline":
            return f"arn:aws:cloudformation:{region}:{self.aws.account}:stack/{name}/{self._stack_id}"
        return self._forwarder(region)

    @cached_property
    def _stack_id(self) -> str:
        (stack,) = self.client("cloudformation").describe_stacks(StackName="plumbline")["Stacks"]
        return str(stack["StackId"]).rpartition("/")[2]

    # --- watching -----------------------------------------------------------------------------------

    def mail(self) -> list[Mail]:
        """Every e-mail so far."""
        self._mail += self.aws.mail(since=len(self._mail))
        return self._mail

    def has_told_of_the_first_sweep(self) -> bool:
        """Whether the owner has had the digest of what was there before."""
        return any("digest: " in one.subject and one.to == OWNER for one in self.mail())

    def calls(self) -> list[SeenCall]:
        """Every API call so far."""
        new = self.aws.calls(since=len(self._calls))
        self._calls += new
        self._own += sum(call.role.startswith("plumbline-") for call in new)
        return self._calls

    def was_written_to(self, since: int) -> bool:
        """Whether anybody was let write anything after so many calls."""
        return bool(self.written(since))

    def written(self, since: int) -> set[tuple[str, str]]:
        """In which services and regions anybody was let write after so many calls, and what is done for him by AWS."""
        wrote = [one for one in self.calls()[since:] if _wrote(one)]
        by_stack_sets = any("StackSet" in one.operation or "StackInstances" in one.operation for one in wrote)
        switched = any(one.service == "account" for one in wrote)
        others = elsewhere.REGIONS if by_stack_sets else (OPTED_IN,) if switched else ()
        return {(one.service, one.region) for one in wrote} | {("cloudformation", one) for one in others}

    def own_calls(self) -> int:
        """How many calls Plumbline's functions have made."""
        self.calls()
        return self._own

    def quiet(
        self, until: Callable[[], object] = lambda: False, *, seconds: float = 12.0, held: Sequence[float] = ()
    ) -> bool:
        """Wait until something holds, or Plumbline has nothing left to do; give whether it holds.

        Args:
            until: what is waited for.
            seconds: at most so long, for who cannot work is never done.
            held: so long nothing has to happen by what a queue holds; see `_HELD`.
        """
        began = since = time.monotonic()
        seen = -1
        while not until():
            now, calls = time.monotonic(), self.own_calls()
            if calls != seen:
                seen, since = calls, now
            idle = now - since
            if (idle > _QUIET and idle > (held or _HELD)[self._waiting()]) or now - began > seconds:
                return bool(until())
            time.sleep(_POLL)
        return True

    def _waiting(self) -> int:
        """Whether a queue of Plumbline's holds something: 0 nothing, 1 what a function has, 2 what none has yet.

        What is to be looked at again later is in hand as well.
        """
        client, counts = self.client("sqs"), [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible")]
        urls = (f"{self.aws.endpoint}/{self.aws.account}/plumbline-{name}" for name in ("wakes", "units"))
        got = (client.get_queue_attributes(QueueUrl=url, AttributeNames=counts)["Attributes"] for url in urls)
        held = [[int(one[count]) for count in counts] for one in got]
        return 2 if any(seen for seen, _ in held) else int(any(hidden for _, hidden in held))


def _wrote(call: SeenCall) -> bool:
    return call.status < _REFUSED and not call.operation.startswith(_READS)


def _older(reach: Reach) -> Reach:
    """What was seen of the regions, an hour before; what was wrong was told, and is no more."""
    hour = timedelta(hours=1)
    return Reach(
        reach.at and reach.at - hour,
        {
            name: replace(one, since=one.since - hour, heard=one.heard and one.heard - hour, troubles={})
            for name, one in reach.regions.items()
        },
    )


def _refusal(answer: Any) -> str:
    """Why a call that AWS answered did nothing; empty where it did."""
    if not isinstance(answer, Mapping):
        return ""
    if answer.get("FailedEntryCount"):
        return str(answer["Entries"][0].get("ErrorCode", "refused"))
    if answer.get("Failed"):
        return str(answer["Failed"][0].get("Code", "refused"))
    if "Payload" in answer:
        said = json.loads(answer["Payload"].read() or b"null")
        if isinstance(said, Mapping) and said.get("ok") is False:
            return f"Plumbline: {said.get('text', '')}"
        if isinstance(said, Mapping) and "errorMessage" in said:
            return f"Plumbline: {said['errorMessage']}"
    return ""


@contextmanager
def stage(state: Path) -> Iterator[Stage]:
    """Deploy, let in who attacks, and wait until Plumbline has seen them all."""
    with EmbeddedAWS.start(state=state) as aws:
        aws.enable_region(OPTED_IN)
        for one in ATTACKERS:
            if one.before:
                _let_in(aws, one)
        _make_what_was_there(aws)
        baseline = state / "baseline.yaml"
        baseline.write_text(BASELINE)
        built.build(aws, baseline=baseline)
        outputs = deployment.deploy(aws, {"AlertEmail": OWNER, "EscalationEmail": "ciso@example.com"})
        made = Stage(Account(aws, outputs))
        # Whoever comes before the first sweep has been heard of counts as there before Plumbline.
        aws.wait(made.has_told_of_the_first_sweep, timeout=_FIRST_SWEEP, what="the digest of the first sweep")
        made.quiet(seconds=_FIRST_SWEEP)
        newcomers = [one for one in ATTACKERS if not one.before]
        for start in range(0, len(newcomers), _IN_AN_HOUR):
            for one in newcomers[start : start + _IN_AN_HOUR]:
                _let_in(aws, one)
            made.quiet(seconds=_FIRST_SWEEP)
            made.an_hour_passes()
        yield made


def _make_what_was_there(aws: EmbeddedAWS) -> None:
    """A role as machines that deploy have one, which nobody else may assume; and a group that makes administrators."""
    iam = aws.client("iam")
    iam.create_group(GroupName=HELPDESK)
    iam.attach_group_policy(GroupName=HELPDESK, PolicyArn=f"{_AWS_POLICIES}AdministratorAccess")
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=DEPLOYS, AssumeRolePolicyDocument=document(trust))
    iam.attach_role_policy(RoleName=DEPLOYS, PolicyArn=f"{_AWS_POLICIES}AdministratorAccess")


def _let_in(aws: EmbeddedAWS, who: Attacker) -> None:
    # Whoever is to be full is so before he can do anything, or the guard would be quicker than the last of them.
    policies = [f"{_AWS_POLICIES}{name}" for name in (*(_FILLERS if who.full else ()), *who.policies)]
    if who.allowed or who.passes:
        passing: dict[str, Any] = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": who.passes}
        allowing: dict[str, Any] = {"Effect": "Allow", "Action": list(who.allowed), "Resource": who.within}
        statements = [*([allowing] if who.allowed else []), *([passing] if who.passes else [])]
        text = document(*statements)
        made = aws.client("iam").create_policy(PolicyName=f"of-{who.name}", PolicyDocument=text)
        policies.append(made["Policy"]["Arn"])
    if who.identity_center:
        aws.permission_set(who.name, policies)
    else:
        aws.user(who.name, policies=policies)
