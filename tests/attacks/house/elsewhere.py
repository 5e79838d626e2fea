"""What lies in other regions, or is about them: the StackSet, its stacks with their rules and queue, the regions."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from tests.attacks.attack import ELSEWHERE, LEFT_OUT, OPTED_IN
from tests.attacks.house import wiring
from tests.attacks.house.facet import PREFIX, Clients, Facet, Seen, absent

#: Those that are governed, but home, and one that is not.
REGIONS = (ELSEWHERE, OPTED_IN, LEFT_OUT)
_SET = f"{PREFIX}-forwarders"
#: Seconds for StackSets to be done with a few regions.
_SECONDS = 60.0
_AT_ONCE = {"RegionConcurrencyType": "PARALLEL", "FailureTolerancePercentage": 100, "MaxConcurrentPercentage": 100}


# --- the StackSet ---------------------------------------------------------------------------------------------------


def _stack_set(clients: Clients) -> Seen:
    client = clients("cloudformation")
    found: dict[str, Any] = {}
    for one in client.list_stack_sets(Status="ACTIVE")["Summaries"]:
        said = client.describe_stack_set(StackSetName=one["StackSetName"])["StackSet"]
        kept = ("AdministrationRoleARN", "ExecutionRoleName", "Parameters", "TemplateBody")
        found[one["StackSetName"]] = {key: said[key] for key in kept}
        for each in client.list_stack_instances(StackSetName=one["StackSetName"])["Summaries"]:
            found[f"{one['StackSetName']} {each['Region']}"] = {"status": each["Status"], "account": each["Account"]}
    return found


def _mend_stack_set(clients: Clients, name: str, was: Any, now: Any) -> None:
    client = clients("cloudformation")
    of, _, region = name.partition(" ")
    if not region:
        assert was, f"StackSet {name} is new, and no story makes one"
        assert now, f"StackSet {name} is gone; nothing here makes it again"
        client.update_stack_set(
            StackSetName=of, TemplateBody=was["TemplateBody"], AdministrationRoleARN=was["AdministrationRoleARN"],
            ExecutionRoleName=was["ExecutionRoleName"], OperationPreferences=_AT_ONCE,
        )  # fmt: skip
    elif was is None:
        client.delete_stack_instances(**_where(of, region, now), RetainStacks=False)
    elif now is None:
        client.create_stack_instances(**_where(of, region, was))
    else:
        client.update_stack_instances(**_where(of, region, was))
    settle(clients, of)


def _where(of: str, region: str, instance: Any) -> dict[str, Any]:
    return {"StackSetName": of, "Accounts": [instance["account"]], "Regions": [region]}


def settle(clients: Clients, of: str = _SET) -> None:
    """Wait until a StackSet is at work on nothing."""
    client, began = clients("cloudformation"), time.monotonic()
    while any(one["Status"] in ("RUNNING", "QUEUED", "STOPPING") for one in client.list_stack_set_operations(
        StackSetName=of
    )["Summaries"]):  # fmt: skip
        assert time.monotonic() - began < _SECONDS, f"{of} is at work for {_SECONDS:g} s"
        time.sleep(0.05)


# --- regions --------------------------------------------------------------------------------------------------------


def _regions(clients: Clients) -> Seen:
    client = clients("account")
    pages = client.get_paginator("list_regions").paginate()
    return {one["RegionName"]: one["RegionOptStatus"] for page in pages for one in page["Regions"]}


def _mend_regions(clients: Clients, name: str, was: Any, now: Any) -> None:
    client, began = clients("account"), time.monotonic()
    if now.startswith("DISABL"):
        client.enable_region(RegionName=name)
    else:
        client.disable_region(RegionName=name)
    while client.get_region_opt_status(RegionName=name)["RegionOptStatus"] != was:
        assert time.monotonic() - began < _SECONDS, f"{name} is not switched within {_SECONDS:g} s"
        time.sleep(0.05)


# --- what lies in one -----------------------------------------------------------------------------------------------


def _there(clients: Clients, *, region: str) -> Seen:
    try:
        stacks = clients("cloudformation", region=region).describe_stacks()["Stacks"]
    except ClientError as error:
        # Nobody is known in a region that is switched off; see `_regions`.
        return {"switched off": error.response["Error"]["Code"]}
    mine = [one["StackStatus"] for one in stacks if one["StackName"].startswith(f"StackSet-{_SET}-")]
    # One that was updated is as good as one that was made.
    return {
        **({"stack": mine[0].replace("UPDATE_", "CREATE_")} if mine else {}),
        **wiring.buses_rules(clients, "default", region),
        **{f"queue {name}": one for name, one in wiring.queues(clients, region).items()},
    }


def _mend_there(clients: Clients, name: str, was: Any, _now: Any, *, region: str) -> None:
    seen = _there(clients, region=region)
    # A region that was switched on again, or a StackSet that was put back, brings with it what is in it.
    if "switched off" in seen or seen.get(name) == was:
        return
    now = seen.get(name)
    if name == "stack":
        _make_again(clients, region)
    elif name.startswith("queue "):
        wiring.mend_queue(clients, name.removeprefix("queue "), was, now, region)
    else:
        wiring.mend_rule(clients, name, was, now, region)


def _make_again(clients: Clients, region: str) -> None:
    """Let StackSets make a stack anew that was deleted behind their back."""
    client = clients("cloudformation")
    account = absent(clients("sts").get_caller_identity)["Account"]
    where = _where(_SET, region, {"account": account})
    client.delete_stack_instances(**where, RetainStacks=False)
    settle(clients)
    client.create_stack_instances(**where)
    settle(clients)


FACETS: Mapping[str, Facet] = {
    "region": Facet(_regions, _mend_regions, "account"),
    "StackSet": Facet(_stack_set, _mend_stack_set, "cloudformation"),
    **{
        f"in {region}": Facet(partial(_there, region=region), partial(_mend_there, region=region), region=region)
        for region in REGIONS
    },
}
