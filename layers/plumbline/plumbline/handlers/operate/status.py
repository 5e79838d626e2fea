"""status: all that tells whether Plumbline works, and whether anybody would hear it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from plumbline.alerts.decisions import repairs
from plumbline.alerts.listing import alike
from plumbline.alerts.reach import unheard
from plumbline.alerts.shell import pasted
from plumbline.core.calls import Call
from plumbline.core.clock import Response
from plumbline.core.control import Scope
from plumbline.core.errors import AwsRefusal
from plumbline.core.reach import TROUBLES, Reach
from plumbline.decisions.credible import believed, doubted, ends
from plumbline.decisions.exemptions import Exemption, covers_nothing
from plumbline.decisions.pauses import Pause
from plumbline.engine.unwritable import NOT_KEPT, TOO_LARGE
from plumbline.findings.budgets import EVERY_CONTROL
from plumbline.findings.finding import Finding, Status
from plumbline.handlers.late import lasts
from plumbline.handlers.operate import held, sweeps
from plumbline.handlers.operate.asked import Answer, Asked
from plumbline.handlers.operate.hearing import addressed, heard
from plumbline.handlers.operate.lists import brief, is_fight, rows, table
from plumbline.handlers.operate.pages import A_FEW, by_severity, severities, some
from plumbline.handlers.operate.pauses import tripped
from plumbline.handlers.operate.typed import Typed

_SOON = timedelta(days=1)
#: Of what stands in a row, such as fights.
_NAMED = 5
_DOUBTS = 3


def status(asked: Asked, _typed: Typed) -> Answer:
    """What is watched, what is open, and what keeps Plumbline from acting or from being heard."""
    engine, ledger, now = asked.plumbline.engine, asked.plumbline.ledger, asked.now
    deployment, rules = engine.deployment, engine.baseline.rules
    found = asked.open_findings()
    swept, known_sweeps = ledger.last_sweep(asked.account), ledger.sweeps.known(asked.account)
    reach = asked.plumbline.reach()
    modes = {name: sum(rule.response is name for rule in rules.values()) for name in Response}
    patience, all_pauses = engine.baseline.patience, ledger.all_pauses(asked.account)[0]
    running = ends(all_pauses, patience.pause_days, now)
    pauses = {name: one for name, one in all_pauses.items() if one.until > now and name in running}
    suspended = ledger.all_suspensions(asked.account)[0]
    carriers, unseen = held.carriers(asked)
    by_controls = [held.by_whom(asked, one) for one in carriers[:A_FEW]]
    held_down = [*map(held.said, suspended), *map(held.said, by_controls), *carriers[A_FEW:]]
    spent = ledger.spent_in(asked.account, now)
    stopped = tripped(asked, spent)
    waiting = sorted((one for one in found if one.status is not Status.EXEMPT), key=lambda one: _urgency(asked, one))
    exempt = [one for one in found if one.status is Status.EXEMPT]
    fights = [one.short for one in waiting if is_fight(one)]
    large, not_kept = [one for one in found if TOO_LARGE in one.told], len(ledger.told_of(NOT_KEPT, now))
    all_own = ledger.all_exemptions(asked.account)
    own = believed(all_own, patience.exemption_days, now)
    not_believed = doubted(all_own, patience.exemption_days, all_pauses, patience.pause_days, now)
    in_force = [one for one in (*own, *engine.baseline.exemptions) if one.until > now]
    exemptions = sorted(in_force, key=lambda one: one.until)
    alarms, alarms_text = _alarms(asked)
    is_late = lasts(ledger, now)
    hears, people = heard(asked), addressed(asked)
    facts = {
        "profile": engine.baseline.profile,
        "controls": f"{len(rules)}: {', '.join(f'{count} {name.value}' for name, count in modes.items() if count)}",
        "regions": _regions(asked, reach),
        "NOT WHOLE": "; ".join(_troubles(reach)),
        "NOT HEARD": unheard(deployment.home),
        **sweeps.facts(swept, known_sweeps, now),
        "open": _open(asked, waiting),
        "UNSEEN": _unseen(found),
        "TOO LARGE": _too_large(large, not_kept),
        "repairs": f"{spent.get(EVERY_CONTROL, 0)} in this clock hour, of at most {engine.baseline.breakers.in_all}",
        "STOPPED": "; ".join(stopped.values()),
        "NOT BELIEVED": _not_believed([f"{what}: {why}" for what, why in not_believed]),
        "FIGHT": f"{some(fights, _NAMED)}: somebody puts back what is repaired" if fights else "",
        "PAUSED": "; ".join(_pause(name, one) for name, one in pauses.items()),
        "SUSPENDED": "; ".join(filter(None, (some(held_down, _NAMED, between="; "), unseen))),
        "exempt": _exempt(asked, exemptions, len(exempt)),
        "alarms": alarms_text,
        "LATE": "work waits for react longer than 15 minutes; see docs/operating.md" if is_late else "",
        "e-mail": hears.row if asked.connections.topics else "",
        "people": people.row,
    }
    data: dict[str, Any] = {
        "account": asked.account,
        "region": deployment.home,
        "mode": deployment.mode.value,
        "profile": engine.baseline.profile,
        "controls": {name.value: count for name, count in modes.items() if count},
        "regions": list(reach.swept or engine.baseline.regions or (deployment.home,)),
        "coverage": {name: one.to_json() for name, one in reach.regions.items()},
        "not_heard": unheard(deployment.home),
        "last_sweep": swept.isoformat() if swept else None,
        "sweeps": sweeps.data(known_sweeps),
        "open": [brief(asked, one) for one in waiting[:A_FEW]],
        "exempt": [brief(asked, one) for one in exempt[:A_FEW]],
        "listed": min(len(waiting), A_FEW),
        "open_count": len(waiting),
        "exempt_count": len(exempt),
        "fight_count": len(fights),
        "too_large": [one.short for one in large[:A_FEW]],
        "too_large_count": len(large) + not_kept,
        "exemption_count": len(exemptions),
        "suspended_count": len(held_down),
        "counts": _counts(asked, waiting),
        "repairs_this_hour": dict(spent),
        "stopped": list(stopped),
        "fights": fights[:A_FEW],
        "pauses": {name: one.to_json() for name, one in pauses.items()},
        "exemptions": [one.to_json() for one in exemptions[:A_FEW]],
        "suspended": [one.to_json() for one in suspended[:A_FEW]],
        "suspended_by_controls": by_controls,
        "alarms": alarms,
        "late": is_late,
        "unconfirmed": None if hears.error else [{"topic": one.name, "endpoint": one.endpoint} for one in hears.deaf],
        "people_unheard": [*people.waiting, *people.missing],
        "ever_heard": hears.hearing.ever,
        "unheard_since": hears.hearing.silent.isoformat() if hears.hearing.silent else None,
    }
    head = f"Plumbline, account {asked.account}, {deployment.home}, mode {deployment.mode.value}"
    next_steps = {
        "To go on after STOPPED, type": pasted("resume", "--breakers") if stopped else "",
        "To see the FIGHT, type": pasted("show", fights[0]) if len(fights) == 1 else "",
        "To see every FIGHT, type": pasted("findings", "--fight") if len(fights) > 1 else "",
        "To end the pause, type": pasted("resume") if pauses else "",
        **held.next_steps(suspended, by_controls),
        "Who is SUSPENDED, type": pasted("suspensions") if len(held_down) > _NAMED else "",
        "What is exempt, type": pasted("exemptions") if exemptions else "",
    }
    steps = [f"{what}: {command}" for what, command in next_steps.items() if command]
    together = [*alike(engine.controls, waiting)]  # of one setting in many regions none stands alone
    few = [one for group in together[:A_FEW] for one in group]
    listed = ["", *rows(asked, few)] if waiting else []
    if len(waiting) > len(few):
        listed += ["", f"{len(waiting) - len(few)} more are open. To list all, type: {pasted('findings', '--open')}"]
    coverage = _coverage(reach, deployment.home, swept, now)
    lines = [*hears.head, head, table(facts), *coverage, *listed, *(["", *steps] if steps else [])]
    lines += [*hears.foot(asked), *people.foot(asked)]
    return Answer("\n".join(lines), data)


def _regions(asked: Asked, reach: Reach) -> str:
    """Where the settings that each region has of its own are looked at."""
    engine = asked.plumbline.engine
    rules, entries = engine.baseline.rules, asked.plumbline.index.entries
    regional = [one for one in entries if entries[one].scope is Scope.EACH and rules[one].response is not Response.OFF]
    of_them = f"{len(regional)} control{'s' * (len(regional) != 1)} about settings of a region"
    if reach.regions:
        why = "those that baseline.yaml names" if engine.baseline.regions else "all that the account has switched on"
        return f"{len(reach.swept)}, {why}{f': looked at by {of_them}' if regional else ''}"
    if not regional:
        return ""
    if engine.baseline.regions:
        return f"{', '.join(engine.baseline.regions)}: looked at by {of_them}"
    return f"{engine.deployment.home} only, for {of_them}; name others in baseline.yaml, under regions"


def _coverage(reach: Reach, home: str, swept: datetime | None, now: datetime) -> list[str]:
    """Each region on a line: whether its forwarder is whole, and when it was last heard and looked at."""
    lines = []
    for name, one in reach.regions.items():
        forwarder = "home" if name == home else "; ".join(one.troubles) or ("whole" if one.forwards else "not heard")
        beat = f"heard {_ago(one.heard, now)}" if one.heard else "no sign of life yet"
        look = f"swept {_ago(swept, now)}" if name in reach.swept else "not swept"
        lines.append(f"  {name:<15} {', '.join(filter(None, (forwarder, beat if one.forwards else '', look)))}")
    return ["", "Regions", *lines] if lines else []


def _ago(at: datetime | None, now: datetime) -> str:
    return f"{int((now - at).total_seconds() // 60)} min ago" if at else "never yet"


def _troubles(reach: Reach) -> list[str]:
    return [
        f"{name} {TROUBLES[trouble]}{f': {said}' if said else ''}"
        for name, one in reach.regions.items()
        for trouble, said in one.troubles.items()
    ]


def _urgency(asked: Asked, finding: Finding) -> tuple[int, bool, datetime, str]:
    """Worst first; of those, what somebody fights over or nobody can see, then what is due soonest."""
    control, never = asked.plumbline.engine.controls.get(finding.control), datetime.max.replace(tzinfo=timezone.utc)
    calm = not (is_fight(finding) or finding.is_unseen)
    return (control.severity.rank if control else 0, calm, finding.due or never, finding.id)


def _counts(asked: Asked, found: Sequence[Finding]) -> dict[str, dict[str, int]]:
    """How many are open: by severity, by control, most first, and by status."""
    return {
        "severity": by_severity(asked, found),
        "control": dict(Counter(one.control for one in found).most_common()),
        "status": dict(Counter(one.status.value for one in found).most_common()),
    }


def _open(asked: Asked, found: Sequence[Finding]) -> str:
    if not found:
        return "nothing"
    soon = sum(one.due is not None and one.due <= asked.now + _SOON for one in found)
    return f"{len(found)}: {severities(asked, found)}{f'; {soon} with a next step within a day' if soon else ''}"


def _unseen(found: Sequence[Finding]) -> str:
    """What cannot be looked at, and is held by nobody meanwhile."""
    hidden = [one for one in found if one.is_unseen and one.status is not Status.EXEMPT]
    if not hidden:
        return ""
    return f"{len(hidden)} of these cannot be looked at. See: {pasted('show', hidden[0].short)}"


def _too_large(large: Sequence[Finding], not_kept: int) -> str:
    """What does not fit into the ledger, and so is not repaired; of some not even a part could be kept."""
    if not (large or not_kept):
        return ""
    kept = f"{some([one.short for one in large], _NAMED)}: told, and not repaired, for no undo could be kept"
    elsewhere = f"{not_kept} of which nothing could be kept at all; an e-mail of the last 30 days names each"
    return "; ".join([*([kept] if large else []), *([elsewhere] if not_kept else [])])


def _exempt(asked: Asked, exemptions: Sequence[Exemption], covered: int) -> str:
    if not exemptions:
        return "nothing"
    controls = asked.plumbline.engine.controls
    pointless = sum(bool(covers_nothing(one.control, one.target, controls, asked.account)) for one in exemptions)
    said = f"; {pointless} cover{'s' * (pointless == 1)} NOTHING" if pointless else ""
    which = f", over {covered} finding{'s' * (covered != 1)}" if covered else ""
    return f"{len(exemptions)}{which}, the next ends on {exemptions[0].until:%Y-%m-%d}{said}"


def _not_believed(doubts: Sequence[str]) -> str:
    """What the ledger holds and nobody can have decided: each is long, so of many how many there are comes first."""
    said = "; ".join(doubts[:_DOUBTS])
    return said if len(doubts) <= _DOUBTS else f"{len(doubts)}, which the list of what is exempt marks; such as {said}"


def _pause(name: str, pause: Pause) -> str:
    return f"{repairs(name)} until {pause.until:%Y-%m-%d %H:%M} UTC{f': {pause.reason}' if pause.reason else ''}"


def _alarms(asked: Asked) -> tuple[list[str] | None, str]:
    """The stack's own alarms that are on."""
    deployment = asked.plumbline.engine.deployment
    prefix = f"{deployment.sender.stack}-"
    call = Call("cloudwatch", "DescribeAlarms", {"AlarmNamePrefix": prefix, "StateValue": "ALARM"})
    try:
        answer = asked.plumbline.engine.aws.eyes(asked.account, deployment.home)(call)
    except AwsRefusal as error:
        return None, f"could not look: {error}"
    on = sorted(one["AlarmName"] for one in answer.get("MetricAlarms", ()))
    return on, f"ON: {', '.join(on)}. See docs/operating.md" if on else "none is on"
