"""Its forwarders in other regions: rules that lead home, what they could not deliver, their signs of life."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from tests.attacks.attack import (
    ELSEWHERE,
    LEFT_OUT,
    OPTED_IN,
    Attack,
    Attacker,
    Blow,
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
    ACCOUNT,
    ADMIN,
    EVENTS,
    IAM_FULL,
    OLD_EVENTS,
    OLD_SQS,
    PASSER,
    PERMISSION_SET,
    POWER,
    PUTTER,
    REGIONAL,
    SENDER,
    SQS,
)
from tests.attacks.stage import Stage

_GUARD = Prevented("the guard")
_DENIED = Prevented("the queue's own policy, and the guard")
_RULE, _ALIVE, _TELLS = "plumbline-s3", "plumbline-alive", "plumbline-trip-rules"
_LETTERS, _BEATS = "<queue dead-events>", "<queue dead-man>"
_NARROW = json.dumps({"source": ["aws.s3"], "detail": {"eventName": ["Nothing"]}})
_NOWHERE = [{"Id": "home", "Arn": f"arn:aws:sqs:{ELSEWHERE}:<account>:nowhere"}]
_DENIED_TO_ALL = document(
    {"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "<queue-arn dead-events>"}
)
#: What a forwarder that lives would say.
_BEAT = json.dumps(
    {
        "source": "aws.events",
        "detail-type": "Scheduled Event",
        "account": "111122223333",
        "region": ELSEWHERE,
        "time": "2099-12-31T23:59:59Z",
        "resources": [f"arn:aws:events:{ELSEWHERE}:111122223333:rule/plumbline-alive"],
        "detail": {},
    }
)


def _there(operation: str, **parameters: Any) -> Blow:
    """A call about a forwarder's rule."""
    return blow("events", operation, region=ELSEWHERE, **parameters)


_OFF = _there("disable_rule", Name=_RULE)
_GONE = _there("remove_targets", Rule=_RULE, Ids=["home"], Force=True), _there("delete_rule", Name=_RULE, Force=True)
_TURNED = _there("put_targets", Rule=_RULE, Targets=_NOWHERE)
_NARROWED = _there("put_rule", Name=_RULE, EventPattern=_NARROW)
_EMPTIED = _there("remove_targets", Rule=_RULE, Ids=["home"], Force=True)


def _rules(stage: Stage, who: Attacker) -> list[str]:
    found = stage.client("events", who.name, ELSEWHERE).list_rules(NamePrefix="plumbline-")["Rules"]
    # First the one that tells of the others.
    return sorted((str(one["Name"]) for one in found), key=lambda name: (_TELLS != name, "-trip-" not in name, name))


def _all_off(stage: Stage, who: Attacker) -> None:
    """Every rule of a region off, its tripwires first; the first refusal is the answer."""
    for name in _rules(stage, who):
        stage.client("events", who.name, ELSEWHERE).disable_rule(Name=name)


def _tripwires_off(stage: Stage, who: Attacker) -> None:
    for name in _rules(stage, who):
        if "-trip-" in name:
            stage.client("events", who.name, ELSEWHERE).disable_rule(Name=name)


def _all_but_the_sign_of_life(stage: Stage, who: Attacker) -> None:
    """What is looked at from home goes on as if nothing were."""
    for name in _rules(stage, who):
        if name != _ALIVE:
            stage.client("events", who.name, ELSEWHERE).disable_rule(Name=name)


def _everything_off(stage: Stage, who: Attacker) -> None:
    """The other region's rules, then home's, each as far as it goes."""
    for region in (ELSEWHERE, stage.aws.region):
        client = stage.client("events", who.name, region)
        for one in client.list_rules(NamePrefix="plumbline-")["Rules"]:
            try:
                client.disable_rule(Name=one["Name"])
            except ClientError as error:
                if error.response["Error"]["Code"] != "AccessDeniedException":
                    raise


def _beat_of_his_own(stage: Stage, who: Attacker) -> None:
    """The queue opened to everybody, and a sign of life of a forwarder put there."""
    sqs, url = stage.client("sqs", who.name), stage.named("queue dead-man", who)
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    sqs.send_message(QueueUrl=url, MessageBody=_BEAT)


def _elsewhere(*said: str) -> Told:
    return Told(Way.ELSEWHERE, (*said, ELSEWHERE, "<my-name>"))


def _put_back(*said: str, way: Way = Way.LOOK) -> Told:
    return Told(way, (*said, ELSEWHERE), mended=True)


