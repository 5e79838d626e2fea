"""Reads what there is before a deployment, and who hears after it; with the caller's own credentials."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone

import boto3

from deploy.deciding import Seen
from plumbline.adapters.accounts import Accounts
from plumbline.adapters.clients import ClientFactory, perform
from plumbline.controls.detection import _trails
from plumbline.core.calls import Call
from plumbline.core.errors import AwsRefusal

_NO_STACK = ("ValidationError",)


def home_region(wanted: str = "") -> str:
    """The region to deploy in: as it is typed, else of the environment, else of the profile; empty for none.

    AWS's command line takes AWS_REGION before AWS_DEFAULT_REGION; botocore knows the latter alone.
    """
    return wanted or os.environ.get("AWS_REGION") or boto3.session.Session().region_name or ""


def look(clients: ClientFactory, region: str, stack: str) -> Seen:
    """The account, its trails, and the stack, where it is there.

    Args:
        clients: makes clients with the caller's credentials.
        region: the home region.
        stack: the stack's name.

    Raises:
        AwsRefusal: AWS did not answer one of the questions.
    """
    caller = perform(clients("", region, "sts"), Call("sts", "GetCallerIdentity"))
    account = caller["Account"]
    ask = Accounts(clients, region, stack=stack, clock=lambda: datetime.now(timezone.utc)).eyes(account, region)
    found = ask(Call("cloudformation", "DescribeStacks", {"StackName": stack}, region, _NO_STACK))
    there = found["Stacks"][0] if found else {}
    made = {"StackName": stack, "LogicalResourceId": "Trail"}
    trail = ask(Call("cloudformation", "DescribeStackResource", made, region, _NO_STACK)) if there else None
    return Seen(
        account=account,
        caller=caller["Arn"],
        region=region,
        status=there.get("StackStatus", ""),
        parameters={one["ParameterKey"]: one.get("ParameterValue", "") for one in there.get("Parameters", ())},
        own_trail=trail["StackResourceDetail"].get("PhysicalResourceId", "") if trail else "",
        trails=tuple(_trails.read(ask, account)),
        deployer=_deployer(clients, region, caller["Arn"]),
    )


def _deployer(clients: ClientFactory, region: str, caller: str) -> str:
    """The user or role behind a caller's ARN; of a session the role with its path, which AWS is asked for."""
    if re.fullmatch(r"arn:[\w-]+:iam::\d{12}:user/.+", caller):
        return caller
    session = re.fullmatch(r"arn:[\w-]+:sts::\d{12}:assumed-role/([^/]+)/.+", caller)
    if not session:
        return ""
    try:
        role = perform(clients("", region, "iam"), Call("iam", "GetRole", {"RoleName": session[1]}))
    except AwsRefusal:  # then somebody names it in the baseline
        return ""
    return str(role["Role"]["Arn"])


def outputs(clients: ClientFactory, region: str, stack: str) -> Mapping[str, str]:
    """What the stack gives out; empty where it is not there."""
    call = Call("cloudformation", "DescribeStacks", {"StackName": stack}, absent=_NO_STACK)
    found = perform(clients("", region, "cloudformation"), call)
    return {one["OutputKey"]: one["OutputValue"] for one in (found["Stacks"][0].get("Outputs", ()) if found else ())}


#: The topics that send e-mails to the alert address, by how their names end; the first is the stack's output.
_MAILING = ("-alerts", "-watchdog")


def unconfirmed(clients: ClientFactory, region: str, topic: str) -> Iterator[tuple[str, str]]:
    """The topics and addresses that were told to confirm, and have not. One that waits has no ARN yet.

    Args:
        clients: makes clients with the caller's credentials.
        region: the home region.
        topic: the Alerts topic; that of the watchdog is called like it.
    """
    for name in _MAILING:
        arn = topic.removesuffix(_MAILING[0]) + name
        call = Call("sns", "ListSubscriptionsByTopic", {"TopicArn": arn}, absent=("NotFound",))
        for one in (perform(clients("", region, "sns"), call) or {}).get("Subscriptions", ()):
            if not str(one["SubscriptionArn"]).startswith("arn:"):
                yield arn, one["Endpoint"]
