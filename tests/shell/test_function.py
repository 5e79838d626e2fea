"""The shell function `plumbline`, in real shells: what it asks, what it shows, and how it ends."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from botocore import xform_name
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plumbline.alerts import shell
from plumbline.controls import registry
from plumbline.core import giving
from plumbline.findings.finding import Status
from plumbline.handlers.operate import proof
from plumbline.handlers.operate.commands import COMMANDS
from tests.deployed import source, text
from tests.fakes import ACCOUNT
from tests.shell.bash import Bash, Said
from tests.shell.town import OPEN_AT, listening, town_for

FUNCTION = shell.function("111122223333", "us-east-1", "plumbline-operate")
SHELLS = [one for one in ("bash", "zsh", "dash") if shutil.which(one)]

pytestmark = pytest.mark.skipif(not shutil.which("jq"), reason="jq is not installed here; CloudShell has it")


@pytest.fixture(params=SHELLS)
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Bash:
    """Each shell that this machine has."""
    return Bash.at(tmp_path, request.param)


def _typed(here: Bash, *words: str, function: str = FUNCTION) -> Said:
    return here.run(f"{function}\nplumbline {shlex.join(words)}")


# --- what it asks --------------------------------------------------------------------------------------------------


def test_it_asks_operate_in_its_own_region_once_and_waits_longer_than_operate_may_take(here: Bash) -> None:
    _typed(here, "status")
    assert [
        "lambda", "invoke", "--region", "us-east-1", "--function-name", "plumbline-operate", "--output", "json",
        "--cli-connect-timeout", "10", "--cli-read-timeout", str(shell.READ_SECONDS),
        "--payload", "fileb:///dev/stdin", "/dev/stdout",
    ] == here.arguments  # fmt: skip
    assert "1" == (here.tools / "attempts").read_text().strip()
    assert source()["Resources"]["OperateFunction"]["Properties"]["Timeout"] < shell.READ_SECONDS


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("undo", "7F3K", "--force"),
        ("exempt", "*/s3-bucket/a b", "--reason", "it's"),
        ("show", "-x", "--", "", "ü\n$(date)`id`!\\"),
        ("findings", "--json"),
    ],
)
def test_every_word_arrives_as_it_was_typed(here: Bash, words: tuple[str, ...]) -> None:
    _typed(here, *words)
    assert list(words) == here.asked["command"]
    assert here.asked.keys() - {"command"} in (set(), {"proof", "nonce"})


_WORD = st.text(st.characters(exclude_characters="\0", categories=None, exclude_categories=["Cs"]), max_size=20)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(_WORD, max_size=4))
def test_any_word_arrives_as_it_was_typed(tmp_path_factory: pytest.TempPathFactory, words: list[str]) -> None:
    here = Bash.at(tmp_path_factory.mktemp("bash"))
    _typed(here, *words)
    assert words == here.asked["command"]


# --- who types it --------------------------------------------------------------------------------------------------


def _signed(here: Bash) -> str:
    """What has to be signed for what was sent last."""
    return proof.value("111122223333", "us-east-1", "plumbline-operate", here.asked["command"], here.asked["nonce"])


@pytest.mark.parametrize(
    "words",
    [
        ("undo", "7F3K", "--force"),
        ("exempt", "*/s3-bucket/a b", "--reason", "it's"),
        ("exempt", "", "ü\n$(date)`id`!\\ %s %d", "--json"),
        ("no-such-command",),
    ],
)
def test_what_changes_something_is_signed_with_every_word_and_a_number(here: Bash, words: tuple[str, ...]) -> None:
    _typed(here, *words)
    assert [
        "eks", "get-token", "--region", "us-east-1", "--cluster-name", _signed(here),
        "--query", "status.token", "--output", "text",
    ] == here.signed  # fmt: skip
    assert "k8s-aws-v1.abc" == here.asked["proof"]


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(_WORD, max_size=4))
def test_what_is_signed_is_what_is_received_whatever_is_typed(
    tmp_path_factory: pytest.TempPathFactory, words: list[str]
) -> None:
    here = Bash.at(tmp_path_factory.mktemp("bash"))
    _typed(here, "undo", *words)
    assert _signed(here) == here.signed[5]


def test_no_number_is_used_twice(here: Bash) -> None:
    numbers = set()
    for _ in range(3):
        _typed(here, "undo", "7F3K")
        numbers.add(here.asked["nonce"])
    assert (3, {64}) == (len(numbers), {len(one) for one in numbers})


@pytest.mark.parametrize("name", [*COMMANDS, "--help", "-h", "--version", ""])
def test_what_only_reads_is_not_signed_and_all_else_is(tmp_path: Path, name: str) -> None:
    here = Bash.at(tmp_path)
    _typed(here, *([name] if name else []))
    changes = name in COMMANDS and COMMANDS[name].changes
    assert changes == bool(here.signed)
    assert ({"command", "proof", "nonce"} if changes else {"command"}) == here.asked.keys()


def test_who_cannot_sign_is_told_why_and_nothing_is_sent(here: Bash) -> None:
    (here.tools / "nobody").touch()
    said = _typed(here, "undo", "7F3K")
    assert Said(2, "", "Unable to locate credentials\nplumbline: who types this could not be signed\n") == said
    assert not (here.tools / "payload").exists()
    assert Said(0, "fine\n", "") == _typed(here, "status")


@pytest.mark.parametrize("tool", ["sha256sum", "shasum", "openssl"])
def test_one_of_three_programs_makes_the_digest(tmp_path: Path, tool: str) -> None:
    """CloudShell has sha256sum, macOS shasum, and where neither is there may be OpenSSL."""
    here = Bash.at(tmp_path)
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not installed here")
    here.without("sha256sum")
    (here.tools / tool).symlink_to(str(shutil.which(tool)))
    for interpreter in ("perl", "env"):
        if shutil.which(interpreter):
            (here.tools / interpreter).symlink_to(str(shutil.which(interpreter)))
    said = here.run(f"{FUNCTION}\nplumbline undo 7F3K", alone=True)
    assert (Said(0, "fine\n", ""), _signed(here)) == (said, here.signed[5])


# --- what takes a person's own rights --------------------------------------------------------------------------------

_ATTACH = {
    "service": "iam",
    "operation": "attach-user-policy",
    "parameters": {"UserName": "bo's", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
}
_JOIN = {"service": "iam", "operation": "add-user-to-group", "parameters": {"UserName": "bo", "GroupName": "ops\n\x1b"}}
_THEN = ["done", "7F3K", "T-1 'x'"]


def _asks(*calls: object, then: object = _THEN, ok: bool = True) -> str:
    return json.dumps({"ok": ok, "text": "Yours to do.", "data": {}, "perform": calls, "then": then})


def test_what_takes_own_rights_is_shown_done_and_reported_in_one_command(here: Bash) -> None:
    said = _typed(here.answers(_asks(_ATTACH, _JOIN)).then_answers('{"ok": true, "text": "Undone."}'), "undo", "7F3K")
    shown = [
        "Yours to do.",
        "This takes rights of your own:",
        '  aws iam attach-user-policy {"UserName":"bo\'s","PolicyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}',
        '  aws iam add-user-to-group {"UserName":"bo","GroupName":"ops\\n\\u001b"}',
        "Undone.",
    ]
    assert Said(0, "\n".join(shown) + "\n", "") == said
    given = [json.dumps(one["parameters"], separators=(",", ":")) for one in (_ATTACH, _JOIN)]
    assert [
        f"iam attach-user-policy --region us-east-1 --cli-input-json {given[0]}",
        f"iam add-user-to-group --region us-east-1 --cli-input-json {given[1]}",
    ] == here.performed
    assert (_THEN, _signed(here)) == (here.asked["command"], here.signed[5])


def test_what_aws_refuses_ends_it_and_is_reported(here: Bash) -> None:
    asks = here.answers(_asks(_JOIN, _ATTACH, _JOIN)).then_answers('{"ok": false, "text": "Half."}')
    said = _typed(asks.refuses("attach-user-policy"), "undo", "7F3K")
    assert (1, "AccessDenied\n", 1) == (said.code, said.err, len(here.performed))
    assert said.out.endswith("\nHalf.\n")
    assert [*_THEN, "--failed", "2"] == here.asked["command"]


def test_what_is_gone_already_is_as_well_done(here: Bash) -> None:
    gone = {**_ATTACH, "absent": ["NoSuchEntity", "AccessDenied"]}
    asks = here.answers(_asks(gone, _JOIN)).then_answers('{"ok": true, "text": "Undone."}')
    said = _typed(asks.refuses("attach-user-policy"), "undo", "7F3K")
    assert (0, "", 1, _THEN) == (said.code, said.err, len(here.performed), here.asked["command"])


def test_it_makes_every_call_of_a_control_that_takes_a_person_and_no_more() -> None:
    writes = {action for one in registry.load().values() for action in one.writes} | set(giving.DETACHES)
    writes.add("iam:SetDefaultPolicyVersion")  # of undos that earlier versions have kept
    persons = {one for one in writes if one in giving.DETACHES or not giving.is_taken(one)}
    assert {xform_name(one.partition(":")[2], "-") for one in persons} == set(shell.PERFORMED)


@pytest.mark.parametrize(
    ("calls", "then"),
    [
        ([{**_ATTACH, "operation": "create-access-key"}], _THEN),
        ([{**_ATTACH, "operation": "attach-user-policy --profile x"}], _THEN),
        ([{**_ATTACH, "service": "s3api"}], _THEN),
        ([_ATTACH, {**_JOIN, "operation": "delete-user"}], _THEN),
        ([_ATTACH, "x"], _THEN),
        ([_ATTACH], ["exempt", "*"]),
        ([_ATTACH], "done"),
        ([_ATTACH], None),
    ],
)
def test_whoever_tampers_with_the_answer_cannot_have_anything_else_done(
    here: Bash, calls: list[object], then: object
) -> None:
    said = _typed(here.answers(_asks(*calls, then=then)), "undo", "7F3K")
    assert (2, "Yours to do.\n") == (said.code, said.out)
    assert said.err.endswith("plumbline: asked for calls that it never makes\n")
    assert [] == here.performed


@pytest.mark.parametrize("name", shell.READING)
def test_nothing_is_done_in_answer_to_a_command_that_only_reads(tmp_path: Path, name: str) -> None:
    here = Bash.at(tmp_path)
    said = _typed(here.answers(_asks(_ATTACH)), name)
    assert (2, "plumbline: asked for calls that it never makes\n", []) == (said.code, said.err, here.performed)


@pytest.mark.parametrize(("typed", "performed"), [("y\n", 1), ("n\n", 0), ("\n", 0)])
def test_whoever_sits_at_a_terminal_is_asked_first(here: Bash, typed: str, performed: int) -> None:
    asks = here.answers(_asks(_ATTACH)).then_answers('{"ok": true, "text": "Undone."}')
    screen, code = asks.at_a_terminal(f"{FUNCTION}\nplumbline undo 7F3K", typed)
    assert "Do it? [y/N] " in screen
    assert (performed, 0 if performed else 1) == (len(here.performed), code)


# --- what it shows, and how it ends --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"ok": True, "text": "line one\n  ü \\n 'two'"}, Said(0, "line one\n  ü \\n 'two'\n", "")),
        ({"ok": True, "text": ""}, Said(0, "\n", "")),
        ({"ok": False, "text": "there is no finding"}, Said(1, "there is no finding\n", "")),
        (
            {"errorMessage": "2026-03-02T09:30:00Z 1a2b Task timed out after 60.00 seconds"},
            Said(2, "", "plumbline failed: 2026-03-02T09:30:00Z 1a2b Task timed out after 60.00 seconds\n"),
        ),
        (
            {"errorMessage": "no\nway", "errorType": "KeyError", "stackTrace": ["x"]},
            Said(2, "", "plumbline failed: no\nway\n"),
        ),
        (None, Said(2, "", "plumbline failed: null\n")),
        ([1], Said(2, "", "plumbline failed: [1]\n")),
        ("text", Said(2, "", "plumbline failed: text\n")),
        ({"ok": True}, Said(2, "", 'plumbline failed: {"ok":true}\n')),
        ({"ok": "yes", "text": 7}, Said(2, "", 'plumbline failed: {"ok":"yes","text":7}\n')),
    ],
)
def test_its_exit_code_is_the_answers_and_a_crash_is_an_error(here: Bash, answer: object, expected: Said) -> None:
    """What a function that fails answers: Lambda's developer guide, function errors in Python."""
    assert expected == _typed(here.answers(json.dumps(answer)), "show", "7F3K")


