"""Every kind of e-mail, as it is received: docs/emails.md. Made by the very functions that write them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

from plumbline.alerts import actors, decisions, deviations, house, outcomes, suspensions, unseen
from plumbline.alerts.alert import Alert, Personal, Sender
from plumbline.alerts.digest import digest
from plumbline.alerts.hearing import heard_again, unheard
from plumbline.alerts.held import held_back, next_step
from plumbline.alerts.news import news
from plumbline.alerts.personal import personal
from plumbline.alerts.weekly import weekly
from plumbline.baseline.rules import Breakers, Rule, completed
from plumbline.controls import registry
from plumbline.controls.account._access_block import FOUR
from plumbline.core.calls import Call, Plan
from plumbline.core.cause import Cause, Origin
from plumbline.core.clock import utc
from plumbline.core.control import Control, Deviation
from plumbline.core.errors import AwsRefusal, TooLarge
from plumbline.core.roster import Person
from plumbline.core.targets import GLOBAL, State, Target
from plumbline.decisions.exemptions import Exemption
from plumbline.decisions.pauses import Pause
from plumbline.decisions.suspensions import Suspension
from plumbline.engine.repairing import HELD_FROM_ABOVE
from plumbline.engine.unseen import all_of
from plumbline.findings.budgets import Budget
from plumbline.findings.finding import Finding, Repair, Status, open_finding
from plumbline.findings.hearing import Hearing
from plumbline.findings.restraints import Restraint, Why
from plumbline.findings.sweeps import Sweep
from plumbline.findings.unseen import TOLD, Unseen, refused
from plumbline.handlers.commanders import in_words

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=timezone.utc)
DAY = timedelta(days=1)
ACCOUNT = "111122223333"
MALLORY = Cause(
    action="CreateAccessKey",
    who="mallory",
    principal=f"arn:aws:iam::{ACCOUNT}:user/mallory",
    at="2026-03-02T09:29:57Z",
    source="203.0.113.12",
    tool="Boto3/1.40.4 md/Botocore#1.40.4",
)
ANN = f"arn:aws:iam::{ACCOUNT}:user/ann"
SENDER = Sender(account=ACCOUNT)
ERIN = Cause(
    action="PutBucketAcl",
    who="erin",
    principal=f"arn:aws:iam::{ACCOUNT}:user/erin",
    at="2026-03-02T09:29:58Z",
    source="198.51.100.7",
    tool="aws-cli/2.31.4 md/awscrt#0.28.2",
)
BUCKET = Target(ACCOUNT, "eu-west-1", "s3-bucket", "acme-data")
KEY = Target(ACCOUNT, GLOBAL, "iam-access-key", "backup/AKIAIOSFODNN7EXAMPLE")
_BEFORE: State = {"user": "backup", "key": "AKIAIOSFODNN7EXAMPLE", "status": "Active"}
OLD_KEY = Target(ACCOUNT, GLOBAL, "iam-access-key", "deploy/AKIAI44QH8DHBEXAMPLE")
_OLD: State = {"user": "deploy", "key": "AKIAI44QH8DHBEXAMPLE", "status": "Active"}
_ACL: Mapping[str, Any] = {
    "bucket": BUCKET.id,
    "owner": {"ID": "79a59df900b949e5"},
    "grants": [
        {"Grantee": {"URI": "http://acs.amazonaws.com/groups/global/AllUsers", "Type": "Group"}, "Permission": "READ"},
    ],
}
_COMMANDERS = in_words([f"arn:aws:iam::{ACCOUNT}:role/cicd/deploys", ANN], listed=False)
_MADE = "was made, though the baseline lists no key for its user"
_NO_TRAIL: State = {"trails": []}
_AFTER: State = {"user": "backup", "key": "AKIAIOSFODNN7EXAMPLE", "status": "Inactive"}


def letters() -> Iterator[tuple[str, Alert]]:
    """A sentence about when it is sent, and the letter."""
    controls = registry.load()
    control = controls["iam-access-key-created"]
    finding = _finding("iam-access-key-created", KEY, "is not allowed: the baseline lists no key for its user")
    plan = control.plan(KEY, _BEFORE, {"allowed_users": []})
    repair = Repair(at=NOW, plan=plan, before=_BEFORE, after=_AFTER, done=1)
    repaired = replace(finding, status=Status.REPAIRED, repairs=(repair,), closed_at=NOW)
    half = replace(
        repair, done=0, after=None, error="iam:UpdateAccessKey was refused: AccessDenied: explicit deny in an SCP"
    )
    stuck = replace(repair, after=_BEFORE)
    will = held_back(Restraint(Why.NOT_DUE, NOW + 7 * DAY), finding, plan, NOW)
    yield "Something was put right.", outcomes.repaired(control, repaired, SENDER)
    yield (
        "Something was found that is repaired later.",
        deviations.found(control, finding, "opened", _BEFORE, plan, will, SENDER),
    )
    for days, transition, when in (
        (3, "reminded 72h", "It is still so."),
        (5, "escalated", "It is still so, and the escalation address hears of it too."),
    ):
        left = held_back(Restraint(Why.NOT_DUE, NOW + (7 - days) * DAY), finding, plan, NOW)
        yield when, deviations.found(control, _aged(finding, days), transition, _BEFORE, plan, left, SENDER)
    would = held_back(Restraint(Why.OBSERVE, NOW), finding, plan, NOW)
    yield "The mode is `observe`.", deviations.found(control, finding, "opened", _BEFORE, plan, would, SENDER)
    ask = held_back(Restraint(Why.PROPOSE), finding, plan, NOW)
    proposed = replace(finding, proposal=repair)
    yield "The mode is `propose`.", deviations.found(control, proposed, "opened", _BEFORE, plan, ask, SENDER)
    back = replace(finding, back_since=NOW - 3 * DAY)
    yield (
        "It was put right before, and is back.",
        deviations.found(control, back, "opened", _BEFORE, plan, will, SENDER),
    )
    again = "It tries again within the hour; this was try 1 of 3."
    yield "A repair failed half-way.", outcomes.failed(control, replace(finding, repairs=(half,)), again, SENDER)
    yield from _held_from_above()
    yield _in_part()
    cut = replace(repaired, status=Status.UNDOING)
    yield "A person's undo was cut short.", outcomes.undo_cut_short(control, cut, _BEFORE, SENDER)
    yield (
        "AWS refused a part of a person's undo.",
        outcomes.undo_failed(control, cut, half.error, NOW + DAY, SENDER, ERIN.principal),
    )
    yield "A repair changed nothing.", outcomes.not_converged(control, replace(finding, repairs=(stuck,)), SENDER)
    dark = Unseen(NOW, "iam:ListAccessKeys", "Throttling", "iam:ListAccessKeys was refused: Throttling: Rate exceeded")
    made = replace(finding, repairs=(replace(repair, after=None),), unseen=dark)
    yield "A repair was made, and AWS does not show what came of it.", outcomes.unseen(control, made, dark, SENDER)
    times = [NOW - timedelta(hours=hours) for hours in (5, 3, 1)]
    yield "Somebody puts it back each time.", deviations.fight(control, finding, times, SENDER)
    yield from _breakers(controls, finding)
    summary = f"{_MADE}, and it was over when Plumbline looked"
    brief = replace(finding, deviation=Deviation(summary), status=Status.NOTED)
    yield (
        "An event announced something that was over when Plumbline looked.",
        deviations.gone(control, brief, None, SENDER),
    )
    yield from _unseen()
    yield "A person took a repair back.", outcomes.undone(control, repaired, _BEFORE, NOW + DAY, SENDER)
    yield (
        "It was told of by half when a function died, and is over.",
        deviations.resolved(control, repaired, _AFTER, SENDER),
    )
    yield from _beside_what_was_there()
    yield from _decided()
    yield from _suspended()
    yield from _root()
    yield from _together(repaired)
    yield from _of_hearing(control, finding, plan)


def _together(repaired: Finding) -> Iterator[tuple[str, Alert]]:
    """Many things in one letter."""
    controls = registry.load()
    adopted = [_adopted("iam-access-key-created", OLD_KEY, _OLD), _adopted("s3-public-acl", BUCKET, _ACL)]
    yield "The first sweep is done.", digest(controls, adopted, SENDER, commanders=_COMMANDERS)
    yield _upgraded(adopted)
    over = [replace(adopted[0], status=Status.EXEMPT, due=NOW + 30 * DAY, then=""), adopted[1], repaired]
    yield "The first sweep is done, and some of it is over or exempt by now.", digest(controls, over, SENDER)
    yield "More happened within an hour than fits into letters.", digest(controls, [repaired], SENDER)
    monday = NOW + 7 * DAY - timedelta(hours=1)
    yield "Monday morning.", weekly(controls, [repaired, *adopted], SENDER, monday, len(controls))


def _breakers(controls: Mapping[str, Control], finding: Finding) -> Iterator[tuple[str, Alert]]:
    """Too much at once: the breakers, and many critical findings of one actor."""
    control, limits, hour = controls["cloudtrail-logging"], Breakers(), NOW.replace(minute=0) + timedelta(hours=1)
    target, nothing = Target(ACCOUNT, GLOBAL, "cloudtrail", "trails"), _NO_TRAIL
    cause = replace(MALLORY, action="DeleteTrail")
    worst = open_finding(
        control.id,
        target,
        Deviation("does not record everything: there is no trail"),
        origin=Origin.EVENT,
        cause=cause,
        now=NOW,
        before=None,
    )
    plan = Plan(summary="creates trail plumbline")
    his = [
        replace(
            finding, id=f"{number}{finding.id}", left=NOW, due=hour, target=replace(KEY, id=f"u{number}/AKIA{number}")
        )
        for number in (7, 8)
    ]
    yield (
        "Too many repairs of one control within an hour.",
        actors.breaker(controls, finding, limits, Restraint(Why.SPENT, hour, of=finding.control), [finding], SENDER),
    )
    held = Restraint(Why.SPENT, hour, of=Budget.of(controls[finding.control], MALLORY).of_actor)
    worst = replace(worst, then=next_step(held, plan), due=hour)
    yield (
        "Too many repairs within an hour of what one principal did.",
        actors.breaker(controls, finding, limits, held, [finding, *his, worst], SENDER),
    )
    text = held_back(held, worst, plan, NOW)
    sixth = deviations.found(control, worst, "opened", nothing, plan, text, SENDER)
    yield (
        "The sixth critical finding of one principal within an hour.",
        actors.and_all_else(sixth, controls, worst, [finding, *his]),
    )
    until = NOW + 30 * DAY
    every = Exemption("*", "*", "mallory", "spring cleaning", until)
    text = held_back(Restraint(Why.EXEMPT, until, every), worst, plan, NOW)
    yield (
        "Something critical was found, and an exemption covers it.",
        deviations.found(control, replace(worst, status=Status.EXEMPT), "opened", nothing, plan, text, SENDER),
    )


def _suspended() -> Iterator[tuple[str, Alert]]:
    """Who may do nothing, and who may again."""
    role = f"arn:aws:iam::{ACCOUNT}:role/ci/deploy"
    one = Suspension("S7F3K", role, "made himself a key at night", ANN, NOW, NOW + 7 * DAY, "suspended")
    yield "A person suspended somebody.", suspensions.suspended(one, SENDER)
    yield "Somebody has been suspended for a week.", suspensions.still_suspended(one, SENDER)
    yield "A person released somebody.", suspensions.released(one, ANN, SENDER)


def _of_hearing(control: Control, finding: Finding, plan: Plan) -> Iterator[tuple[str, Alert]]:
    """Nobody hears, and what cannot be remembered."""
    deaf = held_back(Restraint(Why.UNHEARD, NOW), finding, plan, NOW)
    yield (
        "Something was found, and nobody has ever confirmed that he hears; sent all the same.",
        deviations.found(control, finding, "opened", _BEFORE, plan, deaf, SENDER),
    )
    topic = f"arn:aws:sns:{SENDER.region}:{ACCOUNT}:plumbline-alerts"
    yield (
        "Nobody has ever confirmed; the escalation address hears of it.",
        unheard(Hearing(None, NOW), ["security@example.com"], topic, SENDER),
    )
    yield "Nobody hears any more.", unheard(Hearing(NOW - 9 * DAY, NOW), [], topic, SENDER)
    yield "Somebody hears, after it was told that nobody does.", heard_again(SENDER)
    changes = ["Plumbline's function plumbline-react has other code", "Plumbline's rule plumbline-kms is new"]
    yield "Plumbline's stack was deployed, and is another.", house.deployed(changes, NOW, SENDER)
    left = ["user mallory has administrator rights: by policy AdministratorAccess"]
    yield "React has not settled what the sweep has reported.", house.unsettled(left, NOW, SENDER)
    yield "Work waits for react.", house.late(timedelta(minutes=22), SENDER)
    yield "It waits no more.", house.late_no_more(SENDER)
    where = f"global goes on with s3-public-acl behind {ACCOUNT}/global/s3-bucket/acme-logs-2024"
    begun = Sweep("2026-03-02T06:00:00+00:00", 4, frozenset({"0", "1", "3"}), places={"2": where})
    yield "A sweep does not come to its end.", house.unended(begun, SENDER)
    yield "No sweep begins.", house.unbegun(NOW - timedelta(hours=3), SENDER)
    runs = {"plumbline-operate": 1, "plumbline-react": 2}
    yield "Runs of Plumbline's functions failed.", house.failed(runs, NOW.replace(minute=0, second=0), SENDER)
    burst = TooLarge("what is known of it", 1_234_567, 390_000)
    yield (
        "What it would have to remember does not fit into the ledger.",
        deviations.too_large(control, finding, burst, SENDER),
    )


def _in_part() -> tuple[str, Alert]:
    """A group that was widened beside one that is not made, in an account of Identity Center's."""
    control = registry.load()["iam-groups"]
    settings = {"groups": {"administrators": ["AdministratorAccess"], "data-scientists": ["AmazonAthenaFullAccess"]}}
    athena, wide = (f"arn:aws:iam::aws:policy/{one}" for one in ("AmazonAthenaFullAccess", "IAMFullAccess"))
    state = {"partition": "aws", "identity_center": True, "groups": {"data-scientists": [athena, wide]}}
    target = Target(ACCOUNT, GLOBAL, "iam-groups", "baseline")
    deviation = control.detect(state, settings)
    assert deviation
    found = replace(
        _finding("iam-groups", target, deviation.summary),
        deviation=deviation,
        cause=replace(ERIN, action="AttachGroupPolicy"),
    )
    after = {**state, "groups": {"data-scientists": [athena]}}
    plan = control.plan(target, state, settings)
    made = replace(found, repairs=(Repair(at=NOW, plan=plan, before=state, after=after, done=1),))
    return "Something was put right in part; the rest needs a person.", outcomes.repaired(control, made, SENDER)


