"""The guard as a policy of an organisation: what it denies, whom it spares, and when there is none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from deploy import scp
from plumbline.rights.account import Principal
from plumbline.rights.effective import may
from tests.deployed import ROOT, properties, text
from tests.test_guard import guard

ACCOUNT = "arn:aws:iam::111122223333:"
CENTER = "role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO"
BASELINE = f"""
operators: ['{ACCOUNT}user/maria']
deployers: ['{ACCOUNT}role/cicd/deploy']
controls:
  iam-admin-grants:
    administrators: {{users: [ann], roles: ['ops/root-*']}}
"""


def _holder(arn: str, document: Mapping[str, Any]) -> Principal:
    everything = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    kind, _, name = arn.rpartition(":")[2].partition("/")
    return Principal(arn, name.rpartition("/")[2], kind, documents=(everything, document))


def _made(capsys: pytest.CaptureFixture[str], folder: Path, text: str, stack: str = "plumbline") -> Mapping[str, Any]:
    path = folder / "baseline.yaml"
    path.write_text(text)
    assert 0 == scp.main([str(path), "--stack", stack])
    made: Mapping[str, Any] = json.loads(capsys.readouterr().out)
    return made


def test_the_shipped_policy_denies_what_the_guard_denies() -> None:
    """Each statement, but for whom it spares; the guard has the whole of each name, and the policy how it begins."""
    shipped = json.loads((ROOT / "docs" / "guard-scp.json").read_text())["Statement"]
    spared = {"aws:PrincipalArn": list(scp.always_spared("plumbline"))}
    assert [spared] * len(shipped) == [one["Condition"]["ArnNotLike"] for one in shipped]
    said = [(one["Sid"], one["Effect"], one.get("NotAction"), one.get("Action")) for one in shipped]
    assert [
        (one["Sid"], one["Effect"], one.get("NotAction"), one.get("Action")) for one in guard()["Statement"]
    ] == said


#: What CloudFormation calls what the template gives no name.
NAMED = {
    "<NamesPolicy>": f"{ACCOUNT}policy/plumbline/plumbline-NamesPolicy-1A2B3C4D",
    "<NamesRole.Arn>": f"{ACCOUNT}role/plumbline/plumbline-NamesRole-1A2B3C4D",
    "<LedgerProtectionPolicy>": f"{ACCOUNT}policy/plumbline/plumbline-LedgerProtectionPolicy-1A2B3C4D",
    "<NamesFunction.Arn>*": "arn:aws:lambda:us-east-1:111122223333:function:plumbline-NamesFunction-1A2B3C4D",
}


def _protected(statements: list[Mapping[str, Any]]) -> set[str]:
    """Every resource, and every value of a condition, as a stack called plumbline has them."""
    listed = [
        part for one in statements for part in (one["Resource"], *one.get("Condition", {}).get("ArnLike", {}).values())
    ]
    values = [one for part in listed for one in (part if isinstance(part, list) else [part])]
    told = {text(one) for one in values} - {"<AWS::NoValue>", "*"}
    return {NAMED.get(one, one) for one in told}


def test_it_names_whatever_the_guard_names_and_no_more() -> None:
    """But for the boundary, which is the account's own."""
    template = properties("AWS::IAM::ManagedPolicy")["GuardPolicy"]["PolicyDocument"]["Statement"]
    shipped = json.loads((ROOT / "docs" / "guard-scp.json").read_text())["Statement"]
    guarded, named = _protected(template), _protected(shipped)
    assert len(guarded) > 25
    assert set() == {one for one in guarded if not any(fnmatchcase(one, pattern) for pattern in named)}
    assert set() == {pattern for pattern in named if not any(fnmatchcase(one, pattern) for one in guarded)}


def test_who_is_named_is_spared_and_nobody_else(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    made = _made(capsys, tmp_path, BASELINE)
    react = "arn:aws:lambda:us-east-1:111122223333:function:plumbline-react"
    spared = [
        f"{ACCOUNT}user/maria",
        f"{ACCOUNT}role/cicd/deploy",
        f"{ACCOUNT}user/ann",
        f"{ACCOUNT}user/team/ann",
        f"{ACCOUNT}role/ops/root-1",
        f"{ACCOUNT}{CENTER}_AdministratorAccess_0123456789abcdef",
        f"{ACCOUNT}role/plumbline/plumbline-react",
    ]
    others = [
        f"{ACCOUNT}user/marian",
        f"{ACCOUNT}user/xann",
        f"{ACCOUNT}role/developers",
        f"{ACCOUNT}{CENTER}_PowerUserAccess_0123456789abcdef",
        f"{ACCOUNT}role/AWSReservedSSO_AdministratorAccess_0123456789abcdef",
        f"{ACCOUNT}role/plumbline-react",
    ]
    verdicts = {one: bool(may(_holder(one, made), "lambda:UpdateFunctionCode", react)) for one in (*spared, *others)}
    assert dict.fromkeys(spared, True) | dict.fromkeys(others, False) == verdicts
    assert may(_holder(f"{ACCOUNT}role/developers", made), "lambda:UpdateFunctionCode", react.replace("plumbline", "x"))


def test_it_follows_the_name_of_the_stack(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    made = _made(capsys, tmp_path, BASELINE, "team-security")
    developers = _holder(f"{ACCOUNT}role/developers", made)
    for resource, allowed in (
        ("lambda:us-east-1:111122223333:function:team-security-react", False),
        ("lambda:us-east-1:111122223333:function:plumbline-react", True),
        ("s3:::plumbline-trail-111122223333-us-east-1-1a2b3c4d", False),  # a bucket is not called after the stack
        ("cloudformation:us-east-1:111122223333:stack/team-security/1a2b", False),
    ):
        verdict = may(developers, f"{resource.partition(':')[0]}:DeleteIt", f"arn:aws:{resource}")
        assert allowed is bool(verdict), resource


def test_an_organisation_takes_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    made = _made(capsys, tmp_path, BASELINE)
    assert len(json.dumps(made, separators=(",", ":"))) < scp.LONGEST * 0.8
    assert {"Sid", "Effect", "NotAction", "Action", "Resource", "Condition"} >= {
        key for one in made["Statement"] for key in one
    }


@pytest.mark.parametrize(
    ("baseline", "expected"),
    [
        (
            "controls: {}",
            (
                "operators and deployers must both be named before an organisation's policy denies the rest; whoever "
                "is an administrator by his group alone could no longer deploy, nor type a command. Write them by "
                "their ARNs, such as deployers: ['arn:aws:iam::111122223333:user/maria']"
            ),
        ),
        (
            "operators: [maria]",
            (
                "1: operators[1]: this is a name, and a user, a group and a role may all have it; write an ARN, such "
                "as arn:aws:iam::111122223333:user/maria, with your account's number"
            ),
        ),
    ],
    ids=["nobody is named", "a broken baseline"],
)
def test_who_would_lock_himself_out_is_told_what_to_write(
    baseline: str, expected: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = tmp_path / "b.yaml"
    path.write_text(baseline)
    code = scp.main([str(path)])
    said = capsys.readouterr()
    assert (1, "") == (code, said.out)
    assert said.err in (f"{path}: {expected}\n", f"{path}:{expected}\n")


def test_too_many_names_are_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    many = ", ".join(f"'{ACCOUNT}user/somebody-with-a-long-name-{number}'" for number in range(30))
    path = tmp_path / "b.yaml"
    path.write_text(f"operators: [{many}]\ndeployers: ['{ACCOUNT}user/maria']")
    assert 1 == scp.main([str(path)])
    assert "name fewer operators and deployers, or a path of theirs" in capsys.readouterr().err
