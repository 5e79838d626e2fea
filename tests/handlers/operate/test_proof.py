"""What is a proof of who types a command, and what is none, before STS is asked."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from botocore.session import get_session
from hypothesis import given
from hypothesis import strategies as st

from plumbline.core.errors import PlumblineError
from plumbline.handlers.operate import proof
from plumbline.handlers.operate.proof import Place, Unproven
from tests.fakes import ACCOUNT, NOW, ROOT
from tests.proofs import NONCE, STS, encoded, query, token

PLACE = Place(ACCOUNT, "us-east-1", "plumbline-operate", proof.endpoints("us-east-1"))
UNDO = ("undo", "7F3K")
VALUE = proof.value(ACCOUNT, "us-east-1", "plumbline-operate", UNDO, NONCE)
GOOD = query(ROOT, VALUE, NOW)


def _checked(token: object, *, nonce: object = NONCE, place: Place = PLACE, after: float = 0) -> proof.Proof:
    return proof.checked(place, UNDO, token, nonce, now=NOW + timedelta(seconds=after))


def test_a_proof_is_asked_as_it_was_signed_and_its_header_is_made_of_what_was_received() -> None:
    made = _checked(token(GOOD))
    assert (STS, "/") == (made.url.partition("/?")[0], urlsplit(made.url).path)
    assert (GOOD, {"x-k8s-aws-id": VALUE}) == (dict(parse_qsl(urlsplit(made.url).query)), made.headers)


def test_without_a_session_token_it_is_one_too() -> None:
    assert _checked(token({name: text for name, text in GOOD.items() if name != "X-Amz-Security-Token"}))


def test_the_header_of_another_command_number_account_region_or_function_is_another() -> None:
    values = {
        proof.value(account, region, function, command, nonce)
        for account in (ACCOUNT, "444455556666")
        for region in ("us-east-1", "eu-west-1")
        for function in ("plumbline-operate", "other-operate")
        for command in (UNDO, ("undo", "7F3", "K"), ("undo7F3K",), ("undo", "7F3K", ""), ("undo", "7F3K", "--json"))
        for nonce in (NONCE, NONCE[::-1])
    }
    assert 2 * 2 * 2 * 5 * 2 == len(values)
    assert all(re.fullmatch(r"plumbline:\d{12}:[a-z0-9-]+:[a-z-]+:[0-9a-f]{64}", one) for one in values)


_WORDS = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=4), max_size=4)


@given(one=_WORDS, other=_WORDS)
def test_no_two_commands_look_alike_to_whoever_signs(one: list[str], other: list[str]) -> None:
    assert (one == other) == (
        proof.value(ACCOUNT, "us-east-1", "x", one, NONCE) == proof.value(ACCOUNT, "us-east-1", "x", other, NONCE)
    )


def test_a_word_that_would_be_two_to_whoever_signs_is_refused() -> None:
    with pytest.raises(Unproven, match="NUL"):
        proof.checked(PLACE, ("undo\x007F3K",), token(GOOD), NONCE, now=NOW)


# --- what is wrong, and what to type ---------------------------------------------------------------------------------


@pytest.mark.parametrize("nothing", [None, "", 0, [], {}])
def test_without_a_proof_it_says_where_one_comes_from(nothing: object) -> None:
    with pytest.raises(Unproven) as error:
        proof.checked(PLACE, UNDO, nothing, nothing, now=NOW)
    assert (
        "this changes something, so it needs a proof of who types it, and none was sent: whoever may invoke "
        "plumbline-operate could write any name. The shell function of this version makes one each time: paste it "
        "anew, out of one of Plumbline's e-mails or the output `Shell` of the stack (plumbline, us-east-1), and type "
        "the same again."
    ) == str(error.value)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-16, "from 16 seconds ahead"), (-15, ""), (0, ""), (60, ""), (61, "61 seconds old"), (899, "899 seconds old")],
)
def test_it_is_fresh_for_a_minute_and_hardly_from_the_future(seconds: float, said: str) -> None:
    if not said:
        assert _checked(token(GOOD), after=seconds)
        return
    with pytest.raises(Unproven, match=f"the proof is {said}; .* Type the same again; .*clock of this computer"):
        _checked(token(GOOD), after=seconds)


@pytest.mark.parametrize(
    "origin",
    [
        "https://sts.us-east-1.amazonaws.com.evil.example",
        "https://evil.example",
        "https://evil.example#sts.us-east-1.amazonaws.com",
        "https://sts.us-east-1.amazonaws.com@evil.example",
        "https://user:pass@sts.us-east-1.amazonaws.com",
        "https://sts.us-east-1.amazonaws.com:8443",
        "https://sts.us-east-1.amazonaws.com:443",
        "https://sts.us-east-1.amazonaws.com.",
        "https://STS.us-east-1.amazonaws.com",
        "https://sts.us-nowhere-9.amazonaws.com",
        "https://s3.us-east-1.amazonaws.com",
        "https://sts.cn-north-1.amazonaws.com.cn",
        "https://sts-us-east-1.amazonaws.com",
        "https://vpce-0123.sts.us-east-1.vpce.amazonaws.com",
        "https://169.254.169.254",
        "https://[::1]",
        "https://[::1",
        "http://127.0.0.1:4566",
        "http://sts.us-east-1.amazonaws.com",
        "ftp://sts.us-east-1.amazonaws.com",
        "//sts.us-east-1.amazonaws.com",
        "",
    ],
)
def test_nobody_is_asked_but_an_sts_of_aws(origin: str) -> None:
    with pytest.raises(Unproven) as error:
        _checked(token(GOOD, origin))
    assert "no STS of AWS; nobody was" in str(error.value) or "cannot be read" in str(error.value)
    assert "pass" not in str(error.value)


def test_the_sts_of_a_machine_counts_only_where_it_is_named() -> None:
    here = Place(ACCOUNT, "us-east-1", "plumbline-operate", ["http://127.0.0.1:4566"])
    assert _checked(token(GOOD, "http://127.0.0.1:4566"), place=here)
    with pytest.raises(Unproven):
        _checked(token(GOOD, "http://127.0.0.1:4567"), place=here)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ()),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, ("http://127.0.0.1:4566",)),
        ({"AWS_ENDPOINT_URL_STS": "http://127.0.0.1:1", "AWS_ENDPOINT_URL": "x"}, ("http://127.0.0.1:1",)),
        ({"AWS_ENDPOINT_URL_STS": "https://sts.evil.example"}, ()),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566@evil.example"}, ()),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1.evil.example:80"}, ()),
    ],
)
def test_no_setting_of_the_function_sends_it_to_anybody_elses_sts(
    environment: Mapping[str, str], expected: tuple[str, ...]
) -> None:
    assert expected == proof.on_this_machine(environment)


def _without(name: str) -> Mapping[str, str]:
    return {one: text for one, text in GOOD.items() if one != name}


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        *((_without(name), f"lacks {name}") for name in GOOD if name != "X-Amz-Security-Token"),
        (GOOD | {"Action": "GetSessionToken"}, "another question than sts:GetCallerIdentity"),
        (GOOD | {"Version": "2010-01-01"}, "another question"),
        (GOOD | {"X-Amz-Algorithm": "AWS4-ECDSA-P256-SHA256"}, "another question"),
        (GOOD | {"X-Amz-SignedHeaders": "host"}, "signed for no command: x-k8s-aws-id is not among"),
        (GOOD | {"X-Amz-SignedHeaders": "host;x-k8s-aws-idx"}, "signed for no command"),
        (GOOD | {"X-Amz-SignedHeaders": "X-K8s-Aws-Id;host"}, "signed for no command"),
        (GOOD | {"X-Amz-SignedHeaders": "x-k8s-aws-id"}, "another question"),
        (GOOD | {"X-Amz-SignedHeaders": "accept;host;x-k8s-aws-id"}, "another question"),
        (GOOD | {"action": "GetSessionToken"}, "more than who you are"),
        (GOOD | {"RoleArn": "arn:aws:iam::111122223333:role/x"}, "cannot be read|more than who you are"),
        (GOOD | {"x-k8s-aws-id": VALUE}, "cannot be read|more than who you are"),
        (GOOD | {"X-Amz-Credential": "AKIA/20260302/us-east-1/s3/aws4_request"}, "not signed for STS"),
        (GOOD | {"X-Amz-Credential": "AKIA/20260301/us-east-1/sts/aws4_request"}, "another day"),
        (GOOD | {"X-Amz-Credential": "AKIA"}, "not signed for STS"),
        (GOOD | {"X-Amz-Date": "2026-03-02T09:30:00Z"}, "not signed for STS|when it was made"),
        (GOOD | {"X-Amz-Date": "20260302T093000"}, "when it was made"),
        (GOOD | {"X-Amz-Date": "20260302T256000Z"}, "when it was made"),
        (GOOD | {"X-Amz-Date": "20260302T93000Z"}, "when it was made"),
        (GOOD | {"X-Amz-Date": "20260302T093000Z\n"}, "when it was made"),
    ],
)
def test_it_asks_nothing_but_who_signed_and_is_signed_for_a_command(parameters: Mapping[str, str], said: str) -> None:
    with pytest.raises(Unproven, match=said):
        _checked(token(parameters))


@pytest.mark.parametrize("path", ["//", "/x", "/..", "/;x", "/?Action=GetSessionToken&y=/"])
def test_it_asks_at_no_other_path(path: str) -> None:
    with pytest.raises(Unproven):
        _checked(token(GOOD, path=path))


def test_a_parameter_that_stands_there_twice_is_refused() -> None:
    url = base64.urlsafe_b64decode(token(_without("X-Amz-Security-Token")).partition(".")[2] + "==").decode()
    for more in ("&Action=GetSessionToken", "&Action=GetCallerIdentity", "#x", "&=", "&Action"):
        with pytest.raises(Unproven):
            _checked(encoded(url + more))


@pytest.mark.parametrize(
    "garbage",
    [
        "k8s-aws-v1.", "k8s-aws-v2.abc", "abc", "k8s-aws-v1.!!!", "k8s-aws-v1.ab=c", "k8s-aws-v1.a", "k8s-aws-v1.YQ\n",
        encoded("https://sts.us-east-1.amazonaws.com/?\n"), encoded("https://sts.us-east-1.amazonaws.com/ ?x"),
        encoded("\u00fc"), "k8s-aws-v1." + "a" * 20_000, 7, ["x"], {"x": 1}, True,
    ],
)  # fmt: skip
def test_whatever_is_sent_for_a_proof_is_told_apart_from_one(garbage: object) -> None:
    with pytest.raises(Unproven):
        _checked(garbage)


@pytest.mark.parametrize(
    "nonce", [None, "", "short", "x" * 129, "0123456789abcdef\n", "0123456789abcdef ", 7, ["x" * 20]]
)
def test_a_number_that_is_none_is_refused(nonce: object) -> None:
    with pytest.raises(Unproven, match="the number"):
        _checked(token(GOOD), nonce=nonce)


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
_BENT = st.builds(
    lambda url, at, put: encoded(url[: at % len(url)] + put + url[at % len(url) + len(put) :]),
    st.just(f"{STS}/?" + "&".join(f"{name}={text}" for name, text in GOOD.items())),
    st.integers(0, 2000),
    st.text(st.characters(max_codepoint=255), min_size=1, max_size=3),
)


@given(token=_ANY | _BENT | st.text().map(lambda one: f"k8s-aws-v1.{one}"), nonce=_ANY | st.just(NONCE))
def test_nothing_that_is_sent_makes_it_fail_otherwise_or_ask_anybody_else(token: object, nonce: object) -> None:
    made, said = None, ""
    try:
        made = _checked(token, nonce=nonce)
    except PlumblineError as error:
        said = str(error)
    assert [] == [one for one in (GOOD["X-Amz-Signature"], GOOD["X-Amz-Security-Token"]) if one in said]
    assert made is None or (STS, {"x-k8s-aws-id": VALUE}) == (made.url.partition("/?")[0], made.headers)


# --- where STS is ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("home", ["us-east-1", "ap-southeast-2", "us-gov-west-1", "cn-north-1", "eusc-de-east-1"])
def test_sts_is_where_the_sdk_asks_it_in_each_region_of_a_partition(home: str) -> None:
    session = get_session()
    partition = session.get_partition_for_region(home)
    regions = session.get_available_regions("sts", partition)
    suffixes = {"aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn"}
    suffix = suffixes.get(partition, "amazonaws.eu")
    expected = {f"https://sts.{region}.{suffix}" for region in {*regions, home} if region != "aws-global"}
    assert set() == expected - proof.endpoints(home)
    assert ("https://sts.amazonaws.com" in proof.endpoints(home)) == (partition == "aws")
    others = {one for other in ("us-east-1", "us-gov-west-1", "cn-north-1") for one in proof.endpoints(other)}
    assert proof.endpoints(home) & others in (set(), proof.endpoints(home))
