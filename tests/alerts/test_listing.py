"""Findings in lists: those that only their region tells apart stand in one row, each with its own id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from plumbline.alerts.digest import digest
from plumbline.alerts.listing import alike, entry, what_next
from plumbline.alerts.news import news
from plumbline.alerts.weekly import weekly
from plumbline.baseline.rules import Rule
from plumbline.controls import registry
from plumbline.core.cause import Cause, Origin
from plumbline.core.control import Deviation
from plumbline.core.targets import Target
from plumbline.findings.finding import Finding, Status, open_finding
from tests.gallery import ACCOUNT, DAY, NOW, SENDER

CONTROLS = registry.load()
THEN = "2026-03-09 09:30 UTC: Plumbline switches it on for new volumes"


def _off(region: str, *, what: str = "is off", then: str = THEN, control: str = "ec2-ebs-encryption") -> Finding:
    target = Target(ACCOUNT, region, control, "account")
    found = open_finding(
        control, target, Deviation(what, (what,)), origin=Origin.ADOPTION, cause=Cause(), now=NOW, before=None
    )
    return replace(found, then=then)


def _instance(region: str) -> Finding:
    target = Target(ACCOUNT, region, "ec2-instance", "i-0123456789abcdef0")
    wrong = Deviation("runs where nothing is to run", ("runs",))
    return open_finding("account-regions", target, wrong, origin=Origin.SWEEP, cause=Cause(), now=NOW, before=None)


def _ids(groups: Sequence[Sequence[Finding]]) -> list[list[str]]:
    return [[one.target.region for one in group] for group in groups]


def test_one_setting_of_many_regions_is_one_row_with_an_id_for_each() -> None:
    sydney, oregon, tokyo = (_off(one) for one in ("ap-southeast-2", "us-west-2", "ap-northeast-1"))
    (group,) = alike(CONTROLS, [sydney, oregon, tokyo])
    assert [
        f"    {sydney.short} EBS encryption by default in each of 3 regions is off",
        f"          {THEN}",
        f"          ap-northeast-1:{tokyo.short}, ap-southeast-2:{sydney.short}, us-west-2:{oregon.short}",
    ] == entry(CONTROLS, group)


def test_what_is_wrong_otherwise_or_comes_at_another_time_has_a_row_of_its_own() -> None:
    found = [
        _off("eu-west-1"),
        _off("eu-west-2", what="cannot be told"),
        _off("eu-west-3", then="waits"),
        _off("sa-east-1"),
    ]
    assert [["eu-west-1", "sa-east-1"], ["eu-west-2"], ["eu-west-3"]] == _ids(list(alike(CONTROLS, found)))


def test_what_has_a_name_of_its_own_is_never_put_together() -> None:
    """What its rule does not call after the region would stand there without one."""
    found = [_instance("eu-west-1"), _instance("eu-west-2")]
    assert [["eu-west-1"], ["eu-west-2"]] == _ids(list(alike(CONTROLS, found)))


def test_a_rule_that_is_gone_does_not_stop_a_list() -> None:
    gone = replace(_off("eu-west-1"), control="no-longer")
    assert [["eu-west-1"], ["eu-west-2"]] == _ids(list(alike(CONTROLS, [gone, _off("eu-west-2")])))


def test_every_e_mail_that_lists_puts_them_together() -> None:
    regions = [_off(one) for one in ("ap-southeast-2", "us-west-2")]
    row = "EBS encryption by default in each of 2 regions is off"
    rules = {
        "ec2-ebs-encryption": Rule(CONTROLS["ec2-ebs-encryption"].response, CONTROLS["ec2-ebs-encryption"].clocks, {})
    }
    told = (
        digest(CONTROLS, regions, SENDER),
        news(CONTROLS, rules, regions, SENDER, now=NOW),
        weekly(CONTROLS, regions, SENDER, NOW, 1),
        weekly(
            CONTROLS,
            [replace(one, status=Status.REPAIRED, closed_at=NOW, due=None) for one in regions],
            SENDER,
            NOW + DAY,
            1,
        ),
    )
    assert [1] * 4 == [" ".join(one.body.split()).count(row) for one in told]
    assert "2 things" in told[0].subject


def test_a_digest_names_the_rule_as_baseline_yaml_does() -> None:
    body = " ".join(digest(CONTROLS, [_off("us-west-2")], SENDER).body.split())
    assert "medium: New EBS volumes are encrypted, whoever makes them. (ec2-ebs-encryption)" in body


def test_what_only_a_person_can_do_is_told_to_its_end() -> None:
    control = CONTROLS["root-mfa"]
    target = Target(ACCOUNT, "global", "root-user", "root")
    state = {"mfa": False, "password": True, "keys": False, "certificates": False, "virtual": 0}
    why = control.plan(target, state, {}).refusal
    assert f"not repaired: {why}" == what_next(replace(_off("us-west-2"), then=f"not repaired: {why}"))
