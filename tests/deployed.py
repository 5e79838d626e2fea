"""template.yaml as the tests read it: with its intrinsics as data, and as AWS gets it once SAM has transformed it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
TEMPLATE = ROOT / "template.yaml"
#: aws-sam-cli pins its own boto3, so SAM lives in an environment of its own.
_SAM = ROOT / ".venv" / "sam" / "bin" / "python"
_TRANSFORM = """
import json, sys
from samtranslator.translator.transform import transform
template = json.load(sys.stdin)
for resource in template["Resources"].values():
    for place in ("CodeUri", "ContentUri"):
        if place in resource.get("Properties", {}):
            resource["Properties"][place] = "s3://bucket/" + resource["Properties"][place]
class NoPolicies:
    def load(self): return {}
json.dump(transform(template, {}, NoPolicies()), sys.stdout)
"""
#: What a stack called plumbline is told by CloudFormation itself.
STACK = {
    "AWS::AccountId": "111122223333",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackName": "plumbline",
    "AWS::StackId": "arn:aws:cloudformation:us-east-1:111122223333:stack/plumbline/1a2b",
}


class _Loader(yaml.SafeLoader):
    """Reads `!Ref`, `!Sub` and the like as the JSON they stand for."""


def _intrinsic(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _intrinsic)


@cache
def source() -> Mapping[str, Any]:
    """template.yaml as it is written."""
    written: Mapping[str, Any] = yaml.load(TEMPLATE.read_text(), Loader=_Loader)  # noqa: S506 -- a SafeLoader that knows intrinsics
    return written


@cache
def transformed() -> Mapping[str, Any]:
    """The template as CloudFormation gets it, without SAM's own resource types."""
    assert _SAM.exists(), "SAM's environment is missing; run `make setup`"
    done = subprocess.run(
        [_SAM, "-c", _TRANSFORM], input=json.dumps(source()), text=True, capture_output=True, check=False,
        env={"AWS_DEFAULT_REGION": STACK["AWS::Region"]},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    template: Mapping[str, Any] = json.loads(done.stdout)
    return template


def of_type(kind: str) -> dict[str, Mapping[str, Any]]:
    """The transformed resources of one type, by logical id."""
    return {name: one for name, one in transformed()["Resources"].items() if one["Type"] == kind}


def properties(kind: str) -> dict[str, Mapping[str, Any]]:
    """The properties of the transformed resources of one type, by logical id."""
    return {name: one.get("Properties", {}) for name, one in of_type(kind).items()}


def logical(value: Any) -> str:
    """The logical id that a `Ref` or `GetAtt` names; empty for anything else."""
    if isinstance(value, Mapping):
        name: str = value.get("Ref") or (value.get("Fn::GetAtt") or [""])[0]
        return name
    return ""


def text(value: Any) -> str:
    """A value in a stack called plumbline, with parameters at their defaults; resources stand as `<LogicalId>`."""
    parameters: Mapping[str, Mapping[str, Any]] = source()["Parameters"]
    known = STACK | {name: str(one.get("Default", f"<{name}>")) for name, one in parameters.items()}
    if not isinstance(value, Mapping):
        return str(value)
    if "Ref" in value:
        return known.get(value["Ref"], f"<{value['Ref']}>")
    if "Fn::GetAtt" in value:
        return f"<{'.'.join(value['Fn::GetAtt'])}>"
    if "Fn::If" in value:  # every condition that is asked for here is off by default
        return text(value["Fn::If"][2])
    body = value["Fn::Sub"]
    assert isinstance(body, str), f"only the short form of Sub is understood: {value}"
    for name, known_value in known.items():
        body = body.replace(f"${{{name}}}", known_value)
    return body.replace("${", "<").replace("}", ">") if "${" in body else body


def ledger_table(name: str) -> dict[str, Any]:
    """The arguments of CreateTable for the ledger, as the template describes it."""
    described = source()["Resources"]["Ledger"]["Properties"]
    kept = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    return {"TableName": name} | {one: described[one] for one in kept}
