"""Who may command Plumbline: what changes anything needs a proof, of somebody who may, and counts once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.alerts.shell import READING
from plumbline.core.clock import Response
from plumbline.core.errors import AwsRefusal
from plumbline.decisions.suspensions import Suspension
from plumbline.handlers.operate import commands, proof
from plumbline.handlers.operate.asked import Connections
from plumbline.handlers.operate.operators import is_administrator
from plumbline.rights.account import Principal
from tests.fakes import ACCOUNT, LAMP, NOW, ROOT, House, Lamps
from tests.proofs import Signatures, query, request, token

HOUR = timedelta(hours=1)
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
ADMIN = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_AdministratorAccess_0123456789abcdef/ann@example.com"
EXEMPT = ("--days", "7", "--owner", "ann", "--reason", "party")

#: A command of each kind that changes something, as it is typed about the finding whose id is put in for FINDING.
CHANGING: Mapping[str, tuple[str, ...]] = {
    "undo": ("undo", "FINDING", "--force"),
    "done": ("done", "FINDING", "0B61C4"),
    "approve": ("approve", "FINDING"),
    "enforce": ("enforce", "--yes"),
    "exempt": ("exempt", "*", "--control", "all", "--all", *EXEMPT),
    "unexempt": ("unexempt", str(LAMP)),
    "pause": ("pause", "--hours", "1", "--reason", "x"),
    "resume": ("resume", "--all"),
    "sweep": ("sweep",),
    "redrive": ("redrive",),
    "suspend": ("suspend", f"arn:aws:iam::{ACCOUNT}:user/mallory", "--days", "1", "--reason", "x"),
    "release": ("release", f"arn:aws:iam::{ACCOUNT}:user/mallory"),
}


class _Queue:
    sent: list[str]

    def __init__(self) -> None:
        self.sent = []

    def send(self, bodies: Any, *, delay: int = 0) -> None:
        self.sent += bodies


def _house(**changes: Any) -> House:
    house = House(connections=Connections(_Queue()), **changes)
    ci = f"arn:aws:iam::{ACCOUNT}:role/ci"
    house.ledger.suspended.append(Suspension("S7F3K", ci, "x", ROOT, NOW, NOW + timedelta(days=7), "suspended"))
    house.settle()
    return house


def _words(house: House, name: str) -> tuple[str, ...]:
    return tuple(house.finding.short if word == "FINDING" else word for word in CHANGING[name])


def _state(house: House) -> str:
    """All that a command could change."""
    ledger = replace(house.ledger, claims={})
    return repr((ledger, house.aws.lamps, house.aws.writes, house.connections.units.__dict__))


# --- a law over all commands -----------------------------------------------------------------------------------------


def test_every_command_is_one_that_reads_or_one_that_is_tried_here() -> None:
    assert {name for name, one in commands.COMMANDS.items() if one.changes} == set(CHANGING)
    assert {name for name, one in commands.COMMANDS.items() if not one.changes} == set(READING)


@pytest.mark.parametrize("name", CHANGING)
def test_whoever_may_invoke_operate_changes_nothing_under_any_name(name: str) -> None:
    """By `lambda:InvokeFunction` alone."""
    house = _house(response=Response.PROPOSE) if name == "approve" else _house()
    words, before = list(_words(house, name)), _state(house)
    for asked in (
        {"command": words},
        {"command": words, "by": ROOT},
        {"command": words, "by": ANN, "proof": "", "nonce": ""},
        {"command": words, "proof": "k8s-aws-v1.abc", "nonce": "0" * 32},
        {"command": " ".join(words)},
        {"command": [words[0].upper(), *words[1:]]},
        {"command": ["--json", *words]},
        request(house.plumbline, "status", now=NOW) | {"command": words},
    ):
        answer = house.answer(asked)
        assert (False, "Unproven") == (answer.ok, answer.data["error"]), asked
    assert (before, []) == (_state(house), house.alerts.letters[1:])


@pytest.mark.parametrize("name", CHANGING)
def test_somebody_who_may_does_it_with_a_proof(name: str) -> None:
    house = _house(response=Response.PROPOSE) if name == "approve" else _house()
    answer = house.type(*_words(house, name), by=ANN)
    nothing_there = {
        "unexempt": "Refused",
        "done": "NotBegun",
        "redrive": "Refused",
        "suspend": "Refused",
        "release": "Refused",
    }
    assert nothing_there.get(name) == answer.data.get("error"), answer.text


@pytest.mark.parametrize("name", READING)
def test_what_only_reads_needs_none(name: str) -> None:
    house = _house()
    before = _state(house)
    about = {"show": [house.finding.short], "who": ["acme-data"]}.get(name, [])
    answer = house.answer({"command": [name, *about]})
    # there is no bucket in this house
    assert ({"who": "Refused"}.get(name), before) == (answer.data.get("error"), _state(house))
    assert [] == house.sts.asked


@pytest.mark.parametrize("words", [("undo", "--help"), ("exempt", "-h"), ("--version", "undo")])
def test_help_needs_none_either(words: tuple[str, ...]) -> None:
    assert _house().answer({"command": list(words)}).ok


def test_what_cannot_be_meant_is_told_before_anything_is_proven() -> None:
    house = _house()
    answer = house.answer({"command": ["undo", "7F3K", "--hard"]})
    assert ("Refused", []) == (answer.data["error"], house.sts.asked)


# --- for this command, once, now ------------------------------------------------------------------------------------


def test_a_proof_is_good_for_its_own_command_only() -> None:
    house = _house()
    asked = house.proven("undo", house.finding.short, by=ANN) | {"command": ["exempt", str(LAMP), *EXEMPT]}
    answer = house.answer(asked)
    assert "AWS does not take the proof for this command (SignatureDoesNotMatch)" in answer.text.replace("\n", " ")
    assert ([], []) == (house.ledger.exemptions, list(house.ledger.claims))


def test_a_proof_counts_once_even_for_the_same_command() -> None:
    house = _house()
    asked = house.proven("pause", "--hours", "1", "--reason", "x", by=ANN)
    assert house.answer(asked).ok
    house.ledger.pauses.clear()
    again = house.answer(asked, now=NOW + timedelta(seconds=50))
    assert (False, "this proof was used before") == (again.ok, again.text[:26])
    assert {} == house.ledger.pauses
    (kept,) = [until for key, until in house.ledger.claims.items() if key.startswith("proof#")]
    assert NOW + timedelta(minutes=15) == kept


def test_the_same_command_signed_anew_with_a_used_number_does_not_count() -> None:
    house = _house()
    words = ("pause", "--hours", "1", "--reason", "x")
    assert house.answer(request(house.plumbline, *words, now=NOW, by=ANN)).ok
    later = NOW + timedelta(minutes=5)
    assert "used before" in house.answer(request(house.plumbline, *words, now=later, by=ANN), now=later).text


def test_an_old_proof_is_refused_and_nobody_is_asked() -> None:
    house = _house()
    answer = house.answer(house.proven("resume", "--all", by=ANN), now=NOW + timedelta(seconds=61))
    assert "the proof is 61 seconds old" in answer.text
    assert [] == house.sts.asked


def test_a_proof_for_another_plumbline_is_none_here() -> None:
    house = _house()
    elsewhere = proof.value(ACCOUNT, "eu-west-1", "plumbline-operate", ["resume"], "0" * 32)
    signed = token(query(ANN, elsewhere, NOW))
    assert "SignatureDoesNotMatch" in house.answer({"command": ["resume"], "proof": signed, "nonce": "0" * 32}).text


@pytest.mark.parametrize(
    ("sts", "said"),
    [
        (Signatures(down=True), "STS could not be asked who types this (ConnectTimeoutError), so nothing was done."),
        (Signatures(refuses="ExpiredToken"), "AWS does not take the proof (ExpiredToken): your sign-in has ended."),
        (Signatures(refuses="InvalidClientTokenId"), "AWS does not take the proof for this command (InvalidClientTok"),
    ],
)
def test_who_cannot_be_proven_changes_nothing(sts: Signatures, said: str) -> None:
    house = _house(sts=sts)
    before = _state(house)
    answer = house.type("resume", "--all", by=ANN)
    assert (False, True) == (answer.ok, said in answer.text.replace("\n", " "))
    assert before == _state(house)


def test_while_the_ledger_is_down_no_proof_counts() -> None:
    house = _house()
    house.ledger.down = True
    assert "the ledger is down" == house.type("exempt", str(LAMP), "--control", "all", *EXEMPT, by=ANN).text


# --- who may ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arn", "said"),
    [
        ("arn:aws:iam::444455556666:user/ann", "it is of account 444455556666, not of 111122223333"),
        ("arn:aws:iam::444455556666:root", "it is of account 444455556666"),
        (f"arn:aws:sts::{ACCOUNT}:federated-user/ann", "it is neither a user nor a role; sign in as one"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/react/x", "`operators` in baseline.yaml does not name it"),
    ],
)
def test_who_may_not_is_refused_and_told_of(arn: str, said: str) -> None:
    house = _house()
    before = _state(house)
    answer = house.type("exempt", str(LAMP), "--control", "all", *EXEMPT, by=arn)
    assert (False, "NotAllowed") == (answer.ok, answer.data["error"])
    assert f"{arn} may not command Plumbline, because {said}" in answer.text.replace("\n", " ")
    assert before == _state(house)
    mail = house.alerts.letters[-1]
    assert f"refused: a command of {arn.rpartition('/')[2]}" == mail.subject.removeprefix("[Plumbline] ")
    text = " ".join(mail.body.split())
    for fact in (said, arn, "exempt 111122223333/global/lamp/hall --control all --days 7"):
        assert fact in text


def test_whoever_tries_often_fills_no_inbox() -> None:
    house = _house()
    for number in range(3):
        for name in "abcdefgh":
            at = NOW + timedelta(seconds=number)
            house.type("resume", now=at, by=f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{number}")
    told = [one for one in house.alerts.subjects if one.startswith("refused")]
    assert 5 == len(told)
    bodies = [" ".join(one.body.split()) for one in house.alerts.letters[1:]]
    assert [False] * 4 + [True] == ["no more of them are told of before tomorrow" in one for one in bodies]
    tomorrow = NOW + timedelta(days=1)
    house.type("resume", now=tomorrow, by=f"arn:aws:sts::{ACCOUNT}:assumed-role/a/9")
    assert 6 == len([one for one in house.alerts.subjects if one.startswith("refused")])


@pytest.mark.parametrize("by", [ROOT, ANN])
def test_what_is_told_names_who_did_it_plainly(by: str) -> None:
    house = _house()
    house.type("exempt", str(LAMP), "--control", "all", *EXEMPT, by=by)
    assert by == house.ledger.exemptions[0].by
    assert f"Made by {by} " in " ".join(house.alerts.letters[-1].body.split())


@settings(max_examples=30)
@given(st.dictionaries(st.sampled_from(["by", "proof", "nonce", "command"]), st.none() | st.text() | st.integers()))
def test_the_proof_is_in_no_answer_no_mail_and_not_in_the_ledger(more: Mapping[str, Any]) -> None:
    house = _house()
    for arn in (ANN, "arn:aws:iam::444455556666:user/x"):
        asked = house.proven("pause", "--hours", "1", "--reason", "x", by=arn)
        answers = [house.answer(one) for one in (asked, asked, {**asked, **more}, {**asked, "nonce": "1" * 32})]
        told = json.dumps([answer.text for answer in answers], default=str) + repr(house.ledger)
        told += "".join(letter.body for letter in house.alerts.letters)
        secrets = (asked["proof"][-40:], asked["nonce"], "IQoJb3JpZ2luX2VjE")
        assert [] == [one for one in secrets if one in told]


@pytest.mark.parametrize("request_", [None, 7, [], {}, {"command": ["undo"], "proof": "SECRET", "nonce": "SECRET"}])
def test_the_log_has_the_command_and_nothing_else_of_a_request(request_: Any) -> None:
    assert commands.shown(request_) in ("None", "['undo']")
    assert 200 == len(commands.shown({"command": "x" * 900}))


# --- by what an account's own policies say --------------------------------------------------------------------------

_ALL = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
_POWER = {"Statement": [{"Effect": "Allow", "NotAction": ["iam:*", "organizations:*"], "Resource": "*"}]}
_GUARD = {"Statement": [{"Effect": "Deny", "Action": "lambda:Invoke*", "Resource": "*:plumbline-*"}]}
_OPERATOR = f"arn:aws:iam::{ACCOUNT}:policy/plumbline/plumbline-operator"
_PATH = "/aws-reserved/sso.amazonaws.com/"


class _Iam(Lamps):
    """Lamps in an account with these users, groups and roles, each with its policies by name or ARN."""

    principals: Mapping[str, Mapping[str, Any]]

    def read(self, call: Any) -> Any:
        if call.service != "iam":
            return super().read(call)
        given = dict(call.parameters)
        if call.operation in ("GetPolicy", "GetPolicyVersion"):
            text: Any = {"Document": {"Statement": []}}
            return (
                {"Policy": {"DefaultVersionId": "v1"}} if "Version" not in call.operation else {"PolicyVersion": text}
            )
        kind = next(one for one in ("User", "Group", "Role") if f"{one}Name" in given)
        one = self.principals.get(f"{kind}/{given[f'{kind}Name']}")
        if one is None:
            assert "NoSuchEntity" in call.absent
            return None
        return self._of(kind, given, one, call.operation)

    def _of(self, kind: str, given: Mapping[str, Any], one: Mapping[str, Any], operation: str) -> Any:
        name = given[f"{kind}Name"]
        path = one.get("path", "/")
        arn = f"arn:aws:iam::{ACCOUNT}:{kind.lower()}{path}{name}"
        inline = {key: text for key, text in one["has"].items() if not key.startswith("arn:")}
        answers: Mapping[str, Mapping[str, Any]] = {
            f"Get{kind}": {kind: {f"{kind}Name": name, "Path": path, "Arn": arn}},
            f"List{kind}Policies": {"PolicyNames": list(inline)},
            f"Get{kind}Policy": {"PolicyDocument": inline.get(given.get("PolicyName", ""))},
            f"ListAttached{kind}Policies": {
                "AttachedPolicies": [{"PolicyArn": key} for key in one["has"] if key.startswith("arn:")]
            },
            "ListGroupsForUser": {
                "Groups": [
                    {"GroupName": group, "Path": "/", "Arn": f"arn:aws:iam::{ACCOUNT}:group/{group}"}
                    for group in one.get("in", ())
                ]
            },
        }
        return dict(answers[operation], PolicyName=given.get("PolicyName", ""))


_ADMINISTRATOR: Mapping[str, Any] = {"arn:aws:iam::aws:policy/AdministratorAccess": {}}


def _may(arn: str, principals: Mapping[str, Mapping[str, Any]], operators: tuple[str, ...] = ()) -> str:
    """Why somebody may not command Plumbline; empty where he may."""
    aws = _Iam({"hall": {"on": ["a"]}})
    aws.principals = principals
    text = House(aws=aws, operators=operators).type("resume", by=arn).text.replace("\n", " ")
    found = re.search(r"because (.*)\. Nothing was done", text)
    return found[1] if found else "" if "nothing to resume" in text else text


_NOBODY = "it is no administrator and does not hold the stack's OperatorPolicy, and baseline.yaml names no `operators`"


@pytest.mark.parametrize(
    ("has", "expected"),
    [
        (_ADMINISTRATOR, ""),
        ({"all": _ALL}, ""),
        ({"all": _ALL, "guard": _GUARD}, "a policy of its own denies it to command Plumbline"),
        ({_OPERATOR: {}, "guard": _GUARD}, "a policy of its own denies it to command Plumbline"),
        ({_OPERATOR: {}}, ""),
        ({"power": _POWER}, _NOBODY),
        ({"iam": {"Statement": [{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}]}}, _NOBODY),
        ({"here": {"Statement": [{"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}]}}, _NOBODY),
        ({"arn:aws:iam::444455556666:policy/plumbline/plumbline-operator-x": {}}, _NOBODY),
        ({}, _NOBODY),
    ],
)
def test_where_nobody_is_named_it_is_administrators_and_who_holds_the_operator_policy(
    has: Mapping[str, Any], expected: str
) -> None:
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/dev/bo"
    assert [expected] * 3 == [
        _may(ANN, {"User/ann": {"has": has}}),
        _may(ANN, {"User/ann": {"has": {}, "in": ["ops"]}, "Group/ops": {"has": has}}),
        _may(session, {"Role/dev": {"has": has}}),
    ]


def test_who_is_named_may_and_nobody_else_but_root() -> None:
    everybody: Mapping[str, Mapping[str, Any]] = {
        "User/ann": {"has": {}, "path": "/team/"},
        "User/bo": {"has": _ADMINISTRATOR},
        "Role/AWSReservedSSO_AdministratorAccess_0123456789abcdef": {"has": _ADMINISTRATOR, "path": _PATH},
    }
    path = f"arn:aws:iam::*:role{_PATH}*AWSReservedSSO_AdministratorAccess_*"
    ann = f"arn:aws:iam::{ACCOUNT}:user/team/ann"
    not_named = "`operators` in baseline.yaml does not name it"
    bo = f"arn:aws:iam::{ACCOUNT}:user/bo"
    assert ["", not_named, not_named, ""] == [_may(one, everybody, (ann,)) for one in (ann, bo, ADMIN, ROOT)]
    assert [not_named, not_named, "", ""] == [_may(one, everybody, (path,)) for one in (ann, bo, ADMIN, ROOT)]


def test_a_list_with_strangers_only_is_an_empty_one() -> None:
    everybody: Mapping[str, Mapping[str, Any]] = {"User/ann": {"has": {}}, "User/bo": {"has": _ADMINISTRATOR}}
    strangers = ("arn:aws:iam::444455556666:user/ann",)
    assert [_NOBODY, ""] == [_may(f"arn:aws:iam::{ACCOUNT}:user/{one}", everybody, strangers) for one in ("ann", "bo")]


def test_who_has_been_deleted_since_may_not() -> None:
    assert "IAM knows it no more" == _may(ANN, {})


@pytest.mark.parametrize("operation", ["GetUser", "ListGroupsForUser", "ListAttachedUserPolicies"])
def test_what_cannot_be_read_lets_nobody_command(operation: str) -> None:
    class Denied(_Iam):
        def read(self, call: Any) -> Any:
            if call.operation == operation:
                raise AwsRefusal("AccessDenied", "no", call)
            return super().read(call)

    aws = Denied({"hall": {"on": ["a"]}})
    aws.principals = {"User/ann": {"has": _ADMINISTRATOR}}
    answer = House(aws=aws, operators=()).type("resume", by=ANN)
    assert (False, f"iam:{operation} was refused: AccessDenied: no") == (answer.ok, answer.text)


_DENY_ALL = {"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}


@pytest.mark.parametrize(
    ("documents", "boundary", "expected"),
    [
        ((_ALL,), None, True),
        ((_POWER,), None, False),
        ((_ALL, _DENY_ALL), None, False),
        ((_ALL,), _POWER, False),
        ((_ALL,), _ALL, True),
        ((), None, False),
    ],
)
def test_an_administrator_may_do_anything_by_all_documents_together(
    documents: tuple[Mapping[str, Any], ...], boundary: Mapping[str, Any] | None, *, expected: bool
) -> None:
    make: Callable[..., Principal] = Principal
    ann = make(arn=ANN, name="ann", kind="user", documents=documents, boundary=boundary)
    assert expected == is_administrator(ann)
