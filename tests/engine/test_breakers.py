"""Decoys: no breaker, exemption, pause or flood of e-mails keeps a critical finding from being told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest

from plumbline.baseline.rules import Baseline, Breakers, Letters, Rule
from plumbline.core.cause import Cause, Origin
from plumbline.core.clock import AT_ONCE, Response
from plumbline.core.control import Control, Severity
from plumbline.core.targets import GLOBAL, Target
from plumbline.decisions.exemptions import Exemption
from plumbline.engine.deployment import Deployment
from plumbline.engine.digests import Digests
from plumbline.engine.settle import Engine
from plumbline.findings.finding import Finding, Status
from plumbline.wakes.messages import Wake
from tests.fakes import ACCOUNT, CONTROL, MALLORY, NOW, Lamps, Letterbox, Memory

NOBODY = Cause()
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EVE = replace(MALLORY, who="eve", principal=f"arn:aws:iam::{ACCOUNT}:user/eve")
NEXT = NOW.replace(minute=0) + HOUR
CRITICAL = replace(CONTROL, id="lamp-critical", severity=Severity.CRITICAL)
LESSER = {one: replace(CONTROL, id=f"lamp-{one}") for one in ("first", "second", "third")}
ALL = {one.id: one for one in (CRITICAL, *LESSER.values())}


@dataclass
class Hall:
    """An engine between fakes, with a critical rule and three lesser ones over many lamps."""

    aws: Lamps = field(default_factory=Lamps)
    ledger: Memory = field(default_factory=Memory)
    alerts: Letterbox = field(default_factory=Letterbox)
    breakers: Breakers = field(default_factory=lambda: Breakers(per_control=10, in_all=25, per_actor=10))
    exemptions: tuple[Exemption, ...] = ()
    mode: Response = Response.ENFORCE
    letters: Letters = field(default_factory=Letters)

    def engine(self) -> Engine:
        """The engine as it is configured now."""
        rules = {one: Rule(Response.ENFORCE, {"default": AT_ONCE}, {}) for one in ALL}
        return Engine(
            ALL,
            Baseline(rules, (), self.breakers, self.exemptions, self.letters),
            Deployment("us-east-1", self.mode),
            self.aws,
            self.ledger,
            self.alerts,
        )

    def does(self, name: str, control: Control = CRITICAL, *, cause: Cause = MALLORY, now: datetime = NOW) -> str:
        """Somebody lights a lamp, and an event tells; how it was settled."""
        self.aws.lamps[name] = {"on": ["a"]}
        return self.looks(name, control, cause=cause, now=now, origin=Origin.EVENT)

    def looks(
        self,
        name: str,
        control: Control = CRITICAL,
        *,
        cause: Cause = NOBODY,
        now: datetime = NOW,
        origin: Origin = Origin.SWEEP,
    ) -> str:
        """Plumbline looks; how it was settled."""
        settled = self.engine().settle(Wake(control.id, _lamp(name), origin, cause), now=now)
        return settled.outcome.value

    def finding(self, name: str, control: Control = CRITICAL) -> Finding:
        """What the ledger holds."""
        return self.ledger.findings[(control.id, _lamp(name))]

    @property
    def subjects(self) -> list[str]:
        """What stands in the inbox."""
        return self.alerts.subjects


def _lamp(name: str) -> Target:
    return Target(ACCOUNT, GLOBAL, "lamp", name)


def _lesser(number: int) -> Control:
    return list(LESSER.values())[number % len(LESSER)]


# --- breakers count by actor ------------------------------------------------------------------------------------------


def test_ten_decoys_of_lesser_rules_leave_the_critical_one_its_own_budget() -> None:
    hall = Hall()
    decoys = [hall.does(f"decoy{number}", _lesser(number)) for number in range(12)]
    assert ["repaired"] * 10 + ["stopped"] * 2 == decoys
    assert "repaired" == hall.does("backdoor")
    assert "repaired: lamp backdoor was on (by mallory)" == hall.subjects[-1]


def test_ten_critical_decoys_do_not_hide_the_backdoor_and_neither_do_those_of_the_next_hour() -> None:
    hall = Hall()
    for number in range(10):
        assert "repaired" == hall.does(f"decoy{number}")
    assert "stopped" == hall.does("backdoor")
    stopped = hall.alerts.letters[-1]
    assert "[Plumbline] stopped: 10 critical repairs of what mallory did in one hour, 1 thing left" == stopped.subject
    assert f"{hall.finding('backdoor').short} critical: lamp backdoor is on" in stopped.body
    for number in range(12):  # the next hour begins with new decoys before any sweep looks
        hall.does(f"new{number}", now=NEXT)
    assert "repaired" == hall.looks("backdoor", now=NEXT + HOUR / 2)
    assert [] == hall.aws.lamps["backdoor"]["on"]


def test_one_actor_uses_up_his_own_budget_and_nobody_elses() -> None:
    hall = Hall()
    for number in range(11):
        hall.does(f"decoy{number}", _lesser(number))
    assert ("stopped", "repaired") == (
        hall.does("another", LESSER["first"]),
        hall.does("hers", LESSER["first"], cause=EVE),
    )


def test_whatever_a_session_is_called_its_deeds_are_its_roles() -> None:
    hall = Hall()
    sessions = [
        replace(MALLORY, principal=f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/s{number}") for number in range(11)
    ]
    outcomes = [hall.does(f"decoy{number}", _lesser(number), cause=cause) for number, cause in enumerate(sessions)]
    assert ["repaired"] * 10 + ["stopped"] == outcomes


def test_the_breaker_of_an_actor_is_told_once_an_hour_and_names_all_that_is_left_worst_first() -> None:
    hall = Hall(breakers=Breakers(per_control=10, in_all=25, per_actor=2))
    hall.does("kept1", LESSER["first"])
    hall.does("kept2", LESSER["second"])
    hall.exemptions = (Exemption(CRITICAL.id, str(_lamp("hidden")), "mallory", "mine", NOW + DAY),)
    hall.does("hidden")
    assert ["stopped", "stopped"] == [hall.does("left1", LESSER["first"]), hall.does("left2", LESSER["first"])]
    (stopped,) = [one for one in hall.alerts.letters if "stopped" in one.subject]
    named = re.findall(r"^ {4}(\w{4}) (?:critical|high): lamp", stopped.body, re.MULTILINE)
    assert [hall.finding("hidden").short, hall.finding("left1", LESSER["first"]).short] == named
    assert hall.finding("left2", LESSER["first"]).is_owed_a_digest


def test_what_a_breaker_leaves_is_never_silent() -> None:
    hall = Hall(breakers=Breakers(per_control=1, in_all=25, per_actor=25))
    hall.does("first")
    assert ["stopped"] * 3 == [hall.does(name) for name in ("second", "third", "fourth")]
    assert [
        "repaired: lamp first was on (by mallory)",
        "stopped: 1 repair of lamp-critical in one hour, 1 thing left",
        "found: lamp third is on (by mallory)",
        "found: lamp fourth is on (by mallory)",
    ] == hall.subjects


# --- critical alerts are never held back ------------------------------------------------------------------------------


def test_a_critical_finding_has_an_email_of_its_own_whatever_the_limit_of_emails() -> None:
    hall = Hall(letters=Letters(per_hour=0))
    assert ("repaired", "repaired") == (hall.does("lesser", LESSER["first"]), hall.does("critical"))
    assert ["repaired: lamp critical was on (by mallory)"] == hall.subjects


def test_an_actors_first_five_stand_alone_the_sixth_names_all_and_the_rest_wait_for_the_digest() -> None:
    hall = Hall(mode=Response.OBSERVE)
    for number in range(8):
        hall.does(f"lamp{number}")
    assert [f"found: lamp lamp{number} is on (by mallory)" for number in range(6)] == hall.subjects
    sixth = hall.alerts.letters[-1].body
    assert all(hall.finding(f"lamp{number}").short in sixth for number in range(6))
    assert 2 == hall.engine().digest(ACCOUNT, now=NOW)
    assert all(hall.finding(f"lamp{number}").short in hall.alerts.letters[-1].body for number in (6, 7))
    hall.does("hers", cause=EVE)
    assert "found: lamp hers is on (by eve)" == hall.subjects[-1]
    hall.does("later", now=NEXT)
    assert "found: lamp later is on (by mallory)" == hall.subjects[-1]


def test_what_waits_behind_the_sixth_is_told_with_the_next_look_at_the_house_and_lesser_things_are_not() -> None:
    hall = Hall(letters=Letters(per_hour=0))
    hall.does("lesser", LESSER["first"])
    assert 0 == Digests(hall.engine().notifier).critical(ACCOUNT, now=NOW)
    for number in range(6):
        hall.does(f"lamp{number}")
    hall.does("backdoor")
    before = len(hall.alerts.letters)
    assert 2 == Digests(hall.engine().notifier).critical(ACCOUNT, now=NOW)
    (told,) = hall.alerts.letters[before:]
    assert hall.finding("backdoor").short in told.body
    assert 0 == Digests(hall.engine().notifier).critical(ACCOUNT, now=NOW + timedelta(minutes=10))


@pytest.mark.parametrize("control", [CRITICAL, LESSER["first"]])
def test_an_exemption_of_everything_keeps_nothing_grave_from_being_told(control: Control) -> None:
    hall = Hall(exemptions=(Exemption("*", "*", "mallory", "spring cleaning", NOW + DAY),))
    assert ["exempt"] * 2 == [hall.does("lamp", control), hall.looks("lamp", control, now=NOW + HOUR)]
    (alert,) = hall.alerts.letters
    assert "[Plumbline] found: lamp lamp is on (by mallory)" == alert.subject
    assert "It is exempt until Tuesday 3 March 2026, 09:30 UTC" in " ".join(alert.body.split())
    assert ["a"] == hall.aws.lamps["lamp"]["on"]


def test_what_somebody_decided_about_one_thing_is_told_where_it_is_critical_and_else_not() -> None:
    hall = Hall(
        exemptions=tuple(
            Exemption(one.id, str(_lamp("lamp")), "ann", "a lighthouse", NOW + DAY) for one in ALL.values()
        )
    )
    assert ["exempt"] * 2 == [hall.does("lamp", LESSER["first"]), hall.does("lamp")]
    assert ["found: lamp lamp is on (by mallory)"] == hall.subjects
    assert CRITICAL.id == hall.alerts.letters[0].attributes["control"]


@pytest.mark.parametrize("severity", [Severity.MEDIUM, Severity.LOW])
def test_an_exemption_silences_what_is_of_lesser_weight(severity: Severity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ALL, "lamp-first", replace(LESSER["first"], severity=severity))
    hall = Hall(exemptions=(Exemption("*", "*", "ann", "spring cleaning", NOW + DAY),))
    assert ("exempt", []) == (hall.does("lamp", LESSER["first"]), hall.subjects)


def test_what_an_undo_brought_back_has_been_told_and_what_comes_beside_it_is() -> None:
    hall = Hall()
    hall.does("lamp")
    undone = replace(hall.finding("lamp").repairs[-1], undone=NOW + HOUR, undone_by="arn:aws:iam::1:user/ann")
    key = (CRITICAL.id, _lamp("lamp"))
    hall.ledger.findings[key] = replace(
        hall.finding("lamp"), status=Status.UNDONE, repairs=(undone,), closed_at=NOW + HOUR
    )
    hall.exemptions = (Exemption(CRITICAL.id, str(_lamp("lamp")), "ann", "undone", NOW + DAY),)
    hall.aws.lamps["lamp"]["on"] = ["a"]
    told = len(hall.subjects)
    assert ("exempt", told) == (hall.looks("lamp", now=NOW + 2 * HOUR), len(hall.subjects))
    hall.aws.lamps["lamp"]["on"] = ["a", "b"]
    assert "exempt" == hall.looks("lamp", cause=EVE, origin=Origin.EVENT, now=NOW + 3 * HOUR)
    assert "found: lamp lamp is on (by eve)" == hall.subjects[-1]


def test_a_pause_holds_back_repairs_and_no_critical_alert() -> None:
    hall = Hall(letters=Letters(per_hour=0))
    hall.ledger.pauses = {"*": NOW + 4 * HOUR}
    assert "told" == hall.does("lamp")
    assert ["found: lamp lamp is on (by mallory)"] == hall.subjects


def test_an_alert_that_sns_refuses_is_told_by_the_next_look() -> None:
    hall = Hall(breakers=Breakers(per_control=1))
    hall.does("first")
    hall.alerts.down = True
    with pytest.raises(Exception, match="InternalError"):
        hall.does("second")
    hall.alerts.down = False
    assert "stopped" == hall.looks("second")
    assert "stopped: 1 repair of lamp-critical in one hour, 1 thing left" == hall.subjects[-1]
