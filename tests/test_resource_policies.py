"""Whoever may write into ledger, queues and topics could steer Plumbline: only its own roles and AWS's services may.

Source: AWS global condition context keys (`aws:PrincipalArn` of a session is its role's; `aws:PrincipalIsAWSService`
is false of a service that calls with somebody's identity); Amazon SQS developer guide, quotas of policies: 8,192
bytes, 7 actions a statement; Amazon DynamoDB developer guide, resource-based policy considerations: 20 KB.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest

from tests.deployed import LONGEST_NAMES, STACK, as_deployed, properties, transformed
from tests.generating.packing import characters

#: The resource, the actions that are denied, and the roles that they are not denied to.
DENIED = {
    "Ledger": ({"BatchWriteItem", "DeleteItem", "PartiQLDelete", "PartiQLInsert", "PartiQLUpdate", "PutItem",
                "UpdateItem"}, {"react", "sweep", "operate"}),
    "QueuePolicy": ({"ChangeMessageVisibility", "DeleteMessage", "PurgeQueue", "ReceiveMessage", "SendMessage"},
                    {"react", "sweep", "operate", "announce"}),
    "UnitsQueuePolicy": ({"ChangeMessageVisibility", "DeleteMessage", "PurgeQueue", "ReceiveMessage", "SendMessage"},
                         {"react", "sweep", "operate"}),
    "AlertsTopicPolicy": ({"Publish"}, {"react", "sweep", "operate"}),
    "ChatTwinTopicPolicy": ({"Publish"}, {"react", "sweep", "operate"}),
}  # fmt: skip
#: Actions that a role has on what it may write, by the part of its name.
WRITES = re.compile(r"dynamodb:(Put|Update|Delete|BatchWrite).*|sqs:(Send|Receive|Delete|Change).*|sns:Publish")


def _document(name: str, stack: Mapping[str, str] = STACK) -> Mapping[str, Any]:
    of = transformed()["Resources"][name]["Properties"]
    document = of["ResourcePolicy"]["PolicyDocument"] if name == "Ledger" else of["PolicyDocument"]
    resolved: Mapping[str, Any] = as_deployed(document, transformed()["Resources"], stack)
    return resolved


def _deny(name: str) -> Mapping[str, Any]:
    statement: Mapping[str, Any]
    (statement,) = [one for one in _document(name)["Statement"] if one["Effect"] == "Deny"]
    return statement


@pytest.mark.parametrize("name", DENIED)
def test_data_is_written_by_plumblines_own_roles_and_awss_services_only(name: str) -> None:
    actions, roles = DENIED[name]
    statement = _deny(name)
    asked = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
    assert actions == {one.partition(":")[2] for one in asked}
    assert "*" == statement["Principal"]
    ours = [f"arn:aws:iam::111122223333:role/plumbline/plumbline-{one}" for one in ("react", "sweep", "operate")]
    expected = [one for one in ours if one.rpartition("-")[2] in roles]
    expected += ["arn:aws:iam::111122223333:role/plumbline/plumbline-announce"] if "announce" in roles else []
    assert {
        "Bool": {"aws:PrincipalIsAWSService": "false"},
        "ArnNotLike": {"aws:PrincipalArn": expected},
    } == statement["Condition"]


def test_no_control_of_a_table_or_a_queue_is_denied_to_its_owner() -> None:
    """Denying what a deployment does would lock out whoever deploys, updates and deletes."""
    control = {"UpdateTable", "DeleteTable", "PutResourcePolicy", "DeleteResourcePolicy", "SetQueueAttributes",
               "DeleteQueue", "SetTopicAttributes", "DeleteTopic", "GetQueueAttributes", "DescribeTable"}  # fmt: skip
    assert set() == {one for actions, _ in DENIED.values() for one in actions} & control
    assert not [one for name in DENIED for one in _deny(name)["Action"] if "*" in one]


def test_every_role_that_a_policy_lets_write_is_let_by_the_resource_as_well() -> None:
    """As it would fail on AWS alone: a role that writes by its own policy and is denied by the resource's."""
    denied = {"dynamodb": ["Ledger"], "sqs": ["QueuePolicy", "UnitsQueuePolicy"], "sns": ["AlertsTopicPolicy"]}
    for policy, one in properties("AWS::IAM::ManagedPolicy").items():
        role = policy.removesuffix("Policy").lower()
        if role not in {"react", "sweep", "operate", "announce"}:
            continue
        for statement in as_deployed(one["PolicyDocument"]["Statement"], transformed()["Resources"], STACK):
            for action in map(
                str, statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            ):
                if not WRITES.fullmatch(action):
                    continue
                resources = (
                    statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
                )
                for name in denied[action.partition(":")[0]]:
                    deny = _deny(name)
                    theirs = deny["Resource"] if isinstance(deny["Resource"], list) else [deny["Resource"]]
                    if set(theirs) & set(resources) and action in deny["Action"]:
                        assert role in DENIED[name][1], f"{role} {action} {name}"


