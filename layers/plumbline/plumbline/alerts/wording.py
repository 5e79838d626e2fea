"""What people read: e-mails. Pure. Text that came from an event or a name in the account is cleaned before it is used.

SNS takes a subject of ASCII without line breaks, under 100 characters, and a message of at most 256 KB.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

from plumbline.baseline.rules import STACK, Breakers
from plumbline.core.calls import Plan
from plumbline.core.cause import Cause
from plumbline.core.clock import utc
from plumbline.core.control import Control, Severity
from plumbline.core.errors import AwsRefusal
from plumbline.core.targets import GLOBAL, State
from plumbline.findings.clocks import WOULD_HAVE
from plumbline.findings.finding import DIGEST, Finding, Status
from plumbline.findings.restraints import Restraint, Why
from plumbline.wakes.messages import Wake

MAX_SUBJECT = 99
_MAX_TEXT = 300
#: Some five hundred findings, far below what SNS takes: whoever has more of them needs the command line.
_DIGEST_CHARACTERS = 150_000
_WEEKLY_ROWS = 20
_TWO_DAYS_HOURS = 48
_WIDTH = 78
_SHORT_TEXT, _MAX_BODY_TEXT = 60, 1000
_ELLIPSIS = "..."
_CONSOLE = "the AWS console, in a browser"
#: What a user agent contains, and what people call the tool. The first that fits: Terraform carries an SDK's name too.
_TOOLS = {
    "terraform": "Terraform",
    "cloudformation": "CloudFormation",
    "pulumi": "Pulumi",
    "aws-cli": "AWS CLI",
    "boto3": "Boto3 (Python)",
    "botocore": "Botocore (Python)",
    "aws-sdk-go-v2": "AWS SDK for Go",
    "aws-sdk-js": "AWS SDK for JavaScript",
    "aws-sdk-java": "AWS SDK for Java",
    "console.amazonaws.com": _CONSOLE,
    "signin.amazonaws.com": _CONSOLE,
    "mozilla": _CONSOLE,
}
#: What mail programs turn into something to click. Breaking the pattern keeps the text readable and dead.
_LINK = re.compile(r"(?i)(https?|ftp|file|mailto|javascript|vbscript|data)\s*:|:(?=//)")
_DOMAIN = re.compile(r"(?i)(?:(?<=www)\.|(?<=[a-z0-9])\.(?=[a-z]{2,}/))")


@dataclass(frozen=True, slots=True)
class Voice:
    """What letters need to name the account and its commands.

    Attributes:
        account: the account Plumbline runs in.
        region: the region of the operate function.
        stack: the name of the stack; its function is called after it.
        alias: what the account is called by its owners; may be empty.
    """

    account: str = ""
    region: str = "us-east-1"
    stack: str = STACK
    alias: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """One e-mail, ready for SNS.

    Attributes:
        subject: ASCII, one line, under 100 characters.
        body: plain text.
        attributes: SNS message attributes that subscriptions filter on.
        about: what other programs want to know: the target, the deviation, who did it. Cleaned.
        commands: what can be typed.
    """

    subject: str
    body: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)
    commands: Sequence[str] = ()


def clean(text: str, limit: int = _MAX_TEXT) -> str:
    """Hostile text made harmless: one line, printable, no link a mail program would turn into a click, not too long."""
    plain = unicodedata.normalize("NFKC", text[: limit * 4])  # a link in full-width letters is a link all the same
    printable = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in plain)
    dead = _DOMAIN.sub("[.]", _LINK.sub(lambda found: f"{found[1] or ''}[:]", " ".join(printable.split())))
    return dead if len(dead) <= limit else dead[: limit - len(_ELLIPSIS)] + _ELLIPSIS


def moment(at: datetime) -> str:
    """An instant as a person reads it, always in UTC and saying so."""
    utc_at = at.astimezone(timezone.utc)
    return f"{utc_at:%A} {utc_at.day} {utc_at:%B %Y, %H:%M} UTC"


def away(time: timedelta) -> str:
    """How far away something is, as a person says it."""
    hours = max(1, round(time.total_seconds() / 3600))
    count, unit = (round(hours / 24), "day") if hours >= _TWO_DAYS_HOURS else (hours, "hour")
    return f"in {count} {unit}{'s' * (count != 1)}"


def repaired(control: Control, finding: Finding, voice: Voice) -> Letter:
    """A repair that held. What of the deviation adoption's grace still covers is left alone, and the letter says so."""
    last = finding.repairs[-1]
    old = [one for one in finding.deviation.items if finding.is_open and one in finding.adopted]
    left = f"{', '.join(old)}; until {moment(finding.grace_until)}" if old and finding.grace_until else ""
    rows = _what_happened(finding) | {
        "Before": control.describe(last.before),
        "Now": control.describe(last.after),
        "Repair": f"Plumbline {last.plan.summary}.",
        "Approved by": said(last.by),
        "Not undone": last.plan.irreversible,
        "Left alone": f"{left}, for it was there before Plumbline" if left else "",
    }
    right = "Plumbline has put right what was new." if left else "Plumbline has put it right."
    lead = f"{_sentence(control, finding, past=True)} {right}"
    return _letter("repaired", control, finding, voice, lead=lead, rows=rows, past=True, undo=bool(last.plan.undo))


