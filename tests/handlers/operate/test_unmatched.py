"""What `plumbline plan` says of names in baseline.yaml that nothing in the account has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from plumbline.baseline.rules import completed
from plumbline.controls import registry
from plumbline.core.calls import Call
from plumbline.core.clock import Response
from plumbline.core.errors import AwsRefusal
from plumbline.engine.settle import Engine
from tests.fakes import House, Lamps

IAM: Mapping[str, Any] = {
    "UserDetailList": [{"UserName": "ann"}, {"UserName": "CI-deploy"}],
    "GroupDetailList": [{"GroupName": "admins"}],
    "RoleDetailList": [{"RoleName": "deploy", "Path": "/cicd/"}, {"RoleName": "web", "Path": "/"}],
}


@dataclass
class People(Lamps):
    """An account of some names."""

    asked: list[Call] = field(default_factory=list)

    def read(self, call: Call) -> Any:
        """See Lamps."""
        self.asked.append(call)
        self._maybe_fail(call)
        if call.operation == "ListBuckets":
            return {"Buckets": [{"Name": "www-example-com"}]}
        return {key: value for key, value in IAM.items() if key.removesuffix("DetailList") in call.parameters["Filter"]}


@dataclass
class Listed(House):
    """A house whose baseline lists names, by control."""

    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def engine(self) -> Engine:
        """See House."""
        controls = {name: registry.load()[name] for name in self.settings}
        rule = super().engine.baseline.rules["lamp-off"]
        rules = {
            name: replace(rule, response=self.response, settings=completed(controls[name].settings, given))
            for name, given in self.settings.items()
        }
        engine = super().engine
        return replace(engine, controls=controls, baseline=replace(engine.baseline, rules=rules))


@pytest.mark.parametrize(
    ("control", "given", "expected"),
    [
        ("iam-access-key-created", {"allowed_users": ["ann", "ci-*", "ci-deploy", "bob"]}, ["allowed_users: bob"]),
        ("iam-idle-users", {"allowed_users": ["ann", "anne"]}, ["allowed_users: anne"]),
        ("s3-public-acl", {"allowed_buckets": ["www-*", "wwww-example-com"]}, ["allowed_buckets: wwww-example-com"]),
        ("s3-public-object", {"allowed_buckets": ["www-*", "wwww"]}, ["allowed_buckets: wwww"]),
        (
            "iam-admin-grants",
            {"administrators": {"users": ["Ann", "eve"], "groups": ["admin"], "roles": ["cicd/deploy", "deploy"]}},
            ["administrators.users: eve", "administrators.groups: admin", "administrators.roles: deploy"],
        ),
        (
            "iam-inline-policies",
            {"keep_inline": ["role/cicd/*", "role/web", "user/web", "group/admins"]},
            ["keep_inline: user/web"],
        ),
        ("iam-admin-grants", {}, []),
    ],
)
def test_plan_names_what_fits_nothing(control: str, given: Mapping[str, Any], expected: list[str]) -> None:
    house = Listed(aws=People(), settings={control: given})
    answer = house.type("plan")
    listed = [one.strip().removeprefix(f"{control}.") for one in answer.text.splitlines() if one.startswith("  ")]
    assert expected == listed
    assert expected == [
        f"{one['setting'].removeprefix(f'{control}.')}: {one['name']}" for one in answer.data["unmatched"]
    ]


def test_a_control_that_is_off_lists_nothing_and_asks_nothing() -> None:
    aws = People()
    house = Listed(aws=aws, response=Response.OFF, settings={"s3-public-acl": {"allowed_buckets": ["x"]}})
    assert "Nothing is open, so nothing would be done." == house.type("plan").text
    assert [] == aws.asked


def test_a_refused_read_is_said() -> None:
    settings = {"s3-public-acl": {"allowed_buckets": ["x"]}}
    house = Listed(aws=People(fails={"ListBuckets": ["AccessDenied"]}), settings=settings)
    refusal = AwsRefusal("AccessDenied", "no", Call("s3", "ListBuckets", {"MaxBuckets": 1000}))
    expected = f"Whether every name in baseline.yaml fits something here is not known: {refusal}"
    assert " ".join(expected.split()) in " ".join(house.type("plan").text.split())


def test_each_list_of_names_of_the_baseline_is_looked_at() -> None:
    """A setting that lists names of users, groups, roles or buckets, and is not known here, would stay silent."""
    from plumbline.baseline import wishes
    from plumbline.handlers.operate import unmatched

    assert set(wishes._NAMES) == set(unmatched._LISTS)
    assert {place for (place,) in wishes._OF_ANY} == set(unmatched._OF_ANY)
