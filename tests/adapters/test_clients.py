"""One client for each account, region, service and role; sessions that write are nobody else's."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from itertools import product
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from plumbline.adapters.accounts import Accounts
from plumbline.adapters.clients import PATIENT, Clients, perform
from plumbline.adapters.models import Models
from plumbline.controls import registry
from plumbline.core.calls import Call
from plumbline.core.errors import AwsRefusal
from plumbline.core.targets import GLOBAL, Target

ACCOUNT, REGION = "111122223333", "us-east-1"
EYES, HANDS = (f"arn:aws:iam::{ACCOUNT}:role/plumbline/{name}" for name in ("eyes", "hands"))


class Clock:
    """A clock that somebody puts forward."""

    def __init__(self) -> None:
        self.now = datetime.now(timezone.utc)  # sessions end an hour from AWS's now

    def __call__(self) -> datetime:
        """The time."""
        return self.now


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "example")
    with mock_aws():
        yield


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def clients(clock: Clock) -> Clients:
    return Clients(REGION, clock, Models("/nowhere"))


def _session(client: Any) -> str:
    return str(client._request_signer._credentials.token)


@pytest.mark.parametrize("role", ["", EYES], ids=["its own", "eyes"])
def test_a_client_is_made_once(clients: Clients, role: str) -> None:
    asked = list(product((REGION, "eu-west-2"), ("iam", "dynamodb"))) * 2
    made = [clients(ACCOUNT, region, service, role, "", "plumbline-eyes") for region, service in asked]
    assert made[:4] == made[4:]
    assert 4 == len({id(one) for one in made})


def test_many_threads_get_the_one_client(clients: Clients) -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: clients(ACCOUNT, REGION, "iam", EYES, "", "plumbline-eyes"), range(8)))
    assert 1 == len({id(one) for one in made})


def test_eyes_in_another_account_are_other_eyes(clients: Clients) -> None:
    other = EYES.replace(ACCOUNT, "444455556666")
    assert _session(clients(ACCOUNT, REGION, "iam", EYES, "", "eyes")) != _session(
        clients("444455556666", REGION, "iam", other, "", "eyes")
    )


def test_a_session_that_ends_soon_is_renewed_and_its_clients_with_it(clients: Clients, clock: Clock) -> None:
    first = clients(ACCOUNT, REGION, "iam", EYES, "", "eyes")
    clock.now += timedelta(minutes=54)
    assert first is clients(ACCOUNT, REGION, "iam", EYES, "", "eyes")
    clock.now += timedelta(minutes=2)
    renewed = clients(ACCOUNT, REGION, "iam", EYES, "", "eyes")
    assert (first, _session(first)) != (renewed, _session(renewed))


def test_one_repair_makes_each_client_once_and_the_next_repair_its_own(
    clients: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[str, str]] = []

    def counted(account: str, region: str, service: str, role: str = "", policy: str = "", session: str = "", /) -> Any:
        made.append((service, session))
        return clients(account, region, service, role, policy, session)

    control = registry.load()["iam-groups"]
    accounts = Accounts(counted, REGION, EYES, HANDS, clock=clock)
    for group in ("staff", "guests"):
        target = Target(ACCOUNT, GLOBAL, "iam-group", group)
        detach = {"GroupName": group, "PolicyArn": f"arn:aws:iam::{ACCOUNT}:policy/own"}
        calls = [Call("iam", "CreateGroup", {"GroupName": group}), Call("iam", "DetachGroupPolicy", detach)]
        act = accounts.hands(control, target, calls, [f"arn:aws:iam::{ACCOUNT}:group/{group}"])
        act(calls[0])
    assert [("iam", "iam-groups")] * 2 == made


def test_all_buckets_of_a_region_are_asked_at_one_host(clients: Clients) -> None:
    hosts: set[str] = set()
    s3 = clients(ACCOUNT, REGION, "s3")
    s3.meta.events.register("before-sign.s3", lambda request, **_: hosts.add(request.url.split("/")[2]))
    for bucket in ("acme-data", "acme.with.dots"):
        s3.create_bucket(Bucket=bucket)
        s3.get_bucket_acl(Bucket=bucket)
    assert 1 == len(hosts)


@pytest.mark.parametrize("attempts", [4, PATIENT])
def test_what_aws_throttles_is_asked_again_and_all_threads_of_a_client_go_slower_together(
    clock: Clock, attempts: int
) -> None:
    iam = Clients(REGION, clock, Models("/nowhere"), attempts)(ACCOUNT, REGION, "iam")
    assert {"mode": "adaptive", "total_max_attempts": attempts} == iam.meta.config.retries


_READS = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}'
_FORGOTTEN = [
    ("InvalidNextToken", "The token has expired"),
    ("ExpiredNextTokenException", "no"),
    ("ValidationError", "Invalid Marker."),
    ("InvalidArgument", "The continuation token provided is incorrect"),
]


@pytest.mark.parametrize(("code", "message"), _FORGOTTEN, ids=[code for code, _ in _FORGOTTEN])
@pytest.mark.parametrize("times", [1, 2])
def test_a_list_whose_page_aws_has_forgotten_is_begun_anew_once(
    clients: Clients, code: str, message: str, times: int
) -> None:
    iam = clients(ACCOUNT, REGION, "iam")
    for name in ("ann", "bob", "eve"):
        iam.create_policy(PolicyName=name, PolicyDocument=_READS)
    asked: list[str] = []

    def forgotten(params: dict[str, Any], **_: Any) -> None:
        asked.append(params.get("Marker", ""))
        if asked[-1] and len([one for one in asked if one]) <= times:
            raise ClientError({"Error": {"Code": code, "Message": message}}, "ListPolicies")

    iam.meta.events.register("provide-client-params.iam.ListPolicies", forgotten)
    call = Call("iam", "ListPolicies", {"Scope": "Local", "MaxItems": 2})
    if times == 1:
        assert ["ann", "bob", "eve"] == [one["PolicyName"] for one in perform(iam, call)["Policies"]]
    else:
        with pytest.raises(AwsRefusal, match=code):
            perform(iam, call)
    assert [False, True, False, True] == [bool(one) for one in asked]


def test_a_list_that_is_denied_is_not_begun_anew(clients: Clients) -> None:
    iam = clients(ACCOUNT, REGION, "iam")
    asked = []

    def refused(**_: Any) -> None:
        asked.append(1)
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListUsers")

    iam.meta.events.register("provide-client-params.iam.ListUsers", refused)
    with pytest.raises(AwsRefusal, match="AccessDenied"):
        perform(iam, Call("iam", "ListUsers"))
    assert 1 == len(asked)


def test_a_call_that_the_sdk_does_not_know_is_told_like_one_that_aws_does_not_know(clients: Clients) -> None:
    with pytest.raises(AwsRefusal, match="UnknownOperation: this SDK knows no GetWhatIsToCome of iam"):
        perform(clients(ACCOUNT, REGION, "iam"), Call("iam", "GetWhatIsToCome"))