def held_back(held: Restraint, finding: Finding, plan: Plan, now: datetime) -> str:
    """Why nothing is repaired now, as it stands in an e-mail."""
    acts = held.until or now
    if held.why is Why.NO_PLAN:
        return f"Plumbline does not repair this: {plan.refusal}."
    if held.why is Why.OBSERVE:
        when = "have repaired this now" if acts <= now else f"repair this on {moment(acts)}"
        return f"Plumbline observes only. It would {when}: it {plan.summary}."
    if held.why is Why.NOT_DUE:
        when = f"{away(acts - now)}, on {moment(acts)}"
        what = "propose a repair of this" if held.proposes else "repair this"
        if finding.is_adopted and finding.spared(now):
            does = f"{'proposes' if held.proposes else 'makes'} its repair: it {plan.summary}"
            return (
                "It may have been there before Plumbline looked for the first time, so it is left alone for now. "
                f"{when[0].upper()}{when[1:]}, Plumbline {does}. Until then you can do it, exempt it, or end its grace."
            )
        return f"Plumbline will {what} {when}: it {plan.summary}. Until then you can do it, or exempt it."
    if held.why is Why.PROPOSE:
        return f"Plumbline proposes a repair and waits for a person: it {plan.summary}."
    if held.why is Why.PAUSED:
        return f"Repairs are paused until {moment(acts)}. Then Plumbline {plan.summary}."
    if held.why is Why.TRIED:
        return f"Plumbline tried {len(finding.repairs)} times and stopped; a person has to look."
    return "Plumbline only tells about this; it changes nothing."


def then(held: Restraint, plan: Plan) -> str:
    """What comes next and when, as it stands in lists."""
    at = f"{held.until:%Y-%m-%d %H:%M} UTC" if held.until else ""
    does = f"Plumbline {plan.summary}"
    return {
        Why.NO_PLAN: f"not repaired: {plan.refusal}",
        Why.OBSERVE: f"only observed; on {at} {does}, if it may",
        Why.NOT_DUE: f"{at}: {f'proposed: {does}' if held.proposes else does}",
        Why.PROPOSE: f"waits for approval: {does}",
        Why.PAUSED: f"paused until {at}; then {does}",
        Why.TRIED: "a person has to look: several tries did not hold",
    }.get(held.why, "only told: a person has to put it right")


def not_approved(held: Restraint, short: str) -> str:
    """Why an approval changes nothing, and what to type."""
    if held.exemption:
        mine = held.exemption.id
        end = f"Type: plumbline unexempt {mine}" if mine else "Remove it from baseline.yaml and deploy"
        return f"It is exempt until {moment(held.exemption.until)}. {end}"
    if held.why is Why.PAUSED and held.until:
        return f"Repairs are paused until {moment(held.until)}. Type: plumbline resume, then plumbline approve {short}"
    return "Its control, or the whole of Plumbline, only observes or tells now; see baseline.yaml and the stack's Mode"


