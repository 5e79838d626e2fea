"""Every command that is printed for people: in documents, e-mails, the stack's outputs, answers and programs."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from local.demo import left_running
from local.embedded import ACCOUNT, EmbeddedAWS
from plumbline.handlers.operate.commands import COMMANDS
from tests import gallery
from tests.deployed import source, text

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "DESIGN.md", "bench/README.md", *sorted(
    str(one.relative_to(ROOT)) for one in (ROOT / "docs").rglob("*.md")
))  # fmt: skip
#: What a command begins with. What begins otherwise is code, a name, or a file.
_BEGINS = re.compile(r"(plumbline|make|aws|sam|curl|python3?|pip|git|export)\s+[^\s|=:][^\n]*|echo '.*|\.ci/run")
_FENCED = re.compile(r"(?ms)^```(\w*)\n(.*?)^```$")
_INLINE = re.compile(r"`([^`]+)`")
#: Languages of blocks that hold no commands.
_NO_SHELL = ("json", "yaml")


@dataclass(frozen=True, order=True)
class Printed:
    """A command and where it is printed."""

    text: str
    where: str

    def __str__(self) -> str:
        return f"{self.where}: {self.text}"


def everything() -> list[Printed]:
    """Every command once, with the first place where it is printed."""
    found: dict[str, Printed] = {}
    for one in (*_documents(), *_emails(), *_outputs(), *_examples(), *_embedded(), *_makefile()):
        found.setdefault(one.text, one)
    return sorted(found.values())


def _documents() -> Iterator[Printed]:
    for name in DOCUMENTS:
        written = (ROOT / name).read_text()
        for language, block in _FENCED.findall(written):
            if language not in _NO_SHELL:
                yield from _commands(block, name)
        for span in _INLINE.findall(_FENCED.sub("", written)):
            one = " ".join(span.split())
            if _BEGINS.fullmatch(one):
                yield Printed(one, name)


def _commands(block: str, where: str) -> Iterator[Printed]:
    """The commands of a block, without what is said beside them; one that a backslash continues is one."""
    for line in re.sub(r"\s*\\\n\s*", " ", block).splitlines():
        one = re.sub(r"\s+# .*$", "", line).strip()
        if where == "README.md" and one.startswith("plumbline "):
            one = re.sub(r"\s{2,}.*$", "", one)  # a list of commands, each explained beside itself
        if _BEGINS.fullmatch(one):
            yield Printed(one, where)


def _emails() -> Iterator[Printed]:
    for title, alert in gallery.letters():
        yield from (Printed(one, f"e-mail: {title}") for one in alert.commands)
        listed, _, beside = alert.body.partition("What you can do, in AWS CloudShell")
        yield from _commands(beside.partition("Where the shell does not know")[0], f"e-mail: {title}")
        for one in re.findall(r"ype: (plumbline .*)$", listed, re.MULTILINE):
            yield Printed(one, f"e-mail: {title}")


def _outputs() -> Iterator[Printed]:
    for name, one in source()["Outputs"].items():
        value = text(one["Value"])
        if _BEGINS.fullmatch(value):
            yield Printed(value, f"output {name}")


def _examples() -> Iterator[Printed]:
    for name, one in COMMANDS.items():
        yield Printed(f"plumbline {one.example}", f"plumbline help {name}")


def _embedded() -> Iterator[Printed]:
    yield from _commands(left_running(Started(), "plumbline() ( ...; )"), "make demo KEEP=1")


class Started(EmbeddedAWS):
    """As much of an account on this machine as the text about it needs."""

    def __init__(self) -> None:
        self.account, self.endpoint, self.log = ACCOUNT, "http://127.0.0.1:4566", Path("a log")

    def environment(self, *_: str, **__: str) -> dict[str, str]:
        """See EmbeddedAWS."""
        return defaultdict(lambda: "x")


def _makefile() -> Iterator[Printed]:
    for one in re.findall(r"(?:Say \S+ .*?|with): (make .*?)\"", (ROOT / "Makefile").read_text()):
        typed = re.sub(r" (\.\.\.|\$\(MAKECMDGOALS\))", " help", one)  # for whatever was typed
        yield Printed(typed, "Makefile")
