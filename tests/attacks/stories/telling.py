"""Who hears: topics, subscriptions, alarms, logs, the stack they all belong to."""

from __future__ import annotations

import json
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config

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
    CLOUDFORMATION,
    CLOUDWATCH,
    EVENTS,
    LOGS,
    OLD_CLOUDFORMATION,
    OLD_CLOUDWATCH,
    OLD_SNS,
    POWER,
    PUBLISHER,
    S3,
    SNS,
)
from tests.attacks.stage import Stage

_GUARD = Prevented("the guard")
_ALERTS, _WATCHDOG = "<topic alerts>", "<topic watchdog>"
_ALARM = "plumbline-sweep-stopped"
_SAME = [
    {"ParameterKey": name, "UsePreviousValue": True}
    for name in ("AlertEmail", "EscalationEmail", "AdoptionGraceDays", "ExistingTrailName")
]


def _link(stage: Stage, who: Attacker) -> None:
    """What the link does: no key signs it, and CloudTrail never has it."""
    nobody = Config(signature_version=UNSIGNED, proxies={})
    client = boto3.client("sns", region_name=stage.aws.region, endpoint_url=stage.aws.endpoint, config=nobody)
    client.unsubscribe(SubscriptionArn=stage.named("subscription alerts", who))


def _deaf(stage: Stage, who: Attacker) -> None:
    """The watchdog's address first, so that nobody hears of the rest."""
    client = stage.client("sns", who.name)
    for topic in ("watchdog", "alerts"):
        arn = stage.named(f"topic {topic}", who)
        for one in client.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]:
            client.unsubscribe(SubscriptionArn=one["SubscriptionArn"])


def _updated(mode: str) -> dict[str, Any]:
    return {
        "StackName": "plumbline",
        "UsePreviousTemplate": True,
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        "Parameters": [*_SAME, {"ParameterKey": "Mode", "ParameterValue": mode}],
    }


