"""What wakes it: rules, tripwires, schedules, queues, the trail that events come from."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from tests.attacks.attack import (
    STRANGER,
    Attack,
    Attacker,
    Deed,
    Open,
    Prevented,
    Told,
    Way,
    blow,
    document,
    tearing_down,
)
from tests.attacks.attackers import (
    CLOUDTRAIL,
    EVENTS,
    OLD_CLOUDTRAIL,
    OLD_EVENTS,
    OLD_SQS,
    PASSER,
    PERMISSION_SET,
    POWER,
    PUTTER,
    S3,
    SENDER,
    SQS,
)
from tests.attacks.stage import Stage

_GUARD = Prevented("the guard")
_DENIED = Prevented("the queue's own policy, and the guard")
_WAKES, _DEAD = "<queue wakes>", "<queue dead-letters>"
_IAM_RULE, _TRAIL = "plumbline-iam", "plumbline"
_FORGED = {
    "source": "aws.iam",
    "detail-type": "AWS API Call via CloudTrail",
    "account": "111122223333",
    "region": "us-east-1",
    "detail": {
        "eventSource": "iam.amazonaws.com",
        "eventName": "AttachUserPolicy",
        "awsRegion": "us-east-1",
        "eventTime": "2026-03-02T09:30:00Z",
        "userIdentity": {"type": "Root", "arn": "arn:aws:iam::111122223333:root", "accountId": "111122223333"},
        "requestParameters": {"userName": "nobody", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
    },
}


def _rules(stage: Stage, who: Attacker) -> list[str]:
    found = stage.client("events", who.name).list_rules(NamePrefix="plumbline-")["Rules"]
    # The tripwires first: this is what somebody does who has read this repository.
    return sorted((str(one["Name"]) for one in found), key=lambda name: ("-trip-" not in name, name))


def _all_off(stage: Stage, who: Attacker) -> None:
    """Every rule and schedule off, one after the other; the first refusal is the answer."""
    for name in _rules(stage, who):
        stage.client("events", who.name).disable_rule(Name=name)


def _as_many_as_go(stage: Stage, who: Attacker) -> None:
    """The same, but a refusal stops nothing."""
    for name in _rules(stage, who):
        try:
            stage.client("events", who.name).disable_rule(Name=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDeniedException":
                raise


def _tripwires_off(stage: Stage, who: Attacker) -> None:
    for name in _rules(stage, who):
        if "-trip-" in name:
            stage.client("events", who.name).disable_rule(Name=name)


def _wake(origin: str) -> str:
    """A wake as only the sweep may send it."""
    return json.dumps(
        {
            "plumbline-wake": 1,
            "control": "iam-admin-grants",
            "target": "111122223333/global/iam-user/sally",
            "origin": origin,
            "cause": {},
        }
    )


def _sign_ins(count: int) -> list[Any]:
    """Root sign-ins that never were, to use up what is told in an hour."""
    return [
        {
            "Id": str(number),
            "MessageBody": json.dumps(
                {
                    **_FORGED,
                    "source": "aws.signin",
                    "detail-type": "AWS Console Sign In via CloudTrail",
                    "detail": {
                        "eventSource": "signin.amazonaws.com",
                        "eventName": "ConsoleLogin",
                        "eventTime": datetime(2026, 3, 2, 9, number, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                        "eventID": f"00000000-0000-4000-8000-0000000000{number:02}",
                        "userIdentity": {"type": "Root", "arn": "arn:aws:iam::111122223333:root"},
                        "responseElements": {"ConsoleLogin": "Success"},
                    },
                }
            ),
        }
        for number in range(count)
    ]


_STOPPED = blow("cloudtrail", "stop_logging", Name=_TRAIL)
_NARROWED = blow(
    "cloudtrail",
    "put_event_selectors",
    TrailName=_TRAIL,
    EventSelectors=[{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}],
)

STORIES = (
    Attack(
        "the rule that hears of IAM switched off",
        POWER,
        (blow("events", "disable_rule", Name=_IAM_RULE),),
        _GUARD,
    ),
    Attack(
        "the rule's target removed",
        EVENTS,
        (blow("events", "remove_targets", Rule=_IAM_RULE, Ids=["wakes"], Force=True),),
        _GUARD,
    ),
    Attack(
        "the rule's target turned elsewhere",
        EVENTS,
        (
            blow(
                "events",
                "put_targets",
                Rule=_IAM_RULE,
                Targets=[{"Id": "wakes", "Arn": "arn:aws:sqs:us-east-1:<account>:nowhere"}],
            ),
        ),
        _GUARD,
    ),
    Attack(
        "the rule's target sent something else than the event",
        EVENTS,
        (
            blow(
                "events",
                "put_targets",
                Rule=_IAM_RULE,
                Targets=[{"Id": "wakes", "Arn": "<queue-arn wakes>", "Input": "{}"}],
            ),
        ),
        _GUARD,
    ),
    Attack(
        "the rule's pattern narrowed to nothing",
        EVENTS,
        (
            blow(
                "events",
                "put_rule",
                Name=_IAM_RULE,
                EventPattern=json.dumps({"source": ["aws.iam"], "detail": {"eventName": ["Nothing"]}}),
            ),
        ),
        _GUARD,
    ),
    Attack("the rule deleted", EVENTS, (blow("events", "delete_rule", Name=_IAM_RULE, Force=True),), _GUARD),
    Attack(
        "the sweep's schedule made a year",
        EVENTS,
        (blow("events", "put_rule", Name="plumbline-sweep", ScheduleExpression="rate(365 days)"),),
        _GUARD,
    ),
    Attack(
        "every tripwire, rule and schedule switched off in one script",
        POWER,
        (Deed("disable_rule of every rule, tripwires first", _all_off),),
        _GUARD,
    ),
    Attack(
        "every tripwire, rule and schedule switched off in one script, before his guard is agreed to",
        OLD_EVENTS,
        (Deed("disable_rule of every rule, tripwires first", _as_many_as_go),),
        Told(Way.ALARM, ("plumbline-sweep-stopped",)),
    ),
    Attack(
        "every tripwire switched off in one script, and the schedules left",
        OLD_EVENTS,
        (Deed("disable_rule of every tripwire", _tripwires_off),),
        Told(Way.HOUSE, ("plumbline-trip-",), mended=True),
    ),
    Attack(
        "every tripwire, rule, schedule and alarm switched off in one script, by a permission set of Identity Center",
        PERMISSION_SET,
        (
            Deed("disable_rule of every rule, tripwires first", _as_many_as_go),
            blow("cloudwatch", "delete_alarms", AlarmNames=["plumbline-sweep-stopped"]),
        ),
        Open("only Identity Center changes its roles, so Plumbline cannot attach the guard; an SCP can hold them"),
    ),
    Attack(
        "the rule that hears of IAM switched off, before his guard is agreed to",
        OLD_EVENTS,
        (blow("events", "disable_rule", Name=_IAM_RULE),),
        Told(Way.TRIPWIRE, ("DisableRule", "<my-name>")),
    ),
    Attack(
        "the rule that hears of IAM switched off, and put back by Plumbline",
        OLD_EVENTS,
        (blow("events", "disable_rule", Name=_IAM_RULE),),
        Told(Way.HOUSE, ("plumbline-iam",), mended=True),
    ),
    Attack(
        "the rule's targets removed, and put back by Plumbline",
        OLD_EVENTS,
        (blow("events", "remove_targets", Rule=_IAM_RULE, Ids=["wakes"], Force=True),),
        Told(Way.HOUSE, ("plumbline-iam",), mended=True),
    ),
    Attack(
        "another target beside its own, which reads what it hears",
        OLD_EVENTS,
        (
            blow(
                "events",
                "put_targets",
                Rule=_IAM_RULE,
                Targets=[{"Id": "copy", "Arn": "arn:aws:sqs:us-east-1:<account>:copies"}],
            ),
        ),
        Told(Way.TRIPWIRE, ("PutTargets", "<my-name>")),
    ),
    Attack(
        "one of its roles passed to a rule of the attacker's own",
        PASSER,
        (
            blow(
                "events",
                "put_rule",
                Name="of-paul",
                RoleArn="<role react>",
                EventPattern=json.dumps({"source": ["of.paul"]}),
            ),
        ),
        Prevented("the guard, which lets nobody pass Plumbline's roles"),
    ),
    Attack(
        "a key on the default bus with which nothing that waits for its events can read them",
        EVENTS,
        (
            blow(
                "events",
                "update_event_bus",
                Name="default",
                KmsKeyIdentifier="arn:aws:kms:us-east-1:<account>:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            ),
        ),
        _GUARD,
    ),
    Attack(
        "an event in the name of AWS",
        PUTTER,
        (
            blow(
                "events",
                "put_events",
                Entries=[
                    {
                        "Source": "aws.iam",
                        "DetailType": "AWS API Call via CloudTrail",
                        "Detail": json.dumps(_FORGED["detail"]),
                    }
                ],
            ),
        ),
        Prevented("EventBridge, which takes no source of AWS's from anybody"),
    ),
    # --- queues -------------------------------------------------------------------------------------
    Attack(
        "a wake that claims to be of the first sweep, which is left alone for a week",
        SENDER,
        (blow("sqs", "send_message", QueueUrl=_WAKES, MessageBody=_wake("adoption")),),
        Prevented("the queue's own policy"),
    ),
    Attack(
        "a made-up event of AWS's on the queue",
        SENDER,
        (blow("sqs", "send_message", QueueUrl=_WAKES, MessageBody=json.dumps(_FORGED)),),
        Prevented("the queue's own policy"),
    ),
    Attack(
        "a unit of a sweep that never was",
        SENDER,
        (blow("sqs", "send_message", QueueUrl="<queue units>", MessageBody='{"plumbline-unit": 1}'),),
        Prevented("the queue's own policy"),
    ),
    Attack(
        "sign-ins of root that never were, to use up an hour's e-mails",
        SENDER,
        tuple(
            blow("sqs", "send_message_batch", QueueUrl=_WAKES, Entries=_sign_ins(25)[start : start + 10])
            for start in (0, 10, 20)
        ),
        Prevented("the queue's own policy"),
    ),
    Attack(
        "wakes taken from the queue before they are settled",
        SQS,
        (blow("sqs", "receive_message", QueueUrl=_WAKES, VisibilityTimeout=43200),),
        _DENIED,
    ),
    Attack("the dead letters purged", SQS, (blow("sqs", "purge_queue", QueueUrl=_DEAD),), _DENIED),
    Attack(
        "the queue's policy taken away",
        SQS,
        (blow("sqs", "set_queue_attributes", QueueUrl=_WAKES, Attributes={"Policy": ""}),),
        _GUARD,
    ),
    Attack(
        "messages kept for a minute, and delayed by a quarter of an hour",
        POWER,
        (
            blow(
                "sqs",
                "set_queue_attributes",
                QueueUrl=_WAKES,
                Attributes={"MessageRetentionPeriod": "60", "DelaySeconds": "900"},
            ),
        ),
        _GUARD,
    ),
    Attack(
        "the queue encrypted with a key that EventBridge may not use",
        SQS,
        (
            blow(
                "sqs",
                "set_queue_attributes",
                QueueUrl=_WAKES,
                Attributes={"KmsMasterKeyId": "alias/aws/sqs"},
            ),
        ),
        _GUARD,
    ),
    Attack(
        "a stranger let into the queue",
        SQS,
        (
            blow(
                "sqs",
                "add_permission",
                QueueUrl=_WAKES,
                Label="stranger",
                AWSAccountIds=[STRANGER],
                Actions=["SendMessage"],
            ),
        ),
        _GUARD,
    ),
    Attack("the queue deleted", SQS, (tearing_down("sqs", "delete_queue", QueueUrl=_WAKES),), _GUARD),
    Attack(
        "the queue's policy taken away, before his guard is agreed to",
        OLD_SQS,
        (blow("sqs", "set_queue_attributes", QueueUrl=_WAKES, Attributes={"Policy": ""}),),
        Told(Way.TRIPWIRE, ("SetQueueAttributes", "<my-name>")),
    ),
    Attack(
        "the queue's policy taken away, as the house look sees it",
        OLD_SQS,
        (blow("sqs", "set_queue_attributes", QueueUrl=_WAKES, Attributes={"Policy": ""}),),
        Told(Way.HOUSE, ("plumbline-wakes", "policy")),
    ),
    # --- the trail ----------------------------------------------------------------------------------
    Attack("the trail stopped", CLOUDTRAIL, (_STOPPED,), _GUARD),
    Attack("the trail narrowed to reads", CLOUDTRAIL, (_NARROWED,), _GUARD),
    Attack("the trail deleted", CLOUDTRAIL, (blow("cloudtrail", "delete_trail", Name=_TRAIL),), _GUARD),
    Attack(
        "the trail stopped, before his guard is agreed to",
        OLD_CLOUDTRAIL,
        (_STOPPED,),
        Told(Way.EVENT, ("trail", "<my-name>"), mended=True),
    ),
    Attack(
        "the trail narrowed to reads, before his guard is agreed to",
        OLD_CLOUDTRAIL,
        (_NARROWED,),
        Told(Way.EVENT, ("trail", "<my-name>"), mended=True),
    ),
    Attack(
        "a decoy trail, and the real one deleted, before his guard is agreed to",
        OLD_CLOUDTRAIL,
        (
            blow("cloudtrail", "create_trail", Name="decoy", S3BucketName="<bucket>", IsMultiRegionTrail=False),
            blow("cloudtrail", "delete_trail", Name=_TRAIL),
        ),
        Told(Way.EVENT, ("trail", "<my-name>")),
    ),
    Attack(
        "the trail's records deleted after a day",
        S3,
        (
            blow(
                "s3",
                "put_bucket_lifecycle_configuration",
                Bucket="<bucket>",
                LifecycleConfiguration={
                    "Rules": [{"ID": "gone", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]
                },
            ),
        ),
        _GUARD,
    ),
    Attack(
        "the bucket's policy taken from the trail",
        S3,
        (blow("s3", "delete_bucket_policy", Bucket="<bucket>"),),
        _GUARD,
    ),
    Attack(
        "a bucket policy that keeps the trail out",
        S3,
        (
            blow(
                "s3",
                "put_bucket_policy",
                Bucket="<bucket>",
                Policy=document(
                    {
                        "Effect": "Deny",
                        "Principal": {"Service": "cloudtrail.amazonaws.com"},
                        "Action": "s3:PutObject",
                        "Resource": "arn:aws:s3:::<bucket>/*",
                    }
                ),
            ),
        ),
        _GUARD,
    ),
    Attack(
        "versioning of the records suspended",
        S3,
        (
            blow(
                "s3",
                "put_bucket_versioning",
                Bucket="<bucket>",
                VersioningConfiguration={"Status": "Suspended"},
            ),
        ),
        _GUARD,
    ),
    Attack(
        "the trail's bucket deleted",
        S3,
        (tearing_down("s3", "delete_bucket", Bucket="<bucket>"),),
        _GUARD,
    ),
)
