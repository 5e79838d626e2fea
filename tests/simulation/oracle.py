"""What must hold, judged by the simulation's own reading of the rules and not by the engine's."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from plumbline.baseline.rules import Baseline
from plumbline.core.calls import Call, Step
from plumbline.core.clock import UNSEEN, Clock, Response, utc
from plumbline.core.control import Settings, Severity
from plumbline.core.targets import Target
from plumbline.findings.adoption import Adoption, mark
from plumbline.findings.budgets import Budget
from plumbline.findings.finding import Finding, Status
from plumbline.findings.packed import text_of
from plumbline.findings.stored import from_json
from plumbline.handlers.announce import events
from tests.simulation import darkness
from tests.simulation.toys import ACCOUNT, CONTROLS, wrong
from tests.simulation.toys import target as target_of

if TYPE_CHECKING:
    from tests.simulation.dynamo import Item
    from tests.simulation.world import Invocation, Toy, World

Key = tuple[str, str]
PK = f"account#{ACCOUNT}"
DAY = timedelta(hours=24)
HOUR = timedelta(hours=1)
TRIES = 3
#: The longest a function works, and the longest AWS shows an old state.
LATELY = timedelta(seconds=100)


class Broken(Exception):
    """An invariant does not hold."""


@dataclass
class Life:
    """One life of a finding, as the simulation watched it.

    Attributes:
        hides: how often its target turned out of sight.
        is_blind: whether all that is known is that its target cannot be looked at.
        faults: kills, lost answers and refusals of ledger and topic that hit somebody at work on it.
        grace: until when adoption leaves alone what is in `adopted`.
        adopted: the facts that were there before Plumbline, and ever since.
        waits: whether nobody has heard of those yet, so that no grace has begun.
        heard: since when somebody may have heard of them.
    """

    id: str
    first_seen: datetime
    status: Status
    origin: str
    opened: datetime
    adopted: frozenset[str] = frozenset()
    told: tuple[str, ...] = ()
    grace: datetime | None = None
    waits: bool = False
    heard: datetime | None = None
    faults: int = 0
    tries: int = 0
    hands: int = 0
    writes: int = 0
    news: int = 0
    hides: int = 0
    is_blind: bool = False
    forgiven: int = 0
    letters: Counter[str] = field(default_factory=Counter)
    undone: bool = False
    exempted: bool = False
    brought_back: bool = False
    closed: datetime | None = None


@dataclass
class Session:
    """Hands, as taken for one repair or undo."""

    key: Key
    life: str
    version: int
    lease: datetime | None
    is_undo: bool


@dataclass
class Oracle:
    """Watches ledger, letters and writes; raises nothing, remembers what was broken."""

    baseline: Baseline
    mode: Response
    grace: timedelta
    lives: dict[Key, Life] = field(default_factory=dict)
    by_id: dict[str, tuple[Key, Life]] = field(default_factory=dict)
    known: dict[Key, tuple[datetime, bool]] = field(default_factory=dict)
    changed: dict[str, datetime] = field(default_factory=dict)
    earlier: dict[str, list[Settings]] = field(default_factory=lambda: defaultdict(list))
    broken: list[str] = field(default_factory=list)
    checks: Counter[str] = field(default_factory=Counter)
    begun: Counter[tuple[str, str]] = field(default_factory=Counter)
    announced: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    taken: dict[Key, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    promised: dict[Key, datetime] = field(default_factory=dict)
    stopped: list[tuple[datetime, str]] = field(default_factory=list)
    pending: Counter[Key] = field(default_factory=Counter)
    digests: list[str] = field(default_factory=list)
    notices: list[tuple[datetime, str]] = field(default_factory=list)
    wanted: list[tuple[datetime, str]] = field(default_factory=list)
    visits: set[str] = field(default_factory=set)
    granted: set[tuple[str, str, str]] = field(default_factory=set)
    ended: list[dict[str, str]] = field(default_factory=list)
    oversize: dict[Key, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    disturbed: bool = False
    deaf: bool = False

    def check(self, invariant: str, ok: object, message: str) -> None:
        """Count a check; remember it when it fails."""
        self.checks[invariant] += 1
        if not ok:
            self.broken.append(f"{invariant}: {message}")

    def _is_newly_wrong(self, control: str, value: str) -> bool:
        """Whether the settings before the last change of them let a value pass."""
        return bool(self.earlier[control]) and not wrong({"it": value}, self.earlier[control][-1])

    def fault(self, key: Key) -> None:
        """Somebody at work on a finding was hit; what he told may be told once more."""
        self.disturbed = True
        life = self.lives.get(key)
        if life:
            life.faults += 1
        self.pending[key] += 1

    # --- the ledger -------------------------------------------------------------------------------

    def stored(self, world: World, old: Item | None, new: Item) -> None:
        """An item was written."""
        kind = new["sk"]["S"].partition("#")[0]
        if kind in ("exempt", "exemptions"):
            self._granted(world, _typed(world))
        elif kind == "spent":
            self._counted(world, old or {}, new)
        elif kind == "finding":
            self._written(world, old, new)

    def _written(self, world: World, old: Item | None, new: Item) -> None:
        after = _read(text_of(new))
        before = _read(text_of(old)) if old else None
        key = (after.control, str(after.target))
        name = f"{after.control} {after.target.id} {after.id[:4]}"
        self.check("one writer", after.version == (before.version if before else 0) + 1, f"{name}: version skipped")
        life = self.lives.get(key)
        if before is None or before.id != after.id:
            self._follows(world, key, before, after)
        else:
            assert life is not None
            self.check("first seen", after.first_seen == before.first_seen, f"{name}: first seen has moved")
            if not before.is_open and before.status is not Status.NOTED:
                undoing = after.status is Status.UNDOING and world.running[-1].command.startswith("undo")
                self.check("one life", undoing or not after.is_open, f"{name}: a closed finding was opened again")
        life = self.lives[key]
        for one in events({"dynamodb": {"NewImage": new, **({"OldImage": old} if old else {})}}, CONTROLS):
            self.announced[one["finding"]].append(one["transition"])
        darkness.turned(world, life, before if before and before.id == after.id else None, after)
        self._followed(world, key, life, before if before and before.id == after.id else None, after)
        if life.status.is_open and after.status in (Status.RESOLVED, Status.REPAIRED) and not after.target.is_pattern:
            toy = world.toys[(after.target.kind, after.target.id)]
            lately = [one[1] for one in toy.past if one[0] > world.now - LATELY]
            states = [*lately, (toy.seen(world.now - LATELY) or {}).get("facts")]
            off = self.baseline.rules[key[0]].response is Response.OFF
            right = off or any(facts is None or self.may_be_right(key[0], facts) for facts in states)
            self.check("closed rightly", right, f"{name}: {after.status.value}, and was never in line")
        if life.status is not after.status:
            world.note(f"ledger: {name} {life.status.value} -> {after.status.value}")
        # of reminders a finding keeps the last alone
        reminded = [one for one in life.told if one.startswith("reminded") and one not in after.told]
        life.status, life.told, life.tries = after.status, (*after.told, *reminded), after.tries
        life.forgiven = after.forgiven
        life.faults += after.status is Status.UNDOING  # a person's undo that fails lets everything be told again
        life.is_blind = after.deviation.clock == UNSEEN
        life.exempted |= after.status is Status.EXEMPT
        life.adopted &= set(after.deviation.items)
        if before and before.id == after.id:
            proposes = after.proposal is not None and after.proposal != before.proposal
            news = not set(after.deviation.items) <= set(before.deviation.items)
            life.news += proposes or news
            if news and not self.is_swept(world, after.control, key[1]):  # until then nobody knows what is new
                life.grace, life.adopted = after.grace_until, frozenset(after.adopted)
                life.waits, life.heard = after.unheard, None
            self._begun(life, before, after, name)

    def _begun(self, life: Life, before: Finding, after: Finding, name: str) -> None:
        """The grace of what was adopted begins when somebody has heard of it, and not before."""
        if after.unheard:  # what was said of it before, nobody had ever heard; so was what came meanwhile
            life.heard = life.heard if life.waits else None
            life.waits, life.adopted, life.grace = True, frozenset(after.adopted), after.grace_until
        elif not life.adopted:  # nothing of that is left: what an event added later keeps the wait of its own clock
            life.waits = False
        if life.waits and not after.unheard and after.adopted and after.grace_until:
            told = life.heard is not None and life.heard <= after.grace_until - self.grace + LATELY
            self.check("grace begins when heard", told, f"{name}: its grace has begun, and nobody has heard of it")
            life.waits, life.grace = False, after.grace_until

    def _followed(self, world: World, key: Key, life: Life, before: Finding | None, after: Finding) -> None:
        """What became of a life since it was last written: repairs begun, what a person said, its end."""
        self._repairs_begun(before, after)
        if before and "fight" in before.told and "fight" not in after.told:  # a person said: resume
            self.taken[key].clear()
            del life.letters["fight"]
        if before and before.grace_until and not after.grace_until and world.running[-1].command.startswith("enforce"):
            life.grace, life.waits, self.known[key] = None, False, (self.known[key][0], True)
        if life.status.is_open and not after.status.is_open:
            life.closed = world.now
        if before and len(after.repaired_at) < len(before.repaired_at) and self.taken[key]:  # it failed: no fight
            self.taken[key].pop()

    def _repairs_begun(self, before: Finding | None, after: Finding) -> None:
        """Count a repair in the clock hour its settle began in: of its control, of whoever did it, and of all.

        Critical controls are counted for themselves, and what a breaker left in an earlier hour has half as much again.
        """
        begun = after.status is not Status.UNDOING  # else an undo goes on with a life from before a time in the dark
        if begun and len(after.repairs) > (len(before.repairs) if before else 0):
            hour = hour_of(after.repairs[-1].at)
            limits, control = self.baseline.breakers, after.control
            left = before is not None and before.left is not None and hour_of(before.left) != hour
            counted = [(control, limits.per_control), ("!" if is_critical(control) else "*", limits.in_all)]
            if after.cause.principal:
                counted.append((counter_of(after), limits.per_actor))
            for name, most in counted:
                self.begun[hour, name] += 1
                room = most + (most + 1) // 2 if left else most
                self.check("breakers", self.begun[hour, name] <= room, f"{control}: over the hourly budget of {name}")
                self.check("left", not left or after.left is None, f"{control}: repaired, and still counts as left")

    def _counted(self, world: World, before: Item, counters: Item) -> None:
        """Counters were written; nothing in one means that a person said: resume."""
        hour = counters["sk"]["S"].partition("#")[2]
        anew = [name for name, one in counters.items() if one.get("N") == "0" and before.get(name) != one]
        for name in (one.removeprefix("n#") for one in anew):
            self.begun[hour_of(utc(f"{hour}:00:00")), name] = 0
            word = "in all" if name in ("*", "!") else "of what" if "@" in name else name
            old = partial(_is_past, world.now, word)
            self.notices = [one for one in self.notices if old(*one)]
            of_all = name in ("*", "!") or "@" in name
            self.wanted = [
                one for one in self.wanted if old(*one) and not (of_all and hour_of(one[0]) == hour_of(world.now))
            ]

    def _granted(self, world: World, stored: list[dict[str, Any]]) -> None:
        """Remember exemptions past their end, when the ledger forgets them; one that a person ends is over at once."""
        now = {(one["control"], one["target"], one["until"]) for one in stored}
        for control, target, until in self.granted - now:
            if utc(until) > world.now:  # a person ended it; with it ends what an undo had promised
                self.ended.append({"control": control, "target": target})
                self.promised = {
                    key: at
                    for key, at in self.promised.items()
                    if not _covers({"control": control, "target": target}, key)
                }
        self.granted = {one for one in self.granted if one in now or utc(one[2]) <= world.now} | now

    def was_exempt(self, key: Key, at: datetime) -> bool:
        """Whether something exempted a target at a time that is past."""
        reviewed = {(one.control, one.target, one.until.isoformat()) for one in self.baseline.exemptions}
        return any(
            control in ("*", key[0]) and fnmatchcase(key[1], target) and utc(until) > at
            for control, target, until in self.granted | reviewed
        )

    def _follows(self, world: World, key: Key, before: Finding | None, after: Finding) -> None:
        """A life follows another one: a new one, or one that a person's undo brings back after a time in the dark."""
        name = f"{after.control} {after.target.id} {after.id[:4]}"
        if before and before.is_open:
            dark = before.deviation.clock == UNSEEN
            self.check("one life", dark, f"{name}: opened over the open {before.id[:4]}")
            earlier = self.lives[key]
            # It is over with the look that begins the other life; between that and this write somebody may act.
            earlier.status, earlier.closed = Status.RESOLVED, min(after.first_seen, world.now)
        self.check("first seen", after.first_seen <= world.now, f"{name}: first seen in the future")
        if after.id not in self.by_id:
            self._born(world, key, after)
            return
        undoing = after.status is Status.UNDOING and world.running[-1].command.startswith("undo")
        self.check("one life", undoing, f"{name}: a life that is over was begun again")
        self.lives[key] = self.by_id[after.id][1]

    def _born(self, world: World, key: Key, after: Finding) -> None:
        life = Life(after.id, after.first_seen, after.status, after.origin.value, world.now)
        earlier = self.lives.get(key)
        if after.origin.value == "adoption":
            life.grace, life.adopted = after.first_seen + self.grace, frozenset(after.deviation.items)
            life.waits = after.unheard or self.grace > timedelta(0) or not world.ears.ever(world.now)
        elif earlier and earlier.status is Status.UNDONE:  # what was undone was new: the rest keeps its grace
            life.grace, life.adopted = earlier.grace, earlier.adopted & set(after.deviation.items)
            life.waits, life.heard = after.unheard, earlier.heard
            life.news += bool(life.adopted)  # what is new beside it is repaired for itself
        life.faults, life.brought_back = self.pending[key], earlier is not None and earlier.status is Status.UNDONE
        if after.deviation.clock == UNSEEN:
            darkness.began(self, world, key, life, earlier, after)
            return
        if earlier and earlier.is_blind:
            world.count["came to light"] += 1
            young = after.first_seen > world.now - LATELY
            self.check("light", young, f"{key[0]} {after.target.id}: counts from {after.first_seen}, and was hidden")
            if earlier.adopted:  # carried through the dark from what was undone
                life.grace, life.adopted = earlier.grace, earlier.adopted & set(after.deviation.items)
                life.news += bool(life.adopted)
        if after.status is Status.NOTED and key[0] != "visit-kept":
            self._came_and_went(world, after)
        elif earlier and earlier.closed and key[0] != "visit-kept" and not world.weather.stale:
            toy = world.toys[(after.target.kind, after.target.id)]
            since = [one[1] for one in toy.past if one[0] > earlier.closed]
            states = [*since, (toy.seen(earlier.closed) or {}).get("facts")]
            wrongly = not any(facts is not None and self.wrong(key[0], facts) for facts in states)
            name = f"{key[0]} {after.target.id} {after.id[:4]}"
            self.check("opened rightly", not wrongly, f"{name}: opened, and it was in line since {earlier.id[:4]}")
        self.known.setdefault(key, (after.first_seen, False))
        self.keeps(world, key, life, after)

    def _came_and_went(self, world: World, after: Finding) -> None:
        """What is told as over was so once, and is in line when it is told."""
        world.count["came and went"] += 1
        toy, (said,) = world.toys[(after.target.kind, after.target.id)], after.deviation.items
        fact, value = said.split()[-2:]
        was = any((facts or {}).get(fact) == value for _, facts, _ in toy.past)
        name = f"{after.control} {after.target.id} {after.id[:4]}"
        self.check("came and went", was, f"{name}: {said}, and it never was")
        self.check("came and went", after.cause.who in ("mallory", "eve"), f"{name}: told of {after.cause.who}")

    def keeps(self, world: World, key: Key, life: Life, after: Finding) -> None:
        """Remember a new life."""
        self.lives[key] = life
        self.by_id[life.id] = (key, life)
        world.note(f"ledger: {after.control} {after.target.id} {after.id[:4]} new, {after.status.value}")

    def finding(self, world: World, key: Key) -> Finding | None:
        """What the ledger holds at this moment."""
        item = world.table.get((PK, f"finding#{key[0]}#{key[1]}"))
        return _read(text_of(item)) if item else None

    def wrong(self, control: str, facts: Mapping[str, str]) -> list[str]:
        """The facts that are deviations under any settings that were in force: an answer may be some seconds old."""
        return sorted({fact for one in self._settings(control) for fact in wrong(facts, one)})

    def may_be_right(self, control: str, facts: Mapping[str, str]) -> bool:
        """Whether there were settings in force under which nothing is wrong."""
        return any(not wrong(facts, one) for one in self._settings(control))

    def _settings(self, control: str) -> list[Settings]:
        return [self.baseline.rules[control].settings, *self.earlier[control]]

    def deployed(self, world: World, baseline: Baseline) -> None:
        """A new baseline is in force."""
        for name, rule in baseline.rules.items():
            before = self.baseline.rules[name]
            if (before.settings, before.response is Response.OFF) != (rule.settings, rule.response is Response.OFF):
                self.changed[name] = world.now
                self.earlier[name].append(before.settings)
        self.baseline = baseline

    def is_swept(self, world: World, control: str, target: str = "") -> bool:
        """Whether a control's first sweep has been made, and does not wait for this target to be settled."""
        item = world.table.get((PK, f"adopted#{control}"))
        adoption = Adoption.from_json(text_of(item) if item else None)
        is_to_come = bool(adoption.upto) and (not target or target > adoption.upto)
        return adoption.mark == mark(self.baseline.rules[control]) and not is_to_come and target not in adoption.pending

    def exemptions(self, world: World) -> list[dict[str, str]]:
        """The exemptions in the ledger and in the baseline."""
        return [*_typed(world), *(one.to_json() for one in self.baseline.exemptions)]

    def pauses(self, world: World) -> dict[str, datetime]:
        """The pauses in the ledger."""
        item = world.table.get((PK, "pauses"))
        stored: dict[str, Any] = json.loads(text_of(item)) if item else {}
        return {name: utc(one if isinstance(one, str) else one["until"]) for name, one in stored.items()}

    def briefed(self, world: World, inside: Invocation) -> None:
        """A settle has read its brief: what it knows of exemptions and pauses is what stands there now."""
        inside.sees = {
            "exemptions": self.exemptions(world),
            "pauses": self.pauses(world),
            "promised": dict(self.promised),
        }

    # --- writes -----------------------------------------------------------------------------------

    def hands(self, world: World, inside: Invocation, control: str, target: Target) -> Session:
        """Hands are taken: may they be?"""
        key = (control, str(target))
        finding = self.finding(world, key)
        name = f"{control} {target.id}"
        self.check("write-ahead", finding is not None, f"{name}: hands without a finding")
        assert finding is not None
        undoing = inside.command.startswith("undo")
        session = Session(key, finding.id, finding.version, finding.lease, undoing)
        if undoing:
            covered = [one for one in self.exemptions(world) if _covers(one, key) and utc(one["until"]) > world.now]
            ended = any(_covers(one, key) for one in self.ended)
            self.check("undo exempts first", covered or ended, f"{name}: undone without an exemption")
            if covered:  # else a person has ended it while the undo was under way
                self.promised[key] = world.now + DAY - timedelta(minutes=2)
            return session
        self._may_repair(world, inside, key, finding)
        self.taken[key].append(world.now)
        self.lives[key].hands += 1
        world.count["repairs"] += 1
        world.note(f"repairs {name} ({finding.id[:4]})")
        return session

    def _may_repair(self, world: World, inside: Invocation, key: Key, finding: Finding) -> None:
        control, name, now = key[0], f"{key[0]} {finding.target.id} {finding.id[:4]}", inside.now
        life, rule, sees = self.lives[key], self.baseline.rules[key[0]], inside.sees
        self.check("heard", world.ears.ever(world.now), f"{name}: repaired, and nobody has ever confirmed")
        approved = inside.command.startswith("approve") and rule.response is Response.PROPOSE
        acting = (rule.response is Response.ENFORCE or approved) and self.mode is Response.ENFORCE
        self.check("mode", acting, f"{name}: repaired although {rule.response.value} in mode {self.mode.value}")
        exempt = [one for one in sees["exemptions"] if _covers(one, key) and utc(one["until"]) > now]
        self.check("exempt", not exempt, f"{name}: repaired although exempt")
        undone = sees["promised"].get(key)
        self.check("exempt", undone is None or undone <= now, f"{name}: repaired again within a day of its undo")
        paused = [one for one, until in sees["pauses"].items() if one in ("*", control) and until > now]
        self.check("paused", not paused, f"{name}: repaired although paused")
        if not approved:
            act = clock_of(rule.clocks, finding).act
            self.check("due", act is not None and life.first_seen + act <= now, f"{name}: repaired before its time")
            covered = set(finding.deviation.items) <= self.spared(life, now)
            self.check("grace", not covered, f"{name}: repaired in its grace")
        tries = max(life.tries, life.hands + 1 - life.forgiven)
        # whoever approves decides that it is tried once more
        self.check("breakers", approved or tries <= TRIES, f"{name}: tried more than {TRIES} times")
        limits = self.baseline.breakers
        # a settle counts by the time it began; hands are taken some seconds later
        fights = [at for at in self.taken[key] if world.now - at < DAY - LATELY]
        self.check("breakers", len(fights) < limits.fight, f"{name}: repair {len(fights) + 1} in 24 hours")

    def spared(self, life: Life, now: datetime) -> frozenset[str]:
        """The facts that adoption's grace covers at a time."""
        return life.adopted if life.waits or (life.grace and life.grace > now) else frozenset()

    def write(self, world: World, inside: Invocation, session: Session, call: Call) -> None:
        """A write is about to reach the account."""
        finding = self.finding(world, session.key)
        name = f"{session.key[0]} {call.parameters['name']}"
        assert finding is not None
        same = finding.version == session.version or (session.lease is not None and session.lease <= world.now)
        self.check("one writer", same, f"{name}: somebody took the finding over while it was leased")
        self.check("one writer", session.lease is not None, f"{name}: written without a lease")
        if session.is_undo:
            return
        self.lives[session.key].writes += 1
        darkness.not_written(self, world, inside, (call.parameters["kind"], call.parameters["name"]))
        steps = finding.repairs[-1].plan.steps if finding.repairs else ()
        planned = next((step for step in steps if step.do == call), None)
        self.check("write-ahead", planned is not None, f"{name}: a write the ledger does not know")
        self.check("write-ahead", planned is None or planned.undo, f"{name}: a write without an undo in the ledger")
        facts = world.toys[(call.parameters["kind"], call.parameters["name"])].facts
        since, enforced = self.known[session.key]
        if _untouched(world.toys[(call.parameters["kind"], call.parameters["name"])], call.parameters["fact"]):
            changed = self.changed.get(session.key[0])
            if changed and self._is_newly_wrong(session.key[0], _taken_back(planned)):
                since = max(since, changed)
            waited = enforced or since + self.grace <= inside.now
            self.check("adopted", waited, f"{name}: was so before Plumbline came, and repaired without its grace")
        mended = f"{call.parameters['fact']}={_taken_back(planned)}"
        spared = self.spared(self.lives[session.key], inside.now)
        self.check("grace", mended not in spared, f"{name}: repaired {mended}, which is in its grace")
        if world.weather.stale == 0 and facts is not None and not world.weather.meet:
            deviates = call.parameters["fact"] in self.wrong(session.key[0], facts)
            self.check("no stricter state", deviates, f"{name}: compliant, yet written")

    # --- letters ----------------------------------------------------------------------------------

    def alert(self, world: World, request: Mapping[str, Any]) -> None:
        """SNS took a letter."""
        attributes = {name: one["StringValue"] for name, one in request["MessageAttributes"].items()}
        outcome, found = attributes.get("outcome", ""), self.by_id.get(attributes.get("finding", ""))
        if world.ears.count(world.now):
            for _, life in self.by_id.values():
                if (found and life is found[1]) or (not found and life.id[:4] in request["Message"]):
                    life.heard = life.heard or world.now
        if outcome == "stopped":
            self.notices.append((world.now, f"{outcome} {request['Subject'].rpartition(', ')[0]}"))
            self.stopped.append((world.now, attributes.get("control", "")))
        if outcome == "too-large":
            names = [str(target_of(*toy)) for toy in world.toys]
            for named in (one for one in names if re.search(rf"{one}\b", request["Message"])):
                self.oversize[(attributes["control"], named)].append(world.now)
        if found and outcome != "stopped":
            found[1].letters[outcome] += 1
        else:  # a breaker's names all that is left
            self.digests.append(request["Message"])

    def too_large(self, world: World, key: Key, at: datetime) -> bool:
        """Whether the ledger may have had no room for a finding, or it is not a day since: then it is tried again."""
        fat = world.fat.get((key[1].split("/")[2], key[1].split("/")[3]))
        return fat is not None and fat.until > at - DAY - 2 * HOUR

    def told_too_large(self, key: Key, swept: datetime, label: str) -> None:
        """Of what the ledger takes nothing of somebody is told, once a month."""
        told = [at for at in self.oversize[key] if at > swept - 30 * DAY]
        self.check("too large told", told, f"{label}: the ledger takes nothing of it, and nobody was told")

    def heard(self, life: Life) -> bool:
        """Whether a person heard of a life at all."""
        return bool(life.letters) or any(life.id[:4] in body for body in self.digests)


