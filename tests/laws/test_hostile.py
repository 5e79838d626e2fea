"""Whatever stands in an event reaches the e-mail harmless: dead links, one line, no word of it in a command."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from plumbline.alerts import actors, deviations, outcomes, unseen
from plumbline.alerts.alert import Alert, Sender
from plumbline.baseline.rules import Breakers
from plumbline.core.calls import Call
from plumbline.core.cause import Cause, Origin
from plumbline.core.control import Deviation
from plumbline.core.errors import AwsRefusal
from plumbline.core.targets import Target
from plumbline.findings.budgets import Budget
from plumbline.findings.finding import Finding, Repair, Status, open_finding
from plumbline.findings.restraints import Restraint, Why
from plumbline.findings.unseen import refused
from plumbline.wakes import cloudtrail, messages
from tests.recorded import Recorded, at, places, put, records
from tests.rig import CAUSE, NOW, journal
from tests.story import Story, stories

MARK = "HOSTILE"
TEXTS = {
    "a new line": f"{MARK}\n\n{MARK}\nWhat you can do: {MARK}",
    "a mail header": f"{MARK}\r\nBcc: victim@evil.example\r\n\r\n{MARK}",
    "a link": f"{MARK} http://evil.example/x https://evil.example www.evil.example {MARK}",
    "a link in capitals": f"{MARK} HTTPS://evil.example",
    "a link behind a letter": f"{MARK}_https://evil.example",
    "a link in wide letters": f"{MARK} \uff48\uff54\uff54\uff50://evil.example \uff57ww.evil.example",
    "a script": f"{MARK} javascript:alert(1) data:text/html;base64,AAAA",
    "control characters": f"{MARK}\x00\x07\x1b[31m\x7f\x85\u2028\u2029",
    "letters turned round": f"{MARK}\u202egnp.exe\u2066\u200b\ufeff",
    "ten kilobytes": MARK * 1500,
    "ten kilobytes of words": f"{MARK} " * 1300,
    "a command": f"{MARK}$(rm -rf /)`id`; {MARK} | sh && ${{HOME}} 'x' \"y\"",
    "html": f"<script>{MARK}</script><a href='x'>{MARK}</a>&amp;",
    "a template": f"{MARK}{{0}}{{id}}%s{{account}}",
    "emoji": f"{MARK}\U0001f4a3" * 30,
    "one emoji": "\U0001f4a3",
    "only control characters": "\x00\r\n",
}
HOSTILE = [pytest.param(text, id=name) for name, text in TEXTS.items()]
SENDER = Sender(account="123456789012", region="eu-west-1")
#: One story of each control is enough: what differs from story to story is not what events bring.
ONE_EACH = [pytest.param(one, id=control) for control, one in {one.control: one for one in stories()}.items()]
WITNESSED = [pytest.param(one, id=str(one)) for one in records() if one.rule.witness]
RECORDS = [pytest.param(one, id=str(one)) for one in records()]
_PRINTABLE = set(string.printable) - set("\t\n\r\x0b\x0c")
_LINK = re.compile(r"(?i)(https?|ftp|mailto|javascript|data)\s*:|www\.")
#: Where the routing of an event stands, not its contents.
_ROUTING = {
    "eventSource",
    "eventName",
    "eventType",
    "recipientAccountId",
    "awsRegion",
    "type",
    "eventCategory",
}


def _letters(story: Story, target: Target, cause: Cause, text: str) -> Iterator[Alert]:
    """Every letter that a finding of this target can become, AWS's own answers being hostile too."""
    told, control = journal(story), story.rule
    deviation = control.detect(told.before, story.all_settings)
    assert deviation
    finding = open_finding(control.id, target, deviation, origin=Origin.EVENT, cause=cause, now=NOW, before=None)
    repair = Repair(NOW, told.plan, told.before, after=told.before, done=0, error=f"{text} said AWS")
    acted = replace(finding, status=Status.REPAIRED, repairs=(repair,))
    refusal = AwsRefusal("AccessDenied", text, Call("iam", "GetUser", {"UserName": text}))
    for transition in ("opened", "escalated", "reminded 24h"):
        yield deviations.found(control, finding, transition, told.before, told.plan, "Plumbline only tells.", SENDER)
    yield outcomes.repaired(control, acted, SENDER)
    yield outcomes.failed(control, acted, "It tries again within the hour.", SENDER)
    yield outcomes.not_converged(control, acted, SENDER)
    yield outcomes.undone(control, acted, told.before, NOW + timedelta(days=1), SENDER)
    yield deviations.fight(control, acted, (NOW, NOW, NOW), SENDER)
    for counter in ("*", Budget(actor="mallory").of_actor):
        held = Restraint(Why.SPENT, NOW, of=counter)
        yield actors.breaker({control.id: control}, acted, Breakers(), held, [acted, finding], SENDER)
    yield actors.and_all_else(outcomes.repaired(control, acted, SENDER), {control.id: control}, acted, [finding])
    hidden = refused(refusal, None, cause, NOW)
    blind = replace(finding, deviation=hidden.deviation, unseen=hidden)
    for one in (blind, replace(finding, unseen=hidden)):
        yield unseen.cannot_look(control, one, hidden, "opened", SENDER, waits=True)
    yield deviations.noted(control, finding, told.before, SENDER)


