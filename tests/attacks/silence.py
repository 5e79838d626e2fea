"""Whether somebody could silence the way by which he is told: what silences it, and how that is told in turn.

IAM's simulator answers what an attacker may do, with all that is attached to him when he is asked about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.attacks.attack import Attacker, Way
from tests.attacks.stage import Stage

_RULE = "arn:aws:events:us-east-1:<account>:rule/"
_FUNCTION = "arn:aws:lambda:us-east-1:<account>:function:plumbline-"
_ALARM = "arn:aws:cloudwatch:us-east-1:<account>:alarm:plumbline-sweep-stopped"
_TRAIL = "arn:aws:cloudtrail:us-east-1:<account>:trail/plumbline"


@dataclass(frozen=True, slots=True)
class Silencer:
    """Calls that silence a way.

    Attributes:
        actions: any of them does it.
        on: the resource.
        told: the ways by which that itself is told.
    """

    actions: tuple[str, ...]
    on: str
    told: tuple[Way, ...] = ()


_RULES = ("events:DeleteRule", "events:DisableRule", "events:PutRule", "events:RemoveTargets", "events:PutTargets")
_TOPIC = ("sns:DeleteTopic", "sns:SetTopicAttributes", "sns:RemovePermission", "sns:Unsubscribe",
          "sns:SetSubscriptionAttributes")  # fmt: skip
_CODE = ("lambda:UpdateFunctionCode", "lambda:UpdateFunctionConfiguration", "lambda:PutFunctionConcurrency",
         "lambda:DeleteFunction")  # fmt: skip
_ROLE = ("iam:PutRolePolicy", "iam:AttachRolePolicy", "iam:DetachRolePolicy", "iam:PutRolePermissionsBoundary",
         "iam:UpdateAssumeRolePolicy")  # fmt: skip
_QUEUE = ("sqs:DeleteQueue", "sqs:SetQueueAttributes", "sqs:PurgeQueue")
_TABLE = ("dynamodb:DeleteTable", "dynamodb:PutResourcePolicy", "dynamodb:UpdateTable")
_BUS = ("events:DeleteEventBus", "events:UpdateEventBus")
#: AWS knows no resource of these.
_ITS_POLICY = ("events:PutPermission", "events:RemovePermission")
_SETS = ("cloudformation:DeleteStackInstances", "cloudformation:UpdateStackSet", "cloudformation:UpdateStackInstances")
_STACKS = ("cloudformation:DeleteStack", "cloudformation:UpdateStack", "cloudformation:ExecuteChangeSet")
_EVENTS_STOP = Silencer(("cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "cloudtrail:PutEventSelectors"), _TRAIL,
                        (Way.EVENT, Way.SWEEP))  # fmt: skip
_ALERTS_GONE = Silencer(_TOPIC, "<topic alerts>", (Way.TRIPWIRE, Way.HOUSE))
_WATCHDOG_GONE = Silencer(_TOPIC, "<topic watchdog>", (Way.HOUSE,))

#: What the house look needs is what the sweep needs: one function, its role, its schedules.
_SWEEPING = (
    Silencer(_RULES, f"{_RULE}plumbline-house", (Way.TRIPWIRE, Way.ALARM)),
    Silencer(_CODE, f"{_FUNCTION}sweep", (Way.TRIPWIRE, Way.ALARM)),
    Silencer(_ROLE, "<role sweep>", (Way.TRIPWIRE, Way.ALARM)),
    Silencer(_TABLE, "<ledger-arn>", (Way.TRIPWIRE, Way.ALARM)),
)
#: From the rule in the other region to the bus, by the role that the rule takes, and from the bus to what tells.
_FROM_ELSEWHERE = (
    Silencer(_RULES, "arn:aws:events:<elsewhere>:<account>:rule/plumbline-trip-rules", (Way.SWEEP,)),
    Silencer(_STACKS, "<forwarder-arn>", (Way.SWEEP,)),
    Silencer(_SETS, "<forwarders-arn>", (Way.TRIPWIRE, Way.SWEEP)),
    Silencer(_ROLE, "<role forwarder>", (Way.TRIPWIRE, Way.HOUSE)),
    Silencer(_BUS, "<bus-arn home>", (Way.TRIPWIRE, Way.HOUSE)),
    Silencer(_ITS_POLICY, "*", (Way.TRIPWIRE, Way.HOUSE)),
    Silencer(_RULES, f"{_RULE}plumbline-home/plumbline-home-rules", (Way.TRIPWIRE, Way.HOUSE)),
)
SILENCERS: Mapping[Way, tuple[Silencer, ...]] = {
    Way.TRIPWIRE: (Silencer(_RULES, f"{_RULE}plumbline-trip-fn", (Way.HOUSE,)), _WATCHDOG_GONE, _EVENTS_STOP),
    Way.ELSEWHERE: (*_FROM_ELSEWHERE, _WATCHDOG_GONE, _EVENTS_STOP),
    Way.LOOK: (*_FROM_ELSEWHERE, *_SWEEPING, _ALERTS_GONE, _EVENTS_STOP),
    Way.STACK: (Silencer(_RULES, f"{_RULE}plumbline-deploying", (Way.HOUSE,)), _WATCHDOG_GONE),
    Way.EVENT: (
        Silencer(_RULES, f"{_RULE}plumbline-iam", (Way.TRIPWIRE, Way.HOUSE)),
        Silencer(_CODE, f"{_FUNCTION}react", (Way.TRIPWIRE, Way.HOUSE)),
        Silencer(_ROLE, "<role react>", (Way.TRIPWIRE, Way.HOUSE)),
        Silencer(_QUEUE, "<queue-arn wakes>", (Way.TRIPWIRE, Way.HOUSE)),
        Silencer(_TABLE, "<ledger-arn>", (Way.TRIPWIRE, Way.ALARM)),
        _ALERTS_GONE,
        _EVENTS_STOP,
    ),
    Way.HOUSE: (*_SWEEPING, _ALERTS_GONE),
    Way.SWEEP: (*_SWEEPING, _ALERTS_GONE),
    Way.ALARM: (
        Silencer(("cloudwatch:DeleteAlarms", "cloudwatch:DisableAlarmActions", "cloudwatch:PutMetricAlarm"), _ALARM,
                 (Way.TRIPWIRE, Way.HOUSE)),
        Silencer(("lambda:InvokeFunction",), f"{_FUNCTION}sweep"),
        _WATCHDOG_GONE,
    ),
}  # fmt: skip


def silenced(stage: Stage, who: Attacker, way: Way, seen: tuple[Way, ...] = ()) -> Iterator[str]:
    """What somebody could do so that a way tells nobody, and no other way tells of that; nothing where none can.

    Args:
        stage: the account.
        who: whose rights are asked about.
        way: the way.
        seen: ways that were asked about on the way here: what they would tell is silenced already.
    """
    for one in SILENCERS[way]:
        may = _allowed(stage, who, one)
        others = [other for other in one.told if other is not way and other not in seen]
        if may and not any(not list(silenced(stage, who, other, (*seen, way))) for other in others):
            yield f"{may} on {one.on} silences {way.words}, and nobody is told of that"


def _allowed(stage: Stage, who: Attacker, silencer: Silencer) -> str:
    """The first of the calls that somebody may make; empty where he may make none."""
    allowed = stage.allowed(who, silencer.actions, stage.filled(silencer.on, who))
    return allowed[0] if allowed else ""