def found(
    control: Control,
    finding: Finding,
    transition: str,
    state: State,
    plan: Plan,
    held: str,
    voice: Voice,
    *,
    last: bool = False,
) -> Letter:
    """A deviation that is not repaired now, and why; or the reminder of one."""
    verb = {"opened": "found", "escalated": "escalated", WOULD_HAVE: "would have repaired"}.get(
        transition, "last reminder" if last else "reminder"
    )
    lead = f"{_sentence(control, finding)} {held}"
    if verb != "found":
        lead = f"{_sentence(control, finding)} It has been so since {moment(finding.first_seen)}. {held}"
    rows = _what_happened(finding) | {
        "Now": control.describe(state),
        "Back": f"it was put right on {moment(finding.back_since)}, and is back" if finding.back_since else "",
        "Not undone": plan.irreversible,
    }
    return _letter(verb, control, finding, voice, lead=lead, rows=rows, escalation=transition == "escalated")


def resolved(control: Control, finding: Finding, state: State, voice: Voice) -> Letter:
    """Something that was told of by half, and is over."""
    lead = f"{_sentence(control, finding, past=True)} It is in line again, and Plumbline did not have to act."
    rows = _what_happened(finding) | {"Now": control.describe(state)}
    return _letter("resolved", control, finding, voice, lead=lead, rows=rows, past=True)


def digest(controls: Mapping[str, Control], findings: Sequence[Finding], voice: Voice) -> Letter:
    """One letter for many findings: what the first sweep found, or what came too fast. Worst first."""
    ordered = sorted(findings, key=lambda one: (_rank(controls, one), one.control, str(one.target)))
    known = [one for one in ordered if one.control in controls]
    waiting = [one for one in known if one.is_open and one.status is not Status.EXEMPT]
    adopted = [one for one in waiting if one.is_adopted]
    commands = {
        f"show {ordered[0].short if ordered else '7F3K'}": "all about it",
        f"exempt {waiting[0].short} --days 30 --owner ME --reason WHY" if waiting else "": "leave it alone",
        "enforce" if adopted else "": "end the grace",
        "findings": "all that is open",
    }
    body = "\n\n".join(
        [
            _paragraph(_digest_lead(ordered, adopted), indent="  "),
            _listed(controls, ordered),
            _how_to(voice, {one: what for one, what in commands.items() if one}),
            f"Plumbline, account {voice.account}",
        ]
    )
    worst = controls[known[0].control].severity.value if known else ""
    attributes = {
        "severity": worst,
        "account": voice.account,
        "region": voice.region,
        "outcome": "digest",
        "escalation": "false",
    }
    attributes = {name: text for name, text in attributes.items() if text or name != "severity"}
    judged = f", the worst is {worst}" if len(ordered) > 1 else f", severity {worst}"
    subject = f"{_things(len(ordered))}{_digest_title(ordered, adopted)}{judged if worst else ''}"
    return Letter(_subject("digest", subject), body + "\n", attributes)


def _listed(controls: Mapping[str, Control], findings: Sequence[Finding]) -> str:
    """Findings under the titles of their controls, as many as one letter holds."""
    lines: list[str] = []
    heading, room = "", _DIGEST_CHARACTERS
    for count, one in enumerate(findings):
        if room < 0:
            lines += ["", f"  and {len(findings) - count} more. All of them: plumbline findings"]
            break
        added = [*_hanging(f"{one.short}  {_named(controls, one)}"), *_below(_what_next(one))]
        if one.control != heading:
            heading = one.control
            added = ["", *(f"  {line}" for line in _wrapped(_title(controls, heading), _WIDTH - 2)), *added]
        lines += added
        room -= sum(len(line) + 1 for line in added)
    return "\n".join(lines).strip("\n")


