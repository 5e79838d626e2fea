"""Which control, check and filter say the same, and of what."""

from __future__ import annotations

import json
import re

import pytest

from bench import checks
from bench.checks import VERDICTS, Verdict
from bench.drawn import Drawn
from local.embedded import ROOT
from plumbline.controls import registry

EVERY = [pytest.param(one, id=one.what) for one in VERDICTS]


@pytest.mark.parametrize("verdict", EVERY)
def test_each_verdict_is_of_controls_that_there_are(verdict: Verdict) -> None:
    assert verdict.controls
    assert set() == {*verdict.controls} - {*registry.load()}


@pytest.mark.parametrize("verdict", EVERY)
def test_prowlers_checks_are_named_as_it_names_those_of_the_family(verdict: Verdict) -> None:
    assert [] == [one for one in verdict.checks if not re.fullmatch(rf"{verdict.family}_[a-z0-9_]+", one)]


def test_each_verdict_has_a_peer_and_is_told_by_one_of_them_alone_at_most_where_the_other_has_no_check() -> None:
    assert [] == [one.what for one in VERDICTS if not (one.checks or one.filters)]


def test_what_is_wrong_is_a_known_few_and_four_times_as_much_in_an_account_four_times_as_large() -> None:
    one, four = Drawn.of(1), Drawn.of(4)
    found = {verdict.what: (len(verdict.subjects(one)), len(verdict.subjects(four))) for verdict in VERDICTS}
    assert found["a password without MFA"] == (5, 20)
    assert found["AdministratorAccess"] == (3, 12)
    assert found["no access block of its own"] == (12, 48)
    assert {"no encryption"} == {what for what, (few, _) in found.items() if not few}


def test_what_plumbline_leaves_alone_is_some_of_what_the_peers_tell() -> None:
    drawn = Drawn.of(1)
    spared = {one.what: set(one.spared(drawn)) for one in VERDICTS if set(one.spared(drawn))}
    assert ["ACLs count"] == [*spared]
    (acls,) = (one for one in VERDICTS if one.what == "ACLs count")
    assert spared["ACLs count"] < acls.subjects(drawn)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("111122223333/global/iam-access-key/user-00042/AKIA0000000000000042", "user-00042"),
        ("arn:aws:iam::111122223333:user/user-00007 user-00007-access-key-1", "user-00007"),
        ("arn:aws:s3:::acme-data-00193 acme-data-00193", "acme-data-00193"),
        ("111122223333/global/iam-group/group-0001", "group-0001"),
        ("arn:aws:iam::111122223333:password-policy/password-policy", checks.ACCOUNT),
    ],
)
def test_a_finding_is_about_what_was_drawn_however_a_side_names_it(text: str, expected: str) -> None:
    assert expected == checks.subject(text)


def test_custodian_gets_one_policy_for_each_verdict_and_kind_of_resource() -> None:
    names = [one["name"] for one in checks.policies(checks.of(checks.IAM))["policies"]]
    assert len(names) == len({*names})
    assert ["bench-iam-role-4", "bench-iam-group-4"] == [one for one in names if one.endswith("-4")]


def test_prowler_is_locked_with_hashes_and_is_in_no_other_environment() -> None:
    locks = {one.stem: one.read_text() for one in (ROOT / "requirements").glob("*.txt")}
    assert ["prowler"] == [name for name, text in locks.items() if re.search(r"^prowler==", text, re.MULTILINE)]
    assert json.dumps(locks["prowler"]).count("--hash=sha256:") > locks["prowler"].count("==")