def _unseen() -> Iterator[tuple[str, Alert]]:
    """What cannot be looked at: by itself, while it is open already, a list, and many together."""
    controls = registry.load()
    control, acl = controls["s3-public-policy"], controls["s3-public-acl"]
    eyes = f"arn:aws:sts::{ACCOUNT}:assumed-role/plumbline-eyes/plumbline"

    def refusal(operation: str, on: str, why: str) -> AwsRefusal:
        call = Call("s3", operation)
        said = f"User: {eyes} is not authorized to perform: {call.action} on resource: {on} {why}"
        return AwsRefusal("AccessDenied", said, call)

    denies = replace(ERIN, action="PutBucketPolicy")
    by_policy = "with an explicit deny in a resource-based policy"
    hidden = refused(refusal("GetBucketPolicy", f'"arn:aws:s3:::{BUCKET.id}"', by_policy), None, denies, NOW)
    blind = _blind(control, BUCKET, hidden)
    yield (
        "Something cannot be looked at.",
        unseen.cannot_look(control, blind, hidden, "opened", SENDER, waits=False),
    )
    yield (
        "It still cannot be looked at, and the escalation address hears of it too.",
        unseen.cannot_look(control, blind, hidden, "escalated", SENDER, waits=False),
    )
    late = replace(denies, at="2026-03-08T09:29:57Z")
    hidden = refused(refusal("GetBucketAcl", f'"arn:aws:s3:::{BUCKET.id}"', by_policy), None, late, NOW + 6 * DAY)
    known = replace(_finding("s3-public-acl", BUCKET, "is public: anyone may list it"), cause=ERIN, unseen=hidden)
    yield (
        "Something that was found before cannot be looked at any more, and its repair is due.",
        unseen.cannot_look(acl, known, hidden, TOLD, SENDER, waits=True),
    )
    by_scp = "with an explicit deny in a service control policy"
    hidden = refused(refusal("ListBuckets", '"*"', by_scp), None, Cause(), NOW)
    every = all_of(acl, ACCOUNT, GLOBAL)
    other = refused(refusal("GetBucketPolicy", '"arn:aws:s3:::acme-logs"', by_scp), None, Cause(), NOW)
    listed = [
        _blind(acl, every, hidden),
        *(_blind(control, replace(BUCKET, id=one), other) for one in ("acme-logs", "acme-web")),
    ]
    yield "A sweep finds several things that cannot be looked at.", digest(controls, listed, SENDER)


