"""`make preview`, against the account on this machine: what a stranger runs before he deploys anything."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tests.deployed import ROOT
from tests.end_to_end.account import Account


def _preview(account: Account, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`make preview`, with the environments as they are, however old their lock files."""
    variables = {**account.aws.environment(), "PATH": os.environ["PATH"], "COLUMNS": "80", **environment}
    command = ["make", "-o", ".venv/dev/.ready", "preview", f"ARGS={' '.join(map(shlex.quote, arguments))}"]
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=60, check=False)


def test_it_shows_what_is_out_of_line_and_writes_nothing(account: Account) -> None:
    account.quiet()
    since = account.latest_call()
    done = _preview(account, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["account"] == account.aws.account
    assert found["not_seen"] == []
    mallory = [one for one in found["findings"] if one["what"].startswith("user mallory has administrator rights")]
    assert [one["when"] for one in mallory] == ["after 7 days"]
    week = datetime.fromisoformat(found["seen_at"]) + timedelta(days=7)
    assert [one["date"] for one in mallory] == [f"{week:%Y-%m-%d}"]
    about = "\n".join(found["about"])
    assert "Plumbline goes on listening to the stack's own trail." in about
    assert "Told of alerts: security@example.com, ciso@example.com." in about
    assert "management events a month" in about
    mine = [call for call in account.aws.calls(since=since) if call.role.startswith("AWSReservedSSO_")]
    assert len(mine) > 10
    assert [call.operation for call in mine if not _reads(call.operation)] == []


def test_the_table_fits_a_terminal_and_the_page_opens(account: Account, tmp_path: Path) -> None:
    page = tmp_path / "preview.html"
    done = _preview(account, "--html", str(page), NO_COLOR="1", TERM="dumb")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    assert "user mallory has administrator rights" in " ".join(page.read_text().split())


def test_a_script_may_ask_for_an_exit_code(account: Account) -> None:
    assert "Error 2" in _preview(account, "--json", "--exit-code").stderr


def test_without_credentials_it_says_what_to_check(account: Account) -> None:
    done = _preview(account, AWS_ACCESS_KEY_ID="nobody", AWS_SECRET_ACCESS_KEY="x", AWS_SESSION_TOKEN="")
    assert done.returncode != 0
    assert "Check your credentials" in done.stderr


def test_a_broken_baseline_is_told_before_anything_is_asked(account: Account, tmp_path: Path) -> None:
    broken = tmp_path / "baseline.yaml"
    broken.write_text("controls: {no-such-control: {}}")
    done = _preview(account, "--baseline", str(broken))
    assert done.returncode != 0
    assert "controls.no-such-control: there is no such control" in done.stderr


def _reads(operation: str) -> bool:
    return operation.startswith(("Get", "List", "Describe", "Head", "Generate"))
