"""An account as version 0.1 left it: its stack, its ledger, and what people and Plumbline had done."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from botocore import xform_name

from local import deployment
from local.embedded import EmbeddedAWS
from tests.upgrade import record

FROZEN = Path(__file__).with_name("version_0_1")
BASELINE = FROZEN / "baseline.yaml"
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d(?::\d\d:\d\d(?:\.\d+)?(?:\+00:00|Z)?)?")
#: What stands for the functions of version 0.1: its ledger is recorded, so they need do nothing.
_PLACEHOLDER = "def handler(event, context):\n    return {}\n"


def ledger(aws: EmbeddedAWS) -> list[dict[str, Any]]:
    """The items of the recorded ledger, as if written minutes ago, about the keys that people have here."""
    text = (FROZEN / "ledger.json").read_text()
    for name in ("mallory", "erin"):
        (key,) = aws.client("iam").list_access_keys(UserName=name)["AccessKeyMetadata"]
        text = text.replace(re.findall(rf"iam-access-key/{name}/(AKIA\w+)", text)[0], key["AccessKeyId"])
    items = json.loads(text)
    (swept,) = (one["body"]["S"] for one in items if one["sk"]["S"] == "swept")
    later = datetime.now(timezone.utc) - timedelta(minutes=2) - datetime.fromisoformat(swept)
    return [{name: _later(value, later, name) for name, value in one.items()} for one in items]


def _later(value: Mapping[str, str], by: timedelta, name: str) -> dict[str, str]:
    """An attribute with every time in it moved."""

    def moved(found: re.Match[str]) -> str:
        length = len("2026-11-26T17")
        moment = datetime.fromisoformat(f"{found[0]}:00:00+00:00" if len(found[0]) == length else found[0]) + by
        text = moment.astimezone(timezone.utc).isoformat()
        return (
            text[:length] if len(found[0]) == length else text.replace("+00:00", "Z" if "Z" in found[0] else "+00:00")
        )

    if name == "expires":
        return {"N": str(int(value["N"]) + int(by.total_seconds()))}
    return {kind: _MOMENT.sub(moved, text) for kind, text in value.items()}


def findings(items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The latest life of each finding, by the last part of its target."""
    return {
        one["sk"]["S"].rpartition("/")[2]: json.loads(one["body"]["S"])
        for one in items
        if one["sk"]["S"].startswith("finding#")
    }


def things(aws: EmbeddedAWS, items: list[dict[str, Any]]) -> None:
    """What the ledger tells of: people broke it, and Plumbline repaired what it says it has repaired."""
    record.before(aws)
    for name in ("acme-data", "acme-logs", "acme-twice", "acme-stuck"):
        record.bucket(aws, name, acl="public-read")
    record.bucket(aws, "acme-shop", policy=record.public_policy("acme-shop"))
    record.user(aws, "dora", inline=record.READS)
    for finding in findings(items).values():
        if finding["status"] == "repaired":
            for call in _calls(finding):
                act = getattr(aws.client(call["service"], as_="root"), xform_name(call["operation"]))
                act(**call["parameters"])


def _calls(finding: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for repair in finding["repairs"]:
        for step in repair["steps"]:
            yield step["do"]


def deploy(aws: EmbeddedAWS, folder: Path, items: list[dict[str, Any]]) -> None:
    """The stack of version 0.1, with its ledger."""
    for place in ("react", "sweep", "operate", "announce"):
        (folder / "functions" / place).mkdir(parents=True)
        (folder / "functions" / place / "app.py").write_text(_PLACEHOLDER)
    (folder / "layers" / "plumbline").mkdir(parents=True)
    (folder / "layers" / "plumbline" / "empty.txt").write_text("nothing\n")
    (folder / "template.yaml").write_text((FROZEN / "template.yaml").read_text())
    deployment.deploy(aws, {"AlertEmail": "security@example.com"}, built=folder)
    for item in items:
        aws.client("dynamodb", as_="root").put_item(TableName="plumbline-ledger", Item=item)
