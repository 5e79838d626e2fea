"""Plumbline's own stack: what it holds, and when it was last deployed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from plumbline.adapters.clients import ClientFactory, perform
from plumbline.core.calls import Call
from plumbline.core.recorded import Deployed

#: How CloudFormation names the states in which it is still at work.
_AT_WORK = "_IN_PROGRESS"


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

    def _ask(self, operation: str) -> Any:  # noqa: ANN401 - AWS answers any shape
        call = Call("cloudformation", operation, {"StackName": self.id})
        return perform(self.clients("", self.region, "cloudformation"), call)
