"""The ledger's table is changed, never replaced, and by one index at a time.

Amazon DynamoDB API reference, UpdateTable: "You can create or delete only one global secondary index per UpdateTable
operation"; CloudFormation fails an update of a stack that asks for two. Key and projection of an index cannot be
changed: it has to be deleted and made anew, which is two.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from tests.upgrade.earlier import FROZEN

_ROOT = Path(__file__).parents[2]
#: What CloudFormation does only by another table in its place. Source: its reference of AWS::DynamoDB::Table.
_REPLACES = ("TableName", "KeySchema", "LocalSecondaryIndexes")


class _Template(yaml.SafeLoader):
    """Reads the short forms of CloudFormation's functions as plain text."""


def _as_text(_loader: yaml.Loader, suffix: str, node: yaml.Node) -> str:
    return f"{suffix} {node.value}"


_Template.add_multi_constructor("!", _as_text)


def _ledger(template: Path) -> Any:
    resources = yaml.load(template.read_text(), _Template)["Resources"]  # noqa: S506 - a SafeLoader
    return resources["Ledger"]["Properties"]


def _indexes(properties: Any) -> dict[str, Any]:
    return {one["IndexName"]: one for one in properties["GlobalSecondaryIndexes"]}


def test_an_upgrade_changes_at_most_one_index() -> None:
    before, now = _indexes(_ledger(FROZEN / "template.yaml")), _indexes(_ledger(_ROOT / "template.yaml"))
    gone, new = before.keys() - now.keys(), now.keys() - before.keys()
    changed = [name for name in before.keys() & now.keys() if before[name] != now[name]]
    assert ([], True) == (changed, len(gone) + len(new) <= 1), (gone, new)


def test_an_upgrade_replaces_no_ledger() -> None:
    before, now = _ledger(FROZEN / "template.yaml"), _ledger(_ROOT / "template.yaml")
    kept = [name for name in _REPLACES if name != "TableName"]
    assert [before.get(name) for name in kept] == [now.get(name) for name in kept]
    assert re.search(r"Names\.Ledger", str(now["TableName"])), "what the stack holds keeps its name: functions/names"


def test_what_an_index_lists_is_declared() -> None:
    now = _ledger(_ROOT / "template.yaml")
    keys = {key["AttributeName"] for one in (now, *_indexes(now).values()) for key in one["KeySchema"]}
    assert keys == {one["AttributeName"] for one in now["AttributeDefinitions"]}
