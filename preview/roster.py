"""`make roster`: the account's users as a roster for baseline.yaml, as they are today. Changes nothing in the account.

It writes behind what the file says already, and only where the file has no roster and is still a baseline with one.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError

from deploy.looking import home_region
from plumbline.adapters.accounts import Accounts
from plumbline.adapters.clients import Clients, perform
from plumbline.baseline.compiler import compile_text
from plumbline.baseline.document import read
from plumbline.baseline.roster import ROSTER
from plumbline.controls.iam._principals import EVERYTHING
from plumbline.controls.iam._report import ORDER, REPORT, rows_of
from plumbline.core.calls import Ask, Call
from plumbline.core.errors import AwsRefusal, BaselineError, PlumblineError
from plumbline.core.roster import Person
from plumbline.core.targets import GLOBAL

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
#: Words that need no quotes in YAML, whichever version of it reads them.
_PLAIN = re.compile(r"[A-Za-z_][\w.-]*")
_NOT_PLAIN = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_REPORT_SECONDS, _REPORT_TRIES = 2, 15


class NoReport(PlumblineError):
    """AWS did not make a credential report in time."""


def people(details: Mapping[str, Any], with_keys: frozenset[str]) -> list[Person]:
    """The account's users as a roster has them.

    Args:
        details: the bulk read of the account.
        with_keys: the users who have an active access key.
    """
    return [
        Person(
            user["UserName"],
            tuple(sorted(user.get("GroupList") or ())),
            _address(user),
            user["UserName"] in with_keys,
        )
        for user in sorted(details["UserDetailList"], key=lambda user: str(user["UserName"]).lower())
    ]


def text_of(roster: list[Person], today: str) -> str:
    """The roster as it stands in the file.

    Args:
        roster: at least one person.
        today: the day it was written.
    """
    lines = [
        f"# Who had a user on {today}. Take out who does not belong here, and keys that nobody needs.",
        f"{ROSTER}:",
    ]
    for one in roster:
        said = {
            "groups": f"[{', '.join(map(_scalar, one.groups))}]" if one.groups else "",
            "email": _scalar(one.email) if one.email else "",
            "keys": "true" if one.keys else "",
        }
        inner = ", ".join(f"{key}: {value}" for key, value in said.items() if value)
        lines.append(f"  {_scalar(one.name)}: {{{inner}}}")
    return "\n".join(lines) + "\n"


def active_keys(eyes: Callable[[], Ask], wait: Callable[[float], None] = time.sleep) -> frozenset[str]:
    """The users who have an active access key, by a credential report that is ordered where there is none.

    Args:
        eyes: gives somebody who performs reads and remembers none yet.
        wait: waits some seconds.

    Raises:
        NoReport: AWS did not make one in half a minute.
    """
    report = eyes()(REPORT)
    for _ in range(_REPORT_TRIES if report is None else 0):
        eyes()(ORDER)
        wait(_REPORT_SECONDS)
        report = eyes()(REPORT)
        if report is not None:
            break
    if report is None:
        raise NoReport("AWS did not make a credential report in half a minute; run this again")
    return frozenset(
        row["user"] for row in rows_of(report) if "true" in (row["access_key_1_active"], row["access_key_2_active"])
    )


def main(arguments: list[str]) -> int:
    """Write the roster; 0 when it was written or printed, 1 when not, with the reason."""
    wanted = _parse(arguments)
    now = datetime.now(timezone.utc)
    region = home_region(wanted.region) or "us-east-1"
    try:
        clients = Clients(region, lambda: now)
        account = perform(clients("", region, "sts"), Call("sts", "GetCallerIdentity"))["Account"]
        accounts = Accounts(clients, region, clock=lambda: now)
        keys = active_keys(lambda: accounts.eyes(account, GLOBAL))
        found = people(accounts.eyes(account, GLOBAL)(EVERYTHING), keys)
    except (PlumblineError, BotoCoreError) as error:
        hint = ""
        if isinstance(error, AwsRefusal | BotoCoreError):
            hint = "\nCheck your credentials and region: `aws sts get-caller-identity` must answer."
        sys.stderr.write(f"The roster could not be read: {error}{hint}\n")
        return 1
    if not found:
        sys.stdout.write(
            f"Account {account} has no IAM users, so there is nobody for a roster to name; leave it out.\n"
        )
        return 0
    text = text_of(found, f"{now:%Y-%m-%d}")
    if wanted.print:
        sys.stdout.write(text)
        return 0
    return _append(wanted.baseline, text, len(found), account)


def _append(path: Path, text: str, number: int, account: str) -> int:
    """Write the roster behind a file that has none, where the two together are a baseline."""
    try:
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        if before and ROSTER in (read(before, str(path)).data or {}):
            sys.stderr.write(
                f"{path} has a roster already, and nothing was written. To compare: make roster ARGS=--print\n"
            )
            return 1
        after = f"{before.rstrip()}\n{text}" if before.strip() else text
        compile_text(after, name=str(path), today=datetime.now(timezone.utc).date())
    except BaselineError as error:
        sys.stderr.write(f"{path} and the roster of account {account} do not go together; nothing was written.\n\n")
        sys.stderr.writelines(f"{one}\n" for one in error.problems)
        sys.stderr.write("\nTo write it yourself: make roster ARGS=--print\n")
        return 1
    except (OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"{path} cannot be read, and nothing was written: {error}\n")
        return 1
    path.write_text(after, encoding="utf-8")
    who = "1 user" if number == 1 else f"{number} users"
    sys.stdout.write(f"{path} has a roster of {who} of account {account} now. Read it before you deploy it.\n")
    return 0


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make roster ARGS=...", description=__doc__)
    parser.add_argument("--baseline", type=Path, default=Path("baseline.yaml"), help="the file to write into")
    parser.add_argument("--region", help="the home region; your profile's when left out")
    parser.add_argument("--print", action="store_true", help="only show what would be written")
    return parser.parse_args(arguments)


def _address(user: Mapping[str, Any]) -> str:
    """An e-mail address that a tag gives, or the name itself is."""
    tags = [tag["Value"] for tag in user.get("Tags") or () if tag["Key"].lower().replace("-", "") in ("email", "mail")]
    return next((one for one in (*tags, user["UserName"]) if _ADDRESS.fullmatch(one)), "")


def _scalar(text: str) -> str:
    """A text as YAML takes it for one."""
    plain = _PLAIN.fullmatch(text) and text.lower() not in _NOT_PLAIN
    return text if plain else json.dumps(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
