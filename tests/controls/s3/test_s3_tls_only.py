"""s3-tls-only: a bucket's policy denies plain HTTP, and every other statement of it stays."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.controls.s3._policies import LONGEST, mend
from plumbline.controls.s3.s3_tls_only import CONTROL, denial, describe, detect, is_tls_only, observe, plan
from plumbline.core.calls import Call
from plumbline.core.clock import Response
from plumbline.core.control import Deviation
from plumbline.core.errors import AwsRefusal
from plumbline.core.targets import Target
from tests.story import ACCOUNT, Story, World, world

REGION = "eu-west-1"
BUCKET = Target(ACCOUNT, REGION, "s3-bucket", "acme-exports")
ITSELF, FILES = "arn:aws:s3:::acme-exports", "arn:aws:s3:::acme-exports/*"
PARTNER = {
    "Sid": "Partner",
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::444455556666:root"},
    "Action": "s3:GetObject",
    "Resource": FILES,
}
#: What another control of the same bucket has written.
LEVELS = {"Sid": "PlumblineLevels1", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": FILES,
          "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::123456789012:user/ann"}}}  # fmt: skip
TLS = {
    "Sid": "OnlyOverTls",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": [ITSELF, FILES],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
OURS = TLS | {"Sid": "TlsOnlyByPlumbline"}
DEAD = "AROAEXAMPLEGONE000001"
FACT = ("plain HTTP is not denied",)


def policy(*those: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(those)}


def state(document: dict[str, Any] | None, *, website: bool = False, stack: str = "") -> dict[str, Any]:
    text = json.dumps(document) if document else ""
    return {"bucket": "acme-exports", "policy": document, "text": text, "tls_only": False} | {
        "website": website,
        "stack": stack,
    }


def _bucket(told: World, document: dict[str, Any] | None) -> Target:
    s3 = told.client("s3", REGION)
    s3.create_bucket(Bucket="acme-exports", CreateBucketConfiguration={"LocationConstraint": REGION})
    if document:
        s3.put_bucket_policy(Bucket="acme-exports", Policy=json.dumps(document, indent=2))
    return BUCKET


STORIES = (
    Story("a new bucket", CONTROL.id, lambda told: _bucket(told, None)),
    Story("a policy for others", CONTROL.id, lambda told: _bucket(told, policy(PARTNER, LEVELS))),
)


def _written(document: dict[str, Any] | None) -> list[dict[str, Any]]:
    (call,) = plan(BUCKET, state(document), {}).do
    found: list[dict[str, Any]] = json.loads(call.parameters["Policy"])["Statement"]
    return found


# --- what denies plain HTTP -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "those",
    [
        [TLS],
        [PARTNER, OURS],
        [TLS | {"Resource": "*"}],
        [TLS | {"Resource": f"{ITSELF}*"}],
        [TLS | {"Resource": ["arn:aws-cn:s3:::acme-exports", "arn:aws-cn:s3:::acme-exports/*"]}],
        [TLS | {"Principal": {"AWS": ["*"]}, "Action": ["S3:*"]}],
        [TLS | {"Action": "*", "Condition": {"BoolIfExists": {"AWS:securetransport": ["False"]}}}],
        [TLS | {"Condition": {"Bool": {"aws:SecureTransport": False}}}],
        [TLS | {"Resource": ITSELF}, TLS | {"Sid": "Two", "Resource": FILES}],
        [{one: value for one, value in TLS.items() if one != "Condition"}],
    ],
)
def test_any_statement_that_denies_everybody_everything_without_tls_will_do(those: list[dict[str, Any]]) -> None:
    assert is_tls_only(policy(*those), BUCKET)


@pytest.mark.parametrize(
    "wrong",
    [
        {"Effect": "Allow"},
        {"Resource": FILES},
        {"Resource": [ITSELF, f"{FILES[:-1]}logs/*"]},
        {"Action": "s3:Get*"},
        {"Action": None, "NotAction": "s3:GetObject"},
        {"Principal": {"AWS": "arn:aws:iam::444455556666:root"}},
        {"Principal": None, "NotPrincipal": {"AWS": "arn:aws:iam::444455556666:root"}},
        {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
        {"Condition": {"Bool": {"aws:SecureTransport": "false", "aws:ViaAWSService": "false"}}},
        {"Condition": {"NumericLessThan": {"s3:TlsVersion": "1.2"}}},
    ],
)
def test_what_spares_somebody_or_something_will_not(wrong: dict[str, Any]) -> None:
    assert not is_tls_only(policy(TLS | wrong), BUCKET)
    assert not is_tls_only(policy(), BUCKET)


# --- whose it is ----------------------------------------------------------------------------------


def test_a_bucket_that_nobody_wrote_a_policy_for_is_repaired_at_once_where_an_event_announced_it() -> None:
    assert Deviation("takes plain HTTP", FACT) == detect(state(None), {})


def test_a_policy_that_somebody_wrote_a_website_and_a_stacks_bucket_have_clocks_of_their_own() -> None:
    assert Deviation("takes plain HTTP", FACT, "written") == detect(state(policy(PARTNER)), {})
    site = Deviation("takes plain HTTP, as websites of S3 do", FACT, "website")
    assert site == detect(state(policy(PARTNER), website=True, stack="shop"), {})
    stack = Deviation("takes plain HTTP, and is of the stack shop", FACT, "of-a-stack")
    assert stack == detect(state(None, stack="shop"), {})
    assert {Response.PROPOSE} == {CONTROL.clocks[one].mode for one in ("website", "of-a-stack")}


def test_a_bucket_that_denies_it_and_one_that_is_gone_are_fine() -> None:
    assert detect({"bucket": "x", "policy": policy(TLS), "text": "", "tls_only": True}, {}) is None
    assert detect(None, {}) is None


def test_whose_a_bucket_is_is_asked_only_where_it_takes_plain_http() -> None:
    with world() as here:
        _bucket(here, policy(PARTNER))
        here.client("s3", REGION).put_bucket_website(
            Bucket=BUCKET.id, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}}
        )
        seen = observe(here.accounts.eyes(ACCOUNT, REGION), BUCKET)
        assert seen
        assert (True, "") == (seen["website"], seen["stack"])
        here.client("s3", REGION).put_bucket_policy(Bucket=BUCKET.id, Policy=json.dumps(policy(PARTNER, TLS)))
        here.calls.clear()
        assert detect(observe(here.accounts.eyes(ACCOUNT, REGION), BUCKET), {}) is None
        assert ["GetBucketPolicy"] == [one.operation for one in here.calls]


def test_a_stacks_bucket_is_known_by_the_tag_that_cloudformation_puts_on_it() -> None:
    tags = [{"Key": "team", "Value": "x"}, {"Key": "aws:cloudformation:stack-name", "Value": "shop"}]
    answers = {"GetBucketPolicy": None, "GetBucketWebsite": None, "GetBucketTagging": {"TagSet": tags}}
    assert state(None, stack="shop") == observe(lambda call: answers[call.operation], BUCKET)  # type: ignore[arg-type]


def test_a_bucket_that_is_gone_has_no_state() -> None:
    with world() as here:
        assert observe(here.accounts.eyes(ACCOUNT, REGION), BUCKET) is None


# --- the repair -----------------------------------------------------------------------------------


def test_the_denial_is_appended_and_every_other_statement_stays() -> None:
    assert [PARTNER, LEVELS, OURS] == _written(policy(PARTNER, LEVELS))
    assert [OURS] == _written(None)
    assert is_tls_only(policy(OURS), BUCKET)


def test_a_denial_of_ours_that_was_weakened_is_written_anew_in_its_place() -> None:
    assert [OURS, PARTNER] == _written(policy(OURS | {"Resource": FILES}, PARTNER))


def test_in_another_partition_it_names_the_bucket_as_that_does() -> None:
    gov = Target(ACCOUNT, "us-gov-west-1", "s3-bucket", "acme-exports")
    assert ["arn:aws-us-gov:s3:::acme-exports", "arn:aws-us-gov:s3:::acme-exports/*"] == denial(gov)["Resource"]


def test_the_undo_is_the_earlier_text_or_no_policy() -> None:
    before = state(policy(PARTNER)) | {"text": ' {"Version": ...} '}
    (undo,) = plan(BUCKET, before, {}).undo
    given = {"Bucket": "acme-exports", "Policy": before["text"]}
    assert Call("s3", "PutBucketPolicy", given, REGION, ("NoSuchBucket",)) == undo
    (undo,) = plan(BUCKET, state(None), {}).undo
    absent = ("NoSuchBucketPolicy", "NoSuchBucket")
    assert Call("s3", "DeleteBucketPolicy", {"Bucket": "acme-exports"}, REGION, absent) == undo


def test_deleted_users_and_roles_are_left_out_and_the_email_says_so() -> None:
    gone = PARTNER | {"Sid": "Gone", "Principal": {"AWS": DEAD}}
    repair = plan(BUCKET, state(policy(gone, PARTNER)), {})
    written = [json.loads(call.parameters["Policy"])["Statement"] for call in (*repair.do, *repair.undo)]
    assert [[PARTNER, OURS], [PARTNER]] == written
    assert repair.summary.endswith(f"{DEAD} stand for deleted users or roles, and AWS takes no policy that names them")


def test_what_aws_does_not_know_any_more_is_left_out_as_of_any_policy() -> None:
    (call,) = plan(BUCKET, state(policy(PARTNER)), {}).do
    about = '"AWS" : "arn:aws:iam::444455556666:root"'
    (mended,) = mend(call, AwsRefusal("MalformedPolicy", "Invalid principal in policy", None, about))
    assert [OURS] == json.loads(mended.call.parameters["Policy"])["Statement"]


def test_a_policy_that_would_be_too_long_is_left_to_a_person() -> None:
    long = PARTNER | {"Resource": [f"{FILES[:-1]}{number:05d}/*" for number in range(550)]}
    repair = plan(BUCKET, state(policy(long)), {})
    assert ((), True) == (repair.steps, f"S3 takes {LONGEST}" in repair.refusal)


def test_a_website_that_is_cut_off_is_said_before() -> None:
    repair = plan(BUCKET, state(policy(PARTNER), website=True), {})
    assert "Its website is not served any more: S3 serves those over plain HTTP alone." == repair.means
    assert "" == plan(BUCKET, state(policy(PARTNER)), {}).means


def test_the_words_before_and_after() -> None:
    assert "plain HTTP is not denied; it has no policy" == describe(state(None))
    assert "plain HTTP is not denied; its policy has 1 statement" == describe(state(policy(PARTNER)))
    denied = {"bucket": "x", "policy": policy(PARTNER, TLS), "text": "", "tls_only": True}
    assert "plain HTTP is denied; its policy has 2 statements" == describe(denied)
    assert "the bucket does not exist" == describe(None)


@given(st.lists(st.sampled_from([PARTNER, LEVELS, OURS | {"Resource": FILES}, TLS | {"Resource": ITSELF}]), max_size=4))
def test_whatever_the_policy_the_repair_denies_plain_http_and_touches_no_statement_of_others(
    those: list[dict[str, Any]],
) -> None:
    after = _written(policy(*those) if those else None)
    assert is_tls_only(policy(*after), BUCKET)
    foreign = [[one for one in some if one["Sid"] != OURS["Sid"]] for some in (those, after)]
    assert foreign[0] == foreign[1]
    assert after == _written(policy(*after)), "twice is once"
