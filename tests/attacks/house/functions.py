"""Functions, what hangs on them, what feeds them, their layer."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.request import ProxyHandler, build_opener

from tests.attacks.house.facet import PREFIX, Clients, Facet, Seen, absent, without

_CODE: dict[str, bytes] = {}
_PUSHED = ("Role", "Handler", "Runtime", "Timeout", "MemorySize", "Description", "Environment", "LoggingConfig")


def _functions(clients: Clients) -> Iterator[dict[str, Any]]:
    for page in clients("lambda").get_paginator("list_functions").paginate():
        yield from (one for one in page["Functions"] if one["FunctionName"].startswith(PREFIX))


def _settings(clients: Clients) -> Seen:
    volatile = ("LastModified", "RevisionId", "CodeSha256", "CodeSize", "LastUpdateStatus", "State", "Version",
                "StateReason", "StateReasonCode", "LastUpdateStatusReason", "LastUpdateStatusReasonCode")  # fmt: skip
    return {
        one["FunctionName"]: {
            **without(one, *volatile),
            "Layers": [layer["Arn"] for layer in one.get("Layers", ())],
        }
        for one in _functions(clients)
    }


def _mend_settings(clients: Clients, name: str, was: Any, now: Any) -> None:
    assert was, f"function {name} is new, and no story makes one"
    assert now, f"function {name} is gone; nothing here makes it again"
    given = {key: was[key] for key in _PUSHED if key in was}
    environment = {"Environment": was.get("Environment") or {"Variables": {}}}
    layers = {"Layers": was["Layers"]}
    clients("lambda").update_function_configuration(FunctionName=name, **{**given, **environment, **layers})


def _code(clients: Clients) -> Seen:
    read: dict[str, str] = {}
    for one in _functions(clients):
        name, digest = one["FunctionName"], one["CodeSha256"]
        read[name] = digest
        if digest not in _CODE:
            where = clients("lambda").get_function(FunctionName=name)["Code"]["Location"]
            with build_opener(ProxyHandler({})).open(where, timeout=10) as answer:
                _CODE[digest] = answer.read()
    return read


def _mend_code(clients: Clients, name: str, was: Any, _now: Any) -> None:
    clients("lambda").update_function_code(FunctionName=name, ZipFile=_CODE[was])


def _extras(clients: Clients) -> Seen:
    """What hangs on a function: concurrency, who may call it, URLs, what becomes of failures."""
    client = clients("lambda")
    asked = {
        "concurrency": client.get_function_concurrency,
        "policy": client.get_policy,
        "url": client.get_function_url_config,
        "asynchronous": client.get_function_event_invoke_config,
        "recursion": client.get_function_recursion_config,
    }
    found: dict[str, Any] = {}
    for one in _functions(clients):
        name = one["FunctionName"]
        for what, ask in asked.items():
            answer = absent(ask, FunctionName=name)
            if what == "policy":
                answer = json.loads(answer["Policy"])["Statement"] if answer else []
            found[f"{name} {what}"] = answer or None
    return found


def _mend_extras(clients: Clients, name: str, was: Any, now: Any) -> None:
    function, what = name.split(" ")
    client = clients("lambda")
    if what == "concurrency":
        if was:
            client.put_function_concurrency(FunctionName=function, **was)
        else:
            client.delete_function_concurrency(FunctionName=function)
    elif what == "policy":
        _mend_permissions(client, function, was or [], now or [])
    elif what == "url":
        client.delete_function_url_config(FunctionName=function)
    elif what == "asynchronous":
        client.delete_function_event_invoke_config(FunctionName=function)
    elif what == "recursion":
        client.put_function_recursion_config(FunctionName=function, **was)


def _mend_permissions(client: Any, function: str, was: list[Any], now: list[Any]) -> None:
    for one in now:
        if one not in was:
            client.remove_permission(FunctionName=function, StatementId=one["Sid"])
    for one in was:
        if one not in now:
            (source,) = one["Condition"]["ArnLike"].values()
            client.add_permission(
                FunctionName=function,
                StatementId=one["Sid"],
                Action=one["Action"],
                Principal=one["Principal"]["Service"],
                SourceArn=source,
            )


def _triggers(clients: Clients) -> Seen:
    """What feeds the functions, by function and source: a trigger that was made again has another id."""
    kept = ("State", "BatchSize", "FilterCriteria", "FunctionResponseTypes", "ScalingConfig", "DestinationConfig",
            "MaximumRetryAttempts", "BisectBatchOnFunctionError")  # fmt: skip
    return {
        f"{one['FunctionArn'].rpartition(':')[2]} from {one['EventSourceArn'].split(':')[2]}": {
            # A filter that was taken off again leaves an empty list of them.
            **{key: one[key] for key in kept if one.get(key) not in (None, {}, {"Filters": []})},
            "EventSourceArn": one["EventSourceArn"],
        }
        for one in clients("lambda").list_event_source_mappings()["EventSourceMappings"]
        if PREFIX in one["FunctionArn"]
    }


def _mend_triggers(clients: Clients, name: str, was: Any, now: Any) -> None:
    client, function = clients("lambda"), name.split(" ", maxsplit=1)[0]
    ids = [
        one["UUID"]
        for one in client.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
        if one["EventSourceArn"] == (was or now)["EventSourceArn"]
    ]
    if was is None:
        client.delete_event_source_mapping(UUID=ids[0])
        return
    given = {key: was[key] for key in was if key not in ("State", "EventSourceArn")}
    if now is None:
        start = {} if ":sqs:" in was["EventSourceArn"] else {"StartingPosition": "LATEST"}
        source = {"EventSourceArn": was["EventSourceArn"]}
        client.create_event_source_mapping(FunctionName=function, Enabled=True, **source, **start, **given)
    else:
        emptied: dict[str, Any] = {} if "FilterCriteria" in given else {"FilterCriteria": {"Filters": []}}
        client.update_event_source_mapping(UUID=ids[0], Enabled=was["State"] == "Enabled", **given, **emptied)


def _layers(clients: Clients) -> Seen:
    client = clients("lambda")
    return {
        f"{layer['LayerName']} {version['Version']}": (
            absent(client.get_layer_version_policy, LayerName=layer["LayerName"], VersionNumber=version["Version"])
            or {}
        ).get("Policy", "")
        for layer in client.list_layers()["Layers"]
        for version in client.list_layer_versions(LayerName=layer["LayerName"])["LayerVersions"]
    }


def _mend_layers(clients: Clients, name: str, was: Any, now: Any) -> None:
    layer, version = name.split(" ")
    client = clients("lambda")
    if was is None:
        client.delete_layer_version(LayerName=layer, VersionNumber=int(version))
        return
    assert now is not None, f"version {version} of layer {layer} is gone; nothing here makes it again"
    for one in json.loads(now or '{"Statement": []}')["Statement"]:
        client.remove_layer_version_permission(LayerName=layer, VersionNumber=int(version), StatementId=one["Sid"])


FACETS: Mapping[str, Facet] = {
    "function": Facet(_settings, _mend_settings, "lambda"),
    "code": Facet(_code, _mend_code, "lambda"),
    "function's": Facet(_extras, _mend_extras, "lambda"),
    "trigger": Facet(_triggers, _mend_triggers, "lambda"),
    "layer": Facet(_layers, _mend_layers, "lambda"),
}
