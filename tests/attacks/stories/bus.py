"""The home bus: its policy, its key, its rules, and who puts events onto it."""

from __future__ import annotations

import json
from typing import Any

from tests.attacks.attack import STRANGER, Attack, Attacker, Deed, Prevented, Told, Way, blow, document, tearing_down
from tests.attacks.attackers import ASSUMER, EVENTS, IAM_FULL, OLD_EVENTS, POWER, PUTTER
from tests.attacks.stage import Stage

_GUARD = Prevented("the guard")
_ITS_POLICY = Prevented("the bus's own policy")
_BUS, _ARN = "plumbline-home", "<bus-arn home>"
_WAKES = "plumbline-home-wakes"
_ANYBODY = document({"Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": _ARN})
_NOBODY = document({"Effect": "Deny", "Principal": "*", "Action": "events:PutEvents", "Resource": _ARN})
_KEY = "arn:aws:kms:us-east-1:<account>:key/1234abcd-12ab-34cd-56ef-1234567890ab"
_DETAIL = json.dumps(
    {
        "eventSource": "iam.amazonaws.com",
        "eventName": "AttachUserPolicy",
        "awsRegion": "us-east-1",
        "userIdentity": {"type": "Root", "arn": "arn:aws:iam::111122223333:root", "accountId": "111122223333"},
        "requestParameters": {"userName": "nobody", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
    }
)
#: A role called almost like the forwarders', and what it may.
_TWIN = "plumbline-forwarder-2"
_TRUSTS_HIM = document({"Effect": "Allow", "Principal": {"AWS": "<me>"}, "Action": "sts:AssumeRole"})
_MAY_PUT = document({"Effect": "Allow", "Action": "events:PutEvents", "Resource": "*"})


def _entry(source: str) -> dict[str, str]:
    return {"Source": source, "DetailType": "AWS API Call via CloudTrail", "Detail": _DETAIL, "EventBusName": _BUS}


def _put(source: str, count: int = 1) -> Any:
    return blow("events", "put_events", Entries=[_entry(source)] * count)


def _as(role: str) -> Any:
    """Events put onto the home bus by whoever may be a role: first in AWS's name, then in another."""

    def puts(stage: Stage, who: Attacker) -> Any:
        arn = f"arn:aws:iam::{stage.aws.account}:role/plumbline/{role}"
        keys = stage.client("sts", who.name).assume_role(RoleArn=arn, RoleSessionName="forwards")["Credentials"]
        client = stage.aws.session(who.name).client(
            "events",
            endpoint_url=stage.aws.endpoint,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
        return client.put_events(Entries=[_entry("of.mallory")])

    return puts


def _torn_down(stage: Stage, who: Attacker) -> None:
    """Every rule of the bus, and then the bus."""
    client = stage.client("events", who.name)
    for rule in client.list_rules(EventBusName=_BUS)["Rules"]:
        targets = client.list_targets_by_rule(Rule=rule["Name"], EventBusName=_BUS)["Targets"]
        ids = [one["Id"] for one in targets]
        client.remove_targets(Rule=rule["Name"], EventBusName=_BUS, Ids=ids)
        client.delete_rule(Name=rule["Name"], EventBusName=_BUS)
    client.delete_event_bus(Name=_BUS)


def _rule(operation: str, rule: str = _WAKES, **parameters: Any) -> Any:
    name = {"Rule" if "target" in operation else "Name": rule}
    return blow("events", operation, EventBusName=_BUS, **name, **parameters)


def _tripwire(*said: str) -> Told:
    return Told(Way.TRIPWIRE, (*said, "<my-name>"))


_NOWHERE = [{"Id": "wakes", "Arn": "arn:aws:sqs:us-east-1:<account>:nowhere"}]
#: What a rule of somebody's own on the home bus would hand to the queue that wakes Plumbline.
_FORGED = [{"Id": "wakes", "Arn": "<queue-arn wakes>", "Input": json.dumps({"plumbline-wake": 1})}]

STORIES = (
    Attack(
        "a key on the bus with which nothing that waits for its events can read them",
        EVENTS,
        (blow("events", "update_event_bus", Name=_BUS, KmsKeyIdentifier=_KEY),),
        _GUARD,
    ),
    Attack("the bus deleted", POWER, (tearing_down("events", "delete_event_bus", Name=_BUS),), _GUARD),
    Attack("the bus's rule that wakes Plumbline switched off", POWER, (_rule("disable_rule"),), _GUARD),
    Attack("the bus's rule that wakes Plumbline deleted", EVENTS, (_rule("delete_rule", Force=True),), _GUARD),
    Attack("the bus's rule turned elsewhere", EVENTS, (_rule("put_targets", Targets=_NOWHERE),), _GUARD),
    Attack(
        "a rule of the attacker's own on the bus, which is named by its ARN",
        EVENTS,
        (
            blow(
                "events",
                "put_rule",
                Name="mine",
                EventBusName=_ARN,
                EventPattern=json.dumps({"source": [{"prefix": "aws."}]}),
            ),
        ),
        _GUARD,
    ),
    Attack(
        "a bus of the attacker's own that is called like Plumbline's",
        EVENTS,
        (blow("events", "create_event_bus", Name="plumbline-of-evan"),),
        _GUARD,
    ),
    # --- who puts events onto it ----------------------------------------------------------------------
    Attack("an event in the name of AWS, put onto the bus", PUTTER, (_put("aws.iam"),), _ITS_POLICY),
    Attack("an event that only looks like AWS's, put onto the bus", PUTTER, (_put("of.peter"),), _ITS_POLICY),
    Attack(
        "a flood of events put onto the bus",
        PUTTER,
        tuple(_put("of.peter", 10) for _ in range(10)),
        _ITS_POLICY,
    ),
    Attack(
        "an event put onto the bus by a role that is called almost like the forwarders'",
        ASSUMER,
        (Deed("assume_role, then put_events onto the home bus", _as(_TWIN)),),
        _ITS_POLICY,
        before=(
            blow("iam", "create_role", RoleName=_TWIN, Path="/plumbline/", AssumeRolePolicyDocument=_TRUSTS_HIM),
            blow("iam", "put_role_policy", RoleName=_TWIN, PolicyName="put", PolicyDocument=_MAY_PUT),
        ),
    ),
    Attack(
        "an event put onto the bus in the forwarders' role, once it trusts the attacker",
        IAM_FULL,
        (
            blow("iam", "update_assume_role_policy", RoleName="plumbline-forwarder", PolicyDocument=_TRUSTS_HIM),
            Deed("assume_role, then put_events onto the home bus", _as("plumbline-forwarder")),
        ),
        _tripwire("UpdateAssumeRolePolicy", "plumbline-forwarder"),
    ),
    # --- its policy: IAM asks nobody which bus's is changed, so no guard can tell this one from others ----
    Attack(
        "the bus opened to everybody",
        EVENTS,
        (blow("events", "put_permission", EventBusName=_BUS, Policy=_ANYBODY),),
        _tripwire("PutPermission", _BUS),
    ),
    Attack(
        "a stranger let put events onto the bus",
        POWER,
        (
            blow(
                "events",
                "put_permission",
                EventBusName=_BUS,
                StatementId="stranger",
                Principal=STRANGER,
                Action="events:PutEvents",
            ),
        ),
        _tripwire("PutPermission", _BUS),
    ),
    Attack(
        "a policy of the bus that keeps the forwarders out",
        POWER,
        (blow("events", "put_permission", EventBusName=_BUS, Policy=_NOBODY),),
        _tripwire("PutPermission", _BUS),
    ),
    Attack(
        "a policy of the bus that keeps the forwarders out, as the house look sees it",
        POWER,
        (blow("events", "put_permission", EventBusName=_BUS, Policy=_NOBODY),),
        Told(Way.HOUSE, (_BUS, "another policy")),
    ),
    Attack(
        "the bus's policy taken away",
        EVENTS,
        (blow("events", "remove_permission", EventBusName=_BUS, RemoveAllPermissions=True),),
        _tripwire("RemovePermission", _BUS),
    ),
    # --- by those who were there before ---------------------------------------------------------------
    Attack(
        "a key on the bus, before his guard is agreed to",
        OLD_EVENTS,
        (blow("events", "update_event_bus", Name=_BUS, KmsKeyIdentifier=_KEY),),
        _tripwire("UpdateEventBus", _BUS),
    ),
    Attack(
        "a key on the default bus, before his guard is agreed to",
        OLD_EVENTS,
        (blow("events", "update_event_bus", Name="default", KmsKeyIdentifier=_KEY),),
        _tripwire("UpdateEventBus", "default"),
    ),
    Attack(
        "the bus's rule that wakes Plumbline switched off, before his guard is agreed to",
        OLD_EVENTS,
        (_rule("disable_rule"),),
        _tripwire("DisableRule", _WAKES),
    ),
    Attack(
        "the bus's rule turned elsewhere, before his guard is agreed to",
        OLD_EVENTS,
        (_rule("put_targets", Targets=_NOWHERE),),
        _tripwire("PutTargets", _WAKES),
    ),
    Attack(
        "a rule of the attacker's own on the bus, which forges what wakes Plumbline, before his guard is agreed to",
        OLD_EVENTS,
        (
            blow(
                "events",
                "put_rule",
                Name="mine",
                EventBusName=_ARN,
                EventPattern=json.dumps({"source": [{"prefix": "aws."}]}),
            ),
            blow("events", "put_targets", Rule="mine", EventBusName=_ARN, Targets=_FORGED),
        ),
        _tripwire("PutTargets", "mine"),
    ),
    Attack(
        "a bus of the attacker's own that is called like Plumbline's, before his guard is agreed to",
        OLD_EVENTS,
        (blow("events", "create_event_bus", Name="plumbline-of-oda"),),
        _tripwire("CreateEventBus", "plumbline-of-oda"),
    ),
    Attack(
        "every rule of the bus deleted, and then the bus, before his guard is agreed to",
        OLD_EVENTS,
        (Deed("delete_rule of every rule, then delete_event_bus", _torn_down),),
        _tripwire("DeleteEventBus", _BUS),
    ),
    Attack(
        "the bus's rule that wakes Plumbline switched off, and put back by Plumbline",
        OLD_EVENTS,
        (_rule("disable_rule"),),
        Told(Way.HOUSE, (_WAKES,), mended=True),
    ),
    Attack(
        "the bus's rule that tells of other regions deleted, and made again by Plumbline",
        OLD_EVENTS,
        (
            _rule("remove_targets", "plumbline-home-rules", Ids=["look", "watchdog"], Force=True),
            _rule("delete_rule", "plumbline-home-rules", Force=True),
        ),
        Told(Way.HOUSE, ("plumbline-home-rules",), mended=True),
    ),
)
