"""Every list is read to its end."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.session
import pytest

from plumbline.adapters.clients import PAGED_BY_HAND, perform
from plumbline.controls import registry
from plumbline.core.calls import Call
from plumbline.core.control import Control
from tests.rig import Request, journal
from tests.story import stories

#: Members of an answer that say there is more.
_MORE = {"NextToken", "nextToken", "NextMarker", "Marker", "ContinuationToken", "NextContinuationToken", "IsTruncated"}
#: Operations that botocore cannot page, with the parameter that leaves them one page. Source: IAM user guide, Use IAM
#: with CodeCommit: a user has two service-specific credentials of a service at most, and a page holds a hundred; AWS
#: Billing API reference, GetBillingPreferences: a page holds fifty preferences, and one is asked for.
ONE_PAGE = {"ListServiceSpecificCredentials": "UserName", "GetBillingPreferences": "features"}
#: Lists that are as long as the account is large, with the parameter that says how much a page holds, and its most.
#: Source: IAM API reference, MaxItems; Amazon S3 API reference, ListBuckets, which is asked for as many.
LONG = {
    "GetAccountAuthorizationDetails": ("MaxItems", 1000),
    "ListBuckets": ("MaxBuckets", 1000),
    "ListRoles": ("MaxItems", 1000),
    "ListUsers": ("MaxItems", 1000),
    "ListVirtualMFADevices": ("MaxItems", 1000),
}
CONTROLS = [pytest.param(one, id=one.id) for one in registry.load().values() if not one.witness]
pytestmark = pytest.mark.parametrize("control", CONTROLS)


def _reads(control: Control) -> list[Request]:
    """One request for each operation that a control's stories read with, its first page."""
    made = [one for story in stories() if story.control == control.id for one in journal(story).reads]
    return list({(one.service, one.operation): one for one in reversed(made)}.values())


def _client(service: str) -> Any:
    return boto3.client(service, region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing")


def test_what_aws_gives_in_pages_has_a_paginator(control: Control) -> None:
    """`perform` reads to the last page what botocore can page; nothing that pages may be beyond it."""
    for read in _reads(control):
        model = botocore.session.get_session().get_service_model(read.service).operation_model(read.operation)
        answered = set(model.output_shape.members) if model.output_shape else set()
        asked = set(model.input_shape.members) if model.input_shape else set()
        pages = _pages(_client(read.service), read) or ONE_PAGE.get(read.operation) in read.parameters
        assert pages or not (answered & _MORE and asked & _MORE), f"{read.operation} has pages that nobody turns"


def test_the_second_page_is_read(control: Control) -> None:
    for read in _reads(control):
        client, method = _client(read.service), botocore.xform_name(read.operation)
        if read.operation in PAGED_BY_HAND:
            _turn_the_page(client, read, PAGED_BY_HAND[read.operation])
        elif client.can_paginate(method):
            model = botocore.session.get_session().get_paginator_model(read.service)
            _turn_the_page(client, read, model.get_paginator(read.operation))


def test_long_lists_are_read_in_the_largest_pages(control: Control) -> None:
    """A hundred to the page, as IAM gives them to who does not ask for more, are ten times the calls."""
    read = {one.operation: one.parameters for one in _reads(control) if one.operation in LONG}
    wanted = {operation: LONG[operation][1] for operation in read}
    assert wanted == {operation: given.get(LONG[operation][0]) for operation, given in read.items()}


def _pages(client: Any, read: Request) -> bool:
    """Whether its pages are turned, by botocore or by hand."""
    return read.operation in PAGED_BY_HAND or client.can_paginate(botocore.xform_name(read.operation))


def _turn_the_page(client: Any, read: Request, config: Mapping[str, Any]) -> None:
    keys = [one for one in _several(config["result_key"]) if _is_list(read, one)]
    first: dict[str, Any] = {}
    second: dict[str, Any] = {}
    for key in keys:
        _set(first, key, ["one"])
        _set(second, key, ["two"])
    for token in _several(config["output_token"]):
        _set(first, token.split("||")[0].strip(), "there is more")
    if "more_results" in config:
        _set(first, config["more_results"], value=True)
        _set(second, config["more_results"], value=False)
    pages = iter((first, second))
    client.meta.events.register(
        f"before-call.*.{read.operation}", lambda **_: (SimpleNamespace(status_code=200), next(pages))
    )
    parameters = {name: value for name, value in read.parameters.items() if name not in _several(config["input_token"])}
    answer = perform(client, Call(read.service, read.operation, parameters))
    assert keys, f"{read.operation} is paged, and no list is in it"
    assert [["one", "two"]] * len(keys) == [_get(answer, key) for key in keys], read.operation


def _several(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def _is_list(read: Request, key: str) -> bool:
    shape = botocore.session.get_session().get_service_model(read.service).operation_model(read.operation).output_shape
    for name in key.split("."):
        shape = shape.members[name]
    return bool(shape.type_name == "list")


def _set(answer: dict[str, Any], path: str, value: Any) -> None:
    *above, last = path.split(".")
    for name in above:
        answer = answer.setdefault(name, {})
    answer[last] = value


def _get(answer: Mapping[str, Any], path: str) -> Any:
    for name in path.split("."):
        answer = answer[name]
    return answer