def _untouched(toy: Toy, fact: str) -> bool:
    """Whether a fact is as it was before Plumbline came."""
    return all(facts is not None and facts[fact] == (toy.past[0][1] or {}).get(fact) for _, facts, _ in toy.past)


def _taken_back(step: Step | None) -> str:
    """The value that the undo of a write brings back: the one that the plan was made for."""
    return str(step.undo[0].parameters["value"]) if step and step.undo else ""


def _covers(exemption: Mapping[str, str], key: Key) -> bool:
    return exemption["control"] in ("*", key[0]) and fnmatchcase(key[1], exemption["target"])


def _is_past(now: datetime, word: str, at: datetime, what: str) -> bool:
    """Whether what was told of a breaker is about an earlier clock hour, or another breaker."""
    return not (what.startswith("stopped") and word in what and hour_of(at) == hour_of(now))


def _typed(world: World) -> list[dict[str, Any]]:
    """The exemptions in the ledger: an item for each target or pattern."""
    items = [item for (pk, sk), item in world.table.items.items() if pk == PK and sk.startswith("exempt#")]
    return [one for item in items for one in json.loads(text_of(item))]


@lru_cache(maxsize=4096)
def _read(body: str) -> Finding:
    return from_json(body)


def is_critical(control: str) -> bool:
    """Whether what deviates from a control is told whatever anybody decided."""
    return CONTROLS[control].severity is Severity.CRITICAL


def counter_of(finding: Finding) -> str:
    """Under which name the repairs of what somebody did are counted."""
    return Budget.of(CONTROLS[finding.control], finding.cause).of_actor


def hour_of(at: datetime) -> str:
    """The clock hour of a time."""
    return f"{at:%d %H}"


def clock_of(clocks: Mapping[str, Clock], finding: Finding) -> Clock:
    """The clock that runs, by the words of DESIGN: the deviation's, or the sweep's where no event announced it."""
    name = finding.deviation.clock
    if name == "default" and finding.origin.value in ("sweep", "adoption") and "found-by-sweep" in clocks:
        name = "found-by-sweep"
    return clocks.get(name, clocks["default"])