def _is_harmless(alert: Alert, usual: Alert) -> None:
    assert set(alert.subject) <= _PRINTABLE, alert.subject
    assert len(alert.subject) < 100
    assert not [one for one in alert.body if one != "\n" and not one.isprintable()]
    assert len(alert.body) < len(usual.body) + 4096
    for text in (alert.subject, alert.body):
        live = [one for one in re.findall(r"\S*evil\.example\S*", text) if _LINK.search(one)]
        assert [] == live
        assert "javascript:" not in text.lower()
    mine, _, commands = alert.body.partition("What you can do, in AWS CloudShell in")
    assert commands
    assert [] == [line for line in commands.splitlines() if MARK in line]
    begun = [line.split(MARK)[0] for line in mine.splitlines()[1:] if MARK in line and not line.startswith("  ")]
    assert [] == [start for start in begun if not start.strip()], (
        "hostile text begins a line as if it were Plumbline's own"
    )
    assert [] == [line for line in mine.splitlines() if line.startswith(("Bcc:", "What you can do"))]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("story", ONE_EACH)
def test_a_hostile_cause_reaches_every_letter_harmless(story: Story, text: str) -> None:
    told = journal(story)
    hostile = Cause(**dict.fromkeys(Cause.__slots__, text))
    for alert, usual in zip(
        _letters(story, told.target, hostile, text), _letters(story, told.target, CAUSE, ""), strict=True
    ):
        _is_harmless(alert, usual)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("story", ONE_EACH)
def test_a_hostile_target_reaches_every_letter_harmless(story: Story, text: str) -> None:
    told = journal(story)
    hostile = replace(told.target, id=text)
    for alert, usual in zip(_letters(story, hostile, CAUSE, ""), _letters(story, told.target, CAUSE, ""), strict=True):
        _is_harmless(alert, usual)


@pytest.mark.parametrize("record", RECORDS)
def test_a_hostile_text_anywhere_in_an_event_is_read_without_a_word(record: Recorded) -> None:
    """Locating, witnessing and naming take any text; who did it is never empty."""
    event = record.event()
    for text in TEXTS.values():
        for path in _texts(event):
            hostile = put(event, path, text)
            for wake in messages.from_event(hostile, {record.control: record.rule}):
                assert record.rule.name(wake.target)
                assert messages.read(wake.to_json(), {record.control: record.rule})
            assert cloudtrail.cause(hostile["detail"]).who


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("record", WITNESSED)
def test_hostile_evidence_reaches_the_letter_harmless(record: Recorded, text: str) -> None:
    event, control = record.event(), record.rule
    usual = _note(record, event)
    assert usual
    everywhere = event
    for path in _texts(event):
        everywhere = put(everywhere, path, text)
    for hostile in (everywhere, *(put(event, path, text) for path in _texts(event))):
        alert = _note(record, hostile)
        if alert:
            _is_harmless(alert, usual)
    assert control


def _note(record: Recorded, event: dict[str, object]) -> Alert | None:
    control = record.rule
    settings = {name: schema["default"] for name, schema in control.settings.items()}
    for wake in messages.from_event(event, {control.id: control}):
        deviation: Deviation | None = control.detect(wake.evidence, settings)
        if deviation:
            found: Finding = open_finding(
                control.id, wake.target, deviation, origin=Origin.EVENT, cause=wake.cause, now=NOW, before=None
            )
            return deviations.noted(control, found, wake.evidence, SENDER)
    return None


def _texts(event: dict[str, object]) -> list[tuple[str | int, ...]]:
    """The path to every text of an event's detail that is not its routing."""
    return [
        path
        for path in places(event)
        if path[0] == "detail" and isinstance(at(event, path), str) and path[-1] not in _ROUTING
    ]
