"""Plumbline's own stack: what it holds, and when it was last deployed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from plumbline.adapters.clients import ClientFactory, perform
from plumbline.core.calls import Call
from plumbline.core.recorded import Deployed
from plumbline.wakes.cloudtrail import cause

#: How CloudFormation names the states in which it is still at work.
_AT_WORK = "_IN_PROGRESS"
#: The calls with which a deployment begins; `sam deploy` executes a change set.
_BEGINS = ("ExecuteChangeSet", "UpdateStack", "CreateStack")
#: Clocks differ; and a stack that is made by a change set was made when that was, and waits for a person's yes.
_BEFORE, _AFTER = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Stack:
    """The stack that Plumbline was deployed with.

    Attributes:
        clients: the client factory.
        id: its ARN.
        region: where it is.
    """

    clients: ClientFactory
    id: str
    region: str

    def deployment(self) -> Deployed:
        """Its last deployment.

        Raises:
            AwsRefusal: CloudFormation did not say.
        """
        (stack,) = self._ask("DescribeStacks")["Stacks"]
        since: datetime = stack.get("LastUpdatedTime") or stack["CreationTime"]
        status = str(stack["StackStatus"])
        return Deployed(f"{self.id}@{since.isoformat()}", since, not status.endswith(_AT_WORK), status)

    def resources(self) -> Sequence[tuple[str, str]]:
        """The type and the physical id of everything that it holds.

        Raises:
            AwsRefusal: CloudFormation did not say.
        """
        listed = self._ask("ListStackResources")["StackResourceSummaries"]
        return [
            (one["ResourceType"], one["PhysicalResourceId"])
            for one in listed
            if one.get("PhysicalResourceId") and not one["ResourceStatus"].startswith("DELETE_COMPLETE")
        ]

    def deployer(self, since: datetime) -> str:
        """The ARN of the user or role that began a deployment; empty where CloudTrail does not say, or not yet.

        Its event history has a call a few minutes after it was made.

        Args:
            since: when the deployment began.

        Raises:
            AwsRefusal: CloudTrail did not answer.

        Source: CloudTrail API reference, LookupEvents; CloudFormation user guide, Logging with CloudTrail.
        """
        window = {"StartTime": since - _BEFORE, "EndTime": since + _AFTER}
        client, names = self.clients("", self.region, "cloudtrail"), {self.id, self.id.split("/")[1]}
        for begins in _BEGINS:
            named = {"AttributeKey": "EventName", "AttributeValue": begins}
            call = Call("cloudtrail", "LookupEvents", {"LookupAttributes": [named], **window})
            events = [json.loads(one["CloudTrailEvent"]) for one in perform(client, call)["Events"]]
            mine = [
                cause(one)
                for one in events
                if (one.get("requestParameters") or {}).get("stackName") in names and not one.get("errorCode")
            ]
            if mine:
                return min(mine, key=lambda one: one.at).actor
        return ""

    def _ask(self, operation: str) -> Any:  # noqa: ANN401 - AWS answers any shape
        call = Call("cloudformation", operation, {"StackName": self.id})
        return perform(self.clients("", self.region, "cloudformation"), call)
