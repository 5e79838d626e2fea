"""Processes that are measured: each a fresh interpreter of the functions' runtime, in a function's environment."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any, cast

from local.embedded import ROOT

PYTHON = ROOT / ".venv" / "lambda" / "bin" / "python"
#: -s: no user site. -B: write no byte code, for nothing can be written beside a function on AWS either.
_INTERPRETER = (str(PYTHON), "-s", "-B")


class NotMeasured(RuntimeError):
    """A process did not do what it is timed for."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one event took, in seconds.

    Attributes:
        wall: from the process's first line to the event's end.
        cpu: user and system time in that span.
        waited: of `wall`, from each request's first byte to its answer's last.
        returned: what the handler returned.
        calls: how many requests that was.
        steps: the clients made and calls performed; only of a recording.
        modules: what had been imported by the end; only of a recording.
    """

    wall: float
    cpu: float
    waited: float
    returned: Any = None
    calls: int = 0
    steps: Sequence[Mapping[str, Any]] = field(default=(), repr=False)
    modules: Sequence[str] = field(default=(), repr=False)

    @property
    def own(self) -> float:
        """The time that is not spent waiting for AWS."""
        return self.wall - self.waited


@dataclass(frozen=True, slots=True)
class Command:
    """A process to start: a module of bench.cold, its arguments, and the environment of the function it stands for."""

    script: str
    arguments: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def line(self) -> list[str]:
        """The command line."""
        return [*_INTERPRETER, "-m", f"bench.cold.{self.script}", *self.arguments]


@contextmanager
def started(command: Command) -> Iterator[Callable[[Any], Sample]]:
    """Start a process and give the function that hands it an event; the first event meets it cold."""
    with (
        tempfile.TemporaryFile("w+") as log,
        subprocess.Popen(
            command.line,
            cwd=ROOT,
            env=dict(command.environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        sent, answered = cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)

        def handle(event: Any) -> Sample:
            sent.write(json.dumps(event) + "\n")
            sent.flush()
            answer = answered.readline()
            if not answer:
                process.wait()
                log.seek(0)
                raise NotMeasured(f"{command.script} ended without an answer:\n{log.read()[-2000:]}")
            return Sample(**json.loads(answer))

        yield handle
        sent.close()
        process.wait()


def once(command: Command, event: Any) -> Sample:
    """Start a process for one event."""
    with started(command) as handle:
        return handle(event)
