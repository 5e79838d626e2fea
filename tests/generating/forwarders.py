"""The forwarders: what the StackSet makes in every governed region but home, and what the home bus does with it.

From the same controls as the home region's own rules, and from the same tripwires: what home hears of itself, the
forwarders put onto its bus, each event from the one region where AWS tells of it.

Source: AWS CloudTrail user guide, Global service events; Amazon EventBridge user guide, Sending and receiving events
between Regions, and between event buses (one hop, and as they are); AWS CloudFormation user guide, StackSets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import yaml

from plumbline.core.control import SIGN_IN
from tests.deployed import LONGEST_NAMES, as_deployed
from tests.generating.packing import CannotBePacked, room
from tests.generating.rules import Rule

#: Bytes of a StackSet's TemplateBody. Source: AWS::CloudFormation::StackSet, in the CloudFormation template reference.
LONGEST = 51_200
#: Where AWS tells of services without a region, in the one partition whose regions hand events to each other.
GLOBAL_REGION = "us-east-1"
#: The services that it tells of there only. Those of others, regional endpoints of STS among them, stand in every
#: region: a rule that never hears anything costs nothing.
GLOBAL_SERVICES = frozenset({"iam.amazonaws.com"})
#: The tripwires that have something to hear in other regions: of what the forwarders are made of there, of the trail,
#: whose region need not be home, and of the roles, wherever home is.
TRIPWIRES: Mapping[str, str] = {
    "RulesTripwire": "home-rules",
    "QueuesTripwire": "home-queue",
    "RolesTripwire": "home-roles",
    "TrailTripwire": "home-trail",
    "ForwardersTripwire": "home-fwd",
}
_GLOBAL_TRIPWIRES = ("RolesTripwire",)
#: How their sentences say when somebody looks, at home and in another region.
_WITHIN, _NOW = "looks at itself within ten minutes", "looks there now"
#: Those that tell of what house hands can put back: the sweep's function looks as soon as they do.
LOOKED_AT = ("RulesTripwire", "QueuesTripwire")
#: What other regions have of Plumbline is made by one role, which nobody but StackSets can take: see `_elsewhere`.
_MADE_BY_STACKSETS = ("RulesTripwire", "QueuesTripwire", "ForwardersTripwire")
_EVERYTHING = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
Resource = Mapping[str, Any]


class Baked(str):
    """A text that the outer template fills in: it stands in quotes, or a number of twelve digits would be a number."""

    __slots__ = ()


class _Tagged:
    """An intrinsic of the forwarder's own, such as `!Ref`, with what stands behind it."""

    def __init__(self, tag: str, value: Any) -> None:
        self.tag, self.value = tag, value


class _Short(dict[str, Any]):
    """A mapping that is written without line breaks of its own: bytes are what a TemplateBody has few of."""


