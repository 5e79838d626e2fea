"""A bash as a person has one: a folder with files in it, and an `aws` that answers what a test wants."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

#: With its own folder before the PATH, so that what it needs is there and no other `aws` is.
_AWS = """#!/bin/bash
here=${{0%/*}}
case "$1 $2" in
"eks get-token") [ -e "$here/nobody" ] && {{ echo "Unable to locate credentials" >&2; exit 253; }}
  printf '%s\\n' "$@" >"$here/signed"; echo k8s-aws-v1.abc;;
iam*) [ "$(cat "$here/refuses")" = "$2" ] && {{ echo "AccessDenied" >&2; exit 254; }}
  printf '%s\\n' "$*" >>"$here/performed"; echo '{{"Policy": {{}}}}';;
"lambda invoke") printf '%s\\n' "$@" >"$here/arguments"; echo "$AWS_MAX_ATTEMPTS" >"$here/attempts"
  cat >"$here/payload"; cat "$here/says" >&2; code=$(cat "$here/code"); [ "$code" = 0 ] || exit "$code"
  cat "$here/answer"; [ -e "$here/next" ] && mv "$here/next" "$here/answer"
  printf '{{\\n    "StatusCode": 200,\\n    "ExecutedVersion": "$LATEST"\\n}}\\n';;
*) echo "aws: error: argument command: Invalid choice" >&2; exit 252;;
esac
"""

#: Passes a command on to a Plumbline that listens on this machine, and prints as the CLI does.
_PASSED_ON = """#!{python} -E
import socket, sys
if sys.argv[1] == "eks":
    sys.path[:0] = {path}
    from datetime import datetime
    from tests import proofs
    value, now = sys.argv[sys.argv.index("--cluster-name") + 1], datetime.fromisoformat("{now}")
    print(proofs.token(proofs.query("arn:aws:iam::111122223333:root", value, now)))
else:
    with socket.create_connection(("127.0.0.1", {port})) as one:
        one.sendall(sys.stdin.buffer.read())
        one.shutdown(socket.SHUT_WR)
        sys.stdout.write("".join(iter(lambda: one.recv(65536).decode("latin-1"), "")).encode("latin-1").decode())
    print('{{\\n    "StatusCode": 200\\n}}')
"""


@dataclass(frozen=True)
class Said:
    """What a script printed, and how it ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Bash:
    """A bash in a folder of its own.

    Attributes:
        home: the folder; it has files that an unquoted `*` would find.
        tools: the folder that is searched for programs first.
        shell: which shell, by name.
    """

    home: Path
    tools: Path
    shell: str = "bash"

    @classmethod
    def at(cls, folder: Path, shell: str = "bash") -> Bash:
        """A bash with an `aws` that answers `{"ok": true, "text": "fine"}`."""
        made = cls(folder / "home", folder / "tools", shell)
        made.home.mkdir()
        made.tools.mkdir()
        for name in ("a file", "status", "7F3K", "[x]", "-la"):
            (made.home / name).write_text("x")
        made._program("aws", _AWS.format())
        return made.answers(json.dumps({"ok": True, "text": "fine", "data": {}}))

    def answers(self, answer: str, *, says: str = "", code: int = 0) -> Bash:
        """What `aws lambda invoke` answers from now on.

        Args:
            answer: the function's payload, as the CLI writes it.
            says: what the CLI says on its standard error.
            code: how it ends.
        """
        for name, text in {"answer": answer, "says": says, "code": str(code), "refuses": ""}.items():
            (self.tools / name).write_text(text)
        return self

    def passes_on(self, port: int, now: datetime) -> Bash:
        """Let `aws lambda invoke` ask whoever listens on a port of this machine, where it is as late as that."""
        path = [str(ROOT), str(ROOT / "layers/plumbline")]
        self._program("aws", _PASSED_ON.format(python=sys.executable, port=port, path=path, now=now.isoformat()))
        return self

    def without(self, tool: str) -> Bash:
        """As it is where a program is missing."""
        (self.tools / tool).unlink(missing_ok=True)
        for other in ("jq", "cat", "bash", "head", "cut", "sha256sum"):
            found = shutil.which(other)
            if other != tool and found and not (self.tools / other).exists():
                (self.tools / other).symlink_to(found)
        return self

    def run(self, script: str, *, alone: bool = False) -> Said:
        """Run a script.

        Args:
            script: what is typed.
            alone: whether there are no programs but those of its own folder.
        """
        path = str(self.tools) if alone else f"{self.tools}:{os.environ['PATH']}"
        shell = shutil.which(self.shell) or self.shell
        done = subprocess.run(
            [shell, "-c", script],
            cwd=self.home,
            env={"PATH": path, "HOME": str(self.home), "LC_ALL": "C.UTF-8"},
            capture_output=True,
            check=False,
            timeout=120,
        )
        return Said(done.returncode, done.stdout.decode(), done.stderr.decode())  # text=True would change line ends

    def at_a_terminal(self, script: str, typed: str) -> tuple[str, int]:
        """Run a script where somebody sits and types; what the screen shows, and how it ended."""
        pid, screen = pty.fork()
        if not pid:
            os.chdir(self.home)
            path = f"{self.tools}:{os.environ['PATH']}"
            shell = shutil.which(self.shell) or self.shell
            os.execve(  # noqa: S606 -- the shell is what is started
                shell, [shell, "-c", script], {"PATH": path, "HOME": str(self.home), "LC_ALL": "C.UTF-8"}
            )
        os.write(screen, typed.encode())
        shown = b""
        with suppress(OSError):  # so Linux says that whoever was at the other end has gone
            while part := os.read(screen, 65536):
                shown += part
        os.close(screen)
        return shown.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    @property
    def asked(self) -> Any:
        """What the function was asked last."""
        return json.loads((self.tools / "payload").read_text())

    def then_answers(self, answer: str) -> Bash:
        """What it answers to the second question."""
        (self.tools / "next").write_text(answer)
        return self

    def refuses(self, operation: str) -> Bash:
        """An operation of IAM that is refused from now on."""
        (self.tools / "refuses").write_text(operation)
        return self

    @property
    def signed(self) -> Sequence[str]:
        """What stood behind `aws` when something was signed last; nothing where nothing was."""
        path = self.tools / "signed"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def performed(self) -> Sequence[str]:
        """The calls of IAM, as they stood behind `aws`."""
        path = self.tools / "performed"
        return path.read_text().splitlines() if path.exists() else []

    @property
    def arguments(self) -> Sequence[str]:
        """What stood behind `aws` last."""
        return (self.tools / "arguments").read_text().splitlines()

    def _program(self, name: str, text: str) -> None:
        path = self.tools / name
        path.write_text(text)
        path.chmod(0o755)
