"""Resource policies of tables, which the emulator keeps and never asks.

AWS asks the policy of a table, and of its indexes, for each request. Source: Amazon DynamoDB developer guide, "Using
resource-based policies for DynamoDB".
"""

from __future__ import annotations

from ministack.core import iam_evaluator
from ministack.services import dynamodb


def install() -> None:
    """Have the emulator's evaluator ask them."""
    dynamodb.table_policy_for_arn = table_policy_for_arn
    iam_evaluator._RESOURCE_POLICY_LOOKUPS["dynamodb"] = ("dynamodb", "table_policy_for_arn")


def table_policy_for_arn(arn: str) -> tuple[str, str] | None:
    """The policy and the owner of the table that an ARN is of, or is an index of; None where it is of none."""
    parts = arn.split(":", 5)
    name = parts[-1].removeprefix("table/").partition("/")[0]
    table = dynamodb._tables.get(name)
    if table is None or not parts[-1].startswith("table/"):
        return None
    kept = dynamodb._resource_policies.get(table["TableArn"])
    return (kept["Policy"] if kept else ""), parts[4]
