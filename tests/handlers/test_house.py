"""What the sweep's function does for Plumbline itself: it records what was deployed, tells of that, and puts back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from plumbline.adapters.house import House
from plumbline.adapters.sns import Urgent
from plumbline.alerts.alert import Alert
from plumbline.controls import registry
from plumbline.core.errors import AwsRefusal
from plumbline.core.recorded import Deployed, Recorded
from plumbline.handlers.house import DEPLOYING_FOR, SELDOM, Housekeeper
from plumbline.sweep.units import Unit
from tests.controls.house.test_house_integrity import Stack
from tests.fakes import Letterbox
from tests.handlers.test_react import Log
from tests.rig import NOW, Request, Rig, is_read, own_rules
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
class Elsewhere:
    """What CloudFormation says of the forwarders."""

    known: Mapping[str, str] = field(default_factory=dict)

    def forwarders(self) -> Mapping[str, str]:
        """See handlers.house.Forwarders."""
        return self.known


@dataclass
class Home:
    """A deployed Plumbline, and what looks at it."""

    stack: Stack
    rig: Rig
    keeper: Housekeeper
    log: Log = field(default_factory=Log)

    def look(self, after: timedelta = timedelta(0), left_out: Collection[str] = ()) -> None:
        """A look, some time later."""
        self.rig.forget()
        replace(self.keeper, clock=lambda: NOW + after).look(UNIT, left_out)

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
        keeper = Housekeeper(plumbline, cloud, Elsewhere(), memory, plumbline.engine.alerts, log, lambda: NOW)
        yield Home(stack, rig, keeper, log)


def _mute(home: Home) -> None:
    home.stack.world.client("cloudwatch", HOME).disable_alarm_actions(AlarmNames=["plumbline-sweep-stopped"])


def _asked(home: Home) -> set[str]:
    return {one.operation for one in home.rig.requests if is_read(one)}


def test_alarms_are_left_to_the_look_of_each_sweep_which_puts_them_back(home: Home) -> None:
    """CloudWatch charges for each question about them, and a tripwire tells of their changes at once."""
    _mute(home)
    home.look(left_out=SELDOM)
    assert "DescribeAlarms" not in _asked(home)
    assert {"GetFunction", "ListTargetsByRule"} <= _asked(home), "all else is looked at"
    assert ([], []) == (home.writes, home.subjects)
    home.look(10 * MINUTE)
    assert ["EnableAlarmActions"] == home.writes
    assert ["repaired: Plumbline's alarm plumbline-sweep-stopped tells nobody any more"] == home.subjects


def test_an_alarm_that_is_known_to_be_wrong_is_looked_at_by_each_look(home: Home) -> None:
    _mute(home)
    home.rig.refuse = lambda one: "AccessDenied" if one.operation == "EnableAlarmActions" else None
    home.look()
    assert "failed: " in " ".join(home.subjects)
    home.look(10 * MINUTE, SELDOM)
    assert "DescribeAlarms" in _asked(home)
    assert 1 == len(home.keeper.plumbline.ledger.open_findings(ACCOUNT)), "what is not looked at is not in line"
    home.stack.world.client("cloudwatch", HOME).enable_alarm_actions(AlarmNames=["plumbline-sweep-stopped"])
    home.look(20 * MINUTE, SELDOM)
    assert [] == home.keeper.plumbline.ledger.open_findings(ACCOUNT)


#: The forwarders: home's own region has none.
ELSEWHERE = ("ap-southeast-2", "eu-central-1", "us-west-2")


def _forward(home: Home, region: str) -> None:
    """What StackSets makes in a region."""
    sqs, events = home.stack.world.client("sqs", region), home.stack.world.client("events", region)
    sqs.create_queue(QueueName="plumbline-dead-events")
    for name, kept in (("plumbline-s3", {"EventPattern": '{"source": ["aws.s3"]}'}), ("plumbline-alive", BEAT)):
        events.put_rule(Name=name, **kept)
        dead = {"Arn": f"arn:aws:sqs:{region}:{ACCOUNT}:plumbline-dead-events"}
        events.put_targets(Rule=name, Targets=[{**BUS, "DeadLetterConfig": dead}])


BEAT = {"ScheduleExpression": "rate(15 minutes)"}
BUS = {
    "Id": "home",
    "Arn": f"arn:aws:events:{HOME}:{ACCOUNT}:event-bus/plumbline-home",
    "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/plumbline/plumbline-forwarder",
}


@pytest.fixture
def spread(home: Home) -> Home:
    """A house that was deployed with forwarders, and looked at since."""
    for region in ELSEWHERE:
        _forward(home, region)
    home.deploy()
    home.keeper = replace(home.keeper, forwarders=Elsewhere(dict.fromkeys(ELSEWHERE, "")))
    home.look()
    return home


def _elsewhere(home: Home, region: str, after: timedelta = timedelta(0)) -> None:
    """A look at one region's forwarder."""
    home.rig.forget()
    replace(home.keeper, clock=lambda: NOW + after).look_elsewhere(Unit(ACCOUNT, region, (CONTROL.id,)))


