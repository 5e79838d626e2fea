"""What the build cuts out of botocore is all that Plumbline uses, and says what the whole says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import botocore.httpsession
import botocore.session
import pytest
from botocore.loaders import Loader

import sdk_extract
from plumbline.adapters.models import Models
from plumbline.controls import registry

PACKAGE = Path(sdk_extract.__file__).parent / "plumbline"
KEYS = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "secret", "region_name": "eu-west-2"}
#: What differs from one request to the next.
_PASSING = {"x-amz-date", "authorization", "amz-sdk-invocation-id", "user-agent"}


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdk")
    sdk_extract.write(PACKAGE, folder)
    return folder


def test_every_permission_that_a_control_declares_is_an_operation_at_hand(cut: Path) -> None:
    kept = json.loads((cut / "made-from.json").read_text())["operations"]
    loader = Loader()
    declared = {action for one in registry.load().values() for action in (*one.reads, *one.writes)}
    missing = []
    for service, _, operation in (action.partition(":") for action in sorted(declared)):
        if service in loader.list_available_services("service-2"):
            known = loader.load_service_model(service, "service-2")["operations"]
            missing += [f"{service}:{operation}"] if operation in known and operation not in kept[service] else []
    assert [] == missing


def test_what_says_whose_bucket_is_meant_is_not_cut_away(cut: Path) -> None:
    shapes = json.loads(next(cut.glob("data/s3/*/service-2.json")).read_text())["shapes"]
    requests = [f"{one}Request" for one in ("GetBucketAcl", "GetBucketPolicy", "PutBucketAcl", "PutBucketPolicy")]
    assert [True] * 4 == ["ExpectedBucketOwner" in shapes[one]["members"] for one in requests]


def test_operations_are_found_by_their_names_and_by_parts_of_them(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(
        'call = Call("sts", "GetCallerIdentity")\n'
        'def list_of(kind): return Call("iam", f"ListAttached{kind}Policies")\n'
        'nothing = f"{kind}s"\n'
    )
    attached = [f"ListAttached{kind}Policies" for kind in ("Group", "Role", "User")]
    assert {"iam": attached, "sts": ["GetCallerIdentity"]} == sdk_extract.operations(tmp_path, Loader())


def test_a_package_that_calls_nothing_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("pass\n")
    with pytest.raises(sdk_extract.NothingToCut, match="calls no operation"):
        sdk_extract.write(tmp_path, tmp_path / "sdk")


def test_the_roots_are_those_of_botocores_bundle_that_aws_names(cut: Path) -> None:
    whole = Path(botocore.httpsession.where()).read_text()
    few = (cut / "roots.pem").read_text()
    assert sdk_extract.roots(whole) == few
    certificates = few.split("# ")[1:]
    assert list(sdk_extract.ROOTS) == [one.splitlines()[0] for one in certificates]
    assert [] == [one for one in certificates if one.partition("\n")[2].strip() not in whole]


def test_a_root_that_is_missing_stops_the_build(cut: Path) -> None:
    four = (cut / "roots.pem").read_text().replace("# Amazon Root CA 3", "#").split("# Amazon Root CA 4")[0]
    with pytest.raises(sdk_extract.NothingToCut, match="lacks Amazon Root CA 4, Starfield Services Root"):
        sdk_extract.roots(four)


def test_texts_for_people_are_left_out_and_members_of_that_name_are_not() -> None:
    model = {
        "operations": {"Ask": {"input": {"shape": "AskRequest"}, "documentation": "<p>"}, "Tell": {}},
        "shapes": {
            "AskRequest": {"members": {"documentation": {"shape": "Text", "documentation": "<p>"}}},
            "Text": {"type": "string", "documentation": "<p>"},
            "Unused": {"type": "string"},
        },
        "documentation": "<p>",
    }
    assert {
        "operations": {"Ask": {"input": {"shape": "AskRequest"}}},
        "shapes": {"AskRequest": {"members": {"documentation": {"shape": "Text"}}}, "Text": {"type": "string"}},
    } == sdk_extract.only(model, ["Ask"])


def _operations() -> Iterator[Any]:
    loader = Loader()
    for service, names in sdk_extract.operations(PACKAGE, loader).items():
        yield pytest.param(service, names, id=service)


@pytest.mark.parametrize(("service", "names"), list(_operations()))
def test_a_request_made_of_the_cut_models_is_the_one_made_of_the_whole(
    cut: Path, service: str, names: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("AWS_DATA_PATH", raising=False)
    ours = Models(str(cut / "data")).client(service, **KEYS)
    whole = botocore.session.get_session().create_client(service, **KEYS)
    for name in names:
        parameters = _least(whole.meta.service_model.operation_model(name).input_shape)
        assert _request(whole, name, parameters) == _request(ours, name, parameters), name
        assert whole.can_paginate(botocore.xform_name(name)) == ours.can_paginate(botocore.xform_name(name)), name
    assert [] == caplog.messages


class _Sent(Exception):
    """A request on its way."""


def _request(client: Any, operation: str, parameters: Mapping[str, Any]) -> tuple[str, str, Any, dict[str, str]]:
    """What goes out for a call, but for what is another each time."""

    def stop(request: Any, **_: object) -> None:
        raise _Sent(request)

    client.meta.events.register("before-send", stop, unique_id="stop")
    with pytest.raises(_Sent) as caught:
        getattr(client, botocore.xform_name(operation))(**parameters)
    (request,) = caught.value.args
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()
    }
    body = request.body.read() if hasattr(request.body, "read") else request.body  # an upload's, in chunks
    return request.method, request.url, body, {k: v for k, v in headers.items() if k not in _PASSING}


def _least(shape: Any) -> Any:
    """The least that a shape takes: its required members."""
    if shape is None:
        return {}
    if shape.type_name == "structure":
        tokens = {
            name for name, one in shape.members.items() if one.metadata.get("idempotencyToken")
        }  # random, if left out
        return {name: _least(shape.members[name]) for name in {*shape.required_members, *tokens}}
    if shape.type_name in ("list", "map"):
        return [_least(shape.member)] * shape.metadata.get("min", 0) if shape.type_name == "list" else {}
    if shape.type_name == "string":
        length = max(shape.metadata.get("min", 1), 1)
        return (shape.enum or ["x" * length])[0]
    return {
        "boolean": True, "integer": 1, "long": 1, "float": 1.0, "double": 1.0, "blob": b"x",
        "timestamp": "2026-03-02T09:30:00Z",
    }[shape.type_name]  # fmt: skip