_REFUSED = "\nAn error occurred ({}) when calling the Invoke operation: {}\n"


@pytest.mark.parametrize(
    ("says", "code"),
    [
        ('\nUnable to locate credentials. You can configure credentials by running "aws configure".\n', 253),
        (_REFUSED.format("AccessDeniedException", "User: x is not authorized to perform: lambda:InvokeFunction"), 254),
        (_REFUSED.format("ResourceNotFoundException", "Function not found: plumbline-operate"), 254),
        (_REFUSED.format("ExpiredTokenException", "The security token included in the request is expired"), 254),
        (_REFUSED.format("TooManyRequestsException", "Rate Exceeded."), 254),
        ('\nCould not connect to the endpoint URL: "https://lambda.us-east-1.amazonaws.com/"\n', 255),
        ('\nRead timeout on endpoint URL: "https://lambda.us-east-1.amazonaws.com/"\n', 255),
        ("\nUnknown options: --cli-read-timeout\n", 252),
    ],
)
def test_what_the_cli_says_is_shown_and_is_no_answer(here: Bash, says: str, code: int) -> None:
    said = _typed(here.answers("", says=says, code=code), "status")
    where = "plumbline: plumbline-operate in us-east-1 was not reached, or did not answer\n"
    assert Said(2, "", f"{says}{where}") == said