class _Dumper(yaml.SafeDumper):
    """Writes each thing in full, for what is equal is not the same."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _tagged(dumper: yaml.SafeDumper, one: _Tagged) -> yaml.Node:
    if isinstance(one.value, str):
        return dumper.represent_scalar(one.tag, one.value)
    return dumper.represent_sequence(one.tag, one.value, flow_style=True)


_Dumper.add_representer(Baked, lambda dumper, value: dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"'))
_Dumper.add_representer(_Tagged, _tagged)
_Dumper.add_representer(
    _Short, lambda dumper, value: dumper.represent_mapping("tag:yaml.org,2002:map", value, flow_style=True)
)


def is_global(rule: Rule) -> bool:
    """Whether AWS tells of what a rule hears in one region only, wherever it was done."""
    detail_type, source, *_ = rule.key
    detail = rule.pattern["detail"]
    of_root = detail_type in SIGN_IN and detail.get("userIdentity", {}).get("type") == ["Root"]  # IAM users' vary
    return source in GLOBAL_SERVICES or of_root or detail.get("awsRegion") == [GLOBAL_REGION]


def body(rules: Sequence[Rule], written: Mapping[str, Any]) -> str:
    """The forwarders' template, for a `!Sub` of the stack's own.

    Args:
        rules: those that wake Plumbline.
        written: the stack's template, for its tripwires.

    Raises:
        CannotBePacked: StackSets would not take it, with a fifth to spare.
    """
    resources: dict[str, Resource] = {"DeadEvents": _dead_events(), "DeadEventsPolicy": _dead_events_policy()}
    resources["AliveRule"] = _rule("alive", {"ScheduleExpression": "rate(25 minutes)"}, lasting=False)
    for one in rules:
        state = _EVERYTHING if one.key[3] else "ENABLED"
        pattern = {"account": [_ACCOUNT]} | baked(one.pattern)
        resources[one.logical_id] = _rule(one.name, {"EventPattern": pattern}, state, everywhere=not is_global(one))
    for name in TRIPWIRES:
        wire = written["Resources"][name]["Properties"]
        called = wire["Name"]["Fn::Sub"].removeprefix(f"{_PREFIX}-")
        everywhere = name not in _GLOBAL_TRIPWIRES
        pattern = _unforwarded(_elsewhere(name, wire), rules, everywhere=everywhere)
        if pattern is not None:
            resources[name] = _rule(called, {"EventPattern": baked(pattern)}, everywhere=everywhere)
    opt_in = written["Resources"]["OptInRule"]["Properties"]["EventPattern"]
    resources["OptInRule"] = _rule("opt-in", {"EventPattern": baked(opt_in)}, everywhere=False)
    bill = written["Resources"]["HomeBillRule"]["Properties"]["EventPattern"]
    resources["BillRule"] = _rule("bill", {"EventPattern": baked(bill)}, everywhere=False)
    text = dumped({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": Baked(f"Puts what happens here onto the bus of {_PREFIX} in ${{AWS::Region}}"),
        "Conditions": {
            "Elsewhere": _Tagged("!Not", [_here_is(Baked("${AWS::Region}"))]),
            "Global": _Tagged("!And", [_Tagged("!Condition", "Elsewhere"), _here_is(GLOBAL_REGION)]),
        },
        "Resources": resources,
    })  # fmt: skip
    if size(text, written) > room(LONGEST):
        message = (
            f"{rules[-1].logical_id if rules else 'a tripwire'}: the forwarders' template is {size(text, written):,} "
            f"bytes long, of StackSets' {LONGEST:,} {room(LONGEST):,} may be used; let sources share a rule in it"
        )
        raise CannotBePacked(message)
    return text


def _elsewhere(name: str, wire: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a tripwire hears in other regions.

    At home it leaves out what CloudFormation does for anybody, for a deployer could be everybody. In other regions all
    that is Plumbline's is made by the StackSet's own role: only that is left out, and a stack of somebody else's, which
    puts a policy on the queue there, is heard.
    Source: AWS CloudTrail user guide, userIdentity element (`sessionIssuer`); AWS CloudFormation user guide, "Grant
    self-managed permissions" (a stack of a StackSet is made in its execution role).
    """
    pattern: Mapping[str, Any] = wire["EventPattern"]
    if name not in _MADE_BY_STACKSETS:
        return pattern
    by_another = [{"exists": False}, {"anything-but": [{"Fn::GetAtt": ["StackSetRole", "Arn"]}]}]
    detail = {**pattern["detail"], "userIdentity": {"sessionContext": {"sessionIssuer": {"arn": by_another}}}}
    # The sweep calls StackSets at home only, and a rule's topic lies in the rule's own region.
    alternatives = [
        {key: one for key, one in each.items() if key != "userIdentity"}
        for each in detail.get("$or", ())
        if "targets" not in each.get("requestParameters", {})
    ]
    return {**pattern, "detail": {**detail, **({"$or": alternatives} if alternatives else {})}}