def _digest_lead(findings: Sequence[Finding], adopted: Sequence[Finding]) -> str:
    """Why these are told together; that they were there before, and are left alone, only of those it is true of."""
    things, one = _things(len(findings)), len(adopted) == 1
    order = " Worst first:" if len(findings) > 1 else ""
    if not any(each.grace_until for each in findings):
        stand = "stand here together" if len(findings) != 1 else "stands here"
        return f"{things} came after the limit of e-mails, and {stand}.{order}"
    if not adopted:
        return f"{things} to tell of: what became of {'each' if len(findings) > 1 else 'it'} stands below.{order}"
    ends = {each.grace_until for each in adopted if each.grace_until}
    until = f"{'at least ' if len(ends) > 1 else ''}until {moment(min(ends))}"
    advice = (
        "Until then put right what you would rather put right yourself, and exempt, or write into baseline.yaml, what "
        f"is meant to be so.{order}"
    )
    before = f"{'was' if one else 'were'} there before Plumbline looked for the first time"
    alone = f"{'it is' if one else 'they are'} left alone {until}"
    if len(adopted) == len(findings):
        are = "is" if one else "are"
        return f"{things} {are} out of line with the baseline. {'It' if one else 'They'} {before}, so {alone}. {advice}"
    some = f"{len(adopted)} of them {before}, and {alone}"
    return f"{things} to tell of. {some}. What became of the others stands below. {advice}"


def _digest_title(findings: Sequence[Finding], adopted: Sequence[Finding]) -> str:
    if adopted:
        return f"{'' if len(adopted) == len(findings) else f', {len(adopted)}'} there before Plumbline"
    return "" if any(one.grace_until for one in findings) else " in one hour"


def _things(count: int) -> str:
    return f"{count} thing{'s' * (count != 1)}"


def _rank(controls: Mapping[str, Control], finding: Finding) -> int:
    """How bad a finding is; one whose control is gone comes last."""
    return controls[finding.control].severity.rank if finding.control in controls else len(Severity)


def _title(controls: Mapping[str, Control], control: str) -> str:
    if control not in controls:
        return f"no longer a rule: {clean(control)}"
    return f"{controls[control].severity.value}: {controls[control].prose['Title'] or control}"


def weekly(
    controls: Mapping[str, Control], lives: Sequence[Finding], voice: Voice, now: datetime, watched: int
) -> Letter:
    """How the week was: what was repaired, what is open and due next, what is exempt, and which way it goes."""
    week, before = now - timedelta(days=7), now - timedelta(days=14)
    known = [one for one in lives if one.control in controls]
    repaired = [(at, one) for one in known if (at := _last_repaired(one))]
    closed = [one for at, one in repaired if at > week]
    earlier = [one for at, one in repaired if before < at <= week]
    found = [one for one in known if one.first_seen > week]
    exempt = [one for one in known if one.status is Status.EXEMPT]
    waiting = sorted(
        (one for one in known if one.is_open and one.status is not Status.EXEMPT),
        key=lambda one: (controls[one.control].severity.rank, one.due or now + timedelta(days=9999), one.id),
    )
    rows = {
        "Held": f"{watched} controls watched",
        "Found": f"{len(found)} new",
        "Repaired": f"{len(closed)}, and {len(earlier)} the week before ({_trend(len(closed), len(earlier))})",
        "Open": f"{len(waiting)}",
        "Exempt": f"{len(exempt)}",
    }
    parts = [_paragraph(f"The week up to {moment(now)}.", indent="  "), table(rows)]
    for title, shown in (("Repaired this week", closed), ("Open, worst first", waiting)):
        lines = [
            line
            for one in shown[:_WEEKLY_ROWS]
            for line in (
                *_hanging(f"{one.short}  {_named(controls, one)}"),
                *(_below(_what_next(one)) if one.is_open else ()),
            )
        ]
        if lines:
            more = f"\n    and {len(shown) - _WEEKLY_ROWS} more" if len(shown) > _WEEKLY_ROWS else ""
            parts.append(f"{title}\n" + "\n".join(lines) + more)
    parts += [_how_to(voice, {"findings": "all that is open", "status": "how things stand"})]
    subject = _subject("week", f"{len(closed)} repaired, {len(waiting)} open, {len(exempt)} exempt")
    attributes = {"account": voice.account, "region": voice.region, "outcome": "week", "escalation": "false"}
    return Letter(subject, "\n\n".join([*parts, f"Plumbline, account {voice.account}"]) + "\n", attributes)


def _last_repaired(finding: Finding) -> datetime | None:
    """When Plumbline last put something of it right for good."""
    if finding.status is Status.REPAIRED:
        return finding.closed_at
    return max((one.at for one in finding.repairs if one.held and not one.undone), default=None)


