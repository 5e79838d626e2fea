"""Stories: how a control's world breaks, told once and used by every law.

Each control's test file tells one story for each kind of deviation, in `STORIES`. The laws in tests/laws run all of
them against moto: break, observe, repair, undo, with every call recorded.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import boto3
from moto import mock_aws

import tests.controls
from local import moto_additions
from plumbline.adapters.accounts import Accounts, global_region
from plumbline.adapters.clients import perform
from plumbline.baseline.rules import STACK, completed, in_stack
from plumbline.controls import registry
from plumbline.core.calls import Call
from plumbline.core.control import Control
from plumbline.core.giving import Maker, maker
from plumbline.core.recorded import Parts, Recorded
from plumbline.core.targets import GLOBAL, Target
from plumbline.findings.tickets import of_ours
from tests import worlds
from tests.deployed import ledger_table

ACCOUNT = "123456789012"  # moto's own
HOME = "eu-west-1"


@cache
def _client(service: str, region: str, role: str) -> Any:
    """boto3 takes a while to make a client, so each serves every world in turn. A person's has no role."""
    client = boto3.client(service, region_name=region)
    client.meta.events.register("before-parameter-build", partial(_note, role=role, region=region))
    return client


#: Of the world that there is now: the calls made in it, each with who made it and where.
_calls: list[Call] = []


def _note(params: Mapping[str, Any], model: Any, role: str, region: str, **_: Any) -> None:
    if role:
        _calls.append(Call(model.service_model.service_name, model.name, dict(params), f"{role}:{region}"))


@dataclass(repr=False)
class World:
    """An account to break. `client` is a person's; `accounts` is Plumbline's, and records every call it makes.

    Attributes:
        recorded: Plumbline's own parts, as they were deployed.
        deployer: the ARN of who deployed them.
        is_fresh: whether nothing has happened in it that `happen` would have to bring back.
        clock: what Plumbline takes for the time; what moto makes is made now, so a story of age sets this ahead.
    """

    home: str = HOME
    account: str = ACCOUNT
    recorded: Parts = field(default_factory=dict)
    deployer: str = ""
    is_fresh: bool = True
    clock: Callable[[], datetime] = lambda: datetime.now(timezone.utc)

    def client(self, service: str, region: str = "us-east-1") -> Any:
        """A client with every right, as the person who breaks things has it."""
        return _client(service, region, "")

    @property
    def calls(self) -> list[Call]:
        """Every call that Plumbline made so far."""
        return _calls

    @property
    def accounts(self) -> Accounts:
        """Plumbline's own access."""
        return Accounts(
            self._make,
            self.home,
            "eyes",
            "hands",
            giving_role="giving",
            house_role="house",
            recording=lambda: Recorded("", self.recorded, self.deployer),
            clock=self.clock,
        )

    def perform(self, control: Control, target: Target, calls: Sequence[Call], resources: Sequence[str]) -> None:
        """Make calls in order, each with the rights it takes: Plumbline's roles', or a person's."""
        act = self.accounts.hands(control, target, of_ours(calls), resources)
        for call in calls:
            if maker(call) is not Maker.PERSON:
                act(call)
            else:
                region = global_region(self.home) if target.region == GLOBAL else target.region
                perform(self._make(target.account, call.region or region, call.service, "person"), call, target.account)

    def _make(
        self, _account: str, region: str, service: str, role: str = "", _policy: str = "", session: str = ""
    ) -> Any:
        return _client(service, region, role)

    def actions(self, *roles: str) -> set[str]:
        """The IAM actions that calls made with one of these roles needed so far."""
        return {call.action for call in self.calls if call.region.partition(":")[0] in roles}


@contextmanager
def world() -> Iterator[World]:
    """An empty account."""
    worlds.install()
    moto_additions.install()
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
    with (
        mock.patch.dict("os.environ", keys),
        worlds.unsigned(),
        mock_aws(config={"iam": {"load_aws_managed_policies": True}}),
    ):
        _calls.clear()
        yield World()


T = TypeVar("T")
#: What each that has happened left, and what it gave.
_happened: dict[Callable[[World], Any], worlds.Kept] = {}


def happen(what: Callable[[World], T], world: World) -> T:
    """Let something happen in a fresh world. It does once; after that the world is made what it was left as.

    Args:
        what: what happens, the same each time; gives what tests have to know of it.
        world: where nothing has happened; where something has, it is in the way, as it would be in an account.
    """
    if not world.is_fresh:
        return what(world)
    world.is_fresh = False
    if what not in _happened:
        given = what(world)
        _happened[what] = worlds.kept((given, vars(world), _calls))
        return given
    again: T
    again, left, calls = worlds.bring_back(_happened[what])
    vars(world).update(left)
    _calls[:] = calls
    return again


@dataclass(frozen=True, repr=False)
class Story:
    """One way the world leaves the baseline.

    Attributes:
        name: what happens, for the test's id.
        control: the control's id.
        breaks: makes a fresh world deviate and gives the target that then deviates.
        settings: settings of the control where its defaults do not show this deviation.
        alert_only: whether the control has no plan for it (its plan must then refuse with a reason).
        reset: whether the undo brings back exactly the state before.
    """

    name: str
    control: str
    breaks: Callable[[World], Target]
    settings: Mapping[str, Any] = field(default_factory=dict)
    alert_only: bool = False
    reset: bool = True

    def __str__(self) -> str:
        return f"{self.control}: {self.name}"

    def happens(self, world: World) -> Target:
        """Let it happen in a fresh world."""
        return happen(self.breaks, world)

    @property
    def rule(self) -> Control:
        """The control itself."""
        return registry.load()[self.control]

    @property
    def all_settings(self) -> dict[str, Any]:
        """The control's settings, defaults filled in."""
        settings: dict[str, Any] = in_stack(completed(self.rule.settings, self.settings), STACK)
        return settings


def defaults(control: Control) -> dict[str, Any]:
    """The settings a control has when the baseline says nothing."""
    settings: dict[str, Any] = in_stack(completed(control.settings, {}), STACK)
    return settings


def stories() -> list[Story]:
    """Every story told in tests/controls."""
    for folder in sorted({path.parent for path in Path(tests.controls.__file__).parent.glob("*/*.py")}):
        assert (folder / "__init__.py").exists(), f"tests/controls/{folder.name} has no __init__.py"
    modules = (
        importlib.import_module(one.name)
        for one in pkgutil.walk_packages(tests.controls.__path__, f"{tests.controls.__name__}.")
    )
    return [story for module in modules for story in getattr(module, "STORIES", ())]


def signs_in(iam: Any, user: str) -> None:
    """A console password and an MFA device for a user: a person, who can come in.

    Args:
        iam: a person's client.
        user: who is there already.
    """
    iam.create_login_profile(UserName=user, Password="correct horse Battery 9")
    serial = iam.create_virtual_mfa_device(VirtualMFADeviceName=user)["VirtualMFADevice"]["SerialNumber"]
    iam.enable_mfa_device(
        UserName=user, SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="234567"
    )


def make_table(name: str, region: str) -> None:
    """The ledger's table, of the shape that template.yaml gives it."""
    boto3.client("dynamodb", region_name=region).create_table(**ledger_table(name))