def _unforwarded(pattern: Mapping[str, Any], rules: Iterable[Rule], *, everywhere: bool) -> Mapping[str, Any] | None:
    """What of a tripwire no other rule forwards: an event that two rules put onto the bus would be told twice at home.

    Returns:
        the pattern without the names of calls that wake Plumbline anyway; None where none is left.
    """
    detail = pattern["detail"]
    names = detail.get("eventName")
    if not names or not all(isinstance(one, str) for one in names):
        return pattern
    awake = {
        name
        for one in rules
        if [one.key[1]] == detail["eventSource"] and one.key[2] == "{}" and not (everywhere and is_global(one))
        for name in one.names
    }
    left = [one for one in names if one not in awake]
    return {**pattern, "detail": {**detail, "eventName": left}} if left else None


def _here_is(region: str) -> _Tagged:
    return _Tagged("!Equals", [_Tagged("!Ref", "AWS::Region"), region])


def size(text: str, written: Mapping[str, Any]) -> int:
    """The bytes of a forwarder's template as deployed, with every name as long as it may be."""
    return len(as_deployed({"Fn::Sub": text}, written["Resources"], LONGEST_NAMES).encode())


def home_rules(rules: Iterable[Rule], written: Mapping[str, Any]) -> dict[str, Resource]:
    """The rules on the home bus: one for all that wakes, and each tripwire's sentence.

    The bus takes what forwarders put and nothing else, so the patterns need not be told twice to wake by.

    Args:
        rules: those that wake Plumbline.
        written: the stack's template, for its tripwires.
    """
    listened = list(rules)
    kinds = sorted({kind for one in listened for kind in one.pattern["detail-type"]})
    pattern = {"account": [{"Ref": "AWS::AccountId"}], "source": [{"prefix": "aws."}], "detail-type": kinds}
    wakes = {
        "Name": {"Fn::Sub": f"{_PREFIX}-home-wakes"},
        "Description": "What the forwarders of other regions put here wakes Plumbline",
        "EventBusName": {"Ref": "HomeBus"},
        "State": _EVERYTHING if any(one.key[3] for one in listened) else "ENABLED",
        "EventPattern": pattern,
        "Targets": [
            {
                "Id": "wakes",
                "Arn": {"Fn::GetAtt": ["WakesQueue", "Arn"]},
                "DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}},
            }
        ],
    }
    made: dict[str, Resource] = {"HomeWakesRule": {"Type": "AWS::Events::Rule", "Properties": wakes}}
    for name, called in TRIPWIRES.items():
        wire = written["Resources"][name]["Properties"]
        (target,) = wire["Targets"]
        said = target["InputTransformer"]
        transformer = {
            "InputPathsMap": said["InputPathsMap"] | {"region": "$.region"},
            "InputTemplate": said["InputTemplate"]
            .replace(", by <who>", " in <region>, by <who>")
            .replace(_WITHIN, _NOW if name in LOOKED_AT else _WITHIN),
        }
        made[f"Home{name}"] = {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Name": {"Fn::Sub": f"{_PREFIX}-{called}"},
                "Description": f"{wire['Description']}, in other regions",
                "EventBusName": {"Ref": "HomeBus"},
                "State": wire["State"],
                "EventPattern": _elsewhere(name, wire),
                "Targets": [{**target, "InputTransformer": transformer}, *(_looks() if name in LOOKED_AT else ())],
            },
        }
        if name in LOOKED_AT:
            made[f"Home{name}Permission"] = {
                "Type": "AWS::Lambda::Permission",
                "Properties": {
                    "FunctionName": {"Ref": "SweepFunction"},
                    "Action": "lambda:InvokeFunction",
                    "Principal": "events.amazonaws.com",
                    "SourceArn": {"Fn::GetAtt": [f"Home{name}", "Arn"]},
                },
            }
    return made


def _looks() -> Iterator[Resource]:
    """The sweep's function, which compares the forwarder of the region that an event tells of."""
    dead = {"Arn": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]}}
    yield {"Id": "look", "Arn": {"Fn::GetAtt": ["SweepFunction", "Arn"]}, "DeadLetterConfig": dead}