def test_an_answer_that_never_came_is_an_error(here: Bash) -> None:
    said = _typed(here.answers(""), "status")
    assert (2, "") == (said.code, said.out)
    assert said.err.startswith("plumbline failed: {")


@pytest.mark.parametrize("tool", ["aws", "jq"])
def test_what_is_missing_is_named(tmp_path: Path, tool: str) -> None:
    said = Bash.at(tmp_path).without(tool).run(f"{FUNCTION}\nplumbline status", alone=True)
    assert Said(2, "", f"plumbline needs {tool}, as AWS CloudShell has it\n") == said


def test_a_jq_that_is_too_old_is_named(tmp_path: Path) -> None:
    """Jq 1.5 knows no --args."""
    here = Bash.at(tmp_path)
    old = here.tools / "jq"
    old.write_text('#!/bin/bash\n[ "$1" = --version ] && echo jq-1.5 && exit\necho "Unknown arguments" >&2; exit 2\n')
    old.chmod(0o755)
    assert Said(2, "", "plumbline needs jq 1.6 or newer, not jq-1.5\n") == _typed(here, "status")


def test_it_pipes_and_can_be_asked_whether_it_went_well(here: Bash) -> None:
    here.answers(json.dumps({"ok": True, "text": '{"findings": [{"target": "a"}]}'}))
    assert Said(0, "a\nyes\n", "") == here.run(
        f"{FUNCTION}\nplumbline findings --json | jq -r '.findings[].target' && plumbline status >/dev/null && echo yes"
    )


