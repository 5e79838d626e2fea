"""Plays docs/first-hour.md: every command of it, as it is printed there, in an account on this machine.

Run by `make first-hour`. The account is new and at home in Sydney; maria is its administrator. What the terminal showed
and what the mailbox held is kept in docs/pictures/first-hour.json, from which `make sync` draws the pictures and writes
what the guide quotes. Above a block of the guide a comment says what it is:

* `play NAME`: commands, typed one after the other at one prompt. An id is that of the e-mail that came last.
* `file baseline.yaml`: what the file says from then on. `roster baseline.yaml`: what takes the place of the roster.
* `shown NAME`: what the terminal showed for `play NAME`; `make sync` writes it.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.demo import ROOT_FROM
from local.embedded import ROOT, EmbeddedAWS, EmbeddedAWSError, Mail, NotInTime

GUIDE = ROOT / "docs/first-hour.md"
RECORDED = ROOT / "docs/pictures/first-hour.json"
HOME, EMAIL, OWNER = "ap-southeast-2", "maria@example.com", "maria"
COLUMNS, LINES = 80, 50
_BLOCK = re.compile(r"(?ms)^<!-- (play|file|roster|shown) (\S+) -->\n+```\w*\n(.*?)^```$")
#: What asks at the prompt, and waits.
_ASKS = b"[y/N]"
_ID = re.compile(r"(?<=plumbline undo )[0-9A-Z]{4}")
_STEP_SECONDS, _SETTLED_SECONDS, _QUIET_SECONDS = 600.0, 300.0, 3.0
#: What `sam` prints of its own between what make deploy says: hundreds of lines, other ones in each version.
_OF_SAM = re.compile(
    r"(?s)^Building layer.*?(?=^Deploy this changeset\? )|(?<=\[y/N\]: y\n).*?(?=^Deployed, )", re.MULTILINE
)
#: Lists first what it means, and ends with 1 because nothing is done yet.
_ASKS_FIRST = re.compile(r"plumbline enforce(?!.* --yes)")
#: What is left out of a screen stands so.
ELLIPSIS = "  [...]\n"


@dataclass(frozen=True, slots=True)
class Block:
    """A block of the guide, with the comment above it."""

    kind: str
    name: str
    text: str

    @property
    def commands(self) -> Sequence[str]:
        """Its commands."""
        return self.text.splitlines()


def blocks(guide: str) -> list[Block]:
    """The blocks of the guide that a comment says something about, in order."""
    return [Block(*found) for found in _BLOCK.findall(guide)]


def but_for_ids(command: str) -> str:
    """A command without the id in it, which is another one each time."""
    return _ID.sub("7F3K", command)


@dataclass
class Play:
    """An account, a checkout of this project, and somebody who types into it."""

    aws: EmbeddedAWS
    folder: Path
    function: str = ""
    screens: dict[str, Any] = field(default_factory=dict)
    letters: dict[str, Any] = field(default_factory=dict)

    def types(self, block: Block) -> None:
        """Type the commands of a block, and keep what the terminal shows.

        Raises:
            EmbeddedAWSError: one of them did not end well.
        """
        typed = [_ID.sub(self._id(), one) for one in block.commands]
        shown = []
        for one in typed:
            screen, code = _at_a_terminal(f"{self.function}\n{one}", self._environment(), self.folder)
            if code != bool(_ASKS_FIRST.match(one)):
                raise EmbeddedAWSError(f"`{one}` ended with {code}:\n{screen}")
            shown.append(_OF_SAM.sub(ELLIPSIS, screen))
        self.screens[block.name] = {"commands": typed, "shown": shown}

    def writes(self, block: Block) -> None:
        """Write a file, or the roster in it."""
        path = self.folder / block.name
        before = path.read_text()
        kept = before[: before.index("# Who had a user on ")] if block.kind == "roster" else ""
        path.write_text(kept + block.text)

    def keeps(self, name: str, subject: str) -> Mail:
        """Keep the latest e-mail whose subject has a pattern, as it is received.

        Raises:
            NotInTime: none came.
        """
        found: list[Mail] = []

        def came() -> bool:
            found[:] = [one for one in self.aws.mail() if re.search(subject, one.subject)]
            return bool(found)

        self.aws.wait(came, timeout=_SETTLED_SECONDS, what=f"an e-mail with the subject /{subject}/")
        mail = found[-1]
        self.letters[name] = {"to": mail.to, "time": mail.time, "subject": mail.subject, "text": mail.text}
        return mail

    def settles(self) -> None:
        """Wait until Plumbline has nothing to do any more."""
        quiet = {"calls": -1, "since": 0.0}

        def silent() -> bool:
            calls = len([one for one in self.aws.calls() if one.role.startswith("plumbline-")])
            if calls != quiet["calls"] or self._waiting():
                quiet.update(calls=calls, since=time.monotonic())
            return time.monotonic() - quiet["since"] > _QUIET_SECONDS

        self.aws.wait(silent, timeout=_SETTLED_SECONDS, what="Plumbline has nothing left to do")

    def _waiting(self) -> int:
        """How many pieces of a sweep are still to be looked through."""
        sqs, kinds = self.aws.client("sqs"), ("", "NotVisible", "Delayed")
        names = [f"ApproximateNumberOfMessages{kind}" for kind in kinds]
        url = sqs.get_queue_url(QueueName="plumbline-units")["QueueUrl"]
        got = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(got[one]) for one in names)

    def _id(self) -> str:
        told = "".join(one.text for one in self.aws.mail())
        found: list[str] = re.findall(r"plumbline undo ([0-9A-Z]{4})", told)
        return found[-1] if found else "7F3K"

    def _environment(self) -> Mapping[str, str]:
        mine = self.aws.environment(OWNER)
        home = self.folder.with_name("home")
        home.mkdir(exist_ok=True)
        terminal = {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LANG": "C.UTF-8"}
        python = {"PLUMBLINE_LAMBDA_PYTHON": str(ROOT / ".venv/lambda/bin/python")}
        return {**mine, **terminal, **python, "PATH": os.environ["PATH"], "HOME": str(home)}


def _before_the_commands(play: Play, name: str) -> None:
    """What happens in the account before somebody types."""
    if name == "status":
        play.keeps("digest", r"^.Plumbline. digest: ")


def _after(play: Play, block: Block) -> None:
    """What happens because of it, and which e-mails come."""
    if block.name == "deploy":
        play.settles()  # so the first digest has all of it, as it has for whoever reads his mail some minutes later
        if play.aws.confirm_mail(EMAIL) != 3:  # noqa: PLR2004 - the Alerts topic, the watchdog's, and the people's
            raise EmbeddedAWSError("there were not three confirmation e-mails")
        play.aws.root_signs_in(ROOT_FROM)
        play.keeps("root", r"^.Plumbline. seen: the root user signed in")
    elif block.name == "shell":
        play.function = block.text
    elif block.name == "widened":
        play.settles()
        play.keeps("widened", r"^.Plumbline. repaired: .*IAM groups")
    if play.function and block.name != "observe":  # nothing is deployed before it is taught; and that is the end
        play.settles()


def _an_owner(aws: EmbeddedAWS) -> None:
    """Maria in the group administrators, and no role: she has signed in with `aws login`, and has no access key.

    The emulator counts anybody's MFA device as root's, so that she has none here.
    """
    iam = aws.client("iam", as_="root")
    iam.create_group(GroupName="administrators")
    iam.attach_group_policy(GroupName="administrators", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    aws.signed_in(OWNER)
    iam.add_user_to_group(GroupName="administrators", UserName=OWNER)
    iam.tag_user(UserName=OWNER, Tags=[{"Key": "email", "Value": EMAIL}])
    aws.without_identity_center(OWNER)


def _checkout(folder: Path) -> None:
    """This project as whoever has just got it has it, with the environments that are there."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file() and not name.startswith(("tests/", "docs/")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    for one in (folder / "requirements").iterdir():
        os.utime(one, (0, 0))  # the environments are there; make is not to make them anew
    (folder / ".venv").symlink_to(ROOT / ".venv")


