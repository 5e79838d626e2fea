"""Digests of mixed findings, and what letters carry for those who filter them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from plumbline.alerts.alert import Alert
from plumbline.alerts.digest import digest
from plumbline.alerts.reach import told_in, unheard
from plumbline.alerts.wording import table
from plumbline.controls import registry
from plumbline.core.cause import Origin
from plumbline.core.control import Deviation
from plumbline.core.targets import Target
from plumbline.findings.finding import Finding, Status, open_finding
from tests import gallery
from tests.gallery import ACCOUNT, DAY, MALLORY, NOW, SENDER

UNTIL = NOW + 7 * DAY


def _found(name: str, *, control: str = "s3-public-acl", grace: timedelta | None = None) -> Finding:
    target = Target(ACCOUNT, "eu-west-1", "s3-bucket", name)
    deviation = Deviation("is public: anyone may list it", (name,))
    found = open_finding(control, target, deviation, origin=Origin.EVENT, cause=MALLORY, now=NOW, before=None)
    until = NOW + grace if grace else None
    return replace(found, grace_until=until, adopted=found.deviation.items if grace else (), due=until)


def _adopted(name: str, *, days: int = 7) -> Finding:
    return replace(_found(name, grace=days * DAY), then=f"2026-03-{2 + days:02} 09:30 UTC: Plumbline does it")


def _repaired(name: str) -> Finding:
    return replace(_found(name), status=Status.REPAIRED, closed_at=NOW, due=None)


def _exempt(name: str) -> Finding:
    return replace(_adopted(name), status=Status.EXEMPT, due=NOW + 30 * DAY, then="")


def _digest(*findings: Finding) -> Alert:
    return digest(registry.load(), findings, SENDER)


def _said(alert: Alert) -> str:
    return " ".join(alert.body.split())


def _offered(alert: Alert) -> list[str]:
    return [line.split()[1] for line in alert.body.splitlines() if line.startswith("  plumbline ")]


def test_only_what_adoption_found_and_is_still_open_is_said_to_be_left_alone() -> None:
    alert = _digest(_adopted("a"), _adopted("b"), _repaired("c"), _exempt("d"))
    assert (
        "4 things to tell of. 2 of them were there before Plumbline looked for the first time, and they are left alone "
        "until Monday 9 March 2026, 09:30 UTC. What became of the others stands below."
    ) in _said(alert)
    assert alert.subject == "[Plumbline] digest: 4 things, 2 there before Plumbline, the worst is high"


def test_an_exempt_row_says_so_and_until_when() -> None:
    assert "bucket d is public: anyone may list it exempt until 2026-04-01 09:30 UTC" in _said(_digest(_exempt("d")))


def test_what_was_adopted_and_is_over_is_neither_left_alone_nor_a_storm() -> None:
    alert = _digest(_exempt("a"), replace(_adopted("b"), status=Status.RESOLVED))
    assert "2 things to tell of: what became of each stands below. Worst first:" in _said(alert)
    assert ("left alone" in alert.body, "limit of e-mails" in alert.body) == (False, False)
    assert alert.subject == "[Plumbline] digest: 2 things, the worst is high"


def test_several_graces_are_told_by_the_one_that_ends_first() -> None:
    assert "left alone at least until Monday 9 March 2026" in _said(_digest(_adopted("a", days=9), _adopted("b")))


def test_a_digest_offers_only_what_can_be_done() -> None:
    assert [_offered(one) for one in (_digest(_adopted("a")), _digest(_found("a")), _digest(_repaired("a")))] == [
        ["show", "exempt", "enforce", "findings"],
        ["show", "exempt", "findings"],
        ["show", "findings"],
    ]


def test_what_is_offered_to_be_exempt_is_still_open() -> None:
    open_one = _found("z")
    assert f"plumbline exempt {open_one.short} " in _digest(_repaired("a"), open_one).body


@pytest.mark.parametrize(
    ("finding", "says", "subject"),
    [
        (
            _adopted("a"),
            (
                "1 thing is out of line with the baseline. It was there before Plumbline looked for the first time, so "
                "it is left alone until Monday 9 March"
            ),
            "1 thing there before Plumbline, severity high",
        ),
        (
            _found("a"),
            "1 thing came after the limit of e-mails, and stands here.",
            "1 thing in one hour, severity high",
        ),
    ],
)
def test_one_thing_is_told_as_one(finding: Finding, says: str, subject: str) -> None:
    alert = _digest(finding)
    assert (says in _said(alert), "Worst first" in alert.body) == (True, False)
    assert alert.subject == f"[Plumbline] digest: {subject}"


def test_what_belongs_to_no_rule_any_more_is_named_and_claims_no_severity() -> None:
    alert = _digest(_found("a", control="gone"), _found("b", control="gone"))
    assert f"no longer a rule: gone {_found('a', control='gone').short} " in _said(alert)
    assert alert.subject == "[Plumbline] digest: 2 things in one hour"
    assert "severity" not in alert.attributes


def test_letters_carry_what_docs_emails_says_of_them() -> None:
    lacking: list[tuple[str, str]] = []
    for when, alert in gallery.letters():
        outcome = alert.attributes["outcome"]
        expected = {"account", "region", "outcome", "escalation"}
        expected |= {"severity"} if outcome != "week" else set()
        expected |= {"control"} if outcome not in ("week", "digest", "new-in-this-version") else set()
        lacking += [(when, name) for name in expected if not alert.attributes.get(name)]
        lacking += [(when, f"not {name}") for name in set(alert.attributes) - expected - {"finding"}]
    assert lacking == []


def test_what_people_decide_is_heard_by_who_filters_by_control_or_severity() -> None:
    heard = {
        alert.attributes["outcome"]: (alert.attributes["control"], alert.attributes["severity"])
        for _, alert in gallery.letters()
        if alert.attributes["outcome"] in ("exempt", "paused", "resumed", "grace-ended")
    }
    assert heard == {"exempt": ("s3-public-acl", "medium")} | dict.fromkeys(
        ("paused", "resumed", "grace-ended"), ("*", "medium")
    )


def test_a_digest_lists_all_that_one_letter_holds_and_says_where_the_rest_is() -> None:
    some = [_adopted(f"bucket-{number:04}") for number in range(300)]
    assert all(one.short in _digest(*some).body for one in some)
    many = [_adopted(f"bucket-{number:04}") for number in range(5000)]
    body = _digest(*many).body
    listed = sum(one.target.id in body for one in many)
    assert f"and {5000 - listed} more. All of them: plumbline findings" in body
    assert "What you can do, in AWS CloudShell in" in body
    assert len(body.encode()) < 200_000, "SNS takes 256 KB"


def test_a_digest_from_elsewhere_says_what_is_not_heard_there() -> None:
    elsewhere = digest(registry.load(), [_adopted("a")], replace(SENDER, region="ap-southeast-2"))
    assert unheard("ap-southeast-2") in _said(elsewhere)
    assert "not heard" not in _said(_digest(_adopted("a")))


@pytest.mark.parametrize(
    ("home", "where"),
    [
        ("us-east-1", ""),
        ("eu-west-1", ""),
        ("us-gov-east-1", "us-gov-west-1"),
        ("us-gov-west-1", ""),
        ("cn-north-1", ""),
    ],
)
def test_what_is_not_heard_is_claimed_only_where_no_event_crosses_a_border(home: str, where: str) -> None:
    assert where == told_in(home)
    assert (f"tells of them in {where} only" in unheard(home)) == (where not in ("", home))


def test_what_was_before_is_told_to_where_it_differs_and_what_an_event_says_is_cut() -> None:
    long = ", ".join(f"policy-{number}" for number in range(60))
    said = " ".join(table({"Before": long, "From": long}).split())
    assert [True, 1] == [f"Before {long} From" in said, said.count("policy-59")]
