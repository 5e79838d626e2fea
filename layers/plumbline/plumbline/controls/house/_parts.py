"""How each of Plumbline's own parts is read: what must stay as it was deployed, and nothing that changes by itself.

Fields are named one by one: what AWS adds to its answers some day is no change of Plumbline. Documents are compared by
what they say: IAM gives the principals of a trust policy in any order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from plumbline.controls.house._said import chosen, document, plain
from plumbline.core.calls import Ask, Call
from plumbline.core.reach import dead_events
from plumbline.core.recorded import Part, Parts

RULE, BUS, FUNCTION, TRIGGER = "events-rule", "events-bus", "lambda-function", "lambda-trigger"
QUEUE, TOPIC, ALARM = "sqs-queue", "sns-topic", "cloudwatch-alarm"
ROLE, POLICY, TABLE, TRAIL = "iam-role", "iam-policy", "dynamodb-table", "cloudtrail-trail"
KINDS = (RULE, BUS, FUNCTION, TRIGGER, QUEUE, TOPIC, ALARM, ROLE, POLICY, TABLE, TRAIL)
#: Whether somebody hears a topic: known once somebody has confirmed, and never expected before.
HEARS = "subscribers"

_RULE = ("EventPattern", "ScheduleExpression", "Description", "RoleArn")
#: The bus that AWS's own events are on. With a key that it may not use, EventBridge hears none of them.
_DEFAULT = "default"
_BUS = ("KmsKeyIdentifier", "DeadLetterConfig", "Description")
_FUNCTION = ("Handler", "Runtime", "Timeout", "MemorySize", "KMSKeyArn", "FileSystemConfigs")
_TRIGGER = (
    "BatchSize", "BisectBatchOnFunctionError", "DestinationConfig", "FilterCriteria", "FunctionResponseTypes",
    "MaximumBatchingWindowInSeconds", "MaximumRecordAgeInSeconds", "MaximumRetryAttempts", "ParallelizationFactor",
    "ScalingConfig", "TumblingWindowInSeconds",
)  # fmt: skip
_QUEUE = (
    "DelaySeconds", "KmsMasterKeyId", "MaximumMessageSize", "MessageRetentionPeriod", "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy", "SqsManagedSseEnabled", "VisibilityTimeout",
)  # fmt: skip
_TOPIC = ("DeliveryPolicy", "KmsMasterKeyId")
_ALARM = (
    "AlarmActions", "AlarmDescription", "ComparisonOperator", "DatapointsToAlarm", "Dimensions", "EvaluationPeriods",
    "InsufficientDataActions", "MetricName", "Metrics", "Namespace", "OKActions", "Period", "Statistic", "Threshold",
    "TreatMissingData", "Unit",
)  # fmt: skip
_TRAIL = (
    "S3BucketName", "S3KeyPrefix", "IncludeGlobalServiceEvents", "IsMultiRegionTrail", "LogFileValidationEnabled",
    "KmsKeyId",
)  # fmt: skip
_NONE = ("ResourceNotFoundException",)
_GONE = ("NoSuchEntity",)


def read(ask: Ask, kind: str, name: str, known: Part) -> Part | None:
    """One part as it is now; None where it is not there any more.

    Args:
        ask: the eyes, in its region.
        kind: one of `KINDS`.
        name: its name.
        known: what was recorded of it: what begins with an underscore says where it is.

    Raises:
        AwsRefusal: AWS would not show it.
    """
    part = _READERS[kind](ask, name, known)
    return None if part is None else dict(plain(part))


def placed(ask: Ask, resources: Iterable[tuple[str, str]]) -> Parts:
    """Where each part of a stack is found: kind -> name -> what `read` has to know of it.

    Args:
        ask: the eyes, in the home region.
        resources: CloudFormation's type and physical id of everything that the stack holds.
    """
    found: dict[str, dict[str, Part]] = {BUS: {_DEFAULT: {}}}
    for of_type, physical in resources:
        kind = _TYPES.get(of_type)
        if kind == TRIGGER:
            for mapping in mappings(ask):
                if mapping["UUID"] == physical:
                    found.setdefault(kind, {})[trigger_name(mapping)] = {"_source": mapping["EventSourceArn"]}
        elif kind is not None:
            found.setdefault(kind, {})[_short(physical)] = {"_id": physical}
    return found


def mappings(ask: Ask) -> list[Mapping[str, Any]]:
    """Every event source mapping of the region: nobody else could tell of one that somebody has added."""
    listed: list[Mapping[str, Any]] = ask(Call("lambda", "ListEventSourceMappings"))["EventSourceMappings"]
    return [one for one in listed if one.get("EventSourceArn") and one.get("State") != "Deleting"]


def trigger_name(mapping: Mapping[str, Any]) -> str:
    """What a mapping is called here: its function, and the queue or table it reads."""
    source = str(mapping["EventSourceArn"]).rpartition(":")[2] if "/stream/" not in mapping["EventSourceArn"] else ""
    table = str(mapping["EventSourceArn"]).partition("/")[2].partition("/")[0]
    return f"{function_of(mapping)}/{source or table}"


def function_of(mapping: Mapping[str, Any]) -> str:
    """The name of the function that a mapping calls."""
    return str(mapping["FunctionArn"]).split(":function:")[1].partition(":")[0]


def forwarder(ask: Ask) -> Parts:
    """Everything that a forwarder is made of, as it is now. All of it is called after the stack.

    Args:
        ask: the eyes, in a region that has one.

    Raises:
        AwsRefusal: AWS would not show it.
    """
    rules = {one["Name"]: read(ask, RULE, one["Name"], {}) for one in _rules(ask, {})}
    others = ((BUS, _DEFAULT), (QUEUE, f"{ask.stack}-dead-events"))
    read_there = ((RULE, rules), *((kind, {name: read(ask, kind, name, {})}) for kind, name in others))
    return {kind: {name: part for name, part in named.items() if part is not None} for kind, named in read_there}


def bus_of(known: Part | None) -> Mapping[str, str]:
    """The parameter that names the bus of a rule that was recorded; none for the default bus.

    CloudFormation calls a rule of another bus by both their names.
    """
    bus, bar, _ = str((known or {}).get("_id", "")).partition("|")
    return {"EventBusName": bus} if bar else {}


def _rules(ask: Ask, bus: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """The rules of one bus that are called after the stack; none where the bus is gone."""
    query = {"NamePrefix": f"{ask.stack}-", **bus}
    listed: Mapping[str, Any] | None = ask(Call("events", "ListRules", query, absent=_NONE))
    return list(listed["Rules"]) if listed else []


def _rule(ask: Ask, name: str, known: Part) -> Part | None:
    bus = bus_of(known)
    rule = next((one for one in _rules(ask, bus) if one["Name"] == name), None)
    if rule is None:
        return None
    targets = ask(Call("events", "ListTargetsByRule", {"Rule": name, **bus}))["Targets"]
    return {
        "definition": chosen(rule, _RULE),
        "state": rule["State"],
        "targets": {one["Id"]: one for one in targets},
    }


def _bus(ask: Ask, name: str, _known: Part) -> Part | None:
    answer = ask(Call("events", "DescribeEventBus", {"Name": name}, absent=_NONE))
    # Who may put events onto the default bus is its owner's business: what AWS says there, nobody else can say.
    policy = {} if answer is None or name == _DEFAULT else {"policy": document(answer.get("Policy"))}
    return answer and {**policy, "settings": chosen(answer, _BUS)}


def _function(ask: Ask, name: str, _known: Part) -> Part | None:
    answer = ask(Call("lambda", "GetFunction", {"FunctionName": name}, absent=_NONE))
    if answer is None:
        return None
    policy = ask(Call("lambda", "GetPolicy", {"FunctionName": name}, absent=_NONE))
    configured = answer["Configuration"]
    network = {key: one for key, one in (configured.get("VpcConfig") or {}).items() if key in _NETWORK and one}
    return {
        "code": configured.get("CodeSha256"),
        "role": configured.get("Role"),
        "environment": (configured.get("Environment") or {}).get("Variables", {}),
        "layers": [one["Arn"] for one in configured.get("Layers") or ()],
        "settings": chosen(configured, _FUNCTION) | ({"network": network} if network else {}),
        "concurrency": (answer.get("Concurrency") or {}).get("ReservedConcurrentExecutions"),
        "callers": document(policy["Policy"]) if policy else None,
    }


_NETWORK = ("SubnetIds", "SecurityGroupIds")


def _trigger(ask: Ask, name: str, known: Part) -> Part | None:
    function = name.partition("/")[0]
    for one in mappings(ask):
        if function_of(one) == function and one["EventSourceArn"] == known.get("_source"):
            return {
                "state": "Disabled" if one.get("State") in ("Disabling", "Disabled") else "Enabled",
                "settings": chosen(one, _TRIGGER),
                "_source": one["EventSourceArn"],
                "_uuid": one["UUID"],
            }
    return None


def _queue(ask: Ask, _name: str, known: Part) -> Part | None:
    absent = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
    url = known.get("_id") or dead_events(ask.account, ask.stack, ask.region)  # a forwarder has no other queue
    query = {"QueueUrl": url, "AttributeNames": ["All"]}
    answer = ask(Call("sqs", "GetQueueAttributes", query, absent=absent))
    if answer is None:
        return None
    attributes = answer["Attributes"]
    return {"policy": document(attributes.get("Policy")), "settings": chosen(attributes, _QUEUE)}


def _topic(ask: Ask, name: str, known: Part) -> Part | None:
    topic = {"TopicArn": known["_id"]}
    answer = ask(Call("sns", "GetTopicAttributes", topic, absent=("NotFound", "NotFoundException")))
    if answer is None:
        return None
    attributes = answer["Attributes"]
    if name == f"{ask.stack}-people":  # who hears there comes and goes with the roster, and the owner hears the same
        return {"policy": document(attributes.get("Policy")), "settings": chosen(attributes, _TOPIC)}
    confirmed = [one for one in ask(Call("sns", "ListSubscriptionsByTopic", topic))["Subscriptions"] if _is_heard(one)]
    filters = {}
    for one in confirmed:
        kept = ask(Call("sns", "GetSubscriptionAttributes", {"SubscriptionArn": one["SubscriptionArn"]}, absent=_LOST))
        if kept is not None:
            said = chosen(kept["Attributes"], ("FilterPolicy", "FilterPolicyScope", "RedrivePolicy"))
            filters[f"filter of {one['Endpoint']}"] = said if "FilterPolicy" in said else {}
    return {
        "policy": document(attributes.get("Policy")),
        "settings": chosen(attributes, _TOPIC),
        HEARS: bool(confirmed),
        **filters,
    }


_LOST = ("NotFound", "NotFoundException")


def _is_heard(subscription: Mapping[str, Any]) -> bool:
    """Whether it is confirmed: SNS gives an ARN only then."""
    return str(subscription["SubscriptionArn"]).startswith("arn:")


def _alarm(ask: Ask, name: str, _known: Part) -> Part | None:
    alarms = ask(Call("cloudwatch", "DescribeAlarms", {"AlarmNamePrefix": f"{ask.stack}-"}))["MetricAlarms"]
    alarm = next((one for one in alarms if one["AlarmName"] == name), None)
    if alarm is None:
        return None
    return {"actions": alarm.get("ActionsEnabled", True), "definition": chosen(alarm, _ALARM)}


def _role(ask: Ask, name: str, _known: Part) -> Part | None:
    query = {"RoleName": name}
    answer = ask(Call("iam", "GetRole", query, absent=_GONE))
    if answer is None:
        return None
    role = answer["Role"]
    attached = ask(Call("iam", "ListAttachedRolePolicies", query, absent=_GONE)) or {}
    inline = ask(Call("iam", "ListRolePolicies", query, absent=_GONE)) or {}
    return {
        "trust": document(role["AssumeRolePolicyDocument"]),
        "boundary": (role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
        "policies": sorted(one["PolicyArn"] for one in attached.get("AttachedPolicies", ())),
        "inline policies": sorted(inline.get("PolicyNames", ())),
        "identity": role["RoleId"],
    }


def _policy(ask: Ask, _name: str, known: Part) -> Part | None:
    listed = ask(Call("iam", "ListPolicies", {"Scope": "Local", "PathPrefix": "/plumbline/"}))["Policies"]
    policy = next((one for one in listed if one["Arn"] == known["_id"]), None)
    return policy and {"version": policy["DefaultVersionId"], "identity": policy["PolicyId"]}


def _table(ask: Ask, name: str, _known: Part) -> Part | None:
    query = {"TableName": name}
    answer = ask(Call("dynamodb", "DescribeTable", query, absent=_NONE))
    if answer is None:
        return None
    table = answer["Table"]
    backups = ask(Call("dynamodb", "DescribeContinuousBackups", query))["ContinuousBackupsDescription"]
    lifetime = ask(Call("dynamodb", "DescribeTimeToLive", query)).get("TimeToLiveDescription", {})
    absent = ("PolicyNotFoundException", *_NONE)
    policy = ask(Call("dynamodb", "GetResourcePolicy", {"ResourceArn": table["TableArn"]}, absent=absent))
    recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
    return {
        "policy": document(policy["Policy"]) if policy else None,
        "protection": bool(table.get("DeletionProtectionEnabled")),
        "recovery": recovery == "ENABLED",
        "lifetime": chosen(lifetime, ("AttributeName",)),
        "stream": (table.get("StreamSpecification") or {}).get("StreamEnabled", False),
        "identity": table.get("TableId"),
    }


def _trail(ask: Ask, name: str, _known: Part) -> Part | None:
    listed = ask(Call("cloudtrail", "DescribeTrails", {"trailNameList": [name]}))["trailList"]
    if not listed:
        return None
    arn = listed[0]["TrailARN"]
    selectors = ask(Call("cloudtrail", "GetEventSelectors", {"TrailName": arn}))
    return {
        "logging": ask(Call("cloudtrail", "GetTrailStatus", {"Name": arn}))["IsLogging"],
        "settings": chosen(listed[0], _TRAIL) | chosen(selectors, ("EventSelectors", "AdvancedEventSelectors")),
    }


_READERS: Mapping[str, Callable[[Ask, str, Part], Part | None]] = {
    RULE: _rule,
    BUS: _bus,
    FUNCTION: _function,
    TRIGGER: _trigger,
    QUEUE: _queue,
    TOPIC: _topic,
    ALARM: _alarm,
    ROLE: _role,
    POLICY: _policy,
    TABLE: _table,
    TRAIL: _trail,
}
_TYPES = {
    "AWS::Events::Rule": RULE,
    "AWS::Events::EventBus": BUS,
    "AWS::Lambda::Function": FUNCTION,
    "AWS::Lambda::EventSourceMapping": TRIGGER,
    "AWS::SQS::Queue": QUEUE,
    "AWS::SNS::Topic": TOPIC,
    "AWS::CloudWatch::Alarm": ALARM,
    "AWS::IAM::Role": ROLE,
    "AWS::IAM::ManagedPolicy": POLICY,
    "AWS::DynamoDB::Table": TABLE,
    "AWS::CloudTrail::Trail": TRAIL,
}


def _short(physical: str) -> str:
    """The name in a physical id, which is a name, a URL or an ARN."""
    return physical.rpartition("|")[2].rpartition("/")[2].rpartition(":")[2]
