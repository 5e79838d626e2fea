"""template.yaml as the tests read it: with its intrinsics as data, and as AWS gets it once SAM has transformed it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
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
#: What it is told of regions: those of an account that has switched on one more than everybody has.
REGIONS: Mapping[str, Any] = {
    "Governed": "ap-southeast-2, eu-west-1, me-central-1, us-east-1",
    "Others": ["ap-southeast-2", "eu-west-1", "me-central-1"],
    "Principals": ["cloudformation.amazonaws.com", "cloudformation.me-central-1.amazonaws.com"],
}
#: What it is told of what the baseline declares.
DECLARED: Mapping[str, Any] = {
    "Regions": ["eu-west-1", "eu-west-2"],
    "Buckets": ["arn:aws:s3:::acme-data", "arn:aws:s3:::acme-data/*"],
}
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
    "AWS::Events::EventBus": ("events:{region}:{account}:event-bus/", "Name"),
    "AWS::IAM::Role": ("iam::{account}:role/plumbline/", "RoleName"),
    "AWS::Lambda::Function": ("lambda:{region}:{account}:function:", "FunctionName"),
    "AWS::Logs::LogGroup": ("logs:{region}:{account}:log-group:", "LogGroupName"),
    "AWS::Serverless::Function": ("lambda:{region}:{account}:function:", "FunctionName"),
    "AWS::SNS::Topic": ("sns:{region}:{account}:", "TopicName"),
    "AWS::SQS::Queue": ("sqs:{region}:{account}:", "QueueName"),
}
#: What `!Ref X` is the name of, and the property that gives it.
_NAMED = {
    "AWS::DynamoDB::Table": "TableName",
    "AWS::IAM::Role": "RoleName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Serverless::Function": "FunctionName",
}
#: What CloudFormation calls something that the template gives no name.
_BY_CLOUDFORMATION = "plumbline-{name}-1A2B3C4D5E6F"


def as_deployed(value: Any, resources: Mapping[str, Any], stack: Mapping[str, str]) -> Any:
    """A part of a template as AWS has it once it is deployed: no intrinsic is left in it.

    Args:
        value: the part: a policy's document, an event pattern.
        resources: the template's resources, by logical id.
        stack: what CloudFormation tells the stack, such as `LONGEST_NAMES`.

    Raises:
        KeyError: it refers to something whose ARN nobody has had to know so far; see `_ARNS`.
    """
    return _Deployed(resources, stack).resolved(value)


@dataclass(frozen=True)
class _Deployed:
    """What a template's intrinsics stand for in a deployed stack."""

    resources: Mapping[str, Any]
    stack: Mapping[str, str]

    def resolved(self, value: Any) -> Any:
        match value:
            case {"Ref": str(name)}:
                return self.ref(name)
            case {"Fn::GetAtt": ["Regions", attribute]}:
                return REGIONS[attribute]
            case {"Fn::GetAtt": ["Declared", attribute]}:
                return DECLARED[attribute]
            case {"Fn::GetAtt": [name, attribute]}:
                return self.arn(name, attribute)
            case {"Fn::If": [_, there, _]}:  # the longer of the two
                return self.resolved(there)
            case {"Fn::Sub": str(body)}:
                return re.sub(
                    r"\$\{([\w:]+)(?:\.(\w+))?\}",
                    lambda found: self.arn(found[1], found[2]) if found[2] else self.ref(found[1]),
                    body,
                )
            case Mapping():
                return {key: self.resolved(one) for key, one in value.items()}
            case list():
                return [self.resolved(one) for one in value]
        return value

    def ref(self, name: str) -> str:
        if name in source()["Parameters"]:
            return str(source()["Parameters"][name].get("Default", ""))
        kind = self.resources.get(name, {}).get("Type", "")
        if kind in _NAMED:  # others are referred to by their ARN
            called = self.resources[name].get("Properties", {}).get(_NAMED[kind], _BY_CLOUDFORMATION.format(name=name))
            return str(self.resolved(called))
        if kind == "AWS::CloudFormation::StackSet":  # its id
            return f"{self.resolved(self.resources[name]['Properties']['StackSetName'])}:{'0' * 36}"
        # SAM makes event source mappings of the events of a function
        if kind == "AWS::Lambda::EventSourceMapping" or (name not in self.stack and name not in self.resources):
            return f"{name:->36.36}"
        return self.arn(name)

    def arn(self, name: str, attribute: str = "Arn") -> str:
        if name in self.stack:
            return self.stack[name]
        if name == "Names":
            return (_LONGEST_NAMES_OF if self.stack is LONGEST_NAMES else NAMES)[attribute]
        partition, account = self.stack["AWS::Partition"], self.stack["AWS::AccountId"]
        if self.resources[name]["Type"] == "AWS::IAM::ManagedPolicy":  # no longer than CloudFormation makes a name
            return f"arn:{partition}:iam::{account}:policy/plumbline/{'s' * 128}"
        middle, own = _ARNS[self.resources[name]["Type"]]
        middle = middle.format(region=self.stack["AWS::Region"], account=account)
        # What has no name of its own is given one by CloudFormation, of 64 characters at most.
        called = self.resolved(self.resources[name]["Properties"].get(own, "s" * 64))
        tail = {"Arn": "", "StreamArn": "/stream/2026-03-02T09:30:00.000"}[attribute]
        return f"arn:{partition}:{middle}{called}{tail}"


def ledger_table(name: str) -> dict[str, Any]:
    """The arguments of CreateTable for the ledger, as the template describes it."""
    described = source()["Resources"]["Ledger"]["Properties"]
    kept = ("AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode")
    return {"TableName": name} | {one: described[one] for one in kept}
