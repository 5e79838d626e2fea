"""`make preview`: a table of what is out of line in your account, what Plumbline would do about it, and when."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

from botocore.exceptions import BotoCoreError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.looking import home_region
from plumbline.adapters.accounts import Accounts
from plumbline.adapters.clients import Clients, perform
from plumbline.baseline.compiler import compile_file
from plumbline.baseline.rules import Baseline
from plumbline.core.calls import Call
from plumbline.core.errors import AwsRefusal, PlumblineError
from plumbline.core.reach import Reach
from preview import page
from preview.about import Counting, deployment, told
from preview.looking import Blind, Row, look, reach, together

_RANK = {"critical": 0, "high": 1, "medium": 2, "low": 3}


def main(arguments: list[str]) -> int:
    """Look, and print; 0 when it could look, whatever it found, and 1 when not; 2 is for `--exit-code`."""
    wanted = _parse(arguments)
    now = datetime.now(timezone.utc)
    try:
        baseline = Baseline.from_json(json.loads(json.dumps(compile_file(wanted.baseline, today=now.date()))))
        region = home_region(wanted.region) or "us-east-1"
        clients = Counting(Clients(region, lambda: now))
        account = perform(clients("", region, "sts"), Call("sts", "GetCallerIdentity"))["Account"]
        reached, unlisted = _reach(clients, account, region, wanted.stack, baseline, now)
        aws = Accounts(clients, region, stack=wanted.stack, reaching=lambda: reached, clock=lambda: now)
        grace = timedelta(days=wanted.grace)
        found = list(look(aws, account, baseline, grace=grace, now=now, swept=reached.swept))
        reads, decided = clients.sent, deployment(clients, region, wanted.stack)
        about = [*decided.told, *told(clients, region, wanted.stack, reads, now), *unlisted]
        if decided.makes_a_trail:
            found = [_with_the_stack(one) for one in found]
    except (PlumblineError, BotoCoreError) as error:
        hint = ""
        if isinstance(error, AwsRefusal | BotoCoreError):
            hint = "\nCheck your credentials and region: `aws sts get-caller-identity` must answer."
        sys.stderr.write(f"The preview could not look: {error}{hint}\n")
        return 1
    rows = sorted(
        (one for one in found if isinstance(one, Row)), key=lambda one: (_RANK[one.severity], one.control, one.target)
    )
    blind = [one for one in found if isinstance(one, Blind)]
    if wanted.json:
        data = {
            "account": account,
            "region": region,
            "seen_at": now.isoformat(timespec="seconds"),
            "about": list(about),
            "findings": [row.to_json() for row in rows],
            "not_seen": [{"control": one.control, "target": one.target, "why": one.why} for one in blind],
        }
        sys.stdout.write(json.dumps(data, indent=2) + "\n")
    else:
        _print(rows, blind, account, about)
    if wanted.html:
        wanted.html.write_text(page.render(rows, blind, about, account, now), encoding="utf-8")
    return 2 if wanted.exit_code and (rows or blind) else 0


def _with_the_stack(one: Row | Blind) -> Row | Blind:
    """A missing trail, as the deployment makes one; else the same."""
    if isinstance(one, Blind) or one.control != "cloudtrail-logging" or not one.would.startswith("creates trail"):
        return one
    return replace(one, would="nothing: the stack makes a trail", when="with the deployment", date="")


def _reach(
    clients: Counting, account: str, region: str, stack: str, baseline: Baseline, now: datetime
) -> tuple[Reach, Sequence[str]]:
    """The regions to look at; where nobody may list them, home alone, and a paragraph that says so."""
    try:
        return reach(clients, account, region, stack, baseline, now), ()
    except AwsRefusal as error:
        return Reach(), (f"Not seen: {error}. Of what each region has of its own, only {region} was looked at.",)


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make preview ARGS=...", description=__doc__)
    parser.add_argument("--baseline", type=Path, default=Path("baseline.yaml"))
    parser.add_argument("--region", help="the home region; your profile's when left out")
    parser.add_argument(
        "--grace", type=int, default=7, metavar="DAYS", help="the AdoptionGraceDays you would deploy with"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--stack", default="plumbline", help="the name that the stack has or would have")
    parser.add_argument(
        "--exit-code", action="store_true", help="end with 2 when something is out of line, for scripts"
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page as well")
    return parser.parse_args(arguments)


def _print(rows: Sequence[Row], blind: Sequence[Blind], account: str, about: Sequence[str]) -> None:
    console = Console()
    table = Table(
        title=f"Account {account}: {len(rows) or 'nothing'} out of line", title_justify="left", pad_edge=False
    )
    for column in ("severity", "what is out of line", "what Plumbline would do", "when"):
        table.add_column(column, overflow="fold")
    for row in together(rows):
        # names from the account are text, whatever brackets stand in them
        what = f"{escape(row.what)}\n[dim]{row.control}\n{escape(row.target)}[/dim]"
        table.add_row(row.severity, what, escape(row.would), f"{row.when}\n[dim]{row.date}[/dim]".strip())
    console.print(table)
    for one in blind:
        console.print(f"not seen: {one.control} on {one.target}: {one.why}", markup=False)
    if not rows and not blind:
        console.print("Everything watched is in line with the baseline.")
    for paragraph in about:
        plain = "".join(one if one.isprintable() else " " for one in paragraph)
        console.print(f"\n{plain}", markup=False, highlight=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
