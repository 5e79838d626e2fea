"""s3-public-policy: public statements go, every other statement stays."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.controls.s3._policies import mend, part
from plumbline.controls.s3.s3_public_policy import CONTROL, describe, detect, plan, without_public
from plumbline.core.calls import Call, Mended, Plan
from plumbline.core.control import Deviation
from plumbline.core.errors import AwsRefusal
from plumbline.core.targets import Target
from tests.story import ACCOUNT, Story, World

REGION = "eu-west-1"
BUCKET = Target(ACCOUNT, REGION, "s3-bucket", "acme-data")
NONE: dict[str, Any] = {"allowed_buckets": []}
FILES = "arn:aws:s3:::acme-data/*"
READ = {"Sid": "Site", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": FILES}
OFFICE = READ | {"Sid": "Office", "Condition": {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}}
TLS = {
    "Sid": "Tls",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": FILES,
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
LIST = {"Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::acme-data"}
PARTNER = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
    "Action": ["s3:GetObject"],
    "Resource": FILES,
}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Id": "acme", "Statement": list(statements)}


def state(document: dict[str, Any]) -> dict[str, Any]:
    return {"bucket": "acme-data", "policy": document, "text": json.dumps(document)}


def _bucket(world: World, document: dict[str, Any]) -> Target:
    s3 = world.client("s3", REGION)
    s3.create_bucket(Bucket="acme-data", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_policy(Bucket="acme-data", Policy=json.dumps(document, indent=2))
    return BUCKET


PARTNER_AND_ALL = READ | {"Sid": "Partner", "Principal": {"AWS": ["arn:aws:iam::444455556666:root", "*"]}}
LOGS_AND_ALL = READ | {"Sid": "Logs", "Principal": {"AWS": "*", "Service": "logging.s3.amazonaws.com"}}
OFFICE_AND_ALL = READ | {"Sid": "Net", "Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "0.0.0.0/0"]}}}
IN_NAME = READ | {"Sid": "Endpoint", "Condition": {"StringEquals": {"aws:VpceAccount": "444455556666"}}}
DEAD = "AROAEXAMPLEGONE000001"
GONE_ROLE = {"Sid": "Gone", "Effect": "Deny", "Principal": {"AWS": DEAD}, "Action": "s3:*", "Resource": FILES}

STORIES = (
    Story("a public statement among others", CONTROL.id, lambda world: _bucket(world, policy(TLS, READ, PARTNER))),
    Story(
        "two public statements, one without a name", CONTROL.id, lambda world: _bucket(world, policy(READ, TLS, LIST))
    ),
    Story("nothing but a public statement", CONTROL.id, lambda world: _bucket(world, policy(READ))),
    Story("one statement, not in a list", CONTROL.id, lambda world: _bucket(world, {**policy(), "Statement": READ})),
    Story(
        "everybody beside a partner, log delivery and the office",
        CONTROL.id,
        lambda world: _bucket(world, policy(PARTNER_AND_ALL, LOGS_AND_ALL, OFFICE_AND_ALL)),
    ),
    Story(
        "whoever signs in at Facebook",
        CONTROL.id,
        lambda world: _bucket(world, policy(READ | {"Principal": {"Federated": "graph.facebook.com"}})),
    ),
)


def test_a_public_statement_deviates_and_is_named() -> None:
    expected = Deviation("is public: its policy allows anyone s3:GetObject", ("Site 7d537ad2",))
    assert expected == detect(state(policy(TLS, READ)), NONE)


def test_a_statement_is_known_by_what_it_says_wherever_it_stands_and_whatever_it_is_called() -> None:
    nameless = {name: value for name, value in READ.items() if name != "Sid"} | {"Action": ["s3:Get*", "s3:List*"]}
    expected = Deviation("is public: its policy allows anyone s3:Get* and 1 more", ("statement aac4af4d",))
    assert expected == detect(state(policy(TLS, nameless)), NONE) == detect(state(policy(nameless)), NONE)
    wider = detect(state(policy(READ | {"Action": "s3:*"})), NONE)
    assert wider is not None
    assert wider.items != ("Site 7d537ad2",), "the same Sid, another right"


def test_narrow_conditions_named_accounts_listed_buckets_and_no_policy_are_fine() -> None:
    assert detect(state(policy(TLS, OFFICE, PARTNER)), NONE) is None
    assert detect(state(policy(READ)), {"allowed_buckets": ["acme-?ata"]}) is None
    assert detect(None, NONE) is None


def test_the_words_before_and_after() -> None:
    assert describe(state(policy(READ, TLS))) == "anyone is allowed s3:GetObject; 1 statement that is not public"
    assert describe(state(policy(TLS, OFFICE))) == "2 statements that are not public"
    in_name = "s3:GetObject is public in name only; 1 statement that is not public"
    assert describe(state(policy(TLS, IN_NAME))) == in_name
    assert describe(None) == "the bucket has no policy"


def test_a_policy_with_nothing_left_is_deleted_and_comes_back_letter_for_letter() -> None:
    before = state(policy(READ)) | {"text": ' {"Statement": ...} '}
    repair = plan(BUCKET, before, NONE)
    absent = ("NoSuchBucketPolicy", "NoSuchBucket")
    assert repair.do == (Call("s3", "DeleteBucketPolicy", {"Bucket": "acme-data"}, REGION, absent),)
    text = {"Bucket": "acme-data", "Policy": before["text"]}
    assert repair.undo == (Call("s3", "PutBucketPolicy", text, REGION, ("NoSuchBucket",)),)


# --- only the public goes -------------------------------------------------------------------------


def _written(document: dict[str, Any]) -> list[dict[str, Any]]:
    (call,) = plan(BUCKET, state(document), NONE).do
    found: list[dict[str, Any]] = json.loads(call.parameters["Policy"])["Statement"]
    return found


def test_of_a_public_statement_what_it_gives_to_those_it_names_stays() -> None:
    partner = PARTNER_AND_ALL | {"Principal": {"AWS": ["arn:aws:iam::444455556666:root"]}}
    logs = LOGS_AND_ALL | {"Principal": {"Service": "logging.s3.amazonaws.com"}}
    office = OFFICE_AND_ALL | {"Condition": {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24"]}}}
    before = policy(TLS, PARTNER_AND_ALL, READ, LOGS_AND_ALL, OFFICE_AND_ALL)
    assert [TLS, partner, logs, office] == _written(before)
    stay = (f"what {one} gives to those it names stays" for one in ("Partner", "Logs", "Net"))
    expected = "; ".join(("takes the public statements out of the policy of bucket acme-data", *stay))
    assert expected == plan(BUCKET, state(before), NONE).summary


def test_a_statement_is_known_as_it_was_before_it_could_be_narrowed() -> None:
    """Findings of earlier versions hold these marks."""
    found = detect(state(policy(PARTNER_AND_ALL, LOGS_AND_ALL)), NONE)
    assert found is not None
    assert ("Partner 9883042e", "Logs b1fe5342") == found.items


# --- public in name only --------------------------------------------------------------------------


def test_what_lets_nobody_in_from_outside_is_told_on_a_clock_that_never_acts_and_never_taken_out() -> None:
    before = state(policy(TLS, IN_NAME))
    summary = "is public by Amazon's definition, though its policy lets nobody in from outside"
    expected = Deviation(summary, ("Endpoint 83f9e0a0",), "closed-by-other-means")
    assert expected == detect(before, NONE)
    assert (CONTROL.clocks[expected.clock].act, CONTROL.clocks[expected.clock].remind) == (None, ())
    repair = plan(BUCKET, before, NONE)
    assert ((), True) == (repair.steps, repair.refusal.startswith("such a statement lets nobody in from outside"))


def test_beside_a_public_statement_it_stays_and_the_repair_says_so() -> None:
    before = state(policy(IN_NAME, READ))
    found = detect(before, NONE)
    assert found is not None
    assert (("Site 7d537ad2", "Endpoint 83f9e0a0"), "default") == (found.items, found.clock)
    repair = plan(BUCKET, before, NONE)
    assert [IN_NAME] == json.loads(repair.do[0].parameters["Policy"])["Statement"]
    assert {"Endpoint 83f9e0a0"} == set(repair.left)


# --- what is dead ---------------------------------------------------------------------------------


def test_deleted_principals_are_left_out_of_repair_and_undo_and_the_email_says_so() -> None:
    partner = PARTNER | {"Principal": {"AWS": [DEAD, "arn:aws:iam::444455556666:root"]}}
    living = PARTNER | {"Principal": {"AWS": ["arn:aws:iam::444455556666:root"]}}
    repair = plan(BUCKET, state(policy(READ, partner, GONE_ROLE, TLS)), NONE)
    written = [json.loads(call.parameters["Policy"])["Statement"] for call in (*repair.do, *repair.undo)]
    assert [[living, TLS], [READ, living, TLS]] == written
    assert repair.summary.endswith(
        f"; {DEAD} stand for deleted users or roles, and AWS takes no policy that names them"
    )


def test_a_policy_of_which_only_the_dead_would_be_left_is_deleted() -> None:
    (call,) = plan(BUCKET, state(policy(READ, GONE_ROLE)), NONE).do
    assert "DeleteBucketPolicy" == call.operation


def test_an_undo_asks_for_nothing_of_the_dead_and_of_how_a_policy_is_laid_out() -> None:
    before, after = state(policy(READ, GONE_ROLE)), state(policy(READ)) | {"text": " laid out otherwise "}
    assert part(before, Plan()) == part(after, Plan()) != part(state(policy(TLS)), Plan())


def _refused(about: str, code: str = "MalformedPolicy") -> AwsRefusal:
    return AwsRefusal(code, "Invalid principal in policy", None, about)


def _put(*those: dict[str, Any]) -> Call:
    return Call("s3", "PutBucketPolicy", {"Bucket": "acme-data", "Policy": json.dumps(policy(*those))}, REGION)


def test_a_principal_that_aws_names_in_its_refusal_is_left_out_as_well() -> None:
    """The form of S3's answer: Code MalformedPolicy, Message, and Detail with the principal as the policy has it."""
    mended = mend(_put(PARTNER, TLS), _refused('"AWS" : "arn:aws:iam::444455556666:root"'))
    why = "arn:aws:iam::444455556666:root does not exist any more, and AWS takes no policy that names it"
    assert [Mended(_put(TLS), why)] == mended


