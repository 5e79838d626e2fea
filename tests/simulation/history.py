"""One random history: people, faults and time against a whole Plumbline; everything follows from the seed."""

from __future__ import annotations

import json
import random
import re
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar
from unittest import mock

from plumbline.adapters.dynamodb import Table
from plumbline.adapters.sns import Topic
from plumbline.adapters.sqs import Queue
from plumbline.alerts.alert import Sender
from plumbline.baseline.rules import Baseline, Breakers, Letters, Rule
from plumbline.compose import Plumbline
from plumbline.controls.index import Index
from plumbline.core.cause import Origin
from plumbline.core.clock import Clock, Response
from plumbline.core.errors import PlumblineError
from plumbline.decisions.exemptions import Exemption
from plumbline.engine.deployment import Deployment
from plumbline.engine.expanding import Most
from plumbline.engine.settle import Engine
from plumbline.handlers.heartbeat import HIDDEN_FOR
from plumbline.handlers.operate import commands
from plumbline.handlers.react import Reaction
from plumbline.handlers.sweep import Sweeper
from plumbline.handlers.taking import Share, Work
from plumbline.sweep import looking
from plumbline.wakes.messages import Wake
from tests import proofs
from tests.simulation.ending import settled
from tests.simulation.hearing import story
from tests.simulation.letters import letters_counted, notices_counted
from tests.simulation.oracle import Broken, Oracle
from tests.simulation.pieces import Waiting
from tests.simulation.toys import ACCOUNT, CLOCKS, CONTROLS, FACTS, HOME, RIGHT, WRONG, control_of, target, wrong
from tests.simulation.weather import QUIET, Killed, Refused, forecast
from tests.simulation.world import START, TABLE, Invocation, Message, Toy, World

_UNDO = re.compile(r"plumbline undo ([0-9A-Z]+)")
_APPROVE = re.compile(r"plumbline approve ([0-9A-Z]+)")
_ROUNDS = 40
T = TypeVar("T")
_JUNK = (
    "", "{", "[]", "null", "7", '{"plumbline-wake": 1}', '{"detail-type": "x", "detail": {}}',
    '{"plumbline-wake": 1, "control": "no-such", "target": "111122223333/global/door/a", "origin": "sweep"}',
    '{"plumbline-wake": 1, "control": "door-kept", "target": "nowhere", "origin": "sweep"}',
    '{"detail-type": "AWS API Call via CloudTrail", "detail": {"eventName": "SetDoor", "eventSource": "elsewhere"}}',
)  # fmt: skip


@dataclass
class Log:
    """Notes how settles ended."""

    world: World

    def info(self, msg: object, /, *, extra: Mapping[str, object] | None = None) -> None:
        """See reacting.Log."""
        if msg in ("handed over", "searched"):
            self.world.count[str(msg)] += 1
            self.world.note(f"{msg} {(extra or {})['control']}")
        if msg == "split":
            self.world.count["split"] += 1
            self.world.note(f"split into {(extra or {})['parts']}")
        if msg == "settled" and extra:
            self.world.count[f"settled: {extra['outcome']}"] += 1
            name, reason = str(extra["target"]).rpartition("/")[2], str(extra["reason"])
            if (extra["outcome"], reason) == ("stopped", "breaker"):
                self.world.oracle.wanted.append((self.world.now, f"stopped {extra['control']} "))
            self.world.note(f"settled {extra['control']} {name}: {extra['outcome']} {str(extra['reason'])[:60]}")

    def error(self, msg: object, /, *, extra: Mapping[str, object] | None = None) -> None:
        """See reacting.Log."""
        self.world.count[f"logged: {msg}"] += 1


@dataclass
class Outcome:
    """What one history came to."""

    seed: int
    broken: list[str]
    journal: list[str]
    count: Counter[str]
    checks: Counter[str]


