"""What is Plumbline's own, as far as who could change it is concerned, and by which calls. Pure.

Not every action that the guard denies is asked about: of each kind of thing those that switch it off, change what it
does, or write what it remembers. A test holds that the guard denies them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: The roles of the stack, by the end of their names. Nothing else below their path is Plumbline's.
ROLES = (
    *("announce", "eyes", "forwarder", "giving", "hands", "house", "operate", "react", "stackset", "stacksets"),
    "sweep",
)


@dataclass(frozen=True, slots=True)
class Power:
    """Something that whoever may do one of some calls could do to Plumbline.

    Attributes:
        does: what that is, as it reads after "may".
        actions: any of these.
        resource: on what, behind `arn:PARTITION:`; `{stack}`, `{account}`, `{region}`, `{trail}` are filled in.
        context: condition keys that the request carries, in the same words.
    """

    does: str
    actions: tuple[str, ...]
    resource: str
    context: Mapping[str, str] | None = None


_REACT = "lambda:{region}:{account}:function:{stack}-react"
POWERS = (
    Power(
        "change or stop its functions",
        (
            *("lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration", "lambda:DeleteFunction"),
            *("lambda:PutFunctionConcurrency", "lambda:PutResourcePolicy"),
        ),
        _REACT,
    ),
    Power(
        "command it",
        ("lambda:InvokeFunction", "lambda:AddPermission"),
        "lambda:{region}:{account}:function:{stack}-operate",
    ),
    Power(
        "take its triggers away",
        ("lambda:UpdateEventSourceMapping", "lambda:DeleteEventSourceMapping"),
        "lambda:{region}:{account}:event-source-mapping:11112222-3333-4444-5555-666677778888",
        {"lambda:FunctionArn": f"arn:{{partition}}:{_REACT}"},
    ),
    Power(
        "change its rules",
        ("events:DisableRule", "events:DeleteRule", "events:PutRule", "events:PutTargets", "events:RemoveTargets"),
        "events:{region}:{account}:rule/{stack}-iam",
    ),
    Power(
        "delete the bus that other regions lead to, or make it deaf by a key",
        ("events:UpdateEventBus", "events:DeleteEventBus"),  # AWS knows no resource of those that change its policy
        "events:{region}:{account}:event-bus/{stack}-home",
    ),
    Power(
        "write or empty its queues",
        (
            *("sqs:SendMessage", "sqs:DeleteMessage", "sqs:PurgeQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes"),
            "sqs:AddPermission",
        ),
        "sqs:{region}:{account}:{stack}-wakes",
    ),
    Power(
        "change who is told",
        (
            *("sns:SetSubscriptionAttributes", "sns:Unsubscribe", "sns:SetTopicAttributes", "sns:DeleteTopic"),
            *("sns:AddPermission", "sns:RemovePermission"),
        ),
        "sns:{region}:{account}:{stack}-alerts",
    ),
    Power(
        "change what it remembers",
        (
            *("dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem"),
            *("dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PartiQLDelete"),
            *("dynamodb:UpdateTable", "dynamodb:DeleteTable", "dynamodb:PutResourcePolicy"),
        ),
        "dynamodb:{region}:{account}:table/{stack}-ledger-0a1b2c3d",
    ),
    Power(
        "erase its logs",
        ("logs:DeleteLogGroup", "logs:DeleteLogStream", "logs:PutRetentionPolicy"),
        "logs:{region}:{account}:log-group:/aws/lambda/{stack}-react",
    ),
    Power(
        "silence its alarms",
        ("cloudwatch:DeleteAlarms", "cloudwatch:DisableAlarmActions", "cloudwatch:PutMetricAlarm"),
        "cloudwatch:{region}:{account}:alarm:{stack}-sweep-stopped",
    ),
    Power(
        "change or delete its stack",
        ("cloudformation:UpdateStack", "cloudformation:DeleteStack", "cloudformation:ExecuteChangeSet"),
        "cloudformation:{region}:{account}:stack/{stack}/11112222-3333-4444-5555-666677778888",
    ),
    Power(
        "change or delete its forwarders in other regions",
        (
            *("cloudformation:UpdateStackSet", "cloudformation:DeleteStackSet", "cloudformation:UpdateStackInstances"),
            "cloudformation:DeleteStackInstances",
        ),
        "cloudformation:{region}:{account}:stackset/{stack}-forwarders:11112222-3333-4444-5555-666677778888",
    ),
    Power(
        "stop the trail it hears by",
        ("cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "cloudtrail:UpdateTrail", "cloudtrail:PutEventSelectors"),
        "cloudtrail:{region}:{account}:trail/{trail}",
    ),
    Power(
        "change its roles",
        (
            *("iam:UpdateAssumeRolePolicy", "iam:AttachRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePolicy"),
            *("iam:PutRolePermissionsBoundary", "iam:DeleteRole"),
        ),
        "iam::{account}:role/plumbline/{stack}-hands",
        {"iam:PolicyARN": "arn:{partition}:iam::{account}:policy/plumbline/{stack}-hands"},
    ),
    Power(
        "change its policies",
        ("iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion", "iam:DeletePolicy"),
        "iam::{account}:policy/plumbline/{stack}-hands",
    ),
    Power(
        "make it deaf by a key for the bus",
        ("events:UpdateEventBus",),
        "events:{region}:{account}:event-bus/default",
    ),
    Power(
        "exchange what is deployed",
        ("s3:PutObject",),
        "s3:::aws-sam-cli-managed-default-samclisourcebucket-0a1b2c3d/{stack}/0123",
    ),
)

_FORWARDER = "change or delete its forwarder in another region"
#: The same of what lies in other regions: asked about whoever has rights there and none of those above.
ELSEWHERE = (
    Power(
        _FORWARDER,
        ("events:DisableRule", "events:DeleteRule", "events:PutRule", "events:PutTargets", "events:RemoveTargets"),
        "events:{region}:{account}:rule/{stack}-alive",
    ),
    Power(
        _FORWARDER,
        ("cloudformation:UpdateStack", "cloudformation:DeleteStack", "cloudformation:ExecuteChangeSet"),
        "cloudformation:{region}:{account}:stack/StackSet-{stack}-forwarders-0a1b2c3d/11112222-3333-4444-5555-666677778888",
    ),
    Power(
        "throw away what could not be delivered from another region",
        ("sqs:PurgeQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes", "sqs:AddPermission"),
        "sqs:{region}:{account}:{stack}-dead-events",
    ),
    Power(
        "make another region deaf by a key for its bus",
        ("events:UpdateEventBus",),
        "events:{region}:{account}:event-bus/default",
    ),
)


@dataclass(frozen=True, slots=True)
class House:
    """The stack of one account.

    Attributes:
        partition: of its ARNs.
        account: its number.
        region: the home region.
        stack: what the names of its resources begin with.
        trail: the name of the trail that it hears by.
    """

    partition: str
    account: str
    region: str
    stack: str
    trail: str

    def named(self, text: str) -> str:
        """A text of this module with the names of this stack."""
        words = (self.partition, self.account, self.region, self.stack, self.trail)
        return text.format(**dict(zip(("partition", "account", "region", "stack", "trail"), words, strict=True)))

    def arn(self, resource: str) -> str:
        """A resource's ARN."""
        return f"arn:{self.partition}:{self.named(resource)}"

    @property
    def guard(self) -> str:
        """The guard's ARN."""
        return self.arn("iam::{account}:policy/plumbline/{stack}-guard")

    @property
    def operator(self) -> str:
        """The ARN of the policy that lets its holder command Plumbline."""
        return self.arn("iam::{account}:policy/plumbline/{stack}-operator")

    def owns(self, arn: str) -> bool:
        """Whether a role is one of the stack's own: exactly, for whatever else is called alike is somebody else's."""
        return arn in {self.arn(f"iam::{{account}}:role/plumbline/{{stack}}-{role}") for role in ROLES}