def _blind(control: Control, target: Target, hidden: Unseen) -> Finding:
    origin = Origin.EVENT if hidden.cause.action else Origin.SWEEP
    found = open_finding(control.id, target, hidden.deviation, origin=origin, cause=hidden.cause, now=NOW, before=None)
    return replace(found, unseen=hidden, then=unseen.next_step(replace(found, unseen=hidden), hidden))


def _held_from_above() -> Iterator[tuple[str, Alert]]:
    """What an organisation fixes for its accounts: where the answer says so, and where only a refused write does."""
    control = registry.load()["ec2-metadata-defaults"]
    target = Target(ACCOUNT, "us-east-1", "ec2-metadata-defaults", "account")
    state = {
        "values": {"HttpTokens": "optional"},
        "held_by": "declarative-policy",
        "message": "Ask the cloud team before you rely on this.",
    }
    deviation = control.detect(state, {})
    assert deviation is not None
    found = open_finding(control.id, target, deviation, origin=Origin.SWEEP, cause=Cause(), now=NOW, before=None)
    plan = control.plan(target, state, {})
    held = held_back(Restraint(Why.NO_PLAN), found, plan, NOW)
    told = deviations.found(control, found, "opened", state, plan, held, SENDER)
    yield "An organisation holds a setting from above.", told
    control = registry.load()["account-s3-public-access"]
    target = Target(ACCOUNT, "global", "account-s3-public-access", "account")
    state = {"values": dict.fromkeys(FOUR, False), "held_by": "", "message": ""}
    deviation = control.detect(state, {})
    assert deviation is not None
    found = open_finding(control.id, target, deviation, origin=Origin.EVENT, cause=ERIN, now=NOW, before=None)
    plan = control.plan(target, state, {})
    error = "s3:PutAccountPublicAccessBlock was refused: AccessDenied: Access Denied"
    refused = replace(found, repairs=(Repair(at=NOW, plan=plan, before=state, error=error),))
    yield (
        "A policy from above the account denies a repair.",
        outcomes.failed(control, refused, HELD_FROM_ABOVE, SENDER, last_try=True),
    )


