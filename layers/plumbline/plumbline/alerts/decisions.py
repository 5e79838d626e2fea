"""Alerts about what people decided: exemptions and pauses. Pure. What a person typed is cleaned like anything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from plumbline.alerts import alert, wording
from plumbline.alerts.alert import Alert, Sender
from plumbline.decisions.exemptions import ANY, Exemption, Notice
from plumbline.decisions.pauses import Pause
from plumbline.findings.budgets import EVERY_CRITICAL, is_of_actor

_SHOWN = 120
_NAMED = 20


def exempted(exemption: Exemption, covered: int, sender: Sender, *, nothing: str = "") -> Alert:
    """Somebody made an exemption; `nothing` says why it can never cover anything, where that is so."""
    if nothing:
        return _about(exemption, "exempt", f"This exemption covers nothing: {wording.clean(nothing)}.", sender)
    lead = (
        f"{_left_alone(exemption)} until {wording.moment(exemption.until)}: it is watched and listed, and not "
        f"repaired. Open findings that this covers now: {covered or 'none'}."
    )
    return _about(exemption, "exempt", lead, sender)


def unexempted(exemption: Exemption, by: str, sender: Sender) -> Alert:
    """Somebody ended an exemption early."""
    lead = (
        "A person ended this exemption before its time. What it covered is judged again with the next sweep, and "
        "repaired when its clock says so."
    )
    return _about(exemption, "exemption ended", lead, sender, by=by)


def ending(exemption: Exemption, notice: Notice, sender: Sender) -> Alert:
    """An exemption is about to end, or has ended."""
    if notice == "expiring":
        lead = (
            f"This exemption ends on {wording.moment(exemption.until)}. Then what it covers is judged like anything "
            "else. Until then put it in line, write it into baseline.yaml, or exempt it anew, with a reason."
        )
        return _about(exemption, "exemption ends soon", lead, sender)
    lead = (
        f"This exemption ended on {wording.moment(exemption.until)}. What it covered is judged again with the next "
        "sweep; what is still out of line is repaired when its clock says so."
    )
    return _about(exemption, "exemption ended", lead, sender)


def paused(control: str, pause: Pause, sender: Sender) -> Alert:
    """Somebody paused repairs."""
    lead = (
        f"A person paused {repairs(control)} until {wording.moment(pause.until)}. Plumbline keeps watching and "
        "telling, and repairs what is due when the pause is over."
    )
    rows = {"Reason": pause.reason, "By": wording.said(pause.by)}
    commands = {f"resume{_named(control)}": "end the pause now", "status": "how things stand"}
    return alert.notice(
        "paused", repairs(control), control=control, lead=lead, rows=rows, commands=commands, sender=sender
    )


def resumed(control: str, what: Mapping[str, str], by: str, sender: Sender) -> Alert:
    """Somebody lifted a pause or reset the breakers."""
    lead = f"A person let {repairs(control)} go on. What is due is repaired with the next sweep."
    rows = {**what, "By": wording.said(by)}
    commands = {
        f"pause{_named(control)} --hours 4 --reason WHY": "stop again",
        "status": "how things stand",
    }
    return alert.notice(
        "resumed", repairs(control), control=control, lead=lead, rows=rows, commands=commands, sender=sender
    )


def enforced(named: Sequence[str], by: str, sender: Sender) -> Alert:
    """Somebody ended adoption's grace.

    Args:
        named: the findings it ended for, each by its id and what is wrong.
        by: who said so, as STS has proven it.
        sender: names commands and account.
    """
    count = f"{len(named)} finding{'s' * (len(named) != 1)}"
    lead = (
        f"A person ended adoption's grace for {count}: things that were there before Plumbline, and were left alone. "
        "From now on they run on their own clocks, and the next sweep repairs what is due."
    )
    shown = [*named[:_NAMED], *([f"and {len(named) - _NAMED} more"] if len(named) > _NAMED else [])]
    rows = {f"{number}.": one for number, one in enumerate(shown, 1)} | {"By": wording.said(by)}
    commands = {
        "plan": "what is done when",
        "pause --hours 4 --reason WHY": "stop for a while",
        "findings": "all that is open",
    }
    return alert.notice("grace ended", count, control=ANY, lead=lead, rows=rows, commands=commands, sender=sender)


def doubted(found: Sequence[tuple[str, str]], sender: Sender) -> Alert:
    """The ledger holds what nobody can have decided.

    Args:
        found: what, and why nobody can have.
        sender: names commands and account.
    """
    count = f"{len(found)} decision{'s' * (len(found) != 1)}"
    lead = (
        f"In the ledger there {'is' if len(found) == 1 else 'are'} {count} that no command of Plumbline can have made, "
        "so somebody wrote to the table, or baseline.yaml allows less than before. Nothing is held back by that: "
        "repairs go on as if it were not there. Find out who can write to the ledger's table; CloudTrail's data events "
        "of it tell, if your trail records them. End each of them, or, if one is meant, type it anew."
    )
    shown = [f"{what}: {why}" for what, why in found[:_NAMED]]
    shown += [f"and {len(found) - _NAMED} more"] if len(found) > _NAMED else []
    rows = {f"{number}.": one for number, one in enumerate(shown, 1)}
    commands = {"exemptions": "all that is exempt", "status": "how things stand"}
    return alert.notice("not believed", count, control=ANY, lead=lead, rows=rows, commands=commands, sender=sender)


def refused(words: Sequence[str], who: str, why: str, sender: Sender, *, last: bool) -> Alert:
    """Somebody who may not command Plumbline typed a command that changes something.

    Args:
        words: what he typed.
        who: his ARN, as STS has proven it.
        why: why he may not, as it reads after "because".
        sender: names commands and account.
        last: whether this is the last of its kind that is told of on this day.
    """
    lead = (
        "Somebody who may not command Plumbline typed a command that changes something, and was refused, because "
        f"{why}. Nothing was done. If you do not know why he tried, look what else he did."
    )
    if last:
        lead += " There were others today; no more of them are told of before tomorrow."
    rows = {"Who": who, "Typed": " ".join(words)}
    commands = {"status": "how things stand", "findings": "all that is open"}
    name = wording.clean(who.rpartition("/")[2], _SHOWN)
    return alert.notice(
        "refused", f"a command of {name}", control=ANY, lead=lead, rows=rows, commands=commands, sender=sender
    )


def repairs(control: str) -> str:
    """What a pause holds back, or a counter of this clock hour counts."""
    if control == EVERY_CRITICAL:
        return "all repairs of critical rules"
    if is_of_actor(control):
        return "repairs of what one principal did"
    return "all repairs" if control == ANY else f"repairs of {control}"


def rule(control: str) -> str:
    """A control, or all of them, as the subject of a sentence."""
    return "every rule" if control == ANY else control


def _about(exemption: Exemption, verb: str, lead: str, sender: Sender, *, by: str = "") -> Alert:
    rows = {
        "Exempt": exemption.target,
        "From": rule(exemption.control),
        "Until": wording.moment(exemption.until),
        "Owner": exemption.owner,
        "Reason": exemption.reason,
        "Made by": wording.said(exemption.by),
        "Written in": "" if exemption.id else "baseline.yaml; to end it now, remove it there and deploy",
        "Ended by": wording.said(by),
    }
    commands = {
        f"unexempt {exemption.id}": "end it now" if exemption.id and verb in ("exempt", "exemption ends soon") else "",
        "exemptions": "all of them",
        "status": "how things stand",
    }
    target = exemption.target.removeprefix(f"{sender.account}/")
    what = f"{wording.clean(target, _SHOWN)} from {rule(exemption.control)}, until {exemption.until:%Y-%m-%d}"
    kept = {one: gist for one, gist in commands.items() if gist}
    return alert.notice(verb, what, control=exemption.control, lead=lead, rows=rows, commands=kept, sender=sender)


def _left_alone(exemption: Exemption) -> str:
    who = "Every rule" if exemption.control == ANY else f"The rule {exemption.control}"
    return f"{who} leaves {wording.clean(exemption.target, _SHOWN)} alone"


def _named(control: str) -> str:
    return "" if control == ANY else f" {control}"
