"""What is done when the stack goes: nobody is left held by a policy of it, and no region is left with a forwarder.

Source: CloudFormation custom resource request and response reference, in the AWS CloudFormation user guide.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any

from asking import FOR_THE_ANSWER, Request, client, patiently

logger = logging.getLogger()

_KINDS = ("User", "Group", "Role")
#: How often an operation of a StackSet is looked at; how often forwarders are deleted before what is left stays where
#: it is; and how they are deleted: all at once, and none keeps another from it.
_LOOK_SECONDS, _TRIES = 1.0, 2
_ALL_AT_ONCE = {"RegionConcurrencyType": "PARALLEL", "MaxConcurrentPercentage": 100, "FailureTolerancePercentage": 100}
_UNDER_WAY = ("RUNNING", "QUEUED", "STOPPING")


def _see_that_it_goes(request: Request) -> None:
    """See whether CloudFormation really deletes the resource that asks for something to end.

    Whoever may call this function could ask for that at any time. It may be asked about this stack only.

    Raises:
        PermissionError: it does not.
    """
    whole = {"StackName": request["StackId"], "LogicalResourceId": request["LogicalResourceId"]}
    resource = client("cloudformation").describe_stack_resource(**whole)["StackResourceDetail"]
    if resource["ResourceStatus"] != "DELETE_IN_PROGRESS":
        raise PermissionError(f"nobody deletes {request['LogicalResourceId']} of this stack; nothing was done")


def free(request: Request, remaining: Callable[[], int]) -> None:
    """Detach each policy from whoever carries it, so that IAM lets it be deleted and nobody is left held by it.

    Raises:
        PermissionError: CloudFormation does not delete what asks for it.
        TimeoutError: there are more than can be freed in one go.
    """
    _see_that_it_goes(request)
    iam = client("iam")
    for arn in request["ResourceProperties"]["Policies"]:
        for kind, name in _holders(iam, arn):
            if remaining() < FOR_THE_ANSWER:
                raise TimeoutError(f"{arn} is carried by too many to free them all at once; delete the stack again")
            try:
                getattr(iam, f"detach_{kind.lower()}_policy")(**{f"{kind}Name": name, "PolicyArn": arn})
            except iam.exceptions.NoSuchEntityException:
                logger.info("%s %s no longer carries %s", kind, name, arn)


def _holders(iam: Any, arn: str) -> list[tuple[str, str]]:  # noqa: ANN401 - boto3 makes its clients at run time
    """Whoever carries a policy: kind and name. Read to the end before the first is freed, so that no page is missed."""
    try:
        pages = list(iam.get_paginator("list_entities_for_policy").paginate(PolicyArn=arn))
    except iam.exceptions.NoSuchEntityException:
        return []
    return [(kind, one[f"{kind}Name"]) for page in pages for kind in _KINDS for one in page.get(f"Policy{kind}s") or ()]


def empty(request: Request, remaining: Callable[[], int]) -> None:
    """Delete every forwarder that is left in the StackSet; one that cannot be deleted stays where it is, and is named.

    Nothing but an impostor is refused: CloudFormation would delete what this resource depends on all the same, this
    function and the roles that take forwarders down among them, so nobody could try again. It waits for what is under
    way in a StackSet before it deletes it, and says itself what keeps it from that.

    Source: aws-cloudformation-resource-providers-cloudformation, BaseHandlerStd.deleteStackInstances, for what its
    handler waits for, and that it takes a forwarder that is gone for deleted; issue 852 of CloudFormation's roadmap,
    dependency not respected when resource is in DELETE_FAILED state.

    Raises:
        PermissionError: CloudFormation does not delete what asks for it.
    """
    patiently(lambda: _see_that_it_goes(request), remaining)
    wanted = request["ResourceProperties"]
    try:
        for tried in range(_TRIES + 1):
            left = patiently(lambda: _instances(wanted["StackSet"]), remaining)
            if not left:
                return
            stays = tried == _TRIES
            if stays:
                logger.error("cannot be deleted, and stay as stacks where they are: %s", json.dumps(left))
            _delete(wanted["StackSet"], wanted["Account"], list(left), remaining, stays=stays)
    except Exception as error:  # noqa: BLE001 - see above
        logger.error("what is left is left to CloudFormation: %s: %s", type(error).__name__, error)


def _instances(stack_set: str) -> dict[str, str]:
    """The regions that a StackSet has a stack in, and what it last said of each; none where there is no StackSet."""
    cloudformation = client("cloudformation")
    try:
        pages = list(cloudformation.get_paginator("list_stack_instances").paginate(StackSetName=stack_set))
    except cloudformation.exceptions.StackSetNotFoundException:
        return {}
    return {one["Region"]: one.get("StatusReason", "") for page in pages for one in page["Summaries"]}


def _delete(stack_set: str, account: str, regions: list[str], remaining: Callable[[], int], *, stays: bool) -> None:
    """Take stacks out of a StackSet, and see it through; whether each could be taken shows in what is left.

    Raises:
        TimeoutError: it takes longer than there is time; it goes on by itself.
    """
    cloudformation, named = client("cloudformation"), {"StackSetName": stack_set}
    asked = {**named, "Accounts": [account], "Regions": regions, "RetainStacks": stays}
    # Somebody else's operation is waited for: two at once there are not.
    begun = patiently(
        lambda: cloudformation.delete_stack_instances(**asked, OperationPreferences=_ALL_AT_ONCE)["OperationId"],
        remaining,
    )

    def status() -> str:
        said = cloudformation.describe_stack_set_operation(**named, OperationId=begun)
        return str(said["StackSetOperation"]["Status"])

    while patiently(status, remaining) in _UNDER_WAY:
        if remaining() < FOR_THE_ANSWER:
            raise TimeoutError(f"{', '.join(regions)} take longer than this function may run")
        time.sleep(_LOOK_SECONDS)