def test_a_policy_for_nobody_else_is_deleted_then() -> None:
    (mended,) = mend(_put(PARTNER), _refused('"AWS" : "arn:aws:iam::444455556666:root"'))
    assert mended.call == Call(
        "s3", "DeleteBucketPolicy", {"Bucket": "acme-data"}, REGION, ("NoSuchBucketPolicy", "NoSuchBucket")
    )


@pytest.mark.parametrize(
    "refusal",
    [
        _refused('"AWS" : "arn:aws:iam::999988887777:root"'),
        _refused('"AWS" : "arn:aws:iam::444455556666:root"', "AccessDenied"),
    ],
)
def test_nothing_is_left_out_on_a_guess(refusal: AwsRefusal) -> None:
    assert () == tuple(mend(_put(PARTNER, TLS), refusal))


def test_where_aws_names_nobody_each_is_left_out_in_turn_so_that_aws_shows_which_it_is() -> None:
    other = PARTNER | {"Principal": {"AWS": "777788889999"}}
    forms = mend(_put(PARTNER, other, TLS), _refused(""))
    assert [_put(other, TLS), _put(PARTNER, TLS)] == [one.call for one in forms]


# --- whatever the policy --------------------------------------------------------------------------


@given(st.lists(st.sampled_from([READ, PARTNER_AND_ALL, IN_NAME, GONE_ROLE, TLS, PARTNER]), min_size=1), st.data())
def test_only_the_public_that_is_meant_goes_and_denials_stay(those: list[dict[str, Any]], data: st.DataObject) -> None:
    found = detect(state(policy(*those)), NONE)
    meant = data.draw(st.sets(st.sampled_from(found.items))) if found else set()
    after = without_public(policy(*those), meant)
    left = detect(state(dict(after)), NONE)
    assert set(left.items if left else ()) == {
        one for one in (found.items if found else ()) if one not in meant or one.startswith("Endpoint")
    }
    assert [one for one in those if one["Effect"] == "Deny"] == [
        one for one in after["Statement"] if one["Effect"] == "Deny"
    ]


@given(st.lists(st.sampled_from([READ, OFFICE, TLS, PARTNER]), min_size=1))
def test_whatever_the_policy_only_public_statements_go_and_the_order_stays(statements: list[dict[str, Any]]) -> None:
    expected = policy(*(one for one in statements if one is not READ))
    assert expected == without_public(policy(*statements))
