"""How every story ends: repaired once, told once, and nothing is touched when anything is in doubt."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from plumbline.alerts.alert import Alert
from plumbline.core.calls import Plan, Step
from plumbline.core.clock import UNSEEN, Response
from plumbline.core.control import Control, Severity
from plumbline.core.errors import LedgerDown, PlumblineError
from plumbline.engine.case import Outcome, Settled
from plumbline.engine.planning import GIVES, planned
from plumbline.findings.finding import LEASE, Status
from plumbline.wakes.messages import from_event
from tests.recorded import Recorded, records
from tests.rig import ECHO, NOW, Broken, Rig, at_once, is_ledger, is_letter, is_read, is_write, own_rules
from tests.story import world

LATER = NOW + timedelta(minutes=5)


def _end(broken: Broken) -> Outcome:
    return Outcome.TOLD if broken.story.alert_only else Outcome.REPAIRED


def _is_shared(broken: Broken) -> bool:
    """Whether a repair is Plumbline's in part, and a person's for the rest."""
    return GIVES in _made(broken).left.values()


def _made(broken: Broken) -> Plan:
    """The part of a repair that Plumbline makes itself."""
    story = broken.story
    return planned(story.rule, broken.target, broken.before, story.all_settings, converts=True)


def _plain(value: object) -> object:
    """As the ledger gives it back."""
    return json.loads(json.dumps(value, default=str))


def test_what_is_in_line_by_its_name_is_in_line_whatever_it_is(broken: Broken) -> None:
    """`settle` does not even look at it."""
    control = broken.story.rule
    if not control.by_name:
        return
    assert control.excepted is not None
    everybody = {**broken.story.all_settings, "allowed_users": ["*"]}
    assert control.excepted(broken.target, everybody)
    assert control.detect(broken.before, everybody) is None
    assert not control.excepted(broken.target, broken.story.all_settings)


def test_an_event_is_settled_once_told_once_and_its_echo_finds_nothing_to_do(broken: Broken) -> None:
    plumbline = broken.install()
    first = plumbline.engine.settle(broken.wake(), now=NOW)
    letters, writes = len(broken.rig.letters), len(broken.rig.writes)
    second = plumbline.engine.settle(broken.wake(ECHO), now=LATER)
    assert (_end(broken), 1, bool(broken.story.alert_only)) == (first.outcome, letters, writes == 0)
    plan = broken.story.rule.plan(broken.target, broken.before, broken.story.all_settings)
    quiet = Outcome.WAITING if broken.story.alert_only or plan.left else Outcome.COMPLIANT
    if _is_shared(broken):  # what a person has to do is proposed once Plumbline's part of it is seen to have held
        assert (Outcome.TOLD, 2, writes) == (second.outcome, len(broken.rig.letters), len(broken.rig.writes))
        second = plumbline.engine.settle(broken.wake(ECHO), now=LATER)
        assert (Outcome.WAITING, 2) == (second.outcome, len(broken.rig.letters))
        return
    assert (quiet, 1, writes) == (second.outcome, len(broken.rig.letters), len(broken.rig.writes))


def test_by_its_own_defaults_it_is_repaired_or_told_and_told_once(broken: Broken) -> None:
    control = broken.story.rule
    rule = replace(own_rules()[control.id], settings=broken.story.all_settings)
    plumbline = broken.rig.install({control.id: rule})
    settled = plumbline.engine.settle(broken.wake(), now=NOW)
    assert settled.outcome in (Outcome.REPAIRED, Outcome.TOLD)
    acts = rule.response is Response.ENFORCE and settled.outcome is Outcome.REPAIRED
    assert (1, acts) == (len(broken.rig.letters), bool(broken.rig.writes))


def test_an_undo_brings_the_state_back_and_the_target_is_left_alone(broken: Broken) -> None:
    if broken.story.alert_only:
        return
    plumbline = broken.install()
    finding = plumbline.engine.settle(broken.wake(), now=NOW).finding
    assert finding is not None
    if not finding.repairs[-1].undo:
        assert finding.repairs[-1].plan.irreversible, "what has no undo must say so"
        return
    undone = broken.undone(plumbline, finding, now=LATER)
    assert undone.finding.status is Status.UNDONE
    if broken.story.reset:
        assert broken.before == broken.state()
    broken.rig.forget()
    again = plumbline.engine.settle(broken.wake(), now=LATER + timedelta(minutes=1))
    left_alone = {Outcome.EXEMPT} if broken.story.reset else {Outcome.EXEMPT, Outcome.COMPLIANT}
    assert again.outcome in left_alone
    # What is critical is told whatever exempts it: that it is as it was before the repair, too.
    told = int(broken.story.rule.severity is Severity.CRITICAL and again.outcome is Outcome.EXEMPT)
    assert ([], told) == (broken.rig.writes, len(broken.rig.letters))


def test_a_read_that_another_try_may_answer_comes_back_and_is_no_verdict(broken: Broken) -> None:
    reads = _reads_of_one_look(broken)
    assert reads
    for number in range(1, reads + 1):
        plumbline = broken.install()
        with broken.rig.refusing(is_read, number=number):
            settled = plumbline.engine.settle(broken.wake(), now=NOW)
        assert (Outcome.UNKNOWN, True, [], []) == (
            settled.outcome,
            settled.again,
            broken.rig.writes,
            broken.rig.letters,
        ), f"read {number} of {reads}"


def test_a_read_that_is_forbidden_is_a_finding_and_nothing_is_written(broken: Broken) -> None:
    reads = _reads_of_one_look(broken)
    for number in range(1, reads + 1):
        plumbline = broken.install()
        with broken.rig.refusing(is_read, number=number, code="AccessDenied"):
            settled = plumbline.engine.settle(broken.wake(), now=NOW)
        (found,) = plumbline.ledger.open_findings(broken.target.account)
        # Some controls can judge without one of their reads, and say so; they are no bolder for it.
        outcome = Outcome.UNKNOWN if found.deviation.clock == UNSEEN else Outcome.TOLD
        assert (outcome, False, broken.target, Status.OPEN) == (
            settled.outcome,
            settled.again,
            found.target,
            found.status,
        ), f"read {number} of {reads}"
        told = "cannot-look" if outcome is Outcome.UNKNOWN else "found"
        assert ([], [told]) == (broken.rig.writes, [_outcome(alert) for alert in broken.rig.letters])
        with broken.rig.refusing(is_read, number=number, code="AccessDenied"):
            plumbline.engine.settle(broken.wake(), now=LATER)
        assert (1, []) == (len(broken.rig.letters), broken.rig.writes), "it is told once"


def test_what_was_forbidden_and_can_be_read_again_begins_a_life_of_its_own(broken: Broken) -> None:
    plumbline = broken.install()
    with broken.rig.refusing(is_read, code="AccessDenied"):
        plumbline.engine.settle(broken.wake(), now=NOW)
    settled = plumbline.engine.settle(broken.wake(), now=LATER)
    assert (_end(broken), LATER) == (settled.outcome, settled.finding and settled.finding.first_seen)
    lives = [(one.is_blind, one.is_open) for one in plumbline.ledger.lives(broken.target.account)]
    assert (True, False) in lives, "that it could not be looked at is over, and is kept"


def test_a_refused_survey_is_no_verdict(broken: Broken) -> None:
    everything = replace(broken.target, id="*")
    for number in count(1):
        plumbline = broken.install()
        with broken.rig.refusing(is_read, number=number):
            expanded = plumbline.engine.expand(replace(broken.wake(), target=everything), now=NOW)
        if not isinstance(expanded, Settled):  # every read was answered
            assert broken.target in {wake.target for wake in expanded}
            break
        assert (Outcome.UNKNOWN, True, [], []) == (
            expanded.outcome,
            expanded.again,
            broken.rig.writes,
            broken.rig.letters,
        )


def test_a_forbidden_survey_is_a_finding_that_stands_for_all_of_it(broken: Broken) -> None:
    everything = replace(broken.target, id="*")
    for number in count(1):
        plumbline = broken.install()
        with broken.rig.refusing(is_read, number=number, code="AccessDenied"):
            expanded = plumbline.engine.expand(replace(broken.wake(), target=everything), now=NOW)
        found = plumbline.ledger.open_findings(broken.target.account)
        if not isinstance(expanded, Settled):  # the list could be had
            assert ([], True) == (found, broken.target in {wake.target for wake in expanded})
            break
        (stands,) = found
        assert (True, [], 1) == (stands.target.is_pattern, broken.rig.writes, len(broken.rig.letters))


def test_a_refused_write_is_failed_and_its_undo_is_kept(broken: Broken) -> None:
    plan = _made(broken)
    for number in range(1, len(plan.steps) + 1):
        plumbline = broken.install()
        with broken.rig.refusing(is_write, number=number, code="AccessDenied"):
            settled = plumbline.engine.settle(broken.wake(), now=NOW)
        kept = plumbline.ledger.brief(broken.story.control, broken.target, LATER).finding
        assert kept is not None
        assert (Outcome.FAILED, Status.FAILED) == (settled.outcome, kept.status)
        (repair,) = kept.repairs
        assert (number - 1, _undo(plan.steps[:number])) == (repair.done, [one.to_json() for one in repair.undo])
        assert ["repair-failed"] == [_outcome(alert) for alert in broken.rig.letters]
        if repair.undo and broken.story.reset:
            broken.undone(plumbline, kept, now=LATER, force=True)
            assert broken.before == broken.state(), (
                f"half a repair ({number - 1} of {len(plan.steps)}) was not taken back"
            )
        elif number < len(plan.steps):
            return  # this world cannot be broken the same way again


def test_what_cannot_be_looked_at_after_its_repair_is_told_as_that_and_as_repaired_once_it_is_seen(
    broken: Broken,
) -> None:
    if broken.story.alert_only:
        return
    plumbline = broken.install()
    with broken.rig.refusing(lambda request: is_read(request) and bool(broken.rig.writes)):
        settled = plumbline.engine.settle(broken.wake(), now=NOW)
    kept = plumbline.ledger.brief(broken.story.control, broken.target, LATER).finding
    assert kept is not None
    (repair,) = kept.repairs
    steps = repair.plan.steps
    assert (Outcome.UNSEEN, True, len(steps)) == (settled.outcome, kept.is_open and kept.is_unseen, repair.done)
    assert _undo(steps) == [one.to_json() for one in repair.undo]
    assert ["repaired-unseen"] == [_outcome(alert) for alert in broken.rig.letters]
    writes = len(broken.rig.writes)
    settled = plumbline.engine.settle(broken.wake(), now=LATER)
    assert (Outcome.REPAIRED, writes) == (settled.outcome, len(broken.rig.writes))
    last = "repaired-in-part" if settled.finding and settled.finding.is_open else "repaired"
    assert last == _outcome(broken.rig.letters[-1])


def test_nothing_is_written_once_the_ledger_is_down(broken: Broken) -> None:
    for number in count(1):
        plumbline = broken.install()
        with broken.rig.refusing(lambda request: is_ledger(request) and not broken.rig.writes, number=number):
            try:
                plumbline.engine.settle(broken.wake(), now=NOW)
            except LedgerDown:
                assert [] == broken.rig.writes, f"request {number} to the ledger"
                continue
        assert number > 1
        assert broken.story.alert_only or broken.rig.writes
        return


def test_a_repair_that_the_ledger_could_not_close_is_closed_and_told_by_the_next_look(broken: Broken) -> None:
    if broken.story.alert_only:
        return
    plumbline = broken.install()
    with broken.rig.refusing(lambda request: is_ledger(request) and bool(broken.rig.writes)), pytest.raises(LedgerDown):
        plumbline.engine.settle(broken.wake(), now=NOW)
    writes = len(broken.rig.writes)
    settled = plumbline.engine.settle(broken.wake(ECHO), now=NOW + LEASE + timedelta(seconds=1))
    assert (Outcome.REPAIRED, writes) == (settled.outcome, len(broken.rig.writes))


def test_a_letter_that_sns_refused_is_sent_when_the_wake_comes_back(broken: Broken) -> None:
    plumbline = broken.install()
    with broken.rig.refusing(is_letter, number=1), pytest.raises(PlumblineError):
        plumbline.engine.settle(broken.wake(), now=NOW)
    assert [] == broken.rig.letters
    plumbline.engine.settle(broken.wake(), now=NOW + LEASE + timedelta(seconds=1))
    assert len(broken.rig.letters) == 1


def test_while_observing_nothing_is_written_and_the_letter_says_what_would_have_been(broken: Broken) -> None:
    plumbline = broken.install(mode=Response.OBSERVE)
    settled = plumbline.engine.settle(broken.wake(), now=NOW)
    (alert,) = broken.rig.letters
    assert (Outcome.TOLD, []) == (settled.outcome, broken.rig.writes)
    assert broken.story.alert_only or "would have" in " ".join(alert.body.split())


def test_what_is_in_line_is_left_alone(broken: Broken) -> None:
    """No repair weakens: what a repair left behind, or what is stricter, is not written to again."""
    if broken.story.alert_only:
        return
    broken.install().engine.settle(broken.wake(), now=NOW)
    plumbline = broken.install()  # remembers nothing
    settled = plumbline.engine.settle(broken.wake(), now=LATER)
    plan = broken.story.rule.plan(broken.target, broken.before, broken.story.all_settings)
    if plan.left or _is_shared(broken):  # what no repair can put right is told
        assert (Outcome.TOLD, []) == (settled.outcome, broken.rig.writes)
        return
    assert (Outcome.COMPLIANT, [], []) == (settled.outcome, broken.rig.writes, broken.rig.letters)


WITNESSED = [pytest.param(one, id=str(one)) for one in records() if one.rule.witness]


@pytest.mark.parametrize("record", WITNESSED)
def test_what_only_events_can_tell_is_told_once_and_nothing_is_asked_or_written(record: Recorded) -> None:
    event, controls = record.event(), {record.control: record.rule}
    event["detail"]["recipientAccountId"] = event["account"]
    with world() as told:
        rig = Rig(told)
        plumbline = rig.install({record.control: at_once(record.rule)}, controls=controls)
        (wake,) = from_event(event, controls)
        outcomes = [plumbline.engine.settle(wake, now=at).outcome for at in (NOW, LATER)]
        assert [Outcome.TOLD, Outcome.WAITING] == outcomes
        assert (1, set()) == (len(rig.letters), {one.role for one in rig.requests} - {""})


def _reads_of_one_look(broken: Broken) -> int:
    control: Control = broken.story.rule
    engine = broken.install().engine
    assert control.observe is not None
    control.observe(engine.aws.eyes(broken.target.account, broken.target.region), broken.target)
    return sum(map(is_read, broken.rig.requests))


def _undo(steps: Sequence[Step]) -> list[object]:
    return [call.to_json() for step in reversed(steps) for call in step.undo]


def _outcome(alert: Alert) -> str:
    return alert.attributes["outcome"]