def _aged(finding: Finding, days: int) -> Finding:
    """The same, as it stands after some days."""
    cause = replace(finding.cause, at=(utc(finding.cause.at) - days * DAY).isoformat())
    return replace(finding, first_seen=finding.first_seen - days * DAY, cause=cause)


def _upgraded(found: Sequence[Finding]) -> tuple[str, Alert]:
    """The first sweep after an upgrade that brought three rules."""
    controls = registry.load()
    brought = ("iam-access-key-created", "root-activity", "s3-public-acl")
    rules = {one: Rule(controls[one].response, controls[one].clocks, {}) for one in brought}
    return "An upgrade has brought new rules.", news(controls, rules, found, SENDER, now=NOW)


def _adopted(control_id: str, target: Target, state: State) -> Finding:
    """What the first sweep finds, as it waits for the digest."""
    control = registry.load()[control_id]
    settings = completed(control.settings, {})
    deviation, plan = control.detect(state, settings), control.plan(target, state, settings)
    assert deviation is not None
    found = open_finding(control_id, target, deviation, origin=Origin.ADOPTION, cause=Cause(), now=NOW, before=None)
    until = NOW + 7 * DAY
    then = next_step(Restraint(Why.NOT_DUE, until), plan)
    return replace(found, grace_until=until, adopted=deviation.items, due=until, then=then)


