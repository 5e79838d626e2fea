"""template.yaml as the tests read it: with its intrinsics as data, and as AWS gets it once SAM has transformed it."""

from __future__ import annotations

import json
import re
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
    if isinstance(resource.get("Properties", {}).get("Code"), str):  # as `sam deploy` writes it for plain functions
        resource["Properties"]["Code"] = {"S3Bucket": "bucket", "S3Key": resource["Properties"]["Code"]}
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


#: What the template asks of functions/names, in a stack called plumbline.
NAMES = {"Prefix": "plumbline", "Ledger": "plumbline-ledger-1a2b3c4d", "LedgerIsThere": "false",
         "TrailBucket": "plumbline-trail-111122223333-us-east-1-1a2b3c4d", "Trail": "plumbline"}  # fmt: skip
#: The longest name of a stack of version 0.1, which keeps its names: its rule `-monitoring` may have 64 characters.
#: Newer stacks have shorter prefixes.
LONGEST_PREFIX = 53
#: The same in a stack whose names, partition and region are as long as AWS has them.
LONGEST_NAMES = {
    "AWS::AccountId": "111122223333",
    "AWS::Partition": "aws-us-gov",
    "AWS::Region": "ap-southeast-2",
    "AWS::StackName": "s" * 128,
    "AWS::StackId": "arn:aws-us-gov:cloudformation:ap-southeast-2:111122223333:stack/"
    f"{'s' * 128}/11112222-3333-4444-5555-666677778888",
    "PermissionsBoundary": f"arn:aws-us-gov:iam::111122223333:policy/{'s' * 128}",
}
_LONGEST_NAMES_OF = {"Prefix": "s" * LONGEST_PREFIX, "Ledger": "s" * (LONGEST_PREFIX + 16), "TrailBucket": "s" * 63,
                     "Trail": "s" * 128}  # fmt: skip


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


def parsed(text: str) -> Mapping[str, Any]:
    """The text of a template as data."""
    written: Mapping[str, Any] = yaml.load(text, Loader=_Loader)  # noqa: S506 -- a SafeLoader that knows intrinsics
    return written


@cache
def source() -> Mapping[str, Any]:
    """template.yaml as it is written."""
    return parsed(TEMPLATE.read_text())


@cache
def transformed() -> Mapping[str, Any]:
    """The template as CloudFormation gets it, without SAM's own resource types."""
    return by_sam(source())


def by_sam(written: Mapping[str, Any]) -> Mapping[str, Any]:
    """What SAM makes of a template."""
    assert _SAM.exists(), "SAM's environment is missing; run `make setup`"
    done = subprocess.run(
        [_SAM, "-c", _TRANSFORM], input=json.dumps(written), text=True, capture_output=True, check=False,
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
    known = STACK | {f"Names.{name}": one for name, one in NAMES.items()}
    known |= {name: str(one.get("Default", f"<{name}>")) for name, one in parameters.items()}
    if not isinstance(value, Mapping):
        return str(value)
    if "Ref" in value:
        return known.get(value["Ref"], f"<{value['Ref']}>")
    if value.get("Fn::GetAtt", [""])[0] == "Names":
        return NAMES[value["Fn::GetAtt"][1]]
    if "Fn::GetAtt" in value:
        return f"<{'.'.join(value['Fn::GetAtt'])}>"
    if "Fn::If" in value:  # every condition that is asked for here is off by default
        return text(value["Fn::If"][2])
    body = value["Fn::Sub"]
    assert isinstance(body, str), f"only the short form of Sub is understood: {value}"
    for name, known_value in known.items():
        body = body.replace(f"${{{name}}}", known_value)
    return body.replace("${", "<").replace("}", ">") if "${" in body else body


#: What `!GetAtt X.Arn` is, or `!Ref X` of a topic: the ARN behind partition and service, and the property it ends in.
_ARNS = {
    "AWS::CloudWatch::Alarm": ("cloudwatch:{region}:{account}:alarm:", "AlarmName"),
    "AWS::DynamoDB::Table": ("dynamodb:{region}:{account}:table/", "TableName"),
    "AWS::IAM::Role": ("iam::{account}:role/plumbline/", "RoleName"),
    "AWS::Lambda::Function": ("lambda:{region}:{account}:function:", "FunctionName"),
    "AWS::Logs::LogGroup": ("logs:{region}:{account}:log-group:", "LogGroupName"),
    "AWS::Serverless::Function": ("lambda:{region}:{account}:function:", "FunctionName"),
    "AWS::SNS::Topic": ("sns:{region}:{account}:", "TopicName"),
    "AWS::SQS::Queue": ("sqs:{region}:{account}:", "QueueName"),
}


def as_deployed(value: Any, resources: Mapping[str, Any], stack: Mapping[str, str]) -> Any:
    """A part of a template as AWS has it once it is deployed: no intrinsic is left in it.

    Args:
        value: the part: a policy's document, an event pattern.
        resources: the template's resources, by logical id.
        stack: what CloudFormation tells the stack, such as `LONGEST_NAMES`.

    Raises:
        KeyError: it refers to something whose ARN nobody has had to know so far; see `_ARNS`.
    """

    def arn(name: str, attribute: str = "Arn") -> str:
        if name in stack:
            return stack[name]
        if name == "Names":
            return _LONGEST_NAMES_OF[attribute]
        if resources[name]["Type"] == "AWS::IAM::ManagedPolicy":  # no longer than CloudFormation makes a name
            return f"arn:{stack['AWS::Partition']}:iam::{stack['AWS::AccountId']}:policy/plumbline/{'s' * 128}"
        middle, own = _ARNS[resources[name]["Type"]]
        middle = middle.format(region=stack["AWS::Region"], account=stack["AWS::AccountId"])
        # What has no name of its own is given one by CloudFormation, of 64 characters at most.
        called = as_deployed(resources[name]["Properties"].get(own, "s" * 64), resources, stack)
        tail = {"Arn": "", "StreamArn": "/stream/2026-03-02T09:30:00.000"}[attribute]
        return f"arn:{stack['AWS::Partition']}:{middle}{called}{tail}"

    match value:
        case {"Ref": str(name)}:
            return arn(name)
        case {"Fn::GetAtt": [name, attribute]}:
            return arn(name, attribute)
        case {"Fn::If": [_, there, _]}:  # the longer of the two
            return as_deployed(there, resources, stack)
        case {"Fn::Sub": str(body)}:
            return re.sub(r"\$\{([\w:]+)(?:\.(\w+))?\}", lambda found: arn(found[1], found[2] or "Arn"), body)
        case Mapping():
            return {key: as_deployed(one, resources, stack) for key, one in value.items()}
        case list():
            return [as_deployed(one, resources, stack) for one in value]
    return value


def ledger_table(name: str) -> dict[str, Any]:
    """The arguments of CreateTable for the ledger, as the template describes it."""
    described = source()["Resources"]["Ledger"]["Properties"]
    kept = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    return {"TableName": name} | {one: described[one] for one in kept}