# --- page after page -----------------------------------------------------------------------------------------------


def _part(text: str, *following: object, ok: bool = True) -> str:
    return json.dumps({"ok": ok, "text": text, "data": {}, **({"next": following} if following else {})})


def test_all_pages_of_an_answer_for_a_script_are_printed_one_behind_the_other(here: Bash) -> None:
    following = ("findings", "--target", "*/it's a\n$(date) `id`", "--after", "7F3K2A9QXZ", "--json")
    said = _typed(here.answers(_part("[1]", *following)).then_answers(_part("[2]")), "findings", "--json")
    assert (Said(0, "[1]\n[2]\n", ""), {"command": list(following)}) == (said, here.asked)


def test_a_page_that_cannot_be_had_is_an_error_and_what_came_before_stands_there(here: Bash) -> None:
    for last, expected in (
        (_part("[2]", ok=False), Said(1, "[1]\n[2]\n", "")),
        ('{"errorMessage": "no"}', Said(2, "[1]\n", "plumbline failed: no\n")),
        ("", Said(2, "[1]\n", "")),
    ):
        said = _typed(here.answers(_part("[1]", "findings", "--json")).then_answers(last), "findings", "--json")
        assert expected == Said(said.code, said.out, said.err if expected.err else "")


def test_no_page_follows_a_command_that_changes_something(here: Bash) -> None:
    said = _typed(here.answers(_part("done", "undo", "7F3K")).then_answers(_part("more")), "undo", "7F3K")
    assert (Said(0, "done\n", ""), ["undo", "7F3K"]) == (said, here.asked["command"])