def _trend(now: int, before: int) -> str:
    return "no change" if now == before else "more than before" if now > before else "fewer than before"


def _named(controls: Mapping[str, Control], finding: Finding) -> str:
    control = controls.get(finding.control)
    return clean(f"{control.name(finding.target) if control else finding.target} {finding.deviation.summary}", 200)


def _what_next(finding: Finding) -> str:
    if not finding.is_open:
        return finding.status.value
    if finding.status is Status.EXEMPT:
        return f"exempt until {finding.due:%Y-%m-%d %H:%M} UTC" if finding.due else "exempt"
    if finding.outbox == f"{DIGEST}repaired":
        at = f" until {finding.grace_until:%Y-%m-%d %H:%M} UTC" if finding.grace_until else ""
        return f"what was new is repaired; what was there before Plumbline is left alone{at}"
    if finding.then:
        return clean(finding.then, 200)
    if finding.due is None:
        return "waits for a person"
    return f"next step {finding.due:%Y-%m-%d %H:%M} UTC"


def _hanging(text: str) -> list[str]:
    first, *rest = _wrapped(text, _WIDTH - 10)
    return [f"    {first}", *(f"          {line}" for line in rest)]


def _below(text: str) -> list[str]:
    return [f"          {line}" for line in _wrapped(text, _WIDTH - 10)]


def noted(control: Control, finding: Finding, state: State, voice: Voice) -> Letter:
    """Something only an event could tell."""
    lead = f"{_sentence(control, finding)} Plumbline only tells about this; it changed nothing."
    rows = _what_happened(finding) | {"Seen": control.describe(state)}
    return _letter("seen", control, finding, voice, lead=lead, rows=rows)


def failed(control: Control, finding: Finding, again: str, voice: Voice) -> Letter:
    """A repair that was not finished.

    Args:
        control: the rule.
        finding: with the repair.
        again: whether and when it is tried again, one sentence.
        voice: names commands and account.
    """
    last = finding.repairs[-1]
    total = len(last.plan.steps)
    made = f"at most {last.done} of {total} change{'s' * (total != 1)} {'were' if last.done > 1 else 'was'} made"
    if not last.done:
        made = f"none of {total} change{'s' * (total != 1)} was made"
    lead = (
        f"{_sentence(control, finding)} Plumbline began to repair it and could not finish: {made}. {again}"
        f"{' What it did can be undone.' if last.undo and last.done else ''}"
    )
    rows = _what_happened(finding) | {
        "Error": last.error,
        "Before": control.describe(last.before),
        "Repair": f"Plumbline {last.plan.summary}.",
    }
    return _letter("repair failed", control, finding, voice, lead=lead, rows=rows, undo=bool(last.undo))


def not_converged(control: Control, finding: Finding, voice: Voice) -> Letter:
    """A repair that AWS accepted and that changed nothing."""
    last = finding.repairs[-1]
    lead = (
        f"{_sentence(control, finding)} Plumbline repaired it, AWS accepted every change, and it is still so. "
        "Something else may be putting it back. A person should look."
    )
    rows = _what_happened(finding) | {
        "Before": control.describe(last.before),
        "Now": control.describe(last.after),
        "Repair": f"Plumbline {last.plan.summary}.",
    }
    return _letter("not converged", control, finding, voice, lead=lead, rows=rows, undo=bool(last.plan.undo))


def fight(control: Control, finding: Finding, repairs: Sequence[datetime], voice: Voice) -> Letter:
    """Somebody keeps putting a deviation back."""
    other = "the other side, named below" if finding.cause.action else "the other side, whom CloudTrail's history names"
    lead = (
        f"{_sentence(control, finding)} Plumbline has repaired it {len(repairs)} times in 24 hours and somebody puts "
        f"it back each time, so it has stopped. Settle it with {other}: change their pipeline, or the baseline. "
        "Plumbline tries again when the first of these repairs is a day old."
    )
    rows = _what_happened(finding) | {"Repaired": "; ".join(f"{moment(at)}" for at in repairs)}
    return _letter("fight", control, finding, voice, lead=lead, rows=rows, resume=True)


