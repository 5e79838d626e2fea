"""Every command that is printed for people is run as it is printed, in bash, in a folder with files in it.

What is too heavy to be run here stands in `ELSEWHERE`, with the test that runs it. A printed command that none of these
knows fails.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from plumbline.alerts import shell
from tests.shell import cli, printed
from tests.shell.bash import Bash
from tests.shell.printed import ROOT, Printed
from tests.shell.town import OPEN_AT, listening, town_for

FUNCTION = shell.function("111122223333", "us-east-1", "plumbline-operate")
EVERYTHING = printed.everything()

#: What neither Plumbline, nor make, nor the AWS CLI answers for, and what does.
ELSEWHERE = {
    ".ci/run": "what CI runs; it runs `make check` and `make test`",
    "plumbline done 7F3K 0B61C4": "its ticket is another each time; tests/engine/test_by_person.py types it",
    "sam build": "tests/end_to_end/conftest.py builds with it",
    "sam deploy": "tests/end_to_end/conftest.py deploys with it",
    "sam build && sam deploy": "the same two",
    "sam build && sam deploy --guided": "the same two; what --guided asks is the SAM CLI's",
    "sam delete": "tests/end_to_end removes what it deployed with the account",
    "curl http://127.0.0.1:4566/_plumbline/calls": "local/embedded.py reads it for every end-to-end test",
    "curl http://127.0.0.1:4566/_plumbline/mail": "local/embedded.py reads it for every end-to-end test",
    "python -m local": "test_python_programs_exist",
    "python -m bench --rounds 15 --tries 3": "test_python_programs_exist",
    "python -m bench --buckets": "test_python_programs_exist",
    "python -m bench.batches --former": "test_python_programs_exist",
    "python -m bench.large --former": "test_python_programs_exist; tests/bench/test_former.py sweeps a small account",
    "python -m bench.month --json bench/month.json": "test_python_programs_exist; tests/bench/test_bill.py reads it",
}
#: Answered with 1, because they list first what they mean, and change nothing.
ASKS_FIRST = re.compile(r"plumbline enforce( \S+)?")


def _of(begins: str) -> list[Printed]:
    return [one for one in EVERYTHING if one.text.startswith(begins)]


def _ids(one: Printed) -> str:
    return one.text[:60]


def test_every_printed_command_is_run_somewhere() -> None:
    ran = ("plumbline ", "make ", "aws ", "echo ", "export ")
    assert [] == [str(one) for one in EVERYTHING if not one.text.startswith(ran) and one.text not in ELSEWHERE]
    assert [] == sorted(set(ELSEWHERE) - {one.text for one in EVERYTHING}), "printed nowhere any more"


def test_commands_are_found_in_every_place() -> None:
    places = {one.where.split(":")[0].split(" ")[0] for one in EVERYTHING}
    assert {
        "README.md",
        "CONTRIBUTING.md",
        "docs/operating.md",
        "docs/emails.md",
        "output",
        "plumbline",
        "make",
    } <= places


@pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed here; CloudShell has it")
@pytest.mark.parametrize("one", [one for one in _of("plumbline ") if one.text not in ELSEWHERE], ids=_ids)
def test_plumbline_does_what_is_printed(one: Printed, tmp_path: Path) -> None:
    here = Bash.at(tmp_path)
    with listening(town_for(one.text)) as port:
        said = here.passes_on(port, OPEN_AT).run(f"{FUNCTION}\n{one.text}")
    asks = ASKS_FIRST.fullmatch(one.text) and "Nothing was changed. To do it, type:" in said.out
    assert (1 if asks else 0, "") == (said.code, said.err), f"{one}\n{said.out}"


@pytest.mark.parametrize("one", [*_of("aws "), *_of("echo ")], ids=_ids)
def test_the_aws_cli_takes_what_is_printed(one: Printed) -> None:
    assert [] == cli.problems(one.text)


def test_the_aws_cli_takes_the_shell_function() -> None:
    """`aws eks get-token` is a command of the CLI's own: its reference, eks get-token; that it signs is tried below."""
    calls = re.findall(r"aws lambda [^;|)]*", shell.on_one_line(FUNCTION))
    assert [[]] == [cli.problems(re.split(r" 2>| \|\|", one)[0]) for one in calls]
    assert [] == [one for one in shell.PERFORMED if not cli.is_operation("iam", one)]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("aws lambda list-event-source-mapping --region x", ["lambda has no operation list-event-source-mapping"]),
        ("aws lamda invoke", ["there is no service lamda"]),
        ("aws sns subscribe --region x --topic-arn a", ["--protocol is missing"]),
        ("aws sns subscribe --topic-arn a --protocol b", ["sns subscribe needs --region"]),
        ("aws sns subscribe --region x --topic a --protocol b",
         ["sns subscribe has no option --topic", "sns subscribe takes no a", "--topic-arn is missing"]),
        ("aws lambda invoke --region x --function-name y", ["the file for the answer is missing"]),
        ("aws iam delete-user", ["--user-name is missing"]),
        ("aws iam list-users --max-items x", ["--max-items takes a number, not x"]),
        ("aws sns subscribe --region x --topic-arn a --protocol b --notification-endpoint c", []),
        ("aws cloudformation delete-stack --region x --stack-name y --retain-resources A B", []),
        ("aws cloudformation create-stack-set --region x --stack-set-name y --permission-model NONE",
         ["--permission-model takes one of ['SERVICE_MANAGED', 'SELF_MANAGED'], not NONE"]),
        ("aws cloudformation wait change-set-create-complete --region x --change-set-name y", []),
        ("aws cloudformation wait for-me --region x", ["cloudformation has no operation wait for-me"]),
        ("aws lambda list-layers --region x --compatible-runtime python3.13 B", ["lambda list-layers takes no B"]),
        ("aws sns subscribe --region x --topic-arn a --protocol b --endpoint c",
         ["sns subscribe has no option --endpoint", "sns subscribe takes no c"]),
        ('aws lambda get-event-source-mapping --region x --uuid "$(aws lambda invok --region x)"',
         ["lambda has no operation invok"]),
    ],
)  # fmt: skip
def test_a_command_that_the_aws_cli_would_refuse_is_known(command: str, expected: list[str]) -> None:
    assert expected == cli.problems(command)


@pytest.mark.parametrize("one", _of("make "), ids=_ids)
def test_make_knows_what_is_printed(one: Printed) -> None:
    """Run with -n. What the recipes do other tests see: those end to end deploy, and `make test` runs them."""
    done = subprocess.run(
        ["bash", "-c", one.text.replace("make ", "make -n ", 1)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (0, "") == (done.returncode, done.stderr), str(one)


def test_python_programs_exist() -> None:
    for one in _of("python -m"):
        place = ROOT / one.text.split()[2].replace(".", "/")
        assert (place / "__main__.py").exists() or place.with_suffix(".py").exists(), str(one)


def test_what_keeps_running_can_be_talked_to_as_printed(tmp_path: Path) -> None:
    """Each export stands on a line of its own, whole, however narrow the terminal is."""
    exports = _of("export ")
    assert 5 == len(exports)
    said = Bash.at(tmp_path).run("\n".join(one.text for one in exports) + '\necho "$AWS_REGION $AWS_SESSION_TOKEN"')
    assert (0, "x x\n", "") == (said.code, said.out, said.err)
