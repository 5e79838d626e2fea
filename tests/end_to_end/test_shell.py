"""The shell function and the printed AWS commands, pasted into bash, against the deployed stack."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.end_to_end.account import Account
from tests.shell.printed import everything

pytestmark = [
    pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed here; CloudShell has it"),
    pytest.mark.skipif(not shutil.which("aws"), reason="no AWS CLI is installed here; CloudShell has it"),
]

#: What a person puts her own in for: a name left open, a token from an e-mail, and what the stack's parameters say.
_TO_FILL_IN = re.compile(r"\.\.\.| (BUCKET|NAME|REGION|TOKEN)\b|s3://BUCKET|<\w+>|p-EXAMPLE|guard-scp\.json").search
#: It is played from its beginning to its end, in an account of its own: test_first_hour.py.
_THE_GUIDE = "docs/first-hour.md"
#: What this account cannot do: it knows no drift, so that nothing is to be reverted.
#: Source: AWS CloudFormation user guide, Using drift-aware change sets.
_NOT_HERE = " --change-set-name restore"


def _bash(account: Account, script: str, who: str, folder: Path) -> tuple[int, str, str]:
    """Exit code, output and errors of what somebody types in a folder with a file in it."""
    (folder / "status").touch()
    environment = account.aws.environment(who) | {"PATH": os.environ["PATH"], "AWS_DEFAULT_OUTPUT": "text"}
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def operator(account: Account) -> str:
    """A user who may type plumbline commands, and nothing else."""
    account.aws.user("olga", policies=[account.outputs["OperatorPolicyArn"]])
    return "olga"


def _typed(account: Account, who: str, folder: Path, commands: Sequence[str]) -> tuple[int, str, str]:
    return _bash(account, "\n".join([account.outputs["Shell"], *commands]), who, folder)


def test_an_operator_pastes_the_output_and_asks(account: Account, operator: str, tmp_path: Path) -> None:
    code, out, err = _typed(account, operator, tmp_path, ["plumbline status"])
    assert (0, "") == (code, err)
    assert out.startswith(f"Plumbline, account {account.aws.account}, {account.aws.region}, mode enforce\n")


def test_what_is_refused_ends_with_1_and_who_asked_is_known(account: Account, operator: str, tmp_path: Path) -> None:
    pattern = f"*/s3-bucket/{account.fresh('a b')}-*"
    commands = [
        "plumbline undo 0000; echo $?",
        f"plumbline exempt '{pattern}' --control s3-public-acl --days 7 --owner ann --reason \"it's 'meant'\"; echo $?",
    ]
    _, out, err = _typed(account, operator, tmp_path, commands)
    assert "" == err
    assert "there is no finding 0000" in out
    assert ["1", "0"] == [one for one in out.splitlines() if one.isdigit()]
    (made,) = [one for one in account.operate("exemptions")["data"]["exemptions"] if one["target"] == pattern]
    assert ("it's 'meant'", f"arn:aws:iam::{account.aws.account}:user/olga") == (made["reason"], made["by"])
    assert account.operate("unexempt", made["id"])["ok"]


def test_who_may_not_is_told_so_by_aws_and_gets_2(account: Account, tmp_path: Path) -> None:
    account.aws.user("norbert", policies=[])
    code, out, err = _typed(account, "norbert", tmp_path, ["plumbline status"])
    assert (2, "") == (code, out)
    assert "AccessDenied" in err
    assert err.endswith(f"plumbline: plumbline-operate in {account.aws.region} was not reached, or did not answer\n")


def test_the_printed_aws_commands_do_what_they_say(account: Account, tmp_path: Path) -> None:
    """In the order in which they are printed: what disables react is followed by what enables it."""
    printed = [
        one.text.replace("us-east-1", account.aws.region)  # where the home of the examples is
        for one in everything()
        if one.text.startswith(("aws ", "echo ")) and not _TO_FILL_IN(one.text) and _NOT_HERE not in one.text
        if one.where != _THE_GUIDE
    ]
    ordered = sorted(printed, key=lambda one: ("--enabled" in one, one))
    assert [] == [
        (one, err) for one in ordered for code, _, err in [_bash(account, one, "admin", tmp_path)] if code != 0
    ]
    (mapping,) = account.aws.client("lambda").list_event_source_mappings(FunctionName="plumbline-react")[
        "EventSourceMappings"
    ]
    assert mapping["State"] in ("Enabled", "Enabling")