def breaker(control: Control, finding: Finding, limits: Breakers, *, in_all: bool, voice: Voice) -> Letter:
    """Too many repairs in one hour."""
    limit = limits.in_all if in_all else limits.per_control
    of_what = "in all" if in_all else f"of {control.id}"
    lead = (
        f"Plumbline has made {_repairs(limit)} {of_what} within this clock hour, its limit, and has stopped repairing "
        "until the next. It keeps watching, and every deviation is written down. So many at once are usually a "
        "deployment or a mistake in the baseline. Look before the next hour begins."
    )
    rows = {"First one left": f"{control.name(finding.target)} {finding.deviation.summary}"}
    return _letter(
        "stopped",
        control,
        finding,
        voice,
        lead=lead,
        rows=rows,
        resume=True,
        subject=f"{_repairs(limit)} {of_what} in one hour",
    )


def _repairs(count: int) -> str:
    return f"{count} repair{'s' * (count != 1)}"


def undone(
    control: Control,
    finding: Finding,
    state: State,
    until: datetime,
    voice: Voice,
    by: str = "",
    *,
    restored: bool = True,
) -> Letter:
    """A person took a repair back; `restored` says whether AWS then showed what was before it."""
    before = finding.last_repairs[0].before
    now = "it is as it was before" if restored else "AWS took every change, and it is still not as it was"
    lead = (
        f"A person took back Plumbline's repair of {clean(control.name(finding.target))}: {now}. "
        f"Plumbline leaves it alone until {moment(until)}, and then judges it afresh."
    )
    rows = {
        "It was found because it": finding.deviation.summary,
        "Before the repair": "" if restored else control.describe(before),
        "Now": control.describe(state),
        "Undone by": said(by),
    }
    what = f"{control.name(finding.target)} {_past(finding.deviation.summary)}"
    return _letter("undone", control, finding, voice, lead=lead, rows=rows, past=True, subject=what)


def undo_cut_short(control: Control, finding: Finding, state: State, voice: Voice) -> Letter:
    """A person's undo that was not finished, or that nobody was told of."""
    lead = (
        f"A person began to take back Plumbline's repair of {clean(control.name(finding.target))}, and the function "
        "that did it was cut short. Below stands how it is now. To take back what is left of the repair, undo it again."
    )
    rows = {"Before the repair": control.describe(finding.last_repairs[0].before), "Now": control.describe(state)}
    return _letter("undo cut short", control, finding, voice, lead=lead, rows=rows, past=True, undo=True)


def undo_failed(control: Control, finding: Finding, error: str, until: datetime, voice: Voice, by: str = "") -> Letter:
    """A person's undo that AWS refused."""
    lead = (
        f"A person wanted to take back Plumbline's repair of {clean(control.name(finding.target))}, and AWS refused a "
        f"part of it. Plumbline leaves it alone until {moment(until)}. Mend the cause, then undo it once more."
    )
    return _letter("undo failed", control, finding, voice, lead=lead, rows={"Error": error, "By": said(by)}, undo=True)


def unknown(control: Control, wake: Wake, error: AwsRefusal, voice: Voice) -> Letter:
    """Plumbline could not look."""
    what = "the targets" if wake.target.is_pattern else control.name(wake.target)
    lead = (
        f"Plumbline could not look at {clean(what)} for {control.id}. It has judged nothing and changed nothing, and "
        "looks again by itself. While this lasts, this rule is not held. You hear of it at most once a day."
    )
    rows = {"AWS said": str(error), "Account": wake.target.account, "Region": wake.target.region}
    body = _body(lead, rows, control, voice, commands={"status": "how things stand"})
    subject = _subject("cannot look", f"{control.id}: {error.code}")
    return Letter(subject, body, _attributes(control, wake.target.account, wake.target.region, "unknown"))


def command(voice: Voice) -> str:
    """The shell function that makes `plumbline ...` work in CloudShell."""
    return (
        f"plumbline() {{ aws lambda invoke --region {voice.region} \\\n"
        f"  --function-name {voice.stack}-operate --cli-binary-format raw-in-base64-out \\\n"
        '  --payload "$(jq -nc --arg by \\\n'
        '  "$(aws sts get-caller-identity --query Arn --output text)" \\\n'
        '  \'{command:$ARGS.positional,by:$by}\' --args -- "$@")" \\\n'
        "  /tmp/plumbline >/dev/null && jq -r .text /tmp/plumbline; }"
    )


