"""Commands that change the account, now or with the next sweep: undo, approve, enforce, sweep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from plumbline.alerts import decisions, wording
from plumbline.alerts.finding import spelled_out
from plumbline.core.errors import AwsRefusal
from plumbline.decisions.exemptions import ANY
from plumbline.engine.approving import approve as carry_out
from plumbline.engine.case import Outcome
from plumbline.engine.undoing import undo as take_back
from plumbline.findings.finding import SHORT, Finding, Status, spoken
from plumbline.handlers.operate.asked import Answer, Asked, Refused, control_of, finding_of, names_control
from plumbline.handlers.operate.lists import name_of, wrapped
from plumbline.handlers.operate.plan import MOST_PLANS, prospect
from plumbline.handlers.operate.typed import Typed

_APPROVED = {
    Outcome.REPAIRED: "Done: {name} is in line with the baseline. To take it back, type: plumbline undo {short}",
    Outcome.NOT_CONVERGED: (
        "AWS accepted every change, and {name} still looks as before; AWS may need a while. "
        "Plumbline looks again within the hour. Type: plumbline show {short}"
    ),
    Outcome.FAILED: "AWS refused a part of it: {reason}\nWhat was done can be undone. Type: plumbline undo {short}",
}

_APPROVED_BESIDE = (
    "Done: what was new of {name} is put right. What was there before Plumbline keeps its grace. "
    "To take it back, type: plumbline undo {short}"
)


_APPROVED_IN_PART = (
    "Done, as far as it can be: what can be put right of {name} is. Not repaired: {left}. "
    "To take it back, type: plumbline undo {short}"
)


def undo(asked: Asked, typed: Typed) -> Answer:
    """Put back what was before a repair."""
    engine, finding = asked.plumbline.engine, finding_of(asked, typed.word)
    done = take_back(engine, asked.plumbline.ledger, finding, now=asked.now, force="force" in typed.flags, by=asked.by)
    control = engine.controls[finding.control]
    facts = {
        "Now": control.describe(done.state),
        "Left alone": f"until {wording.moment(done.until)}; after that it is judged afresh",
        "Not undone": finding.repairs[-1].plan.irreversible,
    }
    name = wording.clean(control.name(finding.target))
    text = f"Undone: {name} is as it was before the repair {finding.short}."
    if not done.restored:
        text = f"The undo of {finding.short} did not bring {name} back as it was: {done.why_not}."
    return Answer(f"{text}\n{wording.table(facts)}", {"finding": done.finding.id, "until": done.until.isoformat()})


def approve(asked: Asked, typed: Typed) -> Answer:
    """Do what is proposed, if the target still is as it was then."""
    engine, finding = asked.plumbline.engine, finding_of(asked, typed.word)
    if finding.control not in engine.controls:
        raise Refused(f"{finding.short} belongs to the control {finding.control}, which this version does not have.")
    settled = carry_out(engine, finding, now=asked.now, by=asked.by)
    name = wording.clean(engine.controls[finding.control].name(finding.target))
    data = {"finding": finding.id, "outcome": settled.outcome.value, "reason": settled.reason}
    said = _APPROVED.get(settled.outcome)
    if settled.outcome is Outcome.REPAIRED and settled.finding and settled.finding.is_open:
        said = _APPROVED_BESIDE
    if said is None:
        return Answer(
            f"Not done: {settled.outcome.value}{f', {settled.reason}' if settled.reason else ''}. "
            f"Type: plumbline plan {finding.short}",
            data,
            ok=False,
        )
    left = settled.finding.repairs[-1].plan.left if settled.finding and settled.finding.is_open else {}
    if settled.outcome is Outcome.REPAIRED and left:
        said = _APPROVED_IN_PART
    text = said.format(
        name=name,
        short=finding.short,
        reason=wording.clean(settled.reason),
        left=wording.clean(spelled_out(left)),
    )
    return Answer(text, data, ok=settled.outcome is not Outcome.FAILED)


def enforce(asked: Asked, typed: Typed) -> Answer:
    """End adoption's grace, so that repairs run on their own clocks."""
    what, found = _meant(asked, typed.word)
    graced = [one for one in found if _in_grace(one, asked.now)]
    if not graced:
        return Answer(
            "Nothing is in adoption's grace here, so there is nothing to end: every finding runs on its own clock.\n"
            "Type: plumbline plan",
            {"enforced": []},
        )
    words = " ".join(["enforce", *typed.words, "--yes"])
    lines = _consequences(asked, graced)  # before anything is written: what AWS refuses must not hide what was done
    if "yes" not in typed.flags:
        head = f"This ends the grace of {_count(graced)}{what}. Then:"
        tail = f"Nothing was changed. To do it, type: plumbline {words}"
        data = {"enforced": [], "would": [one.id for one in graced]}
        return Answer("\n".join([head, "", *lines, "", tail]), data, ok=False)
    ended = [replace(one, grace_until=None, enforced_by=asked.by, due=asked.now, then="") for one in graced]
    done = [one for one in ended if asked.put(one)]
    busy = len(graced) - len(done)
    missed = f"{busy} more just being settled; type the same again in two minutes." if busy else ""
    named = [f"{one.short}  {_named(asked, one)}" for one in done]
    sender = asked.plumbline.engine.deployment.sender
    trouble = asked.tell(decisions.enforced(named, asked.by, sender)) if done else ""
    head = f"The grace of {_count(done)}{what} is over:"
    then = "\n".join(lines)
    tail = "The next sweep settles what is due. Not to wait for it, type: plumbline sweep"
    answer = "\n\n".join(part for part in (head, then, tail, missed, trouble) if part)
    return Answer(answer, {"enforced": [one.id for one in done]}, ok=not missed)


