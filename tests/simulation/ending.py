"""What must hold after a sweep in quiet weather: everything is repaired or told, and every clock has been kept."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from plumbline.core.clock import Response
from plumbline.findings.finding import Finding, Status
from plumbline.findings.hearing import KEPT_AS, Hearing
from plumbline.findings.packed import text_of
from plumbline.findings.unseen import TOLD, UNMADE
from tests.simulation import darkness
from tests.simulation.oracle import DAY, HOUR, PK, TRIES, Key, Life, Oracle, clock_of, counter_of, is_critical
from tests.simulation.toys import target, wrong

if TYPE_CHECKING:
    from tests.simulation.world import World


#: What says as much as a reminder.
_UNSEEN = (TOLD, UNMADE)


def settled(oracle: Oracle, world: World, swept: datetime) -> None:
    """After a sweep in quiet weather, with all queues empty: is everything where the rules want it?"""
    hidden = darkness.listed(oracle, world, swept)
    for (kind, name), toy in world.toys.items():
        if (kind, name) in hidden:
            _still_told(oracle, world, (f"{kind}-kept", str(target(kind, name))), swept)
            continue
        key = (f"{kind}-kept", str(target(kind, name)))
        finding, life = oracle.finding(world, key), oracle.lives.get(key)
        rule = oracle.baseline.rules[key[0]]
        deviating = toy.facts is not None and wrong(toy.facts, rule.settings)
        if rule.response is Response.OFF:
            continue
        label = f"{key[0]} {name}"
        if not deviating:
            oracle.check("closed", finding is None or not finding.is_open, f"{label}: compliant, and still open")
            continue
        known = finding is not None and finding.is_open
        if not known and oracle.too_large(world, key, swept):
            oracle.told_too_large(key, swept, label)
            continue
        oracle.check("seen", known, f"{label}: deviates, and the ledger does not know")
        if finding is None or life is None or not known:
            continue
        if oracle.was_exempt(key, swept):
            _never_exempt(oracle, world, key, finding, life, swept)
            continue
        _repaired_or_told(oracle, world, key, finding, life, swept)


def _never_exempt(oracle: Oracle, world: World, key: Key, finding: Finding, life: Life, swept: datetime) -> None:
    """Of what is critical somebody is told, whatever exempts it; an undo has told of what it brought back."""
    if not is_critical(key[0]):
        return
    since = world.ears.since(swept)
    listed = finding.awaits_digest and (finding.last_seen > swept - HOUR or since is None or since > swept - HOUR)
    waits = finding.unheard or not world.ears.ever(swept - 2 * HOUR) or life.opened > swept - HOUR
    told = oracle.heard(life) or life.brought_back or listed or waits
    oracle.check("never exempt", told, f"{key[0]} {finding.target.id} {finding.id[:4]}: critical, exempt, and untold")


def _still_told(oracle: Oracle, world: World, key: Key, swept: datetime) -> None:
    """Of what nobody can see: its reminders and its escalation come all the same."""
    finding, life = oracle.finding(world, key), oracle.lives.get(key)
    rule = oracle.baseline.rules[key[0]]
    if finding is None or life is None or not finding.is_unseen or rule.response is Response.OFF:
        return
    since = world.ears.since(swept)
    if finding.unheard or since is None or since > swept - 2 * HOUR:  # nobody hears, or has only just begun to
        return
    if not oracle.was_exempt(key, swept):
        _told_in_time(oracle, world, key, finding, life, swept)


def _repaired_or_told(oracle: Oracle, world: World, key: Key, finding: Finding, life: Life, swept: datetime) -> None:
    rule, limits = oracle.baseline.rules[key[0]], oracle.baseline.breakers
    label = f"{key[0]} {finding.target.id} {finding.id[:4]}"
    toy = world.toys[(finding.target.kind, finding.target.id)]
    clock = clock_of(rule.clocks, finding)
    acts = life.first_seen + clock.act if clock.act is not None else None
    if acts and life.grace and set(finding.deviation.items) <= life.adopted:
        acts = max(acts, life.grace)
    since = world.ears.since(swept)
    if finding.unheard:
        long = since is not None and since < swept - 3 * HOUR and finding.first_seen < swept - 3 * HOUR
        oracle.check("heard at last", not long, f"{label}: somebody hears, and no digest has told of it")
        return
    noted = world.table.get((PK, KEPT_AS))
    seen = noted is not None and Hearing.from_json(text_of(noted)).ever
    if not world.ears.ever(swept - 2 * HOUR) or (since is None and not seen):
        return  # nobody has confirmed, or it was over before the first sweep could see it
    spent = _spent(oracle, world, finding, swept)
    of_all = "!" if is_critical(key[0]) else "*"
    braked: bool = spent[key[0]] >= limits.per_control or spent[of_all] >= limits.in_all
    braked = braked or spent[counter_of(finding)] >= limits.per_actor
    fought: bool = len([at for at in finding.repaired_at if swept - at < DAY + HOUR]) >= limits.fight
    braked = braked or bool(oracle.stopped and swept - oracle.stopped[-1][0] < 2 * HOUR)
    enforced = rule.response is Response.ENFORCE and oracle.mode is Response.ENFORCE
    enforced = enforced and not oracle.too_large(world, key, swept)
    paused = any(until > swept - HOUR for one, until in oracle.pauses(world).items() if one in ("*", key[0]))
    tried = finding.tries >= TRIES
    gone = life.exempted and finding.status is Status.EXEMPT
    if enforced and acts and not (paused or tried or fought or braked or toy.stuck or gone):
        oracle.check("clock acts", acts > swept - HOUR, f"{label}: due {acts:%d %H:%M}, not repaired")
    # the next sweep asks for the digest; it goes out as soon as somebody hears
    listed = finding.awaits_digest and (finding.last_seen > swept - HOUR or since is None or since > swept - HOUR)
    oracle.check("told", oracle.heard(life) or listed, f"{label}: deviates, and nobody was told")
    # What does not fit into the ledger is told once and tried again a day later; its clock's e-mails wait with it.
    if not (braked or fought or oracle.too_large(world, key, swept)):
        _told_in_time(oracle, world, key, finding, life, swept)


def _told_in_time(oracle: Oracle, world: World, key: Key, finding: Finding, life: Life, swept: datetime) -> None:
    """The reminders and the escalation that a clock calls for have come."""
    rule = oracle.baseline.rules[key[0]]
    label = f"{key[0]} {finding.target.id} {finding.id[:4]}"
    clock = clock_of(rule.clocks, finding)
    acts = life.first_seen + clock.act if clock.act is not None else None
    if acts and life.grace and set(finding.deviation.items) <= life.adopted:
        acts = max(acts, life.grace)
    enforced = rule.response is Response.ENFORCE and oracle.mode is Response.ENFORCE and not finding.is_unseen
    if life.tries or life.exempted or life.undone:
        return
    passed = [after for after in clock.remind if life.first_seen + after <= swept - 2 * HOUR]
    delay = acts - life.first_seen - (clock.act or timedelta(0)) if acts else timedelta(0)
    early = rule.response is Response.OBSERVE or oracle.mode is Response.OBSERVE
    never = clock.escalate is None or (early and clock.act is not None and clock.act < clock.escalate)
    if clock.escalate is not None and not never and life.first_seen + clock.escalate + delay <= swept - 2 * HOUR:
        oracle.check("clock escalates", "escalated" in life.told, f"{label}: not escalated after {clock.escalate}")
    since = world.ears.since(swept)
    # What was told into the void waits for the first digest that somebody hears, and its reminders with it: they reach
    # nobody else, and come with the look after that digest. Its escalation does not wait.
    waits = since is None or since > swept - 2 * HOUR
    if passed and not waits:
        # whichever clock ran then: nobody is reminded of an hour that he was reminded behind
        names = [one for one in life.told if one.startswith("reminded ") and _hours(one) >= max(passed)]
        escalated = clock.escalate is not None and clock.escalate >= max(passed) and "escalated" in life.told
        reminded = (
            names or {"would have", *_UNSEEN} & set(life.told) or escalated or (enforced and acts and acts <= swept)
        )
        oracle.check("clock reminds", reminded, f"{label}: no reminder after {max(passed)}")


def _hours(reminded: str) -> timedelta:
    return timedelta(hours=int(reminded.removeprefix("reminded ").removesuffix("h")))


def _spent(oracle: Oracle, world: World, finding: Finding, at: datetime) -> Counter[str]:
    item = world.table.get((PK, f"spent#{at:%Y-%m-%dT%H}")) or {}
    counters = (*oracle.baseline.rules, "*", "!", counter_of(finding))
    return Counter({one: int(item.get(f"n#{one}", {"N": "0"})["N"]) for one in counters})
