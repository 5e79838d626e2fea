"""A registry as large as it may become: today's controls, and copies of them under other ids."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import count

from plumbline.controls import registry
from plumbline.core.control import Control, On

#: Prefixes of real services, so that what a copy asks for is as long as real actions are.
_SERVICES = """
access-analyzer acm airflow amplify apigateway appconfig application-autoscaling appstream appsync athena autoscaling
backup batch bedrock cassandra cloudformation cloudfront codeartifact codebuild codecommit codedeploy codepipeline
cognito-identity cognito-idp config datasync directconnect dms ds dynamodb ec2 ecr ecs eks elasticache elasticbeanstalk
elasticfilesystem elasticloadbalancing elasticmapreduce es firehose fms fsx glacier globalaccelerator glue guardduty
imagebuilder inspector2 kafka kinesis kms lambda lightsail macie2 memorydb mq network-firewall rds
redshift-serverless route53resolver sagemaker secretsmanager securityhub servicecatalog ses sqs ssm states
storagegateway synthetics transfer vpc-lattice wafv2 workspaces
"""
_VERB = re.compile(r"(?<=[a-z])(?=[A-Z])")


def grown(number: int) -> Mapping[str, Control]:
    """That many controls by id, in the order of their ids: those of the registry, then copies until it is enough.

    Nothing can be saved by what copies share: each asks for actions of a service of its own, with names a word longer
    than the originals'. Every third copy wakes on that service's events; the others on more events of the original's
    sources, so that rules become many and their names outgrow one. Each generation came with a version of its own.
    """
    controls = dict(registry.load())
    copies = _copies()
    while len(controls) < number:
        copy = next(copies)
        controls[copy.id] = copy
    return dict(sorted(controls.items()))


def _copies() -> Iterator[Control]:
    numbers, services = count(), _SERVICES.split()
    for generation in count(2):
        for control in registry.load().values():
            number = next(numbers)
            again, place = divmod(number, len(services))
            word = f"Fleet{again or ''}"
            yield replace(
                control,
                id=f"{control.id}-{generation}",
                since=f"{generation}.0",
                aliases=(),
                reads=_other(control.reads, services[place], word),
                writes=_other(control.writes, services[place], word),
                wakes_on=tuple(_woken(on, "" if number % 3 else services[place], number) for on in control.wakes_on),
            )


def _other(actions: frozenset[str], service: str, word: str) -> frozenset[str]:
    """`iam:PutUserPolicy` -> `glue:PutFleetUserPolicy`."""
    return frozenset(f"{service}:{_VERB.sub(word, one.partition(':')[2], count=1)}" for one in actions)


def _woken(on: On, service: str, number: int) -> On:
    """The same wake on other names, or of another service."""
    if not on.source:
        return on
    names = tuple(_VERB.sub(f"Fleet{number}", name, count=1) for name in on.names)
    return replace(on, source=f"{service}.amazonaws.com" if service else on.source, names=names)
