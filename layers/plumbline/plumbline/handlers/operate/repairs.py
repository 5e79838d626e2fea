"""Commands that change the account, now or with the next sweep: undo, approve, enforce, sweep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from plumbline.alerts import decisions, wording
from plumbline.alerts.finding import spelled_out
from plumbline.alerts.shell import by_aws_cli, pasted, spelled
from plumbline.core.calls import Call
from plumbline.core.errors import AwsRefusal
from plumbline.decisions.exemptions import ANY
from plumbline.engine.approving import approve as carry_out
from plumbline.engine.by_person import done as go_on
from plumbline.engine.case import Outcome, Settled
from plumbline.engine.undoing import Undone
from plumbline.engine.undoing import undo as take_back
from plumbline.findings.clocks import acts_at, clock_named
from plumbline.findings.finding import SHORT, Finding, Status, spoken
from plumbline.handlers.operate import held, suspensions
from plumbline.handlers.operate.asked import MOST_WRITTEN, Answer, Asked, Refused, control_of, finding_of, names_control
from plumbline.handlers.operate.lists import name_of, table, wrapped
from plumbline.handlers.operate.pages import FOR_PEOPLE, FOR_SCRIPTS
from plumbline.handlers.operate.plan import MOST_PLANS, prospect
from plumbline.handlers.operate.typed import Typed

_APPROVED = {
    Outcome.REPAIRED: "Done: {name} is in line with the baseline. To take it back, type: plumbline undo {short}",
    Outcome.NOT_CONVERGED: (
        "AWS accepted every change, and {name} still looks as before; AWS may need a while. "
        "Plumbline looks again within the hour. Type: plumbline show {short}"
    ),
    Outcome.UNSEEN: (
        "It was repaired, and AWS does not show how it is now: {reason}\nPlumbline looks again within the hour, and an "
        "e-mail tells. To take it back, type: plumbline undo {short} --force"
    ),
    Outcome.FAILED: "AWS refused a part of it: {reason}\nWhat was done can be undone. Type: plumbline undo {short}",
}

_APPROVED_BESIDE = (
    "Done: what was new of {name} is put right. What was there before keeps its time. "
    "To take it back, type: plumbline undo {short}"
)


_APPROVED_IN_PART = (
    "Done, as far as it can be: what can be put right of {name} is. Not repaired: {left}. "
    "To take it back, type: plumbline undo {short}"
)


#: The most digits of a number that is typed behind an option.
_DIGITS = 3


def undo(asked: Asked, typed: Typed) -> Answer:
    """Put back what was before a repair."""
    engine, finding = asked.plumbline.engine, finding_of(asked, typed.word)
    held.refuse_to_lift(asked, finding)
    done = take_back(engine, asked.plumbline.ledger, finding, now=asked.now, force="force" in typed.flags, by=asked.by)
    if done.asks:
        return _handed(asked, done.finding, done.asks)
    return _taken_back(asked, finding, done)


def _taken_back(asked: Asked, finding: Finding, done: Undone) -> Answer:
    control = asked.plumbline.engine.controls[finding.control]
    facts = {
        "Now": control.describe(done.state),
        "Left alone": f"until {wording.moment(done.until)}; after that it is judged afresh",
        "Not undone": finding.repairs[-1].plan.irreversible,
    }
    name = wording.clean(control.name(finding.target))
    text = f"Undone: {name} is as it was before the repair {finding.short}."
    if not done.restored:
        text = f"The undo of {finding.short} did not bring {name} back as it was: {done.why_not}."
    return Answer(f"{text}\n{table(facts)}", {"finding": done.finding.id, "until": done.until.isoformat()})


def approve(asked: Asked, typed: Typed) -> Answer:
    """Do what is proposed, if the target still is as it was then."""
    engine, finding = asked.plumbline.engine, finding_of(asked, typed.word)
    if finding.control not in engine.controls:
        raise Refused(f"{finding.short} belongs to the control {finding.control}, which this version does not have.")
    settled = carry_out(engine, finding, now=asked.now, by=asked.by)
    if settled.finding is not None and settled.asks:
        return _handed(asked, settled.finding, settled.asks)
    return _approved(asked, finding, settled)


def done(asked: Asked, typed: Typed) -> Answer:
    """Go on with an undo or a repair of which a person has made his part."""
    if (ended := suspensions.done(asked, typed)) is not None:
        return ended
    engine, finding = asked.plumbline.engine, finding_of(asked, typed.words[0])
    if finding.control not in engine.controls:
        raise Refused(f"{finding.short} belongs to the control {finding.control}, which this version does not have.")
    failed = typed.options.get("failed", "0")
    if not (failed.isascii() and failed.isdigit() and len(failed) <= _DIGITS):
        raise Refused("--failed takes the number of the call that AWS refused, from 1")
    came = go_on(engine, finding, typed.words[1], now=asked.now, by=asked.by, failed=int(failed))
    return _taken_back(asked, finding, came) if isinstance(came, Undone) else _approved(asked, finding, came)


def _handed(asked: Asked, finding: Finding, calls: Sequence[Call]) -> Answer:
    """What a person has to make with rights of his own, for the shell function and for who has it not."""
    control = asked.plumbline.engine.controls[finding.control]
    then = ("done", finding.short, finding.ticket)
    until = wording.moment(finding.lease or asked.now)
    lead = (
        f"Nothing was done yet: of {wording.clean(control.name(finding.target))} this gives rights that no role of "
        "Plumbline may give, so it takes yours. The shell function makes these calls, and says so. Without it, paste "
        f"them, all in this order, and then the last line, by {until}:"
    )
    lines = [*map(by_aws_cli, calls), pasted(*then)]
    perform = tuple(
        {
            "service": call.service,
            "operation": spelled(call.operation),
            "parameters": dict(call.parameters),
            "absent": list(call.absent),
        }
        for call in calls
    )
    text = "\n".join([*wrapped(lead, ""), "", *(f"  {line}" for line in lines)])
    data = {"finding": finding.id, "perform": perform, "then": then}
    return Answer(text, data, ok=False, perform=perform, then=then)


def _approved(asked: Asked, finding: Finding, settled: Settled) -> Answer:
    engine = asked.plumbline.engine
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
    again = typed.again(flags=["yes"])
    lines = _consequences(asked, graced)  # before anything is written: what AWS refuses must not hide what was done
    if "yes" not in typed.flags:
        head = f"This ends the grace of {_count(graced)}{what}. Then:"
        tail = f"{_waits(asked, graced)}Nothing was changed. To do it, type: {again}"
        data = {"enforced": [], "would": [one.id for one in graced[:FOR_SCRIPTS]], "would_count": len(graced)}
        return Answer("\n".join([head, "", *lines, "", tail]), data, ok=False)
    ended = [_without_grace(one, asked) for one in graced[:MOST_WRITTEN]]
    done = asked.put_all(ended)
    busy, later = len(ended) - len(done), len(graced) - len(ended)
    missed = f"{busy} more just being settled. In two minutes, type: {again}" if busy else ""
    missed = f"That was the grace of so many as one command ends; {later} are left. Type: {again}" if later else missed
    named = [f"{one.short}  {_named(asked, one)}" for one in done]
    sender = asked.plumbline.engine.deployment.sender
    trouble = asked.tell(decisions.enforced(named, asked.by, sender)) if done else ""
    head = f"The grace of {_count(done)}{what} is over:"
    then = "\n".join(lines)
    tail = f"{_waits(asked, graced)}The next sweep settles what is due. Not to wait for it, type: plumbline sweep"
    answer = "\n\n".join(part for part in (head, then, tail, missed, trouble) if part)
    data = {"enforced": [one.id for one in done[:FOR_SCRIPTS]], "enforced_count": len(done)}
    return Answer(answer, data, ok=not missed)


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
        lines += [*_row(asked, one), *wrapped(wording.clean(_then(asked, one)), " " * 8)]
    more = found[MOST_PLANS:]
    lines += [line for one in more[:FOR_PEOPLE] for line in _row(asked, one)]
    if len(more) > FOR_PEOPLE:
        lines.append(f"  and {len(more) - FOR_PEOPLE} more. To see all that is open, type: {pasted('findings')}")
    if more:
        lines.append(f"  The last {len(more)} were not looked at again; for one type: {pasted('plan', more[0].short)}")
    limits = asked.plumbline.engine.baseline.breakers
    if len(found) > min(limits.per_control, limits.in_all):
        most = f"At most {limits.per_control} repairs of one control, and {limits.in_all} of all, are made in an hour."
        lines += ["", f"  {most}"]
    return lines


def _waits(asked: Asked, found: Sequence[Finding]) -> str:
    """What to write in baseline.yaml for those that wait for a clock of their own, once the grace is over."""
    engine = asked.plumbline.engine
    for one in found:
        rule = engine.rule(one.control) if one.control in engine.controls else None
        at = acts_at(rule, replace(one, grace_until=None)) if rule else None
        if rule and at and at > asked.now:
            shorter = f"`{one.control}: {{clocks: {{{clock_named(rule, one)}: {{act: 0}}}}}}`"
            return (
                "What has a date above waits for its own clock, which counts from when it was first seen. To have it "
                f"sooner, write {shorter} below controls in baseline.yaml, and deploy.\n\n"
            )
    return ""


def _row(asked: Asked, finding: Finding) -> list[str]:
    first, *rest = wrapped(_named(asked, finding), " " * 8)
    return [f"  {finding.short}  {first.lstrip()}", *rest]


def _named(asked: Asked, finding: Finding) -> str:
    control = asked.plumbline.engine.controls.get(finding.control)
    return wording.clean(f"{name_of(control, finding)} {finding.deviation.summary}", 140)


def _in_grace(finding: Finding, now: datetime) -> bool:
    return bool(finding.spared(now)) and finding.status is not Status.EXEMPT


def _without_grace(finding: Finding, asked: Asked) -> Finding:
    """A finding whose grace a person ends: he has heard of it, however he did."""
    return replace(finding, grace_until=None, unheard=False, enforced_by=asked.by, due=asked.now, then="")


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