def _beside_what_was_there() -> Iterator[tuple[str, Alert]]:
    """Something new on a bucket that was public before Plumbline came; and an event before the first sweep."""
    control = registry.load()["s3-public-acl"]
    settings = completed(control.settings, {})
    (read,) = _ACL["grants"]
    state: State = {**_ACL, "grants": [read, {**read, "Permission": "WRITE"}]}
    old, both = control.detect(_ACL, settings), control.detect(state, settings)
    assert old is not None
    assert both is not None
    found = open_finding(control.id, BUCKET, both, origin=Origin.EVENT, cause=ERIN, now=NOW - 2 * DAY, before=None)
    found = replace(found, grace_until=NOW + 5 * DAY, adopted=old.items, last_seen=NOW)
    plan = control.plan(BUCKET, state, settings, found.facts(NOW))
    done = Repair(at=NOW, plan=plan, before=state, after=_ACL, done=1, held=True)
    yield (
        "What is new beside what was there before Plumbline was put right.",
        outcomes.repaired(control, replace(found, repairs=(done,)), SENDER),
    )
    early = open_finding(control.id, BUCKET, old, origin=Origin.ADOPTION, cause=ERIN, now=NOW, before=None)
    early = replace(early, grace_until=NOW + 7 * DAY, adopted=old.items)
    plan = control.plan(BUCKET, _ACL, settings)
    left = held_back(Restraint(Why.NOT_DUE, NOW + 7 * DAY), early, plan, NOW)
    yield (
        "An event came before the first sweep.",
        deviations.found(control, early, "opened", _ACL, plan, left, SENDER),
    )


