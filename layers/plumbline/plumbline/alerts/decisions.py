"""Letters about what people decided: exemptions and pauses. Pure. What a person typed is cleaned like anything else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from plumbline.alerts import wording
from plumbline.alerts.wording import Letter, Voice
from plumbline.decisions.exemptions import ANY, Exemption, Notice
from plumbline.decisions.pauses import Pause

_SHOWN = 120
_NAMED = 20


def exempted(exemption: Exemption, covered: int, voice: Voice, *, nothing: str = "") -> Letter:
    """Somebody made an exemption; `nothing` says why it can never cover anything, where that is so."""
    if nothing:
        return _about(exemption, "exempt", f"This exemption covers nothing: {wording.clean(nothing)}.", voice)
    lead = (
        f"{_left_alone(exemption)} until {wording.moment(exemption.until)}: it is watched and listed, and not "
        f"repaired. Open findings that this covers now: {covered or 'none'}."
    )
    return _about(exemption, "exempt", lead, voice)


def unexempted(exemption: Exemption, by: str, voice: Voice) -> Letter:
    """Somebody ended an exemption early."""
    lead = (
        "A person ended this exemption before its time. What it covered is judged again with the next sweep, and "
        "repaired when its clock says so."
    )
    return _about(exemption, "exemption ended", lead, voice, by=by)


def ending(exemption: Exemption, notice: Notice, voice: Voice) -> Letter:
    """An exemption is about to end, or has ended."""
    if notice == "expiring":
        lead = (
            f"This exemption ends on {wording.moment(exemption.until)}. Then what it covers is judged like anything "
            "else. Until then put it in line, write it into baseline.yaml, or exempt it anew, with a reason."
        )
        return _about(exemption, "exemption ends soon", lead, voice)
    lead = (
        f"This exemption ended on {wording.moment(exemption.until)}. What it covered is judged again with the next "
        "sweep; what is still out of line is repaired when its clock says so."
    )
    return _about(exemption, "exemption ended", lead, voice)


def paused(control: str, pause: Pause, voice: Voice) -> Letter:
    """Somebody paused repairs."""
    lead = (
        f"A person paused {repairs(control)} until {wording.moment(pause.until)}. Plumbline keeps watching and "
        "telling, and repairs what is due when the pause is over."
    )
    rows = {"Reason": pause.reason, "By": wording.said(pause.by)}
    commands = {f"resume{_named(control)}": "end the pause now", "status": "how things stand"}
    return wording.notice(
        "paused", repairs(control), control=control, lead=lead, rows=rows, commands=commands, voice=voice
    )


def resumed(control: str, what: Mapping[str, str], by: str, voice: Voice) -> Letter:
    """Somebody lifted a pause or reset the breakers."""
    lead = f"A person let {repairs(control)} go on. What is due is repaired with the next sweep."
    rows = {**what, "By": wording.said(by)}
    commands = {
        f"pause{_named(control)} --hours 4 --reason WHY": "stop again",
        "status": "how things stand",
    }
    return wording.notice(
        "resumed", repairs(control), control=control, lead=lead, rows=rows, commands=commands, voice=voice
    )


def enforced(named: Sequence[str], by: str, voice: Voice) -> Letter:
    """Somebody ended adoption's grace.

    Args:
        named: the findings it ended for, each by its id and what is wrong.
        by: who said so, as that person's shell says.
        voice: names commands and account.
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
    return wording.notice("grace ended", count, control=ANY, lead=lead, rows=rows, commands=commands, voice=voice)


def repairs(control: str) -> str:
    """What a pause holds back."""
    return "all repairs" if control == ANY else f"repairs of {control}"


def rule(control: str) -> str:
    """A control, or all of them, as the subject of a sentence."""
    return "every rule" if control == ANY else control


def _about(exemption: Exemption, verb: str, lead: str, voice: Voice, *, by: str = "") -> Letter:
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
    target = exemption.target.removeprefix(f"{voice.account}/")
    what = f"{wording.clean(target, _SHOWN)} from {rule(exemption.control)}, until {exemption.until:%Y-%m-%d}"
    kept = {one: gist for one, gist in commands.items() if gist}
    return wording.notice(verb, what, control=exemption.control, lead=lead, rows=rows, commands=kept, voice=voice)


def _left_alone(exemption: Exemption) -> str:
    who = "Every rule" if exemption.control == ANY else f"The rule {exemption.control}"
    return f"{who} leaves {wording.clean(exemption.target, _SHOWN)} alone"


def _named(control: str) -> str:
    return "" if control == ANY else f" {control}"
