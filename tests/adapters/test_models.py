"""Cut models serve where they fit the runtime's botocore; where they do not, its own do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import timezone
from pathlib import Path
from typing import Any

import botocore.config
import pytest
from botocore.utils import parse_timestamp
from moto import mock_aws

import sdk_extract
from plumbline.adapters.clients import perform
from plumbline.adapters.models import Models, _time
from plumbline.core.calls import Call

PACKAGE = Path(sdk_extract.__file__).parent / "plumbline"
KEYS = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
USERS = Call("iam", "ListUsers")


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sdk")
    sdk_extract.write(PACKAGE, folder)
    return folder / "data"


@pytest.fixture(autouse=True)
def _aws() -> Iterator[None]:
    with mock_aws():
        yield


@pytest.fixture
def folder(pristine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy to be spoilt."""
    monkeypatch.delenv("AWS_DATA_PATH", raising=False)
    return Path(shutil.copytree(pristine, tmp_path / "data"))


def _client(models: Models, service: str = "iam") -> Any:
    return models.client(service, config=botocore.config.Config(retries={"total_max_attempts": 1}), **KEYS)


def _operations(client: Any) -> int:
    return len(client.meta.service_model.operation_names)


def _edit(path: Path, change: Callable[[Any], None]) -> None:
    model = json.loads(path.read_text())
    change(model)
    path.write_text(json.dumps(model))


def test_a_cut_model_serves_and_nobody_hears_of_it(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    client = _client(Models(str(folder)))
    assert [] == perform(client, USERS)["Users"]
    assert _operations(client) < 90
    assert [] == caplog.messages


def test_an_operation_that_was_cut_away_is_found_in_the_runtimes_own(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    models = Models(str(folder))
    client = _client(models)
    for _ in range(2):
        assert [] == perform(client, Call("iam", "ListInstanceProfiles"))["InstanceProfiles"]
    reason = "the layer's model of iam is not used, but botocore's own: ListInstanceProfiles is not in it"
    assert [reason] == caplog.messages
    assert _operations(_client(models)) > 100, "clients made later have no need to find out"


def test_a_service_that_was_cut_away_is_found_in_the_runtimes_own(folder: Path) -> None:
    assert [] == perform(_client(Models(str(folder)), "kinesis"), Call("kinesis", "ListStreams"))["StreamNames"]


@pytest.mark.parametrize("file", ["service-2", "endpoint-rule-set-1", "paginators-1"])
@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": "9.0"}'])
def test_a_file_that_cannot_be_used_does_no_harm(folder: Path, file: str, text: str) -> None:
    (spoilt,) = folder.glob(f"iam/*/{file}.json")
    spoilt.write_text(text)
    assert [] == perform(_client(Models(str(folder))), USERS)["Users"]


@pytest.mark.parametrize("file", ["endpoints", "partitions", "sdk-default-configuration"])
def test_a_shared_file_that_cannot_be_used_does_no_harm(folder: Path, file: str) -> None:
    (folder / f"{file}.json").write_text("{")
    assert [] == perform(_client(Models(str(folder))), USERS)["Users"]


@pytest.mark.parametrize(
    "change",
    [
        {"protocol": "smithy-rpc-v9", "protocols": ["smithy-rpc-v9"]},
        {"signatureVersion": "v9"},
        {"apiVersion": "1999-01-01"},
        {"auth": ["aws.auth#sigv9"]},
    ],
    ids=str,
)
def test_a_model_of_another_botocore_is_refused_where_it_speaks_to_the_service_in_another_way(
    folder: Path, change: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    (path,) = folder.glob("iam/*/service-2.json")
    _edit(path, lambda model: model["metadata"].update(change))
    client = _client(Models(str(folder)))
    assert _operations(client) > 100
    assert [] == perform(client, USERS)["Users"]
    assert 1 == len([one for one in caplog.messages if one.startswith("the layer's model of iam is not used")])


def _rules_of_tomorrow(folder: Path) -> None:
    """Rules that this botocore cannot work with, which it finds out when it is called."""
    (path,) = folder.glob("iam/*/endpoint-rule-set-1.json")
    condition = {"fn": "aws.ofTomorrow", "argv": []}
    _edit(path, lambda rules: rules["rules"].insert(0, {"conditions": [condition], "error": "never", "type": "error"}))


def test_what_botocore_finds_out_when_it_is_called_is_asked_again_of_the_whole(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _rules_of_tomorrow(folder)
    client = _client(Models(str(folder)))
    assert _operations(client) < 90
    assert [] == perform(client, USERS)["Users"]
    assert [] == perform(client, USERS)["Users"]
    assert 1 == len(caplog.messages), "what was found out is remembered"


def test_a_write_of_which_nobody_knows_whether_it_went_out_is_not_made_twice(folder: Path) -> None:
    client = _client(Models(str(folder)))
    made: list[object] = []

    def made_and_lost(**_: object) -> None:
        made.append(1)
        raise KeyError("what this botocore looks for and the model does not have")

    client.meta.events.register("before-call.iam.CreateGroup", made_and_lost)
    create = Call("iam", "CreateGroup", {"GroupName": "staff"})
    with pytest.raises(KeyError):
        perform(client, create)
    assert "staff" == perform(client, create)["Group"]["GroupName"], "the next try is made with the whole"
    assert [1] == made


def test_where_the_user_names_models_of_his_own_the_layers_stay_out_of_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path / "his"))
    assert _operations(_client(Models(str(folder)))) > 100


def test_without_a_layer_every_client_is_whole(caplog: pytest.LogCaptureFixture) -> None:
    assert _operations(_client(Models("/nowhere"))) > 100
    assert [] == caplog.messages


@pytest.mark.parametrize(
    "said",
    ["2026-03-02T09:29:58Z", "2026-03-02T09:29:58.123Z", "2026-03-02T09:29:58+02:00", "Mon, 02 Mar 2026 09:29:58 GMT",
     1772443798, "1772443798", 1772443798.5],
    ids=str,
)  # fmt: skip
def test_a_time_is_read_as_botocore_reads_it(said: object) -> None:
    assert parse_timestamp(said) == _time(said)


def test_a_time_of_the_account_is_utc_and_no_more() -> None:
    with mock_aws():
        iam = Models("/nowhere").client("iam", region_name="us-east-1")
        made = iam.create_user(UserName="ann")["User"]["CreateDate"]
    assert timezone.utc is made.tzinfo