def said(by: str) -> str:
    """Who typed a command, as his shell said; Lambda does not tell a function who invoked it. Empty for nobody."""
    return f"{clean(by, 200)}, says the shell that asked" if by else ""


def notice(
    verb: str,
    what: str,
    *,
    control: str,
    lead: str,
    rows: Mapping[str, str],
    commands: Mapping[str, str],
    voice: Voice,
) -> Letter:
    """A letter about what a person decided, or forgot: an exemption, a pause.

    It carries a control, or `*` for all, and a severity, so that who filters by them hears what people decide.
    """
    tail = f"Plumbline, account {voice.account}"
    body = "\n\n".join([_paragraph(lead, indent="  "), table(rows), _how_to(voice, commands), tail])
    attributes = {
        "control": control,
        "severity": Severity.MEDIUM.value,
        "account": voice.account,
        "region": voice.region,
        "outcome": verb.replace(" ", "-"),
        "escalation": "false",
    }
    about = {"lead": clean(lead, _MAX_BODY_TEXT)}
    typed = [f"plumbline {one}" for one in commands]
    return Letter(_subject(verb, what), body + "\n", attributes, about, typed)


def table(rows: Mapping[str, str], width: int = _WIDTH) -> str:
    """Labels and their texts in two columns; empty texts are left out."""
    column = max((len(label) for label, text in rows.items() if text), default=0) + 2
    lines: list[str] = []
    for label, text in rows.items():
        if text:
            first, *rest = _wrapped(clean(text), width - column - 2) or [""]
            lines += [f"  {label:<{column}}{first}", *(" " * (column + 2) + line for line in rest)]
    return "\n".join(lines)


def _what_happened(finding: Finding) -> dict[str, str]:
    cause, target = finding.cause, finding.target
    return {
        "Where": f"account {target.account}" + ("" if target.region == GLOBAL else f", {target.region}"),
        "Who": _who(cause),
        "When": _when(cause, finding),
        "From": cause.source,
        "With": _tool(cause.tool),
    }


def _tool(user_agent: str) -> str:
    """The tool behind a user agent, in the words of whoever runs it; what is unknown is shown as it is, shortened."""
    for name, tool in _TOOLS.items():
        if found := re.search(rf"(?i){name}(/[\w.]+)?", user_agent):
            return f"{tool}{found[1].replace('/', ' ')}" if found[1] and tool != _CONSOLE else tool
    return clean(user_agent, _SHORT_TEXT)


def _who(cause: Cause) -> str:
    if not cause.action:
        return "not known: a scheduled sweep found it, no event announced it"
    return f"{cause.who}, {cause.principal}" if cause.principal and cause.principal != cause.who else cause.who


def _when(cause: Cause, finding: Finding) -> str:
    if not cause.action:
        return f"first seen {moment(finding.first_seen)}"
    try:
        at = moment(utc(cause.at))
    except ValueError:  # an event may carry any text where a time belongs
        at = cause.at
    return f"{at}, by {cause.action}"


def _sentence(control: Control, finding: Finding, *, past: bool = False) -> str:
    """The deviation as one sentence that begins with a capital and ends with a full stop."""
    text = clean(
        f"{control.name(finding.target)} {_past(finding.deviation.summary) if past else finding.deviation.summary}"
    )
    return text[0].upper() + text[1:].rstrip(".") + "."


def _past(summary: str) -> str:
    for now, then in (("is ", "was "), ("are ", "were "), ("has ", "had "), ("does ", "did ")):
        if summary.startswith(now):
            return then + summary.removeprefix(now)
    return summary


