"""Commands that stop all repairs, or those of a control, for a while, and let them go on: pause, resume."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from plumbline.alerts import decisions, wording
from plumbline.alerts.shell import pasted
from plumbline.baseline.rules import Breakers
from plumbline.decisions.exemptions import ANY
from plumbline.decisions.pauses import Pause
from plumbline.findings import clocks
from plumbline.findings.budgets import EVERY_CONTROL, EVERY_CRITICAL, is_of_actor
from plumbline.findings.finding import MAX_ATTEMPTS, Finding, Status
from plumbline.handlers.operate.asked import ALL, MOST_WRITTEN, Answer, Asked, control_of
from plumbline.handlers.operate.lists import NOT_TO_WAIT, paragraphs, table
from plumbline.handlers.operate.pages import FOR_SCRIPTS, some
from plumbline.handlers.operate.typed import Typed, text_of, until_of

PAUSE_EXAMPLE = "pause --hours 4 --reason 'migration until noon'"

#: What holds repairs back beside a pause, by the options of resume.
_OTHERS = ("breakers", "fights", "tries")
KINDS = (*_OTHERS, "all")
_LATER = (
    f"{{count}} were put off. The first {MOST_WRITTEN}, worst first, are looked at with the next sweep, the others at "
    "the hour that their e-mails name."
)


def pause(asked: Asked, typed: Typed) -> Answer:
    """Repair nothing for a while."""
    control = control_of(asked, typed.word) if typed.words else ANY
    until = until_of(
        asked,
        typed,
        most_days=asked.plumbline.engine.baseline.patience.pause_days,
        setting="pauses.max_days",
    )
    made = Pause(until, text_of(typed, "reason"), asked.by)
    before, version = asked.plumbline.ledger.all_pauses(asked.account)
    running = {name: one for name, one in before.items() if one.until > asked.now}
    asked.plumbline.ledger.save_pauses(asked.account, {**running, control: made}, version)
    trouble = asked.tell(decisions.paused(control, made, asked.plumbline.engine.deployment.sender))
    text = (
        f"Paused: {decisions.repairs(control)}, until {wording.moment(until)}. Plumbline goes on watching and telling. "
        "A repair that is running at this moment is finished."
    )
    old = running.get(control)
    replaces = table({"Replaces": f"the pause until {wording.moment(old.until)}: {old.reason}"}) if old else ""
    end = f"To go on before that, type: {pasted('resume', *([] if control == ANY else [control]))}"
    return Answer(
        paragraphs(text, replaces, end, trouble),
        {"control": control, "pause": made.to_json(), "replaces": old.to_json() if old else None},
    )


@dataclass(frozen=True, slots=True)
class _Held:
    """What a resume may let go on: all that holds repairs back."""

    pauses: Mapping[str, Pause]
    counted: Mapping[str, int]
    fights: Sequence[Finding]
    given_up: Sequence[Finding]

    @property
    def facts(self) -> dict[str, str]:
        """Each kind, in words; empty where there is none."""
        return {
            "Pauses": "; ".join(f"{decisions.repairs(name)}, {one.reason}" for name, one in self.pauses.items()),
            "Counted": "; ".join(f"{decisions.repairs(name)}, {count} so far" for name, count in self.counted.items()),
            "Fights": some([one.short for one in self.fights]),
            "Tried in vain": some([one.short for one in self.given_up]),
        }

    def of(self, kinds: frozenset[str]) -> _Held:
        """Those of some kinds."""
        return _Held(
            self.pauses if "pauses" in kinds else {},
            self.counted if "breakers" in kinds else {},
            self.fights if "fights" in kinds else (),
            self.given_up if "tries" in kinds else (),
        )


def resume(asked: Asked, typed: Typed) -> Answer:
    """Lift a pause; and where a person says so, count repairs anew, or try again what was fought over or tried in vain.

    Without an option it lifts pauses. Where there is none it lets go on what else holds back the control that is named,
    as the e-mails of earlier versions say; without a control it says what stands still, and changes nothing.
    """
    control = control_of(asked, typed.word) if typed.words else ANY
    ledger, now = asked.plumbline.ledger, asked.now
    before, version = ledger.all_pauses(asked.account)
    running = {name: one for name, one in before.items() if one.until > now}
    waiting = [
        one for one in asked.open_findings() if control in (ANY, one.control) and one.status is not Status.EXEMPT
    ]
    fights = [one for one in waiting if "fight" in one.told]
    there = _Held(
        {name: one for name, one in running.items() if control in (ANY, name)},
        _counted(asked, control),
        fights,
        [one for one in waiting if one.tries >= MAX_ATTEMPTS and "fight" not in one.told],
    )
    stands = replace(there, counted={name: there.counted[name] for name in tripped(asked, there.counted)})
    done = there.of(_kinds(typed, paused=bool(there.pauses)))
    if done.pauses:
        ledger.save_pauses(
            asked.account, {name: one for name, one in running.items() if name not in done.pauses}, version
        )
    _forget_counts(asked, done.counted)
    done = replace(done, fights=_forget_fights(asked, done.fights), given_up=_forgive_tries(asked, done.given_up))
    left = paragraphs(*_left(typed, stands, done), _paused(running, control))
    if not any(done.facts.values()):
        if not any(stands.facts.values()):
            nothing = f"There was nothing to resume: {decisions.repairs(control)} go on as they are."
            return Answer(paragraphs(nothing, left))
        none = (
            f"There is no pause, so nothing was changed. {_capital(decisions.repairs(control))} are held back by this:"
        )
        return Answer(paragraphs(none, table(stands.facts), left), _data(control, done), ok=False)
    labels = {"Pauses": "Pauses lifted", "Counted": "Counted anew", "Tried in vain": "Tried again"}
    facts = {labels.get(label, label): text for label, text in done.facts.items()}
    trouble = asked.tell(decisions.resumed(control, facts, asked.by, asked.plumbline.engine.deployment.sender))
    apart = _ids(there.fights) | _ids(there.given_up)
    put_off = [one for one in waiting if one.id not in apart and _waits(asked, one)]
    asked.put_all([replace(one, due=now) for one in put_off[:MOST_WRITTEN]])
    head = f"Resumed: {decisions.repairs(control)}. What is due is repaired with the next sweep."
    later = _LATER.format(count=len(put_off)) if len(put_off) > MOST_WRITTEN else ""
    return Answer(paragraphs(head, table(facts), later, NOT_TO_WAIT, left, trouble), _data(control, done))


def _kinds(typed: Typed, *, paused: bool) -> frozenset[str]:
    """What a person wants to go on."""
    if "all" in typed.flags:
        return frozenset({"pauses", *_OTHERS})
    if typed.flags:
        return typed.flags
    return frozenset({"pauses"}) if paused or not typed.words or typed.word in (ALL, ANY) else frozenset(_OTHERS)


def _left(typed: Typed, there: _Held, done: _Held) -> Iterator[str]:
    """What still stands still, each with what to type."""
    again, tried = _ids(done.fights), _ids(done.given_up)
    said = {
        "breakers": (there.counted if not done.counted else (), "To count this hour's repairs anew"),
        "fights": ([one for one in there.fights if one.id not in again], "To try the fights again"),
        "tries": (
            [one for one in there.given_up if one.id not in tried],
            "To try again what was tried in vain",
        ),
    }
    for flag, (what, words) in said.items():
        if what:
            yield f"{words}, type: {pasted('resume', *typed.words, f'--{flag}')}"


def _paused(running: Mapping[str, Pause], control: str) -> str:
    """That all repairs are paused, for who asked about one control."""
    every = running.get(EVERY_CONTROL) if control != ANY else None
    if every is None:
        return ""
    return f"All repairs are paused until {wording.moment(every.until)}. To lift that too, type: plumbline resume"


def _data(control: str, done: _Held) -> dict[str, Any]:
    return {
        "control": control,
        "pauses": list(done.pauses),
        "counters": dict(done.counted),
        "fights": [one.id for one in done.fights[:FOR_SCRIPTS]],
        "fight_count": len(done.fights),
        "tried_again": [one.id for one in done.given_up[:FOR_SCRIPTS]],
        "tried_again_count": len(done.given_up),
    }


def _ids(found: Sequence[Finding]) -> set[str]:
    return {one.id for one in found}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def tripped(asked: Asked, spent: Mapping[str, int]) -> dict[str, str]:
    """The counters whose repairs of this clock hour are used up, each in words.

    Args:
        asked: for the limits.
        spent: how many repairs were made in this clock hour, by counter: a control, a principal, or all.
    """
    limits = asked.plumbline.engine.baseline.breakers
    return {
        name: f"{decisions.repairs(name)}, {count} in this clock hour"
        for name, count in spent.items()
        if _counts_repairs(asked, name) and count >= _most(name, limits)
    }


def _counts_repairs(asked: Asked, counter: str) -> bool:
    """Whether a counter counts repairs of something that is there, rather than e-mails."""
    return (
        counter in (EVERY_CONTROL, EVERY_CRITICAL) or is_of_actor(counter) or counter in asked.plumbline.engine.controls
    )


def _most(counter: str, limits: Breakers) -> int:
    if is_of_actor(counter):
        return limits.per_actor
    return limits.in_all if counter in (EVERY_CONTROL, EVERY_CRITICAL) else limits.per_control


def _counted(asked: Asked, control: str) -> Mapping[str, int]:
    """What was repaired in this clock hour, by counter."""
    spent = asked.plumbline.ledger.spent_in(asked.account, asked.now)
    return {
        name: count
        for name, count in spent.items()
        if count and _counts_repairs(asked, name) and control in (ANY, name)
    }


def _forget_counts(asked: Asked, counted: Mapping[str, int]) -> None:
    """Count the repairs of this clock hour anew."""
    ledger, now = asked.plumbline.ledger, asked.now
    for name in counted:
        ledger.forget_spent(asked.account, name, now)
        # the next time the breaker stops repairs within this hour is news again
        ledger.told(f"breaker#{name}#{_hour(now):%Y-%m-%dT%H}", now=now, within=timedelta(0))


def _forget_fights(asked: Asked, waiting: Sequence[Finding]) -> Sequence[Finding]:
    """Let the targets that somebody fought over be repaired again."""
    return asked.put_all(
        [
            replace(one, told=tuple(told for told in one.told if told != "fight"), repaired_at=(), due=asked.now)
            for one in waiting[:MOST_WRITTEN]
            if "fight" in one.told
        ]
    )


def _forgive_tries(asked: Asked, waiting: Sequence[Finding]) -> Sequence[Finding]:
    """Let repairs that did not hold, several times, be tried again."""
    return asked.put_all(
        [
            replace(one, forgiven=len(one.repairs), then="", due=asked.now)
            for one in waiting[:MOST_WRITTEN]
            if one.tries >= MAX_ATTEMPTS
        ]
    )


def _waits(asked: Asked, finding: Finding) -> bool:
    """Whether a finding's repair was due, and only a pause or a breaker put it off."""
    control = asked.plumbline.engine.controls.get(finding.control)
    acts = clocks.acts_at(asked.plumbline.engine.rule(control.id), finding) if control else None
    return acts is not None and acts <= asked.now and finding.due is not None and finding.due > asked.now


def _hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0)
