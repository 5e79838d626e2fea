"""What the preview says Plumbline would do: as its clocks do it, in every region that will be governed."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

from plumbline.adapters.accounts import Accounts
from plumbline.baseline.compiler import compile_text
from plumbline.baseline.rules import Baseline
from preview.looking import Row, look, reach
from tests.story import ACCOUNT, world

HOME = "ap-southeast-2"
NOW = datetime(2026, 11, 27, 11, 0, tzinfo=timezone.utc)
GRACE = timedelta(days=7)


def _baseline(text: str) -> Baseline:
    return Baseline.from_json(json.loads(json.dumps(compile_text(text, name="baseline.yaml", today=NOW.date()))))


def test_it_looks_where_plumbline_will_and_says_when_a_person_decides() -> None:
    baseline = _baseline("regions: [ap-southeast-2, eu-west-1]")
    with world() as told:
        reached = reach(told._make, ACCOUNT, HOME, "plumbline", baseline, NOW)
        aws = Accounts(told._make, HOME, reaching=lambda: reached, clock=lambda: NOW)
        rows = [
            one
            for one in look(aws, ACCOUNT, baseline, grace=GRACE, now=NOW, swept=reached.swept)
            if isinstance(one, Row)
        ]
    assert ("ap-southeast-2", "eu-west-1") == reached.swept
    assert reached.hears("us-east-1"), "the bill and IAM are told of there, and a forwarder will stand there"
    (alarm,) = [one for one in rows if one.target.endswith("/cloudwatch-alarm/billing-alarm")]
    assert ("after 7 days", "2026-12-04") == (alarm.when, alarm.date)
    assert ["ap-southeast-2", "eu-west-1"] == [one.region for one in rows if one.control == "ec2-ebs-encryption"]
    (block,) = [one for one in rows if one.control == "account-s3-public-access"]
    assert ("when a person approves", "") == (block.when, block.date)


def test_what_gives_rights_waits_for_a_person_however_bold_its_rule_is() -> None:
    baseline = _baseline("controls: {iam-inline-policies: {mode: enforce}}")
    statement = {"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}
    with world() as told:
        iam = told.client("iam")
        iam.create_user(UserName="bob")
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName="bob", PolicyName="lists", PolicyDocument=document)
        aws = Accounts(told._make, HOME, clock=lambda: NOW)
        rows = [one for one in look(aws, ACCOUNT, baseline, grace=GRACE, now=NOW) if isinstance(one, Row)]
    (policy,) = [one for one in rows if one.control == "iam-inline-policies"]
    assert ("when a person approves", "") == (policy.when, policy.date)