def _letter(
    verb: str,
    control: Control,
    finding: Finding,
    voice: Voice,
    *,
    lead: str,
    rows: Mapping[str, str],
    past: bool = False,
    undo: bool = False,
    escalation: bool = False,
    resume: bool = False,
    subject: str = "",
) -> Letter:
    summary = _past(finding.deviation.summary) if past else finding.deviation.summary
    what = subject or f"{control.name(finding.target)} {summary}"
    who = finding.cause.who if finding.cause.action and not subject else ""
    short = finding.short
    commands = {
        f"undo {short}": "put it back" if undo else "",
        f"approve {short}": "do what is proposed" if finding.proposal else "",
        f"resume {control.id}": "repair again now" if resume else "",
        f"enforce {short}": "end its grace" if finding.is_open and finding.spared(finding.last_seen) else "",
        f"exempt {short} --days 7 --owner ME --reason WHY": "leave it alone" if finding.is_open or undo else "",
        f"show {short}": "all about it",
        "status": "how things stand",
    }
    commands = {one: what for one, what in commands.items() if what}
    return Letter(
        _subject(verb, what, who),
        _body(lead, rows, control, voice, commands),
        _attributes(control, finding.target.account, finding.target.region, verb, escalation=escalation)
        | {"finding": finding.id},
        about={
            "target": clean(str(finding.target)),
            "deviation": clean(finding.deviation.summary),
            "status": finding.status.value,
            "who": clean(finding.cause.who),
            "action": clean(finding.cause.action),
            "lead": clean(lead, _MAX_BODY_TEXT),
        },
        commands=[f"plumbline {one}" for one in commands],
    )


def _body(lead: str, rows: Mapping[str, str], control: Control, voice: Voice, commands: Mapping[str, str]) -> str:
    why = control.prose.get("Why", "")
    return (
        "\n\n".join(
            [
                # Only Plumbline's own headings begin a line: text from the account, folded, could pass for one.
                _paragraph(lead, indent="  "),
                table(rows),
                "Why this rule exists\n" + _paragraph(why, indent="  "),
                _how_to(voice, commands),
                f"Plumbline, rule {control.id}, severity {control.severity.value}, account {voice.account}",
            ]
        )
        + "\n"
    )


def _how_to(voice: Voice, commands: Mapping[str, str]) -> str:
    """The last part of a letter: what can be typed, in CloudShell. Nothing in it comes from an event."""
    width = max(len(one) for one in commands)
    beside = width + max(len(what) for what in commands.values()) <= _WIDTH - len("  plumbline   # ")
    paste = f"What you can do, in AWS CloudShell in {voice.region}. Paste this once:"
    lines = "\n".join(
        f"  plumbline {one:<{width}}  # {what}" if beside else f"  # {what}\n  plumbline {one}"
        for one, what in commands.items()
    )
    return "\n\n".join([paste, _indented(command(voice)), f"Then any of:\n\n{lines}"])


def _attributes(
    control: Control, account: str, region: str, outcome: str, *, escalation: bool = False
) -> dict[str, str]:
    return {
        "control": control.id,
        "severity": control.severity.value,
        "account": account,
        "region": region,
        "outcome": outcome.replace(" ", "-"),
        "escalation": "true" if escalation else "false",
    }


def _subject(verb: str, what: str, who: str = "") -> str:
    """A subject line that SNS takes: printable ASCII, one line, under 100 characters; who did it is never cut off."""
    head = f"[Plumbline] {verb}: "
    tail = f" (by {_ascii(who, 24)})" if who else ""
    return f"{head}{_ascii(what, MAX_SUBJECT - len(head) - len(tail))}{tail}"


def _ascii(text: str, limit: int) -> str:
    """Printable ASCII of at most `limit` characters; what is too long ends with a whole clause where it has one."""
    plain = unicodedata.normalize("NFKD", clean(text)).encode("ascii", "replace").decode()
    if len(plain) <= limit:
        return plain
    clause = max(plain.rfind(mark, limit // 2, limit + 1) for mark in (": ", "; ", ", "))
    return plain[:clause] if clause > 0 else plain[: limit - len(_ELLIPSIS)].rstrip() + _ELLIPSIS


def _paragraph(text: str, indent: str = "") -> str:
    return "\n".join(indent + line for line in _wrapped(text, _WIDTH - len(indent)))


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width`; a longer word stands alone so that ARNs and commands stay whole."""
    lines: list[str] = []
    for word in text.split():
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