def test_whatever_an_answer_says_is_next_is_sent_without_a_proof(here: Bash) -> None:
    said = _typed(here.answers(_part("[1]", "pause", "--hours", "1")).then_answers(_part("no", ok=False)), "status")
    assert (Said(1, "[1]\nno\n", ""), {"command": ["pause", "--hours", "1"]}) == (said, here.asked)
    assert [] == here.signed


@pytest.mark.parametrize("following", [None, "", [], {}, 7, [[]], [{}], True])
def test_what_is_no_command_is_no_next_page(here: Bash, following: object) -> None:
    answer = json.dumps({"ok": True, "text": "[1]", "next": following})
    said = _typed(here.answers(answer).then_answers(_part("no", ok=False)), "findings", "--json")
    assert Said(0, "[1]\n", "") == said


def test_whoever_reads_no_further_ends_it(here: Bash) -> None:
    endless = _part("x" * 70_000, "findings", "--json")
    said = here.answers(endless).run(f"{FUNCTION}\nplumbline findings --json | head -c 3")
    assert "xxx" == said.out


def test_a_script_reads_every_finding_of_a_plumbline_with_many(here: Bash) -> None:
    town = town_for("plumbline findings")
    (first,) = town.ledger.findings.values()
    for number in range(1100):
        target = replace(first.target, id=f"acme-{number}")
        one = replace(first, id=f"Z{number:09}", target=target, status=Status.OPEN, closed_at=None)
        town.ledger.findings[first.control, target] = one
    with listening(town) as port:
        said = here.passes_on(port, OPEN_AT).run(f"{FUNCTION}\nplumbline findings --json | jq -c '[.findings[].id]'")
    parts = [json.loads(line) for line in said.out.splitlines()]
    assert (0, "", [500, 500, 100]) == (said.code, said.err, [len(one) for one in parts])
    assert sorted(one.id for one in town.ledger.open_findings(ACCOUNT)) == sorted(id_ for one in parts for id_ in one)


def test_it_leaves_nothing_behind(here: Bash) -> None:
    before = sorted(Path(tempfile.gettempdir()).glob("plumbline*"))
    said = here.run(f'{FUNCTION}\nset -u; plumbline undo; echo "${{answer-none}} ${{proof-none}} ${{nonce-none}}"')
    assert Said(0, "fine\nnone none none\n", "") == said
    assert before == sorted(Path(tempfile.gettempdir()).glob("plumbline*"))


def test_ctrl_c_ends_it_and_leaves_nothing_behind(tmp_path: Path) -> None:
    here = Bash.at(tmp_path)
    (here.tools / "aws").write_text('#!/bin/bash\n[ "$1" = eks ] && exit; touch "${0%/*}/began"; exec sleep 30\n')
    script = f"{FUNCTION}\nplumbline status"
    path = f"{here.tools}:/usr/bin:/bin"
    one = subprocess.Popen(
        ["bash", "-c", script],
        cwd=here.home,
        env={"PATH": path},
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 -- as in a terminal
    )
    until = time.monotonic() + 10
    while not (here.tools / "began").exists() and time.monotonic() < until:
        time.sleep(0.02)
    files = set(here.home.iterdir())
    os.killpg(one.pid, signal.SIGINT)
    try:
        assert one.wait(timeout=5) in (-signal.SIGINT, 128 + signal.SIGINT)
    finally:
        one.kill()
        one.wait()
    assert files == set(here.home.iterdir())