def _decided() -> Iterator[tuple[str, Alert]]:
    """What people decided: exemptions and pauses."""
    made = Exemption(
        "s3-public-acl", str(BUCKET), "ann", "moves to the new account in May", NOW + 30 * DAY, "X7F3K", (),
        f"arn:aws:iam::{ACCOUNT}:user/ann",
    )  # fmt: skip
    yield "A person exempted something.", decisions.exempted(made, 1, SENDER)
    yield "An exemption ends within a week.", decisions.ending(made, "expiring", SENDER)
    yield "An exemption has ended.", decisions.ending(made, "expired", SENDER)
    yield "A person ended an exemption early.", decisions.unexempted(made, ERIN.principal, SENDER)
    pause = Pause(NOW + timedelta(hours=4), "migration until noon", f"arn:aws:iam::{ACCOUNT}:user/ann")
    yield "A person paused repairs.", decisions.paused("*", pause, SENDER)
    lifted = {"Pauses lifted": "all repairs, migration until noon", "Counted anew": "repairs of iam-groups, 10 so far"}
    named = ["5PE7  bucket acme-data is public: anyone may list it", "7F3K  user mallory has an inline policy: helper"]
    yield "A person ended adoption's grace.", decisions.enforced(named, ERIN.principal, SENDER)
    yield "A person let repairs go on.", decisions.resumed("*", lifted, ERIN.principal, SENDER)