def _at_a_terminal(script: str, environment: Mapping[str, str], folder: Path) -> tuple[str, int]:
    """What a terminal shows while a script runs, and how it ended; whatever asks is told yes."""
    pid, screen = pty.fork()
    if not pid:
        os.chdir(folder)
        os.execvpe("bash", ["bash", "--norc", "-c", script], dict(environment))  # noqa: S606, S607 - the shell is meant
    fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    shown, asked, end = b"", 0, time.monotonic() + _STEP_SECONDS
    with suppress(OSError):  # so Linux says that whoever was at the other end has gone
        while time.monotonic() < end:
            if not select.select([screen], [], [], 1)[0]:
                continue
            part = os.read(screen, 65536)
            if not part:
                break
            shown += part
            if shown.count(_ASKS) > asked:
                asked = shown.count(_ASKS)
                time.sleep(0.3)  # who asks has to have gone on to read
                os.write(screen, b"y\n")
    if time.monotonic() >= end:
        os.kill(pid, signal.SIGKILL)
    os.close(screen)
    return shown.decode().replace("\r\n", "\n"), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def play(guide: Sequence[Block], *, tell: Callable[[str], object]) -> Mapping[str, Any]:
    """Play the guide in a new account.

    Args:
        guide: its blocks.
        tell: hears of each step.

    Returns:
        what is to be kept: the screens and the e-mails, by name.

    Raises:
        EmbeddedAWSError: a command did not end well, or what should come did not.
    """
    with tempfile.TemporaryDirectory(prefix="plumbline-first-hour-") as scratch:
        folder = Path(scratch, "plumbline")
        folder.mkdir()
        _checkout(folder)
        with EmbeddedAWS.start(state=Path(scratch, "account"), region=HOME, confirm_mail=False) as aws:
            _an_owner(aws)
            story = Play(aws, folder)
            for block, took in _timed(guide):
                if block.kind == "play":
                    _before_the_commands(story, block.name)
                    story.types(block)
                    _after(story, block)
                elif block.kind != "shown":
                    story.writes(block)
                tell(f"  {block.kind} {block.name}: {took():.1f} s\n")
            return {"screens": story.screens, "letters": story.letters}


def _timed(guide: Sequence[Block]) -> Iterator[tuple[Block, Callable[[], float]]]:
    for block in guide:
        began = time.monotonic()
        yield block, lambda began=began: time.monotonic() - began  # type: ignore[misc]


def main() -> int:
    """Play it, and write what came; 0 when all of it went as the guide says."""
    argparse.ArgumentParser(prog="make first-hour", description=__doc__).parse_args()
    try:
        recorded = play(blocks(GUIDE.read_text(encoding="utf-8")), tell=_say)
    except (EmbeddedAWSError, NotInTime) as error:
        sys.stderr.write(f"The guide stopped: {error}\n")
        return 1
    RECORDED.parent.mkdir(exist_ok=True)
    RECORDED.write_text(json.dumps(recorded, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    _say(f"Kept in {RECORDED.relative_to(ROOT)}. Now: make sync\n")
    return 0


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
