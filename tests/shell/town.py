"""A Plumbline that listens on a port of this machine, and knows whatever a printed command is about."""

from __future__ import annotations

import json
import re
import shlex
import socketserver
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

from plumbline.baseline.rules import Baseline, Breakers, Rule
from plumbline.compose import Plumbline
from plumbline.controls import registry
from plumbline.controls.index import Index
from plumbline.core.cause import Origin
from plumbline.core.clock import Response
from plumbline.core.targets import Target
from plumbline.decisions.exemptions import Exemption
from plumbline.decisions.pauses import Pause
from plumbline.decisions.suspensions import Suspension
from plumbline.engine.settle import Engine
from plumbline.handlers.operate.asked import Connections
from plumbline.ports import Message
from plumbline.wakes.messages import Wake
from tests.fakes import ACCOUNT, CONTROL, MALLORY, NOW, House

#: As late as it is in a town.
OPEN_AT = NOW + timedelta(minutes=5)
_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}")


@dataclass
class Town(House):
    """A house whose lamps go by the names of the real controls."""

    @property
    def engine(self) -> Engine:
        """See House."""
        known = registry.load()
        controls = {one.id: replace(CONTROL, id=one.id, kinds=one.kinds) for one in known.values()}
        rules = {one: Rule(self.response, self.clocks, {}) for one in controls}
        baseline = Baseline(rules, (), self.breakers, self.exemptions, self.letters, operators=self.operators)
        return replace(super().engine, controls=controls, baseline=baseline)

    @property
    def plumbline(self) -> Plumbline:
        """See House."""
        return Plumbline(self.engine, cast("Any", self.ledger), lambda *_: None, ACCOUNT, Index.of(registry.load()))


class _Queue:
    def send(self, bodies: Sequence[str], *, delay: int = 0) -> None:
        pass

    def receive(self) -> Sequence[Message]:
        return ()

    def delete(self, receipt: str) -> None:
        pass


def town_for(command: str) -> Town:
    """A town in which a command can be carried out."""
    words = shlex.split(command)[1:]
    verb = words[0] if words else "help"
    id_ = next((one for one in words[1:2] if _ID.fullmatch(one)), "7F3K")
    control = next((one for one in words if one in registry.load()), "iam-groups")
    town = Town(
        connections=Connections(_Queue(), wakes=_Queue(), dead=_Queue()), breakers=Breakers(per_control=9, fight=9)
    )
    town.response = Response.PROPOSE if verb == "approve" else Response.ENFORCE
    target = Target(ACCOUNT, "eu-west-1", registry.load()[control].kinds[0], "acme-data")
    town.aws.lamps["acme-data"], town.aws.buckets = {"on": ["a"]}, ("acme-data",)
    origin = Origin.ADOPTION if verb == "enforce" else Origin.EVENT
    if "--tries" in words:
        town.aws.fails["SwitchOff"] = ["AccessDenied"] * 3
    tries = 3 if "--tries" in words else 1
    for hour in range(tries):
        town.engine.settle(Wake(control, target, origin, MALLORY), now=NOW + timedelta(hours=hour))
    finding = town.ledger.findings[control, target]
    if "--fights" in words:
        town.aws.lamps["acme-data"]["on"] = ["a"]
        finding = replace(finding, status=type(finding.status).OPEN, told=(*finding.told, "fight"), closed_at=None)
    town.ledger.findings[control, target] = replace(finding, id=f"{id_}ZZZZZZ")
    if verb == "unexempt":
        number = words[1] if len(words) > 1 else "X7F3K"
        town.ledger.exemptions.append(Exemption(control, str(target), "ann", "x", NOW + timedelta(days=9), number))
    if verb in ("suspend", "release"):
        town.operators = (f"arn:aws:iam::{ACCOUNT}:user/ann",)  # not whom the finding names
        number = words[1] if len(words) > 1 and words[1].startswith("S") else "S7F3K"
        town.ledger.suspended.append(
            Suspension(number, MALLORY.principal, "x", "", NOW, NOW + timedelta(days=7), "suspended")
        )
    if verb == "resume":
        name = next((one for one in words[1:] if one in registry.load()), "*")
        town.ledger.pauses[name] = Pause(NOW + timedelta(days=1), "x")
    return town


@contextmanager
def listening(town: Town) -> Iterator[int]:
    """The port on which a town answers as the function operate does."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            answer = town.answer(json.loads(self.rfile.read()), now=OPEN_AT)
            given = {"ok": answer.ok, "text": answer.text, "data": {}, "next": answer.next}
            self.wfile.write(json.dumps(given).encode())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()