def to_people() -> Iterator[tuple[str, Personal]]:
    """A sentence about when it is sent, and what a person of the roster is told of his own."""
    controls, roster = registry.load(), (Person("ann", email="ann@example.com"),)
    user = Target(ACCOUNT, GLOBAL, "iam-user", "ann")
    state = {
        "name": "ann", "password": True, "mfa": False, "policy": f"arn:aws:iam::{ACCOUNT}:policy/plumbline-without-mfa",
        "carries": False, "suspended": False, "full": False, "left": None,
    }  # fmt: skip
    plan = controls["iam-user-mfa"].plan(user, state, completed(controls["iam-user-mfa"].settings, {}))
    will = next_step(Restraint(Why.NOT_DUE, NOW + 14 * DAY), plan)
    summary = "has a console password and no MFA"
    finding = replace(_finding("iam-user-mfa", user, summary), then=will)
    repair = Repair(at=NOW, plan=plan, before=state, after={**state, "carries": True}, done=1)
    repaired = replace(finding, status=Status.REPAIRED, repairs=(repair,))
    key = Target(ACCOUNT, GLOBAL, "iam-access-key", "ann/AKIAI44QH8DHBEXAMPLE")
    off = Plan(summary="deactivates access key AKIAI44QH8DHBEXAMPLE of user ann")
    old = replace(
        _finding("iam-access-key-age", key, "is older than 90 days"),
        then=next_step(Restraint(Why.NOT_DUE, NOW + 15 * DAY), off),
    )
    for when, told in (
        ("A person of the roster is told of his own user.", [finding]),
        ("A digest tells of several things of one person.", [finding, old]),
        ("What was announced to a person has been done.", [repaired]),
    ):
        (his,) = personal(told, controls, roster, SENDER)
        yield when, his


def _root() -> Iterator[tuple[str, Alert]]:
    """What root does, and what only root can put right."""
    control = registry.load()["root-activity"]
    target = Target(ACCOUNT, GLOBAL, "root-session", "2026-03-02T09/203.0.113.77")
    cause = replace(ERIN, action="ConsoleLogin", who="root", principal=f"arn:aws:iam::{ACCOUNT}:root",
                    source="203.0.113.77", tool="Mozilla/5.0")  # fmt: skip
    state: State = {"service": "signin", "event": "ConsoleLogin", "mfa": "without MFA", "key": False, "error": ""}
    finding = _finding(control.id, target, "signed in to the console without MFA", cause)
    yield "The root user did something.", deviations.noted(control, finding, state, SENDER)
    control, target = registry.load()["root-access-keys"], Target(ACCOUNT, GLOBAL, "root-access-keys", "root")
    finding = _finding(control.id, target, "has an access key", replace(cause, action="CreateAccessKey"))
    plan = control.plan(target, {"keys": True}, {})
    held = held_back(Restraint(Why.NO_PLAN), finding, plan, NOW)
    told = deviations.found(control, finding, "opened", {"keys": True}, plan, held, SENDER)
    yield "Something was found that only a person can put right: the root user made itself an access key.", told


def _finding(control: str, target: Target, summary: str, cause: Cause = MALLORY) -> Finding:
    deviation = Deviation(summary, (target.id,))
    return open_finding(control, target, deviation, origin=Origin.EVENT, cause=cause, now=NOW, before=None)


def page() -> str:
    """docs/emails.md."""
    head = [
        "# E-mails",
        "",
        "<!-- Generated by `make sync` from the functions that write them (tests/gallery.py). -->",
        "",
        "Every kind of e-mail Plumbline sends, as it is received. Subscriptions can filter on SNS message attributes.",
        "All carry `account`, `region`, `outcome` and `escalation`. All but Monday's carry `severity`: a digest that",
        "of the worst in it, what a person decides `medium`. All but Monday's, the digests and what an upgrade brings",
        "carry `control`: `*` where a person decides for every rule, or ends adoption's grace. What is about one",
        "finding carries `finding`. What people of the roster are told has a topic of its own, and carries `address`.",
    ]
    sent = [(when, one.subject, one.body) for when, one in letters()]
    sent += [(when, one.subject, one.body) for when, one in to_people()]
    parts = [
        "\n".join(["", f"## {when}", "", "```", f"Subject: {subject}", "", body.rstrip(), "```"])
        for when, subject, body in sent
    ]
    return "\n".join([*head, *_once(parts)]) + "\n"


def _once(parts: Iterable[str]) -> Iterator[str]:
    """What teaches a shell the word `plumbline` is the same in all: written out in the first, named in the others."""
    taught = re.compile(r"(?s)\n  plumbline\(\) \(\n.*?\n  \)(?=\n)")
    seen: set[str] = set()

    def named(match: re.Match[str]) -> str:
        first = match[0] not in seen
        seen.add(match[0])
        return match[0] if first else "\n  (the same lines as in the first e-mail above)"

    for part in parts:
        yield taught.sub(named, part)
