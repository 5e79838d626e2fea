"""What the sweep's function does for Plumbline itself: it records what was deployed, tells of that, and puts back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from plumbline.adapters.house import House
from plumbline.adapters.sns import Urgent
from plumbline.alerts.alert import Alert
from plumbline.controls import registry
from plumbline.core.errors import AwsRefusal
from plumbline.core.recorded import Deployed, Recorded
from plumbline.handlers.house import DEPLOYING_FOR, Housekeeper
from plumbline.sweep.units import Unit
from tests.controls.house.test_house_integrity import Stack
from tests.fakes import Letterbox
from tests.handlers.test_react import Log
from tests.rig import NOW, Request, Rig, own_rules
from tests.story import ACCOUNT, HOME, world

CONTROL = registry.load()["house-integrity"]
UNIT = Unit(ACCOUNT, HOME, (CONTROL.id,))
MINUTE = timedelta(minutes=1)
FIRST, SECOND = "stack@2026-03-01T00:00:00", "stack@2026-03-02T09:00:00"


@dataclass
class CloudFormation:
    """What CloudFormation says of the stack."""

    deployed: Deployed
    held: Sequence[tuple[str, str]]
    who: str | AwsRefusal = ""

    def deployer(self, since: datetime) -> str:
        """See handlers.house.Stack."""
        assert since == self.deployed.since
        if isinstance(self.who, AwsRefusal):
            raise self.who
        return self.who

    def deployment(self) -> Deployed:
        """See handlers.house.Stack."""
        return self.deployed

    def resources(self) -> Sequence[tuple[str, str]]:
        """See handlers.house.Stack."""
        return self.held


@dataclass
class Home:
    """A deployed Plumbline, and what looks at it."""

    stack: Stack
    rig: Rig
    keeper: Housekeeper
    log: Log = field(default_factory=Log)

    def look(self, after: timedelta = timedelta(0)) -> None:
        """A look, some time later."""
        self.rig.forget()
        replace(self.keeper, clock=lambda: NOW + after).look(UNIT)

    def deploy(self, mark: str = SECOND, *, status: str = "UPDATE_COMPLETE") -> None:
        """CloudFormation says that the stack was deployed, or is being."""
        cloud = self.keeper.stack
        assert isinstance(cloud, CloudFormation)
        cloud.deployed = Deployed(mark, NOW, not status.endswith("_IN_PROGRESS"), status)

    @property
    def recorded(self) -> Recorded:
        """What the ledger holds."""
        return self.keeper.memory.recorded()[0]

    @property
    def subjects(self) -> list[str]:
        """What was told."""
        return [one.subject.removeprefix("[Plumbline] ") for one in self.rig.letters]

    @property
    def writes(self) -> list[str]:
        """What house hands did."""
        return [one.operation for one in self.rig.writes]


@pytest.fixture
def home() -> Iterator[Home]:
    """A house that was deployed, and looked at since."""
    with world() as here:
        stack = Stack(here).deploy()
        rig = Rig(here)
        plumbline = rig.install({CONTROL.id: own_rules()[CONTROL.id]}, controls={CONTROL.id: CONTROL})
        memory = House(rig.client, plumbline.ledger.name, HOME, ACCOUNT)
        memory.record(Recorded(FIRST, here.recorded), 1)
        cloud = CloudFormation(Deployed(FIRST, NOW, True, "CREATE_COMPLETE"), stack.resources)
        log = Log()
        keeper = Housekeeper(plumbline, cloud, memory, plumbline.engine.alerts, log, lambda: NOW)
        yield Home(stack, rig, keeper, log)


def _off(home: Home) -> None:
    home.stack.client("events").disable_rule(Name="plumbline-iam")


def test_a_quiet_look_reads_and_neither_writes_nor_tells(home: Home) -> None:
    home.look()
    assert ([], []) == (home.writes, home.subjects)


def test_what_somebody_has_switched_off_is_put_back_and_told(home: Home) -> None:
    _off(home)
    home.look()
    assert ["PutRule"] == home.writes
    assert ["repaired: Plumbline's rule plumbline-iam was switched off"] == home.subjects
    assert "ENABLED" == home.stack.client("events").describe_rule(Name="plumbline-iam")["State"]
    home.look(10 * MINUTE)
    assert ([], []) == (home.writes, home.subjects), "once"


def test_what_house_hands_may_not_put_back_is_told_and_stays_open(home: Home) -> None:
    home.stack.client("iam").put_role_permissions_boundary(
        RoleName="plumbline-react", PermissionsBoundary="arn:aws:iam::aws:policy/ReadOnlyAccess"
    )
    home.look()
    assert ([], ["found: Plumbline's role plumbline-react has another boundary"]) == (home.writes, home.subjects)
    home.look(10 * MINUTE)
    assert [] == home.subjects, "told once"
    home.look(70 * MINUTE)
    assert ["escalated: Plumbline's role plumbline-react has another boundary"] == home.subjects


def test_a_deployment_is_recorded_once_and_what_it_changed_is_e_mailed(home: Home) -> None:
    home.stack.client("lambda").update_function_configuration(
        FunctionName="plumbline-react", Environment={"Variables": {"PLUMBLINE_MODE": "observe"}}
    )
    home.deploy()
    home.look()
    assert SECOND == home.recorded.deployment
    assert ["deployed: 1 part of Plumbline changed"] == home.subjects
    (letter,) = home.rig.letters
    assert "Plumbline's function plumbline-react has another environment" in letter.body
    home.look(10 * MINUTE)
    assert [] == home.subjects


def test_a_deployment_that_changes_nothing_is_not_e_mailed(home: Home) -> None:
    home.deploy()
    home.look()
    assert (SECOND, []) == (home.recorded.deployment, [])
    assert [] == home.subjects


def test_what_is_switched_off_is_never_recorded_as_deployed(home: Home) -> None:
    """Whoever switches a rule off and has the stack deployed, if only with another tag, has not settled it."""
    _off(home)
    home.deploy()
    home.look()
    assert ["PutRule"] == home.writes
    assert ["repaired: Plumbline's rule plumbline-iam was switched off"] == home.subjects
    assert "ENABLED" == home.recorded.parts["events-rule"]["plumbline-iam"]["state"]


def test_while_the_stack_is_being_changed_nothing_is_compared_for_an_hour_at_most(home: Home) -> None:
    _off(home)
    home.deploy(status="UPDATE_IN_PROGRESS")
    home.look(DEPLOYING_FOR - MINUTE)
    assert ([], []) == (home.writes, home.subjects)
    assert ("house not looked at", {"stack": "UPDATE_IN_PROGRESS"}) in home.log.lines
    home.look(DEPLOYING_FOR)
    assert (["PutRule"], FIRST) == (home.writes, home.recorded.deployment)


def test_a_first_deployment_is_recorded_without_a_word(home: Home) -> None:
    home.keeper.memory.record(Recorded(), home.keeper.memory.recorded()[1])
    home.deploy()
    home.look()
    assert ([], SECOND) == (home.subjects, home.recorded.deployment)
    assert set(home.stack.world.recorded) == set(home.recorded.parts)


def test_what_a_deployment_has_changed_is_not_recorded_before_it_is_told(home: Home) -> None:
    home.stack.client("lambda").update_function_configuration(FunctionName="plumbline-react", Timeout=7)
    home.deploy()
    with home.rig.refusing(_publishes), pytest.raises(AwsRefusal):
        home.look()
    assert FIRST == home.recorded.deployment
    home.look()
    assert ["deployed: 1 part of Plumbline changed"] == home.subjects


ANN, BO = (f"arn:aws:iam::{ACCOUNT}:user/{name}" for name in ("ann", "bo"))


def _deployed_by(home: Home, who: str | AwsRefusal) -> CloudFormation:
    cloud = home.keeper.stack
    assert isinstance(cloud, CloudFormation)
    cloud.who = who
    return cloud


def test_who_deployed_is_recorded_as_soon_as_cloudtrail_tells(home: Home) -> None:
    home.deploy()
    home.look()
    assert ("", "") == (home.recorded.deployer, home.recorded.deployer_of)
    _deployed_by(home, ANN)
    home.look(10 * MINUTE)
    assert (SECOND, ANN, SECOND) == (home.recorded.deployment, home.recorded.deployer, home.recorded.deployer_of)
    assert set(home.stack.world.recorded) == set(home.recorded.parts)
    _deployed_by(home, BO)
    home.look(20 * MINUTE)
    assert ANN == home.recorded.deployer, "it is known, and nobody is asked"


def test_until_it_is_known_who_deployed_it_is_who_did_before(home: Home) -> None:
    home.deploy()
    _deployed_by(home, ANN)
    home.look()
    home.deploy("third")
    _deployed_by(home, AwsRefusal("ThrottlingException", "Rate exceeded"))
    home.look(10 * MINUTE)
    assert ("third", ANN, "") == (home.recorded.deployment, home.recorded.deployer, home.recorded.deployer_of)
    _deployed_by(home, BO)
    home.look(20 * MINUTE)
    assert (BO, "third") == (home.recorded.deployer, home.recorded.deployer_of)


def test_cloudtrail_is_not_asked_for_ever(home: Home) -> None:
    home.deploy()
    home.look()
    _deployed_by(home, ANN)
    home.look(120 * MINUTE)
    assert "" == home.recorded.deployer


def test_a_look_that_cannot_see_tells_and_puts_nothing_back(home: Home) -> None:
    _off(home)
    with home.rig.refusing(lambda one: one.operation == "ListRules", code="AccessDenied"):
        home.look()
    assert [] == home.writes
    assert all("repaired" not in one for one in home.subjects)


def _publishes(request: Request) -> bool:
    return request.operation == "Publish"


# --- who hears -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("alerts", "expected"),
    [
        (Letterbox, (1, 0)),
        (lambda: Letterbox(heard=False), (1, 1)),
        (lambda: Letterbox(down=True), (0, 1)),
    ],
    ids=["heard", "nobody hears", "the topic is gone"],
)
def test_who_silences_the_alerts_is_told_of_through_the_watchdog(
    alerts: Callable[[], Letterbox], expected: tuple[int, int]
) -> None:
    first, second = alerts(), Letterbox()
    Urgent(first, second).send(Alert("s", "b"))
    assert expected == (len(first.letters), len(second.letters))


def test_where_neither_takes_it_the_function_fails() -> None:
    with pytest.raises(AwsRefusal):
        Urgent(Letterbox(down=True), Letterbox(down=True)).send(Alert("s", "b"))