def _rule_in(home: Home, region: str, name: str = "plumbline-s3") -> tuple[Any, ...]:
    """A forwarder's rule: what it hears, whether it is on, and whom it tells."""
    events = home.stack.world.client("events", region)
    rule = events.describe_rule(Name=name)
    targets = events.list_targets_by_rule(Rule=name)["Targets"]
    return rule.get("EventPattern"), rule["State"], targets


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("was switched off", lambda events: events.disable_rule(Name="plumbline-s3")),
        ("was gone", lambda events: (events.remove_targets(Rule="plumbline-s3", Ids=["home"]),
                                     events.delete_rule(Name="plumbline-s3"))),
        ("had other targets", lambda events: events.put_targets(
            Rule="plumbline-s3", Targets=[{"Id": "home", "Arn": f"arn:aws:sqs:us-west-2:{ACCOUNT}:mine"}])),
        ("had another pattern, schedule or role", lambda events: events.put_rule(
            Name="plumbline-s3", EventPattern='{"source": ["nobody"]}')),
    ],
    ids=["off", "gone", "retargeted", "narrowed"],
)  # fmt: skip
def test_a_forwarder_that_somebody_changed_is_put_back_and_told_with_its_region(
    spread: Home, what: str, change: Callable[[Any], Any]
) -> None:
    before = _rule_in(spread, "us-west-2")
    change(spread.stack.world.client("events", "us-west-2"))
    _elsewhere(spread, "us-west-2")
    (subject,), (letter,) = spread.subjects, spread.rig.letters
    assert f"repaired: Plumbline's rule plumbline-s3 {what} in us-west-2".startswith(subject), (
        "SNS takes 100 characters"
    )
    assert "us-west-2" in letter.body
    assert before == _rule_in(spread, "us-west-2")
    assert {("us-west-2", "house")} == {(one.region, one.role) for one in spread.rig.writes}
    _elsewhere(spread, "us-west-2", 10 * MINUTE)
    assert ([], []) == (spread.writes, spread.subjects), "once"


def test_a_forwarder_that_is_as_it_was_deployed_is_read_and_neither_written_nor_told(spread: Home) -> None:
    for region in ELSEWHERE:
        _elsewhere(spread, region)
        assert ([], []) == (spread.writes, spread.subjects)


def test_a_region_that_came_after_the_deployment_is_held_to_what_all_have(spread: Home) -> None:
    _forward(spread, "me-central-1")
    spread.stack.world.client("events", "me-central-1").disable_rule(Name="plumbline-alive")
    _elsewhere(spread, "me-central-1")
    assert ["repaired: Plumbline's rule plumbline-alive was switched off in me-central-1"] == spread.subjects


def test_where_no_event_crosses_a_border_the_stack_at_home_is_no_forwarder(home: Home) -> None:
    """CloudFormation takes no StackSet without a region: in GovCloud and China it is home, which forwards nothing."""
    home.deploy()
    home.keeper = replace(home.keeper, forwarders=Elsewhere({HOME: ""}))
    home.look()
    assert {} == home.recorded.elsewhere


def test_the_queue_of_a_forwarder_is_told_and_stays_open(spread: Home) -> None:
    sqs = spread.stack.world.client("sqs", "eu-central-1")
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName="plumbline-dead-events")["QueueUrl"])
    _elsewhere(spread, "eu-central-1")
    assert ["found: Plumbline's queue plumbline-dead-events is gone in eu-central-1"] == spread.subjects
    assert [] == spread.writes


def test_while_a_deployment_is_under_way_or_not_written_down_no_forwarder_is_touched(spread: Home) -> None:
    spread.stack.world.client("events", "us-west-2").disable_rule(Name="plumbline-s3")
    spread.deploy("stack@2026-03-03T09:00:00", status="UPDATE_IN_PROGRESS")
    _elsewhere(spread, "us-west-2")
    spread.deploy("stack@2026-03-03T09:00:00")
    _elsewhere(spread, "us-west-2")
    assert ([], []) == (spread.writes, spread.subjects)


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
