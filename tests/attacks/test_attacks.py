"""Every attack ends as its story says: nothing is silent, and what is open is listed. One module, for one account."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.attacks import house, judge, silence
from tests.attacks.attack import ELSEWHERE, Attack, Attacker, Deed, Open, Prevented, Told, Way
from tests.attacks.attackers import ATTACKERS, OLD_EVENTS, OLD_LAMBDA, OLD_SNS, WRITER
from tests.attacks.house import House
from tests.attacks.stage import Stage
from tests.attacks.stories import ALL
from tests.attacks.waiting import WAITING_FOR
from tests.local import reference


@pytest.mark.parametrize("attack", ALL, ids=lambda attack: attack.name.replace(" ", "-"))
def test_an_attack_ends_as_its_story_says(stage: Stage, before: House, attack: Attack) -> None:
    outcome = judge.play(stage, attack, before)
    assert not outcome.left, f"the story did not clean up after itself:\n{outcome.left}"
    waits = WAITING_FOR.get(attack.name)
    if waits:
        assert outcome.wrong, f"this holds now: take {attack.name!r} off the list in tests/attacks/waiting.py"
        pytest.xfail(f"waits for {waits}: {outcome.wrong[0]}")
    assert not outcome.wrong, "\n".join(outcome.wrong)


def test_the_house_is_as_it_was_before_the_first(stage: Stage, before: House) -> None:
    """In each story only what it changed is looked at once more."""
    assert "" == house.in_words(House.of(stage.client).differences(before))


def test_iam_was_asked_about_each_call_on_what_the_reference_names(stage: Stage) -> None:
    """Or a refusal would prove nothing: the emulator might ask about another thing than AWS."""
    attackers = tuple(f"user/{one.name}" for one in ATTACKERS)
    wrong = {
        f"{check.action} was asked on {check.resource}"
        for call in stage.calls()
        if call.principal.endswith(attackers)
        for check in call.checks
        if not reference.is_asked_of(check.action, check.resource)
    }
    assert set() == wrong


def test_there_are_enough_of_them_and_each_has_a_name_of_its_own() -> None:
    names = [one.name for one in ALL]
    assert len(names) == len(set(names))
    assert len(names) >= 40


def test_only_stories_that_exist_wait() -> None:
    assert set() == set(WAITING_FOR) - {one.name for one in ALL}


# --- the judge finds what it is there for ---------------------------------------------------------------

_LOG = "/aws/lambda/plumbline-react"


def _by_an_administrator(stage: Stage, _who: Attacker) -> None:
    """Neither a tripwire nor the guard is about an administrator and a log's days."""
    stage.client("logs").put_retention_policy(logGroupName=_LOG, retentionInDays=30)


def _later(stage: Stage, _who: Attacker) -> None:
    """Told, and put back by nobody: a look would be quicker than what reads here."""
    queue = stage.client("sqs", region=ELSEWHERE).get_queue_url(QueueName="plumbline-dead-events")["QueueUrl"]
    stage.client("sqs", region=ELSEWHERE).set_queue_attributes(QueueUrl=queue, Attributes={"DelaySeconds": "60"})


LANDS = Attack(
    "a log's days changed",
    WRITER,
    (Deed("put_retention_policy as an administrator", _by_an_administrator),),
    Prevented("nobody"),
)


def test_what_lands_is_not_prevented_and_is_put_back(stage: Stage, before: House) -> None:
    outcome = judge.play(stage, LANDS, before)
    assert "" == outcome.left
    landed, changed = outcome.wrong
    assert "put_retention_policy as an administrator was not refused" == landed
    assert changed.startswith("something has changed, and was not prevented:\n  log group /aws/lambda/plumbline-react:")


ELSEWHERE_LANDS = Attack(
    "what a forwarder could not deliver delayed",
    WRITER,
    (Deed("set_queue_attributes in another region as an administrator", _later),),
    Prevented("nobody"),
)


def test_what_lands_in_another_region_is_found_and_put_back(stage: Stage, before: House) -> None:
    outcome = judge.play(stage, ELSEWHERE_LANDS, before)
    assert "" == outcome.left
    _, changed = outcome.wrong
    found = f"something has changed, and was not prevented:\n  in {ELSEWHERE} queue plumbline-dead-events:"
    assert changed.startswith(found)


def test_silence_is_no_telling(stage: Stage, before: House) -> None:
    told = Told(Way.TRIPWIRE, ("no e-mail ever says so",))
    outcome = judge.play(stage, replace(LANDS, verdict=told), before)
    (silent,) = outcome.wrong
    assert silent.startswith("no e-mail by a tripwire's mail, which needs no code of Plumbline's names no e-mail ever")


def test_who_is_open_has_to_be_a_critical_finding(stage: Stage, before: House) -> None:
    outcome = judge.play(stage, replace(LANDS, who=WRITER, verdict=Open("nothing can")), before)
    assert f"{WRITER.name} is unguarded, and no critical finding says so" in outcome.wrong


@pytest.mark.parametrize(
    ("who", "way", "expected"),
    [
        (OLD_SNS, Way.TRIPWIRE, "sns:DeleteTopic on <topic watchdog> silences a tripwire's mail"),
        (OLD_SNS, Way.ELSEWHERE, "sns:DeleteTopic on <topic watchdog> silences a tripwire's mail from another region"),
        (OLD_SNS, Way.HOUSE, "sns:DeleteTopic on <topic alerts> silences the house look"),
    ],
)
def test_a_way_that_an_attacker_can_silence_is_none(stage: Stage, who: Attacker, way: Way, expected: str) -> None:
    (found,) = silence.silenced(stage, who, way)
    assert found.startswith(expected)


@pytest.mark.parametrize(("who", "way"), [(OLD_LAMBDA, Way.HOUSE), (OLD_EVENTS, Way.ELSEWHERE)])
def test_silencing_one_way_is_told_by_another(stage: Stage, who: Attacker, way: Way) -> None:
    """The sweep's function by a tripwire; a tripwire of another region by the house look."""
    assert [] == list(silence.silenced(stage, who, way))