def sweep(asked: Asked, _typed: Typed) -> Answer:
    """Look through the account now."""
    if asked.connections.units is None:
        raise Refused("there is no queue for the pieces of a sweep here; wait for the hourly one")
    units = asked.plumbline.units()
    asked.connections.units.send([one.to_json() for one in units])
    controls = len({control for one in units for control in one.controls})
    return Answer(
        f"A sweep is on its way: {len(units)} piece{'s' * (len(units) != 1)}, {controls} controls. It takes a minute "
        "or two; what it finds comes by e-mail.\nThen type: plumbline status",
        {"units": len(units)},
    )


def _meant(asked: Asked, word: str) -> tuple[str, Sequence[Finding]]:
    """The open findings that a word names: one, those of a control, or all; and how to say so."""
    found = asked.open_findings()
    if not word:
        return "", found
    is_id = len(spoken(word)) >= SHORT and word.strip().isalnum() and not names_control(asked, word)
    if is_id and word != "all":
        one = finding_of(asked, word)
        return "", [one] if one.is_open else []
    control = control_of(asked, word)
    if control == ANY:
        return "", found
    return f" of {control}", [one for one in found if one.control == control]


def _consequences(asked: Asked, found: Sequence[Finding]) -> list[str]:
    """What ending the grace of each finding means: it is looked at again for that, so of some only."""
    lines = []
    for one in found[:MOST_PLANS]:
        lines += [f"  {one.short}  {_named(asked, one)}", *wrapped(wording.clean(_then(asked, one)), " " * 8)]
    more = found[MOST_PLANS:]
    lines += [f"  {one.short}  {_named(asked, one)}" for one in more]
    if more:
        lines.append(f"  The last {len(more)} were not looked at again; for one type: plumbline plan {more[0].short}")
    limits = asked.plumbline.engine.baseline.breakers
    if len(found) > min(limits.per_control, limits.in_all):
        most = f"At most {limits.per_control} repairs of one control, and {limits.in_all} of all, are made in an hour."
        lines += ["", f"  {most}"]
    return lines


def _named(asked: Asked, finding: Finding) -> str:
    control = asked.plumbline.engine.controls.get(finding.control)
    return wording.clean(f"{name_of(control, finding)} {finding.deviation.summary}", 140)


def _in_grace(finding: Finding, now: datetime) -> bool:
    return finding.grace_until is not None and finding.grace_until > now and finding.status is not Status.EXEMPT


def _then(asked: Asked, finding: Finding) -> str:
    control = asked.plumbline.engine.controls.get(finding.control)
    if control is None or control.observe is None:
        return "Nothing: this version does not have its control, or cannot look at it again."
    try:
        return prospect(asked, finding, control, graced=False).what
    except AwsRefusal as error:
        return f"Not known, for it cannot be looked at: {wording.clean(str(error))}"


def _count(found: Sequence[Finding]) -> str:
    return f"{len(found)} finding{'s' * (len(found) != 1)}"