#: What may be taken for one of Plumbline's rules, and what only looks like one. A rule on another bus than the default
#: one has the bus in its ARN. Source: Service Authorization Reference, Amazon EventBridge, resource types.
RULES = ("plumbline-iam", "plumbline-home/plumbline-home-wakes", "plumbline-home/plumbline-home-alive")
OTHER_RULES = ("shop", "plumbline-of-mallory/mine", "plumbline-of-mallory/plumbline-iam", "plumbline-home/mine",
               "shop/plumbline-home-alive", "plumbline-home-alive/plumbline-home-alive")  # fmt: skip


def _lets(name: str, rule: str) -> bool:
    """Whether a queue takes what a rule sends: by the conditions on the rule, each of whose parts is judged alone."""
    source = f"arn:aws:events:us-east-1:111122223333:rule/{rule}"

    def holds(operator: str, pattern: str) -> bool:
        like = fnmatchcase(source, pattern)
        return not like if operator == "ArnNotLike" else source == pattern if operator == "ArnEquals" else like

    return any(
        all(holds(operator, keys["aws:SourceArn"]) for operator, keys in one["Condition"].items())
        for one in _document(name)["Statement"]
        if one["Effect"] == "Allow"
    )


def test_nothing_is_taken_for_a_rule_of_plumblines_that_is_on_a_bus_of_somebody_elses() -> None:
    assert [*RULES] == [one for one in (*RULES, *OTHER_RULES) if _lets("QueuePolicy", one)]


def test_one_rule_alone_says_that_a_forwarder_lives() -> None:
    alive = "plumbline-home/plumbline-home-alive"
    assert [alive] == [one for one in (*RULES, *OTHER_RULES) if _lets("HeartbeatsQueuePolicy", one)]


def test_they_fit_into_what_aws_takes() -> None:
    sizes = {name: characters(_document(name, LONGEST_NAMES)) for name in DENIED}
    assert {} == {name: size for name, size in sizes.items() if size > (20_000 if name == "Ledger" else 8_192)}
    for name in ("QueuePolicy", "UnitsQueuePolicy"):
        assert max(len(one["Action"]) for one in _document(name)["Statement"] if isinstance(one["Action"], list)) <= 7


def test_the_tables_policy_names_the_table_by_its_name() -> None:
    """A reference would close a circle: role, its policy, the table."""
    (statement,) = transformed()["Resources"]["Ledger"]["Properties"]["ResourcePolicy"]["PolicyDocument"]["Statement"]
    assert "GetAtt" not in json.dumps(statement)
    table = as_deployed({"Fn::GetAtt": ["Ledger", "Arn"]}, transformed()["Resources"], STACK)
    assert [table, f"{table}/index/*"] == _deny("Ledger")["Resource"]