# --- where it stands -----------------------------------------------------------------------------------------------


def test_the_stacks_output_is_the_same_function_on_one_line() -> None:
    value = text(source()["Outputs"]["Shell"]["Value"])
    assert shell.on_one_line(shell.function("111122223333", "us-east-1", "plumbline-operate")) == value


def test_on_one_line_it_does_the_same(here: Bash) -> None:
    assert Said(0, "fine\n", "") == _typed(here, "status", function=shell.on_one_line(FUNCTION))


def test_the_stacks_status_command_needs_no_function(here: Bash) -> None:
    value = text(source()["Outputs"]["Status"]["Value"])
    assert Said(0, "fine\n", "") == here.run(value)
    assert {"command": "status"} == here.asked
    failed = here.answers('{"errorMessage": "no"}').run(value)
    assert "no\n" == failed.out


def test_an_interactive_shell_reads_nothing_into_it() -> None:
    """A `!` would be history to bash, a `#` the rest of the line to whoever pastes it on one line."""
    assert not set("!#") & set(FUNCTION)
    assert max(len(line) for line in FUNCTION.splitlines()) <= 76


# --- with a real CLI -----------------------------------------------------------------------------------------------


class _Aws(BaseHTTPRequestHandler):
    """As much of Lambda and STS as the CLI needs."""

    asked: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        type(self).asked.append((self.path, body))
        if self.path == "/":
            arn = "arn:aws:iam::111122223333:user/ann"
            answer = f"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>{arn}</Arn></GetCallerIdentityResult>"
            self._answer(200, f"{answer}</GetCallerIdentityResponse>", "text/xml")
        elif "missing" in self.path:
            self._answer(404, '{"Message": "Function not found: missing"}', error="ResourceNotFoundException")
        elif b"crash" in body:
            self._answer(200, '{"errorMessage": "crashed"}', function_error="Unhandled")
        else:
            self._answer(200, json.dumps({"ok": b"undo" not in body, "text": "grüße"}))

    def _answer(
        self, code: int, text: str, kind: str = "application/json", *, error: str = "", function_error: str = ""
    ) -> None:
        self.send_response(code)
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(len(text.encode())),
            "x-amzn-ErrorType": error,
            "X-Amz-Function-Error": function_error,
        }.items():
            if value:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[str]:
    _Aws.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Aws)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.skipif(not shutil.which("aws"), reason="no AWS CLI is installed here")
def test_with_the_cli_of_this_machine(tmp_path: Path, endpoint: str) -> None:
    here = Bash.at(tmp_path)
    (here.tools / "aws").unlink()
    keys = f"export AWS_ENDPOINT_URL={endpoint} AWS_ACCESS_KEY_ID=x AWS_SECRET_ACCESS_KEY=x AWS_DEFAULT_OUTPUT=text"
    missing = shell.function("111122223333", "us-east-1", "missing")
    said = [
        here.run(f"{keys}\n{function}\nplumbline {words}")
        for function, words in (
            (FUNCTION, "exempt '*/a b' --reason 'ü'"),
            (FUNCTION, "undo 7F3K"),
            (FUNCTION, "crash"),
            (missing, "status"),
        )
    ]
    assert [Said(0, "grüße\n", ""), Said(1, "grüße\n", ""), Said(2, "", "plumbline failed: crashed\n")] == said[:3]
    assert (2, "") == (said[3].code, said[3].out)
    assert re.search(r"ResourceNotFoundException.*Function not found: missing", said[3].err)
    sent = [json.loads(body) for path, body in _Aws.asked if path != "/"]
    words = ["exempt", "*/a b", "--reason", "ü"]
    place = proof.Place("111122223333", "us-east-1", "plumbline-operate", [endpoint])
    made = proof.checked(place, words, sent[0]["proof"], sent[0]["nonce"], now=datetime.now(timezone.utc))
    assert (words, endpoint) == (sent[0]["command"], made.url.partition("/?")[0])
    assert [{"command", "nonce", "proof"}] * 3 + [{"command"}] == [one.keys() for one in sent]