STORIES = (
    Attack("a forwarder's rule switched off", POWER, (_OFF,), _GUARD),
    Attack("a forwarder's rule deleted", EVENTS, _GONE, _GUARD),
    Attack("a forwarder's rule turned elsewhere", EVENTS, (_TURNED,), _GUARD),
    Attack("a forwarder's pattern narrowed to nothing", EVENTS, (_NARROWED,), _GUARD),
    Attack("a forwarder's targets removed", EVENTS, (_EMPTIED,), _GUARD),
    Attack(
        "every rule of another region switched off in one script, its tripwires first",
        POWER,
        (Deed("disable_rule of every rule of a region, tripwires first", _all_off),),
        _GUARD,
    ),
    Attack(
        "a forwarder's rule switched off, by one whose rights end at the region's border",
        REGIONAL,
        (_OFF,),
        _GUARD,
    ),
    Attack(
        "a key on another region's default bus with which its events cannot be read",
        EVENTS,
        (
            _there(
                "update_event_bus",
                Name="default",
                KmsKeyIdentifier=f"arn:aws:kms:{ELSEWHERE}:<account>:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            ),
        ),
        _GUARD,
    ),
    Attack(
        "an event in the name of AWS, in another region",
        PUTTER,
        (
            _there(
                "put_events",
                Entries=[{"Source": "aws.s3", "DetailType": "AWS API Call via CloudTrail", "Detail": "{}"}],
            ),
        ),
        Prevented("EventBridge, which takes no source of AWS's from anybody"),
    ),
    Attack(
        "a forwarder's rule switched off, before his guard is agreed to",
        OLD_EVENTS,
        (_OFF,),
        _elsewhere("DisableRule", _RULE),
    ),
    Attack(
        "a forwarder's rule turned elsewhere, before his guard is agreed to",
        OLD_EVENTS,
        (_TURNED,),
        _elsewhere("PutTargets", _RULE),
    ),
    Attack(
        "a forwarder's pattern narrowed to nothing, before his guard is agreed to",
        OLD_EVENTS,
        (_NARROWED,),
        _elsewhere("PutRule", _RULE),
    ),
    Attack(
        "a forwarder's rule deleted, before his guard is agreed to",
        OLD_EVENTS,
        _GONE,
        _elsewhere("DeleteRule", _RULE),
    ),
    Attack(
        "a forwarder's rule switched off, by an administrator",
        ADMIN,
        (_OFF,),
        Open("an administrator may end the watchdog's subscription first", Told(Way.ELSEWHERE, ("DisableRule", _RULE))),
    ),
    Attack(
        "a forwarder's rule switched off, by a permission set of Identity Center",
        PERMISSION_SET,
        (_OFF,),
        Open(
            "only Identity Center changes its roles, so Plumbline cannot attach the guard; an SCP can hold them",
            Told(Way.ELSEWHERE, ("DisableRule", _RULE, ELSEWHERE)),
        ),
    ),
    Attack(
        "every rule of another region and of home switched off in one script, by a permission set of Identity Center",
        PERMISSION_SET,
        (Deed("disable_rule of every rule of two regions", _everything_off),),
        Open("only Identity Center changes its roles, so Plumbline cannot attach the guard; an SCP can hold them"),
    ),
    Attack(
        "a forwarder's rule switched off, and put back by Plumbline",
        OLD_EVENTS,
        (_OFF,),
        _put_back(_RULE),
    ),
    Attack(
        "a forwarder's rule deleted, and made again by Plumbline",
        OLD_EVENTS,
        _GONE,
        _put_back(_RULE),
    ),
    Attack(
        "a forwarder's rule turned elsewhere, and turned back by Plumbline",
        OLD_EVENTS,
        (_TURNED,),
        _put_back(_RULE),
    ),
    Attack(
        "every tripwire of another region switched off in one script",
        OLD_EVENTS,
        (Deed("disable_rule of every tripwire of a region", _tripwires_off),),
        _put_back("plumbline-trip-rules", way=Way.SWEEP),
    ),
    Attack(
        "every rule of another region but its sign of life switched off in one script",
        OLD_EVENTS,
        (Deed("disable_rule of every rule of a region but one", _all_but_the_sign_of_life),),
        _put_back("plumbline-access-analyzer", way=Way.SWEEP),  # one of the five that are told alone
    ),
    Attack(
        "every rule of another region switched off in one script, and what home misses then",
        OLD_EVENTS,
        (Deed("disable_rule of every rule of a region, tripwires first", _all_off),),
        Told(Way.SWEEP, (f"{ELSEWHERE} has given no sign of life",)),
    ),
    # --- what could not be delivered ------------------------------------------------------------------
    Attack(
        "what a forwarder could not deliver thrown away with its queue",
        SQS,
        (tearing_down("sqs", "delete_queue", region=ELSEWHERE, QueueUrl=_LETTERS),),
        _GUARD,
    ),
    Attack(
        "what a forwarder could not deliver purged, or said to be more",
        SQS,
        (
            blow("sqs", "purge_queue", region=ELSEWHERE, QueueUrl=_LETTERS),
            blow("sqs", "send_message", region=ELSEWHERE, QueueUrl=_LETTERS, MessageBody="{}"),
        ),
        _DENIED,
    ),
    Attack(
        "a policy that keeps out what a forwarder could not deliver",
        SQS,
        (
            blow(
                "sqs",
                "set_queue_attributes",
                region=ELSEWHERE,
                QueueUrl=_LETTERS,
                Attributes={"Policy": _DENIED_TO_ALL},
            ),
        ),
        _GUARD,
    ),
    Attack(
        "what a forwarder could not deliver thrown away with its queue, before his guard is agreed to",
        OLD_SQS,
        (blow("sqs", "delete_queue", region=ELSEWHERE, QueueUrl=_LETTERS),),
        _elsewhere("DeleteQueue", "plumbline-dead-events"),
    ),
    Attack(
        "a policy that keeps out what a forwarder could not deliver, before his guard is agreed to",
        OLD_SQS,
        (
            blow(
                "sqs",
                "set_queue_attributes",
                region=ELSEWHERE,
                QueueUrl=_LETTERS,
                Attributes={"Policy": _DENIED_TO_ALL},
            ),
        ),
        _elsewhere("SetQueueAttributes", "plumbline-dead-events"),
    ),
    # --- signs of life --------------------------------------------------------------------------------
    Attack(
        "a sign of life of a forwarder that is dead, put into the queue",
        SENDER,
        (blow("sqs", "send_message", QueueUrl=_BEATS, MessageBody=_BEAT),),
        Prevented("the queue's own policy"),
    ),
    Attack(
        "the signs of life taken from the queue",
        SQS,
        (
            blow("sqs", "receive_message", QueueUrl=_BEATS, VisibilityTimeout=43200),
            blow("sqs", "purge_queue", QueueUrl=_BEATS),
        ),
        _DENIED,
    ),
    Attack(
        "a sign of life put into the queue once its policy is off, before his guard is agreed to",
        OLD_SQS,
        (Deed("set_queue_attributes, then send_message", _beat_of_his_own),),
        Told(Way.TRIPWIRE, ("SetQueueAttributes", "plumbline-dead-man", "<my-name>")),
    ),
    Attack(
        "a rule of the attacker's own that says a forwarder lives, before his guard is agreed to",
        OLD_EVENTS,
        (
            blow("events", "put_rule", Name="plumbline-lives", ScheduleExpression="rate(25 minutes)"),
            blow(
                "events",
                "put_targets",
                Rule="plumbline-lives",
                Targets=[{"Id": "beats", "Arn": "<queue-arn dead-man>", "Input": _BEAT}],
            ),
        ),
        Told(Way.TRIPWIRE, ("PutRule", "plumbline-lives", "<my-name>")),
    ),
    Attack(
        "a rule called like the one that beats, in a region that nobody governs",
        EVENTS,
        (blow("events", "put_rule", region=LEFT_OUT, Name=_ALIVE, ScheduleExpression="rate(1 minute)"),),
        _GUARD,
    ),
    Attack(
        "the role of the forwarders passed to a rule of the attacker's own",
        PASSER,
        (
            blow(
                "events",
                "put_targets",
                region=LEFT_OUT,
                Rule="of-paul",
                Targets=[{"Id": "home", "Arn": "<bus-arn home>", "RoleArn": "<role forwarder>"}],
            ),
        ),
        Prevented("the guard, which lets nobody pass Plumbline's roles"),
        before=(
            blow(
                "events", "put_rule", region=LEFT_OUT, Name="of-paul", EventPattern=json.dumps({"source": ["aws.s3"]})
            ),
        ),
    ),
    # --- regions --------------------------------------------------------------------------------------
    Attack(
        "a region switched off",
        POWER,
        (blow("account", "disable_region", RegionName=OPTED_IN),),
        Prevented("PowerUserAccess has no right to it"),
    ),
    Attack(
        "a region switched off, by one who may",
        ACCOUNT,
        (blow("account", "disable_region", RegionName=OPTED_IN),),
        Told(Way.SWEEP, (OPTED_IN, "switched off")),
    ),
    Attack(
        "a boundary on the forwarders' role, under which it puts nothing onto the bus",
        IAM_FULL,
        (
            blow(
                "iam",
                "put_role_permissions_boundary",
                RoleName="plumbline-forwarder",
                PermissionsBoundary="arn:aws:iam::aws:policy/AWSDenyAll",
            ),
        ),
        Told(Way.TRIPWIRE, ("PutRolePermissionsBoundary", "plumbline-forwarder", "<my-name>")),
    ),
    Attack(
        "a boundary on the forwarders' role, as the house look sees it",
        IAM_FULL,
        (
            blow(
                "iam",
                "put_role_permissions_boundary",
                RoleName="plumbline-forwarder",
                PermissionsBoundary="arn:aws:iam::aws:policy/AWSDenyAll",
            ),
        ),
        Told(Way.HOUSE, ("plumbline-forwarder", "boundary")),
    ),
)
