"""What somebody who needs this one repair would write: the same calls as Plumbline's, and nothing else.

It asks its table before it looks, reads and writes under the two narrow roles, stores how to take the repair back and
counts it before it makes it, looks again, tells a person, and records the outcome. It has no other rules, no clocks,
exemptions, breakers or grace: that is the point of it.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

import boto3

ALLOWED = frozenset({"build"})
ACCOUNT, TABLE, TOPIC = (os.environ[f"PLUMBLINE_{name}"] for name in ("ACCOUNT", "TABLE", "ALERTS_TOPIC"))
EYES, HANDS = (os.environ[f"PLUMBLINE_{name}_ROLE"].format(account=ACCOUNT) for name in ("EYES", "HANDS"))
NOBODY = "attribute_not_exists(pk)"
dynamodb, sts, sns = boto3.client("dynamodb"), boto3.client("sts"), boto3.client("sns")


def iam(role: str, **limits: str) -> Any:
    """IAM under a role."""
    keys = sts.assume_role(RoleArn=role, RoleSessionName="access-keys", DurationSeconds=900, **limits)["Credentials"]
    return boto3.client(
        "iam",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def handler(event: dict[str, Any], _context: Any) -> dict[str, list[dict[str, str]]]:
    """Deactivate each new access key whose user is not allowed one."""
    failed = []
    for record in event["Records"]:
        try:
            settle(json.loads(record["body"])["detail"])
        except Exception as error:  # noqa: BLE001
            print(f"not settled: {error!r}")
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def settle(detail: dict[str, Any]) -> None:
    """Deactivate the key that an event tells of, once."""
    made = detail["responseElements"]["accessKey"]
    user, key = made["userName"], made["accessKeyId"]
    hour = {"pk": {"S": "by-hand"}, "sk": {"S": time.strftime("hour#%Y-%m-%dT%H", time.gmtime())}}
    about = {"pk": {"S": "by-hand"}, "sk": {"S": f"key#{key}"}}
    known = dynamodb.batch_get_item(RequestItems={TABLE: {"Keys": [about, hour], "ConsistentRead": True}})
    eyes = iam(EYES)
    if user in ALLOWED or key not in active(eyes, user) or about["sk"] in [x["sk"] for x in known["Responses"][TABLE]]:
        return
    undo = json.dumps({"operation": "UpdateAccessKey", "UserName": user, "AccessKeyId": key, "Status": "Active"})
    first = {"Put": {"TableName": TABLE, "Item": about | {"undo": {"S": undo}}, "ConditionExpression": NOBODY}}
    spent = {"Key": hour, "UpdateExpression": "ADD spent :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    dynamodb.transact_write_items(TransactItems=[first, {"Update": {"TableName": TABLE, **spent}}])
    arn = f"arn:aws:iam::{ACCOUNT}:user/{user}"
    allowed = {"Effect": "Allow", "Action": "iam:UpdateAccessKey", "Resource": arn}
    hands = iam(HANDS, Policy=json.dumps({"Version": "2012-10-17", "Statement": allowed}))
    hands.update_access_key(UserName=user, AccessKeyId=key, Status="Inactive")
    outcome = "could not be deactivated" if key in active(eyes, user) else "has been deactivated"
    text = f"Access key {key} of {user}, made by {detail['userIdentity'].get('arn', 'somebody')}, {outcome}."
    sns.publish(TopicArn=TOPIC, Subject=f"Access key {key} {outcome}", Message=f"{text}\n\nTo undo: {undo}\n")
    dynamodb.put_item(TableName=TABLE, Item=about | {"undo": {"S": undo}, "outcome": {"S": outcome}})


def active(eyes: Any, user: str) -> list[str]:
    """The active keys of a user."""
    keys = eyes.list_access_keys(UserName=user)["AccessKeyMetadata"]
    return [one["AccessKeyId"] for one in keys if one["Status"] == "Active"]
