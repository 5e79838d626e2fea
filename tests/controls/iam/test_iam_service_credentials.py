"""iam-service-credentials: keys for single services of users nobody listed are deactivated, one at a time."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from plumbline.adapters.clients import perform
from plumbline.controls.iam.iam_service_credentials import CONTROL, detect, locate, observe, plan, survey
from plumbline.core.calls import Call
from plumbline.core.control import Deviation
from plumbline.core.targets import GLOBAL, Target
from tests.story import ACCOUNT, Story, World, world

BEDROCK = "bedrock.amazonaws.com"
KEY = {"user": "ann", "id": "ACCAEXAMPLE", "service": BEDROCK, "status": "Active"}
TARGET = Target(ACCOUNT, GLOBAL, "iam-service-credential", "ann/ACCAEXAMPLE")


def _made(world: World, user: str = "ann", service: str = BEDROCK) -> Target:
    iam = world.client("iam")
    if user not in {one["UserName"] for one in iam.list_users()["Users"]}:
        iam.create_user(UserName=user, Path="/people/")
    made = iam.create_service_specific_credential(UserName=user, ServiceName=service)["ServiceSpecificCredential"]
    return replace(TARGET, id=f"{user}/{made['ServiceSpecificCredentialId']}")


STORIES = (
    Story("a Bedrock key for a user nobody listed", CONTROL.id, _made),
    Story("the same for CodeCommit", CONTROL.id, lambda told: _made(told, service="codecommit.amazonaws.com")),
)


def test_an_active_credential_of_an_unlisted_user_deviates() -> None:
    expected = Deviation(f"is not allowed: the baseline lists none for its user ({BEDROCK})", ("ACCAEXAMPLE",))
    assert expected == detect(KEY, {"allowed_users": ["bob", "ci-*"]})


def test_a_listed_user_and_what_does_not_work_are_fine() -> None:
    assert detect(KEY, {"allowed_users": ["A?n"]}) is None
    assert [None] * 3 == [detect(one, {"allowed_users": []}) for one in (
        KEY | {"status": "Inactive"}, KEY | {"status": "Expired"}, None,
    )]  # fmt: skip


def test_the_credentials_of_all_users_are_a_list_for_each_service() -> None:
    with world() as told:
        made = {_made(told), _made(told), _made(told, "bob", "cassandra.amazonaws.com")}
        told.calls.clear()
        seen = survey(told.accounts.eyes(ACCOUNT, GLOBAL))
        asked = [dict(call.parameters) for call in told.calls]
    services = [BEDROCK, "cassandra.amazonaws.com", "codecommit.amazonaws.com", "logs.amazonaws.com"]
    assert (made, [{"AllUsers": True, "ServiceName": one} for one in services]) == (set(seen), asked)


def test_who_is_renamed_is_looked_at_under_his_new_name() -> None:
    with world() as told:
        target = _made(told, "ci-deploy")
        told.client("iam").update_user(UserName="ci-deploy", NewUserName="mallory")
        seen = survey(told.accounts.eyes(ACCOUNT, GLOBAL))
        said = {"userName": "ci-deploy", "newUserName": "mallory"}
        renamed = {"recipientAccountId": ACCOUNT, "eventName": "UpdateUser", "requestParameters": said}
    assert [target.id.replace("ci-deploy", "mallory")] == [one.id for one in seen]
    assert ["mallory/*"] == [one.id for one in locate(renamed)]


def test_the_repair_touches_one_credential_and_can_be_taken_back() -> None:
    repair = plan(TARGET, KEY, {})
    one: dict[str, Any] = {"UserName": "ann", "ServiceSpecificCredentialId": "ACCAEXAMPLE"}
    to = [
        Call("iam", "UpdateServiceSpecificCredential", {**one, "Status": status}, absent=("NoSuchEntity",))
        for status in ("Inactive", "Active")
    ]
    assert (to[:1], to[1:]) == ([*repair.do], [*repair.undo])


def test_a_user_in_another_spelling_has_one_credential() -> None:
    with world() as told:
        target = _made(told)
        shouted = replace(target, id=target.id.replace("ann/", "ANN/"))
        seen = observe(told.accounts.eyes(ACCOUNT, GLOBAL), shouted)
    assert target == CONTROL.spell(shouted, seen)


@pytest.mark.parametrize("truncated", [True, False])
def test_the_list_is_read_to_its_end_though_botocore_cannot_page_it(truncated: bool) -> None:  # noqa: FBT001
    """Source: IAM API reference, ListServiceSpecificCredentials: Marker and IsTruncated."""
    first: dict[str, Any] = {"ServiceSpecificCredentials": ["one"], "IsTruncated": truncated, "Marker": "more"}
    pages = iter((first, {"ServiceSpecificCredentials": ["two"], "IsTruncated": False}))
    client = boto3.client("iam", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    client.meta.events.register("before-call.iam.*", lambda **_: (SimpleNamespace(status_code=200), next(pages)))
    answer = perform(client, Call("iam", "ListServiceSpecificCredentials", {"AllUsers": True, "ServiceName": BEDROCK}))
    assert (["one", "two"] if truncated else ["one"]) == answer["ServiceSpecificCredentials"]
