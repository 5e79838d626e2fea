"""The ledger: the table, and what people decided in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.attacks.house.facet import PREFIX, Clients, Facet, Seen, absent


def ledger_name(clients: Clients) -> str:
    """The table's name."""
    (name,) = [one for one in clients("dynamodb").list_tables()["TableNames"] if one.startswith(PREFIX)]
    return str(name)


def _ledger(clients: Clients) -> Seen:
    client = clients("dynamodb")
    name = ledger_name(clients)
    table = client.describe_table(TableName=name)["Table"]
    backups = client.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    return {
        "protection": table.get("DeletionProtectionEnabled"),
        "indexes": sorted(one["IndexName"] for one in table.get("GlobalSecondaryIndexes", ())),
        "stream": table.get("StreamSpecification"),
        "encryption": table.get("SSEDescription"),
        "time to live": client.describe_time_to_live(TableName=name)["TimeToLiveDescription"],
        "backups": backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"],
        "policy": (absent(client.get_resource_policy, ResourceArn=table["TableArn"]) or {}).get("Policy"),
        "replicas": sorted(one["RegionName"] for one in table.get("Replicas", ())),
    }


def _mend_ledger(clients: Clients, name: str, was: Any, _now: Any) -> None:
    client, table = clients("dynamodb"), ledger_name(clients)
    if name == "protection":
        client.update_table(TableName=table, DeletionProtectionEnabled=was)
    elif name == "time to live":
        on = {"Enabled": True, "AttributeName": was["AttributeName"]}
        client.update_time_to_live(TableName=table, TimeToLiveSpecification=on)
    elif name == "backups":
        specification = {"PointInTimeRecoveryEnabled": was == "ENABLED"}
        client.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=specification)
    elif name == "policy":
        arn = client.describe_table(TableName=table)["Table"]["TableArn"]
        if was:
            client.put_resource_policy(ResourceArn=arn, Policy=was)
        else:
            client.delete_resource_policy(ResourceArn=arn)
    else:
        raise AssertionError(f"nothing here mends the ledger's {name}")


#: What people decided: nothing that Plumbline writes by itself.
_DECIDED = ("exempt", "pauses", "suspen")


def _decisions(clients: Clients) -> Seen:
    found = {}
    for page in clients("dynamodb").get_paginator("scan").paginate(TableName=ledger_name(clients)):
        for item in page["Items"]:
            if item["sk"]["S"].startswith(_DECIDED):
                found[item["sk"]["S"]] = item
    return found


def _mend_decisions(clients: Clients, name: str, was: Any, now: Any) -> None:
    # The table's own policy lets no administrator write into it; the emulator's root user is above it.
    client, table = clients("dynamodb", "root"), ledger_name(clients)
    if was:
        client.put_item(TableName=table, Item=was)
    else:
        client.delete_item(TableName=table, Key={key: now[key] for key in ("pk", "sk")})


FACETS: Mapping[str, Facet] = {
    "ledger": Facet(_ledger, _mend_ledger, "dynamodb"),
    "decision": Facet(_decisions, _mend_decisions, "dynamodb"),
}
