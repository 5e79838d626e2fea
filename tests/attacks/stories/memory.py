"""What it remembers: the ledger, item by item, and the table."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.attacks.attack import Attack, Attacker, Deed, Open, Prevented, Told, Way, blow, document, tearing_down
from tests.attacks.attackers import DYNAMODB, OLD_DYNAMODB, PERMISSION_SET, POWER, WRITER
from tests.attacks.stage import Stage

_POLICY = Prevented("the table's own policy")
_GUARD = Prevented("the guard")
_TABLE = "<ledger>"
_ACCOUNT = "account#<account>"


def _item(sk: str, body: object, **more: Any) -> dict[str, Any]:
    return {"pk": {"S": _ACCOUNT}, "sk": {"S": sk}, "body": {"S": json.dumps(body)}, **more}


#: An exemption of everything for ten years, which no command would make.
EXEMPT = _item(
    "exemptions",
    [
        {
            "control": "*",
            "target": "*",
            "owner": "platform",
            "reason": "agreed",
            "until": (datetime.now(UTC) + timedelta(days=3650)).isoformat(),
            "id": "X0000",
            "told": ["expiring", "expired"],
            "by": "",
        }
    ],
    version={"N": "1"},
)
_FOR_EVER = (datetime.now(UTC) + timedelta(days=3650)).isoformat()


def _put(item: dict[str, Any]) -> Any:
    return blow("dynamodb", "put_item", TableName=_TABLE, Item=item)


def _hour(stage: Stage) -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H}"


def _spend(stage: Stage, who: Attacker) -> None:
    """The budget of repairs and of e-mails of this hour, used up at a stroke."""
    item = stage.filled(_item(f"spent#{_hour(stage)}", {}), who)
    counters = {f"n#{what}": {"N": "1000000"} for what in ("*", "iam-admin-grants", "letters")}
    stage.client("dynamodb", who.name).put_item(TableName=stage.ledger, Item={**item, **counters})


STORIES = (
    Attack("an exemption of everything written into the ledger", WRITER, (_put(EXEMPT),), _POLICY),
    Attack(
        "a pause of everything written into the ledger",
        WRITER,
        (_put(_item("pauses", {"*": {"until": _FOR_EVER, "reason": "", "by": ""}}, version={"N": "1"})),),
        _POLICY,
    ),
    Attack(
        "the hour's budget of repairs spent by hand",
        WRITER,
        (Deed("put_item of the hour's counters", _spend),),
        _POLICY,
    ),
    Attack(
        "an alert claimed as told already",
        WRITER,
        (
            blow(
                "dynamodb",
                "put_item",
                TableName=_TABLE,
                Item={"pk": {"S": "once"}, "sk": {"S": "letter#iam-admin-grants"}, "expires": {"N": "4102444800"}},
            ),
        ),
        _POLICY,
    ),
    Attack(
        "what was found said to have been there before Plumbline",
        WRITER,
        (_put(_item("adopted#iam-admin-grants", {"mark": "", "pending": ["<account>/global/iam-user/wanda"]})),),
        _POLICY,
    ),
    Attack(
        "the same by PartiQL",
        DYNAMODB,
        (
            blow(
                "dynamodb",
                "execute_statement",
                Statement="INSERT INTO \"<ledger>\" VALUE {'pk': 'account#<account>', 'sk': 'pauses', 'body': '[]'}",
            ),
        ),
        _POLICY,
    ),
    Attack(
        "the same in a batch and in a transaction",
        DYNAMODB,
        (
            blow(
                "dynamodb",
                "batch_write_item",
                RequestItems={"<ledger>": [{"PutRequest": {"Item": EXEMPT}}]},
            ),
            blow(
                "dynamodb",
                "transact_write_items",
                TransactItems=[{"Put": {"TableName": _TABLE, "Item": EXEMPT}}],
            ),
        ),
        _POLICY,
    ),
    Attack(
        "findings deleted from the ledger",
        POWER,
        (
            blow(
                "dynamodb",
                "delete_item",
                TableName=_TABLE,
                Key={"pk": {"S": _ACCOUNT}, "sk": {"S": "adopted#iam-admin-grants"}},
            ),
            blow(
                "dynamodb",
                "update_item",
                TableName=_TABLE,
                Key={"pk": {"S": _ACCOUNT}, "sk": {"S": "swept"}},
                UpdateExpression="SET body = :b",
                ExpressionAttributeValues={":b": {"S": "2099-01-01T00:00:00+00:00"}},
            ),
        ),
        _POLICY,
    ),
    Attack(
        "the table's policy removed",
        DYNAMODB,
        (blow("dynamodb", "delete_resource_policy", ResourceArn="<ledger-arn>"),),
        _GUARD,
    ),
    Attack(
        "a policy of the table that keeps Plumbline out",
        POWER,
        (
            blow(
                "dynamodb",
                "put_resource_policy",
                ResourceArn="<ledger-arn>",
                Policy=document(
                    {
                        "Effect": "Deny",
                        "Principal": "*",
                        "Action": "dynamodb:Query",
                        "Resource": "<ledger-arn>",
                    }
                ),
            ),
        ),
        _GUARD,
    ),
    Attack(
        "protection switched off and the table deleted",
        DYNAMODB,
        (
            blow("dynamodb", "update_table", TableName=_TABLE, DeletionProtectionEnabled=False),
            tearing_down("dynamodb", "delete_table", TableName=_TABLE),
        ),
        _GUARD,
    ),
    Attack(
        "backups off, and items that expire at once",
        DYNAMODB,
        (
            blow(
                "dynamodb",
                "update_continuous_backups",
                TableName=_TABLE,
                PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": False},
            ),
            blow(
                "dynamodb",
                "update_time_to_live",
                TableName=_TABLE,
                TimeToLiveSpecification={"Enabled": False, "AttributeName": "expires"},
            ),
        ),
        _GUARD,
    ),
    Attack(
        "the table's protection switched off, before his guard is agreed to",
        OLD_DYNAMODB,
        (blow("dynamodb", "update_table", TableName=_TABLE, DeletionProtectionEnabled=False),),
        Told(Way.TRIPWIRE, ("UpdateTable", "<my-name>")),
    ),
    Attack(
        "the table's policy removed and an exemption written, before his guard is agreed to",
        OLD_DYNAMODB,
        (blow("dynamodb", "delete_resource_policy", ResourceArn="<ledger-arn>"), _put(EXEMPT)),
        Told(Way.TRIPWIRE, ("DeleteResourcePolicy", "<my-name>")),
    ),
    Attack(
        "an exemption of everything written into the ledger, by a permission set of Identity Center",
        PERMISSION_SET,
        (blow("dynamodb", "delete_resource_policy", ResourceArn="<ledger-arn>"), _put(EXEMPT)),
        Open(
            "only Identity Center changes its roles, so Plumbline cannot attach the guard; an SCP can hold them",
            Told(Way.TRIPWIRE, ("DeleteResourcePolicy", "<my-name>")),
        ),
    ),
)