@dataclass
class History:
    """One history, from its seed."""

    seed: int
    rng: random.Random = field(init=False)
    world: World = field(init=False)
    plumbline: Plumbline = field(init=False)
    swept: datetime = START
    redeploys: bool = False
    steps: int = 0
    typed: int = 0

    def __post_init__(self) -> None:
        self.rng = rng = random.Random(self.seed)  # noqa: S311 - repeatable, not secret
        weather = forecast(rng)
        baseline = _baseline(rng)
        mode = Response.OBSERVE if rng.random() < 0.05 else Response.ENFORCE
        grace = timedelta(hours=rng.choice((0, 5)))
        self.world = World(rng, weather, Oracle(baseline, mode, grace), meanwhile=self._meanwhile)
        self.world.ears = story(self.seed, START)
        self.world.count[self.world.ears.kind] += 1
        self.log = Log(self.world)
        sender = Sender(account=ACCOUNT)
        self.ledger = Table(self.world.client, TABLE, HOME)
        engine = Engine(
            controls=CONTROLS,
            baseline=baseline,
            deployment=Deployment(home=HOME, mode=mode, adoption_grace=grace, sender=sender),
            aws=self.world,
            ledger=self.ledger,
            alerts=Topic(self.world.client, "topic", HOME),
        )
        self.plumbline = Plumbline(engine, self.ledger, self.world.client, ACCOUNT, Index.of(CONTROLS))
        self.queues = {name: Queue(self.world.client, name, HOME) for name in ("wakes", "units")}
        self._furnish()
        self.redeploys = rng.random() < 0.25
        self.pipeline = rng.choice(sorted(self.world.toys)) if rng.random() < 0.2 else None
        modes = ", ".join(f"{name}={one.response.value}" for name, one in baseline.rules.items())
        self.world.note(f"{modes}; mode {mode.value}, grace {grace}, {baseline.breakers}")
        self.world.note(str(weather))
        self.world.note(f"{self.world.ears}")

    def run(self) -> Outcome:
        """Live through it."""
        world = self.world
        many = self.seed % 2 == 0  # in every other history two toys are many, and a piece is split among runs
        try:
            with mock.patch.object(looking, "PART", 1 if many else looking.PART):
                self._live()
        except Broken:
            pass
        except Exception:  # noqa: BLE001 - whatever it was, its history is what one needs to see
            world.oracle.broken.append(f"only PlumblineError: {traceback.format_exc()}")
        count = world.count + Counter(steps=self.steps, histories=1)
        return Outcome(self.seed, world.oracle.broken, world.journal, count, world.oracle.checks)

    def _live(self) -> None:
        for steps in range(1, self.rng.randint(8, _ROUNDS)):
            self.steps = steps
            self._step()
            self._stop_when_broken()
        self._calm()
        self._stop_when_broken()

    def _stop_when_broken(self) -> None:
        if self.world.oracle.broken:
            raise Broken

    def _furnish(self) -> None:
        """Some toys, some of them wrong from the beginning."""
        for kind, facts in FACTS.items():
            for name in "abcd"[: self.rng.randint(1, 4)]:
                state = {one: self.rng.choice(WRONG if self.rng.random() < 0.2 else RIGHT) for one in facts}
                there = state if self.rng.random() < 0.9 else None
                self.world.toys[(kind, name)] = Toy(kind, name, [(START - timedelta(days=9), there, False)])

    # --- time -------------------------------------------------------------------------------------

    def _step(self) -> None:
        rng, world = self.rng, self.world
        for _ in range(rng.choice((0, 0, 1, 1, 2, 5))):
            self._somebody_acts()
        if self.redeploys and rng.random() < 0.05:
            self._redeploy()
        weather = world.weather
        if weather.outage and rng.random() < weather.outage:
            service = rng.choice(("dynamodb", "sns", "sqs", "toys"))
            world.outages[service] = world.now + timedelta(seconds=rng.choice((20, 400, 4000)))
            world.count[f"outage {service}"] += 1
            world.note(f"! {service} is away until {world.outages[service]:%d %H:%M:%S}")
        if weather.fat and rng.random() < weather.fat:
            world.fattens(rng.choice(sorted(world.toys)))
        if weather.junk and rng.random() < weather.junk:
            world.count["junk"] += 1
            world.send("wakes", rng.choice(_JUNK))
        minutes = rng.choice((0.1, 0.5, 2, 2, 10, 10, 30, 60, 150, 400))
        self._until(world.now + timedelta(minutes=minutes * rng.uniform(0.5, 1.5)))

    def _redeploy(self) -> None:
        """Somebody changes a rule in baseline.yaml and deploys: nothing of it is on its way then."""
        engine, rng = self.plumbline.engine, self.rng
        name = rng.choice(sorted(one for one in engine.baseline.rules if one != control_of("visit")))
        rule = engine.baseline.rules[name]
        what = rng.choice(("mode", "mode", "settings", "clocks"))
        if what == "mode":
            modes = (
                Response.ENFORCE,
                Response.ENFORCE,
                Response.PROPOSE,
                Response.OBSERVE,
                Response.ALERT,
                Response.OFF,
            )
            rule = replace(rule, response=rng.choice(modes))
        elif what == "settings":
            rule = replace(rule, settings={"tolerates": rng.choice(([], ["open"], ["wild"]))})
        else:
            factor = rng.choice((1, 2, 3))
            rule = replace(rule, clocks={one: _slower(clock, factor) for one, clock in rule.clocks.items()})
        baseline = replace(engine.baseline, rules={**engine.baseline.rules, name: rule})
        self.plumbline = replace(self.plumbline, engine=replace(engine, baseline=baseline))
        self.world.oracle.deployed(self.world, baseline)
        self.world.count["redeployed"] += 1
        self.world.note(f"a person deploys {name}: {rule.response.value}, {rule.settings}, {rule.clocks}")

    def _until(self, end: datetime) -> None:
        """Let time pass: sweeps each hour, events as they come, messages as they become visible."""
        world = self.world
        while True:
            tick = (self.swept + timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
            moments = [tick, *(at for at, _ in world.events)]
            moments += [one.visible for queue in world.queues.values() for one in queue]
            if min(moments) > end:
                world.now = max(world.now, end)  # whatever ran last may have run past the end; time never goes back
                return
            world.now = max(world.now, min(moments))
            self._arrive()
            if tick <= world.now:
                self.swept = world.now
                self._sweep()
            self._drain_once()
            if world.weather is QUIET and tick <= world.now and not world.outages:
                self._stop_when_broken()

    def _arrive(self) -> None:
        """Events that are due enter the queue."""
        due = [one for one in self.world.events if one[0] <= self.world.now]
        if due:
            self.world.events = [one for one in self.world.events if one[0] > self.world.now]
            for _, body in due:
                detail = json.loads(body)["detail"]
                if detail["eventName"] == "Visit" and isinstance(detail["requestParameters"], dict):
                    self.world.oracle.visits.add(detail["requestParameters"]["name"])
                self.world.send("wakes", body)

    def _sweep(self) -> None:
        if self.world.weather.missed and self.rng.random() < self.world.weather.missed:
            self.world.count["sweep missed"] += 1
            self.world.note("! the sweep does not happen")
            return
        self.world.count["sweeps"] += 1
        self._invoke("sweep", lambda: self._sweeper().begin())

    # --- functions --------------------------------------------------------------------------------

    def _sweeper(self) -> Sweeper:
        """One whose time may be over before it begins, or between any two targets."""
        looks = (
            self.rng.choice((0, *range(2, 9))) if self.world.weather is not QUIET and self.rng.random() < 0.1 else None
        )

        def remaining() -> int:
            nonlocal looks
            if looks is None:
                return 200_000
            looks -= looks > 0
            if not looks:
                self.world.count["sweep cut off"] += 1
            return 100_000 if looks else 1_000

        return Sweeper(
            self.plumbline,
            units=self.queues["units"],
            wakes=self.queues["wakes"],
            logger=self.log,
            clock=self.world.clock,
            remaining=remaining,
        )

    def _drain_once(self) -> bool:
        """A run that takes pieces, and one batch of wakes."""
        units = Waiting(self.world)
        had_units = bool(units)
        if had_units:
            self._invoke("sweep", lambda: self._take(units))
        wakes = self.world.receive("wakes", self.rng.randint(1, 10))
        if wakes:
            self._react(wakes)
        return bool(had_units or wakes)

    def _take(self, units: Waiting) -> None:
        sweeper = self._sweeper()
        share = Share(self.world.now + timedelta(hours=1), helpers=1) if self.rng.random() < 0.5 else Share()
        do = lambda body: self._well(body, lambda: sweeper.piece(body))  # noqa: E731
        Work(units, do, self._call, self.log, self.world.clock, sweeper.remaining).take(share)

    def _call(self, event: Mapping[str, object]) -> None:
        """Another run is wanted. It comes with the next turn, as one does that nobody called."""
        assert Share.from_event(event).until is not None
        self.world.count["run called"] += 1

    def _react(self, messages: list[Message]) -> None:
        little, units = self.world.weather.little, self.queues["units"]
        reaction = Reaction(
            self.plumbline,
            self.log,
            self.world.clock,
            self.queues["wakes"].later,
            units=units if little else None,
            most=Most(little, little),
        )
        self._invoke("react", lambda: self._batch("wakes", messages, reaction.record))

    def _batch(self, queue: str, messages: list[Message], handle: Callable[[Any], None]) -> None:
        """As Lambda does it: the records that did not fail are deleted when the whole batch is over."""
        done = []
        for one in messages:
            record = {
                "messageId": one.handle,
                "receiptHandle": one.handle,
                "body": one.body,
                "attributes": {"ApproximateReceiveCount": str(one.receives)},
            }
            try:
                self._well(one.body, lambda record=record: handle(record))  # type: ignore[misc]
            except PlumblineError:
                continue
            done.append(one)
        for one in done:
            self.world.done(queue, one)

    def _well(self, body: str, handle: Callable[[], T]) -> T:
        """What comes of a message; that it fails otherwise than it may is told."""
        try:
            came = handle()
        except PlumblineError:
            self.world.count["record failed"] += 1
            raise
        except Exception:  # the invariant is that there is none
            self.world.oracle.check("only PlumblineError", ok=False, message=f"{body}\n{traceback.format_exc()}")
            raise
        self.world.oracle.checks["only PlumblineError"] += 1
        return came

    def _invoke(self, function: str, body: Callable[[], Any], command: str = "") -> Any:
        world = self.world
        world.running.append(Invocation(function, world.now, world.now, command))
        depth = len(world.running)
        try:
            return body()
        except Killed:
            return None
        except PlumblineError as error:
            world.note(f"{function} fails: {str(error)[:80]}")
            return None
        finally:
            del world.running[depth - 1 :]

    def _meanwhile(self) -> None:
        """Something happens while a function is at work, mostly to what it is at work on."""
        rng, world = self.rng, self.world
        control, text = world.running[-1].subject
        if not control or rng.random() < 0.2:
            if rng.random() < 0.5:
                self._arrive()
                self._drain_once()
            else:
                self._somebody_acts()
            return
        kind, name = text.rsplit("/", 2)[-2:]
        if rng.random() < 0.6 and control != control_of("visit"):
            toy = world.toys.get((kind, name))
            untouched = toy is not None and len(toy.past) == 1  # no event tells of it, and the first sweep may be on
            # What a message says of itself counts as found by a sweep, and none is sent before the first has been made.
            swept = world.oracle.is_swept(world, control, text)
            said = rng.choice((Origin.EVENT, Origin.SWEEP))
            origin = said if swept and not untouched else Origin.ADOPTION
            world.send("wakes", Wake(control, target(kind, name), origin).to_json())
            message = world.queues["wakes"][-1]
            message.receives, message.visible = 1, world.now + timedelta(seconds=HIDDEN_FOR)
            self._react([message])
        elif (kind, name) in world.toys:
            self._somebody_acts((kind, name))

    # --- people -----------------------------------------------------------------------------------

    def _somebody_acts(self, where: tuple[str, str] | None = None) -> None:
        rng = self.rng
        key = where or self.pipeline or rng.choice(sorted(self.world.toys))
        if where is None and rng.random() < 0.5:
            key = rng.choice(sorted(self.world.toys))
        act = rng.choices(
            (self._breaks, self._mends, self._undoes, self._exempts, self._pauses, self._creates_or_deletes,
             self._sticks, self._hides, self._visits, self._approves, self._tries_in_vain, self._asks, self._resumes,
             self._enforces, self._unexempts),
            (40, 12, 12, 5, 3, 4, 2, 4, 3, 4, 3, 3, 2, 2, 2),
        )[0]  # fmt: skip
        act(key)

    def _breaks(self, key: tuple[str, str]) -> None:
        facts = self.world.toys[key].facts
        if facts is not None:
            who = self.rng.choice(("mallory", "mallory", "eve"))
            for fact in self.rng.sample(sorted(facts), self.rng.randint(1, len(facts))):
                self._changes(key, fact, self.rng.choice(WRONG), who)
            self.world.count["broken"] += 1

    def _mends(self, key: tuple[str, str]) -> None:
        facts = self.world.toys[key].facts
        broken = wrong(facts, {}) if facts is not None else []
        if broken:
            for fact in self.rng.sample(broken, self.rng.randint(1, len(broken))):
                self._changes(key, fact, self.rng.choice(RIGHT))
            self.world.count["mended"] += 1

    def _changes(self, key: tuple[str, str], fact: str, value: str, who: str = "mallory") -> None:
        self.world.note(f"{who} sets {key[0]} {key[1]}.{fact}={value}")
        self.world.change(key, who, fact, value)

    def _tries_in_vain(self, key: tuple[str, str]) -> None:
        self.world.count["failed call"] += 1
        self.world.announce(f"Set{key[0].title()}", {"kind": key[0], "name": key[1]}, "mallory", "AccessDenied")

    def _creates_or_deletes(self, key: tuple[str, str]) -> None:
        toy = self.world.toys[key]
        facts = {one: self.rng.choice(RIGHT + WRONG) for one in FACTS[key[0]]} if toy.facts is None else None
        toy.writes.append(("mallory", toy.facts, self.world.now))
        toy.past.append((self.world.now, facts, False))
        self.world.count["created" if facts else "deleted"] += 1
        self.world.note(f"mallory {'creates' if facts else 'deletes'} {key[0]} {key[1]} {facts or ''}")
        self.world.announce(f"Set{key[0].title()}", {"kind": key[0], "name": key[1]}, "mallory")

    def _sticks(self, key: tuple[str, str]) -> None:
        toy = self.world.toys[key]
        toy.past.append((self.world.now, toy.facts, not toy.stuck))
        self.world.note(f"{key[0]} {key[1]} {'is stuck' if toy.stuck else 'is no longer stuck'}")

    def _hides(self, key: tuple[str, str]) -> None:
        hidden = (key[0], "") if self.rng.random() < 0.1 else key  # its list, or what it is read with in bulk
        until = self.world.now + timedelta(hours=self.rng.choice((1, 5, 9, 30)))
        self.world.hidden[hidden] = (self.world.now, until)
        self.world.count["hidden"] += 1
        self.world.note(f"{key[0]} {hidden[1] or '*'} can not be read until {until:%d %H:%M}")

    def _visits(self, _key: tuple[str, str]) -> None:
        self.world.number += 1
        self.world.count["visits"] += 1
        self.world.announce("Visit", {"name": f"v{self.world.number}"}, "mallory")

    def _exempts(self, key: tuple[str, str]) -> None:
        rng, world = self.rng, self.world
        pattern = str(target(*key)) if rng.random() < 0.8 else f"{ACCOUNT}/*/{key[0]}/*"
        control = rng.choice((control_of(key[0]), control_of(key[0]), "*"))
        until = world.now + timedelta(hours=rng.choice((1, 3, 9, 40)))
        world.note(f"a person exempts {control} {pattern} until {until:%d %H:%M}")
        if rng.random() < 0.3:
            name = "all" if control == "*" else control
            self._types("exempt", pattern, "--control", name, "--days", "1", "--owner", "ann", "--reason", "because")
            return
        given = Exemption(control, pattern, "ann", "because", until)
        self._invoke("operate", lambda: self.ledger.exempt(ACCOUNT, given, world.now), "exempt")
        world.count["exempted"] += 1

    def _pauses(self, key: tuple[str, str]) -> None:
        rng, world = self.rng, self.world
        if rng.random() < 0.5:
            which = rng.choice((control_of(key[0]), control_of(key[0]), "all"))
            self._types("pause", which, "--hours", str(rng.choice((1, 3, 9))), "--reason", "because")
            return
        pauses = {name: until for name, until in world.oracle.pauses(world).items() if until > world.now}
        name = rng.choice((control_of(key[0]), control_of(key[0]), "*"))
        if name in pauses and rng.random() < 0.5:
            del pauses[name]
        else:
            pauses[name] = world.now + timedelta(hours=rng.choice((1, 3, 9)))
        world.note(f"a person pauses: {', '.join(f'{one} until {until:%d %H:%M}' for one, until in pauses.items())}")
        body = json.dumps({one: until.isoformat() for one, until in pauses.items()})
        world.table.put({"pk": {"S": f"account#{ACCOUNT}"}, "sk": {"S": "pauses"}, "body": {"S": body}})
        world.count["paused"] += 1

    def _asks(self, _key: tuple[str, str]) -> None:
        """Questions change nothing, whatever the weather; a sweep by hand is a sweep."""
        known = [life.id[:4] for _, life in self.world.oracle.by_id.values()]
        some = self.rng.choice(known) if known else "7F3K"
        words = self.rng.choice(
            (("status",), ("findings",), ("plan",), ("plan", some), ("show", some), ("exemptions",))
        )
        writes = self.world.table.writes
        self._types(*words)
        if not self.world.weather.meet:
            self.world.oracle.check("asking writes nothing", writes == self.world.table.writes, f"{words} wrote")

    def _resumes(self, key: tuple[str, str]) -> None:
        one = control_of(key[0])
        self._types("resume", *self.rng.choice(((), ("--all",), (one,), (one, "--all"), (one, "--fights"))))

    def _enforces(self, key: tuple[str, str]) -> None:
        self._types("enforce", *self.rng.choice(((), (control_of(key[0]),))), "--yes")

    def _unexempts(self, _key: tuple[str, str]) -> None:
        ids = [one["id"] for one in self.world.oracle.exemptions(self.world) if one.get("id")]
        if ids:
            self._types("unexempt", self.rng.choice(ids))

    def _approves(self, _key: tuple[str, str]) -> None:
        offered = [one for alert in self.world.letters for one in _APPROVE.findall(alert["Message"])]
        if offered:
            self._types("approve", self.rng.choice(offered[-3:]))

    def _undoes(self, _key: tuple[str, str]) -> None:
        offered = [one for alert in self.world.letters for one in _UNDO.findall(alert["Message"])]
        if offered:
            short = self.rng.choice(offered[-4:])
            force = ("--force",) if self.rng.random() < 0.2 else ()
            self._undo(short, *force)

    def _types(self, *words: str) -> commands.Answer | None:
        world = self.world
        world.note(f"a person types: {' '.join(words)}")
        given = self._invoke("operate", lambda: self._answer(words), " ".join(words))
        answer: commands.Answer | None = given
        world.count[f"{words[0]}: {'no answer' if answer is None else 'done' if answer.ok else 'refused'}"] += 1
        return answer

    def _answer(self, words: Sequence[str]) -> commands.Answer:
        now, connections = self.world.clock(), commands.Connections(sts=proofs.Signatures())
        self.typed += 1
        asked = proofs.request(self.plumbline, *words, now=now, number=self.typed)
        return commands.answer(self.plumbline, asked, now=now, connections=connections)

    def _undo(self, short: str, *force: str) -> None:
        """Undo, and see that exactly what was there is there again."""
        world = self.world
        ids = [one for one in world.oracle.by_id if one.startswith(short)]
        if len(ids) != 1:
            return
        key, life = world.oracle.by_id[ids[0]]
        kind, name = key[1].rsplit("/", 2)[-2:]
        toy, mine = world.toys[(kind, name)], f"plumbline:{ids[0]}"
        writes, began = list(toy.writes), world.now
        answer = self._types("undo", short, *force)
        if answer is None or not answer.ok:
            return
        life.undone = True
        world.oracle.checks["undo"] += 1
        finding = world.oracle.finding(world, key)
        undone = [one for one in finding.repairs if one.undone and one.undone >= began] if finding else []
        if not undone or self.world.weather.stale:
            return  # with stale views a plan may be made for what is not there
        first = undone[0]
        before, since = (first.before or {}).get("facts"), [one for one in writes if one[2] >= first.at]
        if not since or since[0][1] != before or any(who != mine for who, _, at in toy.writes if at >= first.at):
            return  # somebody else changed it between the tries
        world.oracle.check(
            "undo restores", toy.facts == before, f"{kind} {name} {short}: was {before}, is {toy.facts} after the undo"
        )

    # --- the end ----------------------------------------------------------------------------------

    def _calm(self) -> None:
        """Faults stop, everything under way arrives, sweeps run; then everything must be where it belongs."""
        world, rng = self.world, self.rng
        world.note("--- calm ---")
        calm = world.weather is QUIET
        world.weather = QUIET
        world.outages.clear()
        world.hidden.clear()
        for key in rng.sample(sorted(world.toys), 2) if rng.random() < 0.4 else ():  # and some come to light in the end
            world.hidden[key] = (world.now, world.now + timedelta(hours=rng.choice((2, 4, 7, 12))))
            world.note(f"{key[0]} {key[1]} can not be read for some hours")
        last = max((at for at, _ in world.events), default=world.now)
        self._until(max(last, world.now) + timedelta(hours=2))
        hours = rng.choice((2, 3, 5)) if rng.random() < 0.92 else 30
        for hour in range(hours):
            self._until(self.swept + timedelta(minutes=59))
            if hour >= (0 if calm else 1):
                settled(world.oracle, world, self.swept)
            self._stop_when_broken()
        world.oracle.deaf = not world.ears.hears(world.now - timedelta(hours=3))
        letters_counted(world.oracle)
        notices_counted(world.oracle, world)


def _baseline(rng: random.Random) -> Baseline:
    """What this account wants: mostly enforcement, sometimes something gentler, with limits small enough to be met."""
    gentler = (Response.OBSERVE, Response.PROPOSE, Response.ALERT, Response.OFF)
    rules = {}
    for kind, clocks in CLOCKS.items():
        control = CONTROLS[control_of(kind)]
        gentle = rng.random() < 0.2 and kind != "visit"
        rules[control.id] = Rule(rng.choice(gentler) if gentle else control.response, clocks, {})
    breakers = Breakers(rng.choice((2, 4, 10)), rng.choice((3, 6, 25)), rng.choice((2, 3)), rng.choice((2, 5, 10)))
    exemptions: tuple[Exemption, ...] = ()
    if rng.random() < 0.1:
        until = START + timedelta(hours=rng.choice((5, 50)))
        exemptions = (Exemption("*", f"{ACCOUNT}/*/door/a", "bob", "reviewed", until),)
    return Baseline(rules, (), breakers, exemptions, Letters(rng.choice((4, 20, 20))))


def _slower(clock: Clock, factor: int) -> Clock:
    return Clock(
        tuple(factor * one for one in clock.remind),
        factor * clock.escalate if clock.escalate is not None else None,
        factor * clock.act if clock.act is not None else None,
    )


def replay(seed: int) -> Outcome:
    """The history of a seed."""
    return History(seed).run()


__all__ = ["History", "Outcome", "Refused", "replay"]