def baked(value: Any) -> Any:
    """A part of the stack's template in which every intrinsic is a text for an outer `!Sub`."""
    match value:
        case {"Fn::Sub": str(text)}:
            return Baked(text)
        case {"Ref": str(name)}:
            return Baked(f"${{{name}}}")
        case {"Fn::GetAtt": [name, attribute]}:
            return Baked(f"${{{name}.{attribute}}}")
        case Mapping():
            return {key: baked(one) for key, one in value.items()}
        case list():
            return [baked(one) for one in value]
    return value


def dumped(value: Any) -> str:
    """A template's text."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=200, allow_unicode=True)


_PREFIX = "${Names.Prefix}"
_ACCOUNT = Baked("${AWS::AccountId}")


def _rule(
    name: str, heard: Mapping[str, Any], state: str = "ENABLED", *, everywhere: bool = True, lasting: bool = True
) -> Resource:
    """One rule that leads to the home bus. EventBridge tries for a day, which is its rule for every target.

    Args:
        name: behind the stack's prefix.
        heard: its pattern, or its schedule.
        state: as EventBridge writes it.
        everywhere: in every region, or only where AWS tells of services without one.
        lasting: whether what cannot be delivered by then is kept; a sign of life is stale.
    """
    target: dict[str, Any] = {"Id": "home", "Arn": Baked("${HomeBus.Arn}"), "RoleArn": Baked("${ForwarderRole.Arn}")}
    if lasting:
        target["DeadLetterConfig"] = {"Arn": _Tagged("!GetAtt", "DeadEvents.Arn")}
    short = {key: _Short(one) if isinstance(one, Mapping) else one for key, one in heard.items()}
    properties: dict[str, Any] = {"Name": Baked(f"{_PREFIX}-{name}")}
    if state != "ENABLED":
        properties["State"] = state
    properties |= {**short, "Targets": [_Short(target)]}
    return {
        "Type": "AWS::Events::Rule",
        "Condition": "Elsewhere" if everywhere else "Global",
        "Properties": properties,
    }


def _dead_events() -> Resource:
    """What could not be delivered; in the home region all that a forwarder is, for a template has to have something."""
    properties = {
        "QueueName": Baked(f"{_PREFIX}-dead-events"),
        "SqsManagedSseEnabled": True,
        "MessageRetentionPeriod": 1209600,
    }
    return {"Type": "AWS::SQS::Queue", "Properties": properties}


def _dead_events_policy() -> Resource:
    """Rules may leave there what they cannot deliver; a person may read it, and nobody but `redrive` takes it away."""
    queue = _Tagged("!GetAtt", "DeadEvents.Arn")
    rules = Baked(f"arn:${{AWS::Partition}}:events:*:${{AWS::AccountId}}:rule/{_PREFIX}-*")
    on_a_bus = Baked("arn:${AWS::Partition}:events:*:${AWS::AccountId}:rule/*/*")  # of somebody's own
    redrive = Baked(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/plumbline/{_PREFIX}-operate")
    statements = [
        {
            "Sid": "RulesOfThisStack",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue,
            "Condition": {"ArnLike": {"aws:SourceArn": rules}, "ArnNotLike": {"aws:SourceArn": on_a_bus}},
        },
        {
            "Sid": "OnlyPlumblineAndAws",
            "Effect": "Deny",
            "Principal": "*",
            "Action": ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:PurgeQueue", "sqs:SendMessage"],
            "Resource": queue,
            "Condition": {
                "Bool": {"aws:PrincipalIsAWSService": "false"},
                "ArnNotLike": {"aws:PrincipalArn": redrive},
            },
        },
    ]
    properties = {
        "Queues": [_Tagged("!Ref", "DeadEvents")],
        "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
    }
    return {"Type": "AWS::SQS::QueuePolicy", "Properties": properties}


def indented(text: str) -> Iterator[str]:
    """The lines of a `TemplateBody` that holds a text."""
    yield "TemplateBody: !Sub |"
    yield from (f"  {line}" for line in text.splitlines())