STORIES = (
    Attack(
        "a filter on the owner's subscription, which lets nothing through",
        POWER,
        (
            blow(
                "sns",
                "set_subscription_attributes",
                SubscriptionArn="<subscription alerts>",
                AttributeName="FilterPolicy",
                AttributeValue=json.dumps({"never": ["true"]}),
            ),
        ),
        _GUARD,
    ),
    Attack(
        "the owner's subscription ended",
        SNS,
        (blow("sns", "unsubscribe", SubscriptionArn="<subscription alerts>"),),
        _GUARD,
    ),
    Attack(
        "a stranger's address, to read along",
        SNS,
        (blow("sns", "subscribe", TopicArn=_ALERTS, Protocol="email", Endpoint="stranger@example.net"),),
        _GUARD,
    ),
    Attack(
        "a policy of the topic that lets Plumbline not publish",
        SNS,
        (
            blow(
                "sns",
                "set_topic_attributes",
                TopicArn=_ALERTS,
                AttributeName="Policy",
                AttributeValue=document(
                    {"Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": _ALERTS}
                ),
            ),
        ),
        _GUARD,
    ),
    Attack(
        "the watchdog's topic encrypted with a key that alarms may not use",
        SNS,
        (
            blow(
                "sns",
                "set_topic_attributes",
                TopicArn=_WATCHDOG,
                AttributeName="KmsMasterKeyId",
                AttributeValue="alias/aws/sns",
            ),
        ),
        _GUARD,
    ),
    Attack(
        "a stranger let into the topic",
        SNS,
        (
            blow(
                "sns",
                "add_permission",
                TopicArn=_ALERTS,
                Label="stranger",
                AWSAccountId=[STRANGER],
                ActionName=["Publish", "Subscribe"],
            ),
        ),
        _GUARD,
    ),
    Attack("the topic deleted", SNS, (tearing_down("sns", "delete_topic", TopicArn=_ALERTS),), _GUARD),
    Attack(
        "an alert of the attacker's own, in Plumbline's name",
        PUBLISHER,
        (
            blow(
                "sns",
                "publish",
                TopicArn=_ALERTS,
                Subject="[Plumbline] all is well",
                Message="Nothing to see. Confirm at evil.example/x",
            ),
        ),
        Prevented("the topic's own policy"),
    ),
    Attack(
        "a rule of the attacker's own that writes to the owner in the watchdog's name",
        EVENTS,
        (
            blow("events", "put_rule", Name="of-evan", EventPattern=json.dumps({"source": ["of.evan"]})),
            blow(
                "events",
                "put_targets",
                Rule="of-evan",
                Targets=[{"Id": "owner", "Arn": _WATCHDOG, "Input": '"All is well. Confirm at evil.example/x"'}],
            ),
        ),
        Told(Way.TRIPWIRE, ("PutTargets", "of-evan", "<my-name>")),
    ),
    Attack(
        "a filter on the owner's subscription, before his guard is agreed to",
        OLD_SNS,
        (
            blow(
                "sns",
                "set_subscription_attributes",
                SubscriptionArn="<subscription alerts>",
                AttributeName="FilterPolicy",
                AttributeValue=json.dumps({"never": ["true"]}),
            ),
        ),
        Open(
            "until a person has agreed to his guard, he may end the watchdog's subscription first",
            Told(Way.TRIPWIRE, ("SetSubscriptionAttributes", "<my-name>")),
        ),
    ),
    Attack(
        "a stranger's address to read along, before his guard is agreed to",
        OLD_SNS,
        (blow("sns", "subscribe", TopicArn=_ALERTS, Protocol="email", Endpoint="stranger@example.net"),),
        Open(
            "until a person has agreed to his guard, he may end the watchdog's subscription first",
            Told(Way.TRIPWIRE, ("Subscribe", "<my-name>")),
        ),
    ),
    Attack(
        "every address taken from both topics, before his guard is agreed to",
        OLD_SNS,
        (Deed("unsubscribe of every address, the watchdog's first", _deaf),),
        Open("until a person has agreed to his guard, he holds every topic, and so every way to the owner"),
    ),
    Attack(
        "the unsubscribe link of an alert clicked, by whoever has the e-mail",
        PUBLISHER,
        (Deed("the link in an alert's last line", _link),),
        Told(Way.SWEEP, ("NOBODY HEARS Plumbline's e-mails any more",)),
    ),
    # --- alarms and logs ------------------------------------------------------------------------------
    Attack(
        "the alarm of a stopped sweep deleted",
        POWER,
        (blow("cloudwatch", "delete_alarms", AlarmNames=[_ALARM]),),
        _GUARD,
    ),
    Attack(
        "the alarms' actions muted",
        CLOUDWATCH,
        (blow("cloudwatch", "disable_alarm_actions", AlarmNames=[_ALARM, "plumbline-dead-letters"]),),
        _GUARD,
    ),
    Attack(
        "an alarm made to wait for a thousand dead letters",
        CLOUDWATCH,
        (
            blow(
                "cloudwatch",
                "put_metric_alarm",
                AlarmName="plumbline-dead-letters",
                Namespace="AWS/SQS",
                MetricName="ApproximateNumberOfMessagesVisible",
                Statistic="Maximum",
                Period=300,
                EvaluationPeriods=1,
                Threshold=1000,
                ComparisonOperator="GreaterThanThreshold",
            ),
        ),
        _GUARD,
    ),
    Attack(
        "an alarm said to be fine",
        CLOUDWATCH,
        (
            blow(
                "cloudwatch",
                "set_alarm_state",
                AlarmName="plumbline-dead-letters",
                StateValue="OK",
                StateReason="nothing was given up, honestly",
            ),
        ),
        _GUARD,
    ),
    Attack(
        "the alarms deleted, before his guard is agreed to",
        OLD_CLOUDWATCH,
        (blow("cloudwatch", "delete_alarms", AlarmNames=[_ALARM]),),
        Told(Way.TRIPWIRE, ("DeleteAlarms", "<my-name>")),
    ),
    Attack(
        "an alarm's actions muted, as the sweep sees it",
        OLD_CLOUDWATCH,
        (blow("cloudwatch", "disable_alarm_actions", AlarmNames=[_ALARM]),),
        Told(Way.SWEEP, (_ALARM,)),
    ),
    Attack(
        "the log of its repairs deleted",
        LOGS,
        (blow("logs", "delete_log_group", logGroupName="/aws/lambda/plumbline-react"),),
        _GUARD,
    ),
    Attack(
        "its logs kept for a day only",
        LOGS,
        (blow("logs", "put_retention_policy", logGroupName="/aws/lambda/plumbline-react", retentionInDays=1),),
        _GUARD,
    ),
    # --- the stack ----------------------------------------------------------------------------------
    Attack(
        "the stack deleted",
        CLOUDFORMATION,
        (tearing_down("cloudformation", "delete_stack", StackName="plumbline"),),
        _GUARD,
    ),
    Attack(
        "the stack updated to observe",
        POWER,
        (tearing_down("cloudformation", "update_stack", **_updated("observe")),),
        _GUARD,
    ),
    Attack(
        "an older template over it",
        CLOUDFORMATION,
        (
            tearing_down(
                "cloudformation",
                "create_change_set",
                StackName="plumbline",
                ChangeSetName="older",
                TemplateBody=json.dumps({"Resources": {"None": {"Type": "AWS::SNS::Topic"}}}),
            ),
        ),
        _GUARD,
    ),
    Attack(
        "what was uploaded for the next deployment exchanged for other code",
        S3,
        (blow("s3", "put_object", Bucket="<sam-bucket>", Key="plumbline/0123456789abcdef", Body=b"other code"),),
        _GUARD,
    ),
    Attack(
        "a stack policy that no deployment of the owner's comes through",
        CLOUDFORMATION,
        (
            blow(
                "cloudformation",
                "set_stack_policy",
                StackName="plumbline",
                StackPolicyBody=json.dumps(
                    {"Statement": [{"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}
                ),
            ),
        ),
        _GUARD,
    ),
    Attack(
        "a stack policy that no deployment of the owner's comes through, before his guard is agreed to",
        OLD_CLOUDFORMATION,
        (
            blow(
                "cloudformation",
                "set_stack_policy",
                StackName="plumbline",
                StackPolicyBody=json.dumps(
                    {"Statement": [{"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}
                ),
            ),
        ),
        Told(Way.TRIPWIRE, ("SetStackPolicy", "<my-name>")),
    ),
)
