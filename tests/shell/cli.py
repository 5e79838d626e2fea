"""Whether an `aws` command is one: judged by the models that the AWS CLI itself is made of."""

from __future__ import annotations

import functools
import json
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.session
import jmespath  # type: ignore[import-untyped]
from botocore import xform_name

#: Options of the CLI itself, with whether a value stands behind them.
_GLOBAL = {
    "region": True,
    "output": True,
    "query": True,
    "profile": True,
    "endpoint-url": True,
    "cli-connect-timeout": True,
    "cli-read-timeout": True,
    "no-cli-pager": False,
    "no-sign-request": False,
}
#: Commands of the CLI's own, of no service: its reference, `aws login`.
_OF_THE_CLI = ("login",)
#: What the CLI makes of several calls of S3: the CLI's reference, `aws s3`. Its `aws s3api` has the operations.
_OF_FILES = ("cp", "ls", "mv", "rm", "sync")
#: Where a file for the answer stands alone at the end: the CLI's reference of `lambda invoke`.
_OUTFILE = {("lambda", "invoke")}
#: Options that the CLI calls otherwise than the API does, by service, operation and its API's name.
#: Source: AWS CLI reference, `sns subscribe`. Its other renamings stand in the CLI's `customizations/argrename.py`.
_RENAMED = {("sns", "subscribe", "endpoint"): "notification-endpoint"}
_NUMBER = {"integer": r"-?\d+", "long": r"-?\d+", "float": r"-?\d+(\.\d+)?", "double": r"-?\d+(\.\d+)?"}


@functools.cache
def _session() -> Any:
    return botocore.session.get_session()


def problems(command: str) -> list[str]:
    """What the AWS CLI would refuse in a command; every `aws` of a pipe and within `$(...)` is judged.

    Args:
        command: as it is typed in a shell.
    """
    inner = re.findall(r"\$\((aws [^()]*)\)", command)
    outer = re.sub(r"\"?\$\((aws [^()]*)\)\"?", "VALUE", command)
    found = [one.strip() for one in outer.split("|") if one.strip().startswith("aws ")]
    return [problem for one in (*found, *inner) for problem in _problems(shlex.split(one))]


def is_operation(service: str, operation: str) -> bool:
    """Whether the CLI has an operation of a service."""
    names = _session().get_service_model(service).operation_names
    return operation in {xform_name(name, "-") for name in names}


def _waited(service: str, waiter: str) -> str:
    """The operation that a waiter asks again and again, whose options it takes; its own name where there is none."""
    waiters = _session().get_waiter_model(service)
    named = {xform_name(name, "-"): waiters.get_waiter(name).operation for name in waiters.waiter_names}
    return xform_name(named[waiter], "-") if waiter in named else f"wait {waiter}"


def _problems(words: list[str]) -> Iterator[str]:
    if words[1:] in [[one] for one in _OF_THE_CLI]:
        return
    _, service, operation, *rest = words
    if service == "s3":
        yield from (
            [] if operation in _OF_FILES and rest else [f"s3 has no operation {operation}, or it says nothing more"]
        )
        return
    service = "s3" if service == "s3api" else service
    if service not in _session().get_available_services():
        yield f"there is no service {service}"
        return
    model = _session().get_service_model(service)
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    if operation == "wait":
        operation = _waited(service, rest.pop(0))
    if operation not in operations:
        yield f"{service} has no operation {operation}"
        return
    what = f"{service} {operation}"
    shape = model.operation_model(operations[operation]).input_shape
    names = {name: _option(service, operation, name) for name in (shape.members if shape else ())}
    known = {names[name]: (name, member) for name, member in (shape.members if shape else {}).items()}
    options, alone = _sorted(rest, known)
    yield from _unknown(what, options, known)
    if len(alone) != ((service, operation) in _OUTFILE):
        yield f"{what} takes no {' '.join(alone)}" if alone else "the file for the answer is missing"
    given = {known[one][0] for one in options if one in known}
    yield from (f"--{names[one]} is missing" for one in (shape.required_members if shape else ()) if one not in given)
    if "region" not in options and not model.metadata.get("globalEndpoint"):
        yield f"{what} needs --region"  # who pastes it may be in another one


def _option(service: str, operation: str, member: str) -> str:
    option = str(xform_name(member, "-"))
    return _RENAMED.get((service, operation, option), option)


def _unknown(what: str, options: Mapping[str, str], known: Mapping[str, tuple[str, Any]]) -> Iterator[str]:
    """The options that a command does not have, and the values that it does not take."""
    for option, value in options.items():
        flag = option.removeprefix("no-")
        if option == "query":
            jmespath.compile(value)
        elif flag in known and known[flag][1].type_name == "boolean":
            continue
        elif option in known:
            yield from _value(f"--{option}", value, known[option][1])
        elif option not in _GLOBAL:
            yield f"{what} has no option --{option}"


def _sorted(words: list[str], known: Mapping[str, tuple[str, Any]]) -> tuple[dict[str, str], list[str]]:
    """Options with what stands behind them, and the words that stand alone."""
    options: dict[str, str] = {}
    alone: list[str] = []
    left = list(words)
    while left:
        word = left.pop(0)
        option = word.removeprefix("--")
        flag = option.removeprefix("no-")
        takes = _GLOBAL.get(option, option in known and known[option][1].type_name != "boolean")
        if not word.startswith("--"):
            alone.append(word)
        elif flag in known and known[flag][1].type_name == "boolean":
            options[flag] = ""
        else:
            options[option] = left.pop(0) if takes and left else ""
            if option in known and known[option][1].type_name == "list":
                while left and not left[0].startswith("-"):
                    options[option] += f" {left.pop(0)}"
    return options, alone


def _value(option: str, value: str, member: Any) -> Iterator[str]:
    if not value or value.startswith("--"):
        yield f"{option} needs a value"
    elif member.type_name in _NUMBER and not re.fullmatch(_NUMBER[member.type_name], value):
        yield f"{option} takes a number, not {value}"
    elif member.type_name in ("structure", "map") and value.startswith("{"):
        json.loads(value)
    if member.type_name == "list" and not value.startswith(("[", "$")) and member.member.type_name == "string":
        for one in value.split():
            yield from _value(option, one, member.member)
    enum = member.metadata.get("enum")
    if enum and value not in enum:
        yield f"{option} takes one of {enum}, not {value}"
