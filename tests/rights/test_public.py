"""Whom a statement of an S3 bucket policy lets in: Amazon's definition of public, both ways, and what is left of one.

The rows named after the guide are of the Amazon S3 user guide, Blocking public access to your Amazon S3 storage, "The
meaning of public": its list of keys, its examples, and its note on access points.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.rights.documents import listed
from plumbline.rights.public import (
    CLOSING,
    GUIDE,
    Verdict,
    closed,
    deleted,
    is_public,
    principals,
    verdict,
    without,
)

PUBLIC, CLOSED, NAMED = Verdict.PUBLIC, Verdict.CLOSED, Verdict.NAMED
PARTNER = "arn:aws:iam::444455556666:root"
SAML = "arn:aws:iam::111122223333:saml-provider/office"
GONE = "AROAEXAMPLEGONE000001"
LOGS = "logging.s3.amazonaws.com"


def _to(principal: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", **more}


def _if(operator: str, key: str, value: Any) -> dict[str, Any]:
    return {"Condition": {operator: {key: value}}}


# --- principals -----------------------------------------------------------------------------------

ANYBODY: list[Any] = [
    "*",
    ["*"],
    {"AWS": "*"},
    {"AWS": [PARTNER, "*"]},
    {"AWS": "*", "Service": LOGS},
    {"CanonicalUser": "*"},
    {"Service": "*"},
    {"Federated": "graph.facebook.com"},
    {"Federated": ["accounts.google.com", SAML]},
    {"Federated": "www.amazon.com"},
    {"Federated": "cognito-identity.amazonaws.com"},
    {"AWS": "arn:aws:iam::${aws:PrincipalAccount}:root"},
    {"AWS": "arn:aws:iam::*:root"},
]
SOMEBODY: list[Any] = [
    None,
    {"AWS": PARTNER},
    {"AWS": "444455556666"},
    {"AWS": []},
    {"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1EXAMPLE"},
    {"AWS": GONE},
    {"AWS": "arn:aws:sts::444455556666:assumed-role/reader/ann"},
    {"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"},
    {"Service": "cloudtrail.amazonaws.com"},
    {"Service": ["cloudtrail.amazonaws.com", LOGS], "AWS": PARTNER},
    {"Federated": SAML},
    {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"},
]


@pytest.mark.parametrize("principal", ANYBODY, ids=str)
def test_a_statement_for_everybody_is_public(principal: Any) -> None:
    assert (PUBLIC, NAMED) == (verdict(_to(principal)), verdict(_to(principal, Effect="Deny")))


@pytest.mark.parametrize("principal", SOMEBODY, ids=str)
def test_a_statement_for_somebody_is_not(principal: Any) -> None:
    assert verdict(_to(principal)) is NAMED


def test_everybody_but_somebody_is_everybody() -> None:
    statement = _to(None) | {"NotPrincipal": {"AWS": PARTNER}}
    assert verdict(statement) is PUBLIC
    assert verdict(statement | _if("StringEquals", "aws:SourceAccount", "111122223333")) is NAMED


# --- conditions -----------------------------------------------------------------------------------

POINT = "arn:aws:s3:us-west-2:123456789012:accesspoint"
CONDITIONS: list[tuple[str, str, Any, Verdict]] = [
    # the guide's list, each key fixed
    ("StringEquals", "aws:PrincipalOrgID", "o-a1b2c3d4e5", NAMED),
    ("IpAddress", "aws:SourceIp", "203.0.113.0/24", NAMED),
    ("IpAddress", "aws:SourceIp", "203.0.113.7", NAMED),
    ("IpAddress", "aws:SourceIp", "2001:db8::/32", NAMED),
    ("ArnLike", "aws:SourceArn", "arn:aws:s3:::source-bucket", NAMED),
    ("ArnEquals", "aws:SourceArn", "arn:aws:sns:eu-west-1:111122223333:topic", NAMED),
    ("StringEquals", "aws:SourceVpc", "vpc-91237329", NAMED),
    ("StringEquals", "aws:SourceVpce", ["vpce-0123", "vpce-4567"], NAMED),
    ("StringEquals", "aws:SourceOwner", "111122223333", NAMED),
    ("StringEquals", "aws:SourceAccount", 111122223333, NAMED),
    ("StringEquals", "s3:x-amz-server-side-encryption-aws-kms-key-id", "arn:aws:kms:eu-west-1:1:key/2", NAMED),
    ("StringEquals", "aws:userid", "AIDAEXAMPLE0000000001", NAMED),
    ("StringEquals", "s3:DataAccessPointArn", f"{POINT}/mine", NAMED),
    ("StringEquals", "s3:DataAccessPointAccount", "123456789012", NAMED),
    # its note: the name of an access point may be a pattern, its account may not
    ("StringLike", "s3:DataAccessPointArn", f"{POINT}/*", NAMED),
    ("ArnLike", "s3:DataAccessPointArn", f"{POINT}/team-?", NAMED),
    ("StringLike", "s3:DataAccessPointArn", "arn:aws:s3:us-west-2:*:accesspoint/mine", PUBLIC),
    ("StringLike", "s3:DataAccessPointArn", "arn:aws:s3:us-west-2:1234567890*:accesspoint/mine", PUBLIC),
    ("StringLike", "s3:DataAccessPointArn", "arn:aws:s3:us-west-2:${aws:PrincipalAccount}:accesspoint/x", PUBLIC),
    # its examples, and values that are not fixed
    ("StringLike", "aws:SourceVpc", "vpc-*", PUBLIC),
    ("IpAddress", "aws:SourceIp", "0.0.0.0/1", PUBLIC),
    ("StringLike", "aws:SourceVpce", "vpce-????", PUBLIC),
    ("StringEquals", "aws:SourceVpce", ["vpce-0123", "*"], PUBLIC),
    ("StringEquals", "aws:SourceVpc", "${aws:PrincipalTag/vpc}", PUBLIC),
    ("StringEquals", "aws:SourceVpc", "", PUBLIC),
    ("StringEquals", "aws:SourceVpc", [], PUBLIC),
    ("StringLike", "aws:PrincipalOrgID", "o-*", PUBLIC),
    ("ArnLike", "aws:SourceArn", "arn:aws:s3:::source-*", PUBLIC),
    ("ArnLike", "aws:SourceArn", "arn:aws:sns:*:*:*", PUBLIC),
    ("StringEquals", "aws:SourceAccount", "1111222?3333", PUBLIC),
    # networks that are too wide: wider than /8, or /32 of IPv6
    ("IpAddress", "aws:SourceIp", "52.0.0.0/8", NAMED),
    ("IpAddress", "aws:SourceIp", "10.0.0.0/8", NAMED),
    ("IpAddress", "aws:SourceIp", "52.0.0.0/7", PUBLIC),
    ("IpAddress", "aws:SourceIp", "2001:db8::/31", PUBLIC),
    ("IpAddress", "aws:SourceIp", "::/0", PUBLIC),
    ("IpAddress", "aws:SourceIp", ["203.0.113.0/24", "0.0.0.0/1"], PUBLIC),
    ("IpAddress", "aws:SourceIp", "everywhere", PUBLIC),
    ("NotIpAddress", "aws:SourceIp", "203.0.113.0/24", PUBLIC),
    # user ids
    ("StringLike", "aws:userid", "AROLEID:*", PUBLIC),
    ("StringLike", "aws:userid", "*:ann", PUBLIC),
    ("StringEquals", "aws:userid", "anonymous", PUBLIC),
    ("StringLike", "aws:userid", "AROAEXAMPLE0000000001:*", CLOSED),
    # case of keys and operators, and the several-valued ones
    ("stringequals", "AWS:principalorgid", ["o-a1b2c3d4e5"], NAMED),
    ("STRINGEQUALS", "AWS:SOURCEVPC", "vpc-91237329", NAMED),
    ("arnlike", "aws:sourcearn", "arn:aws:s3:::source-bucket", NAMED),
    ("ForAnyValue:StringEquals", "aws:PrincipalOrgID", "o-a1b2c3d4e5", NAMED),
    # what a missing key fulfils, and what leaves nearly everybody in
    ("StringEqualsIfExists", "aws:SourceVpce", "vpce-0123", PUBLIC),
    ("IpAddressIfExists", "aws:SourceIp", "203.0.113.0/24", PUBLIC),
    ("ForAllValues:StringEquals", "aws:PrincipalOrgPaths", "o-a1b2c3d4e5/r-1/", PUBLIC),
    ("StringNotEquals", "aws:SourceVpc", "vpc-1", PUBLIC),
    ("ArnNotLike", "aws:SourceArn", "arn:aws:s3:::source-bucket", PUBLIC),
    ("Null", "aws:PrincipalOrgID", "false", PUBLIC),
    # operators that do not fit the key
    ("NumericEquals", "aws:SourceAccount", "111122223333", PUBLIC),
    ("ArnLike", "aws:SourceVpc", "vpc-91237329", PUBLIC),
    # keys that say nothing of who asks, or what anybody can say of himself
    ("StringEquals", "aws:Referer", "https://example.com", PUBLIC),
    ("StringEquals", "aws:UserAgent", "secret", PUBLIC),
    ("StringEquals", "aws:CalledVia", "athena.amazonaws.com", PUBLIC),
    ("StringEquals", "aws:PrincipalTag/team", "red", PUBLIC),
    ("StringEquals", "aws:PrincipalType", "User", PUBLIC),
    ("StringEquals", "aws:username", "ann", PUBLIC),
    ("StringEquals", "aws:ResourceAccount", "111122223333", PUBLIC),
    ("IpAddress", "aws:VpcSourceIp", "10.1.0.0/16", PUBLIC),
    ("Bool", "aws:SecureTransport", "true", PUBLIC),
    ("Bool", "aws:ViaAWSService", "true", PUBLIC),
    ("StringEquals", "s3:prefix", "public/", PUBLIC),
    ("StringEquals", "graph.facebook.com:app_id", "123", PUBLIC),
    ("StringEquals", "cognito-identity.amazonaws.com:aud", "eu-west-1:pool", PUBLIC),
    # not in the guide's list, and nobody from outside comes in
    ("StringEquals", "aws:PrincipalServiceName", "cloudtrail.amazonaws.com", CLOSED),
    ("ForAnyValue:StringEquals", "aws:PrincipalServiceNamesList", "delivery.logs.amazonaws.com", CLOSED),
    ("Bool", "aws:PrincipalIsAWSService", "true", CLOSED),
    ("StringEquals", "aws:VpceAccount", "111122223333", CLOSED),
    ("StringEquals", "aws:VpceOrgID", "o-a1b2c3d4e5", CLOSED),
    ("ForAnyValue:StringLike", "aws:VpceOrgPaths", "o-a1b2c3d4e5/*", CLOSED),
    ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-a1b2c3d4e5/r-ab12/ou-ab12-*", CLOSED),
    ("StringEquals", "aws:SourceOrgID", "o-a1b2c3d4e5", CLOSED),
    ("ForAnyValue:StringLike", "aws:SourceOrgPaths", "o-a1b2c3d4e5/*", CLOSED),
    ("StringEquals", "aws:PrincipalAccount", ["111122223333", "444455556666"], CLOSED),
    ("ArnEquals", "aws:PrincipalArn", "arn:aws:iam::111122223333:role/reader", CLOSED),
    ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::111122223333:role/*", CLOSED),
    ("ArnLike", "aws:SourceVpcArn", "arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-1", CLOSED),
    ("ArnEquals", "aws:FederatedProvider", SAML, CLOSED),
    ("ArnLike", "aws:SourceArn", "arn:aws:sns:*:111122223333:*", CLOSED),
    ("ArnLike", "aws:SourceArn", "arn:aws:cloudfront::111122223333:distribution/*", CLOSED),
    ("StringLike", "aws:SourceArn", "arn:aws:s3:::source-bucket/*", CLOSED),
    ("StringLike", "s3:DataAccessPointArn", "arn:aws:s3:*:123456789012:accesspoint/*", CLOSED),
    ("StringEquals", "aws:SourceIp", "203.0.113.7", CLOSED),
    ("StringLike", "aws:SourceIp", "203.0.113.*", CLOSED),
    ("StringEquals", "graph.facebook.com:id", "1234", CLOSED),
    ("StringEquals", "accounts.google.com:sub", "1234", CLOSED),
    ("StringEquals", "cognito-identity.amazonaws.com:sub", "eu-west-1:1234", CLOSED),
    ("StringEquals", "www.amazon.com:user_id", "amzn1.account.1234", CLOSED),
    # the same keys, not fixed
    ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", "o-*/r-ab12/*", PUBLIC),
    ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/reader", PUBLIC),
    ("StringEquals", "aws:PrincipalAccount", "${aws:SourceAccount}", PUBLIC),
    ("StringLike", "aws:VpceAccount", "*", PUBLIC),
    ("Bool", "aws:PrincipalIsAWSService", "false", PUBLIC),
    ("StringLike", "aws:SourceIp", "*", PUBLIC),
]


@pytest.mark.parametrize(("operator", "key", "value", "expected"), CONDITIONS)
def test_a_condition_counts_when_it_fixes_who(operator: str, key: str, value: Any, expected: Verdict) -> None:
    assert expected is verdict(_to("*", **_if(operator, key, value)))
    assert (expected is PUBLIC) == is_public(_to("*", **_if(operator, key, value)))


@pytest.mark.parametrize("key", [*GUIDE, *CLOSING])
def test_every_key_that_counts_is_shown_by_a_row(key: str) -> None:
    assert any(name.lower() == key and expected is not PUBLIC for _, name, _, expected in CONDITIONS)


def test_every_condition_has_to_be_met_so_one_that_fixes_is_enough() -> None:
    wide = {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}, "StringEquals": {"aws:SourceVpc": "vpc-91237329"}}
    same = {"StringEquals": {"aws:PrincipalTag/team": "red", "aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
    assert [NAMED, NAMED] == [verdict(_to("*", Condition=one)) for one in (wide, same)]


@pytest.mark.parametrize("operator", ["StringEqualsIfExists", "ForAllValues:StringEquals"])
def test_what_a_missing_key_fulfils_closes_only_beside_a_test_that_it_is_there(operator: str) -> None:
    fixed = {operator: {"aws:SourceVpce": "vpce-0123"}}
    there, missing = {"Null": {"aws:sourcevpce": "false"}}, {"Null": {"aws:sourcevpce": "true"}}
    assert [PUBLIC, CLOSED, PUBLIC] == [verdict(_to("*", Condition=fixed | one)) for one in ({}, there, missing)]


# --- what is left of a public statement -----------------------------------------------------------


def test_only_the_star_goes() -> None:
    assert (_to({"AWS": [PARTNER]}, Sid="x"),) == closed(_to({"AWS": [PARTNER, "*"]}, Sid="x"))
    assert (_to({"Service": LOGS}),) == closed(_to({"AWS": "*", "Service": LOGS}))
    assert (_to({"Federated": [SAML]}),) == closed(_to({"Federated": ["graph.facebook.com", SAML]}))
    assert [()] * 3 == [closed(_to(one)) for one in ("*", {"AWS": "*"}, {"Federated": "graph.facebook.com"})]


def test_only_the_wide_network_goes() -> None:
    mixed = _to("*", **_if("IpAddress", "aws:SourceIp", ["203.0.113.0/24", "0.0.0.0/0"]))
    assert (_to("*", **_if("IpAddress", "aws:SourceIp", ["203.0.113.0/24"])),) == closed(mixed)


def test_a_test_that_a_missing_key_meets_asks_for_the_key() -> None:
    office = _to("*", **_if("IpAddressIfExists", "aws:SourceIp", ["203.0.113.0/24", "0.0.0.0/0"]))
    assert (_to("*", **_if("IpAddress", "aws:SourceIp", ["203.0.113.0/24"])),) == closed(office)
    paths = {"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": ["o-a1b2c3d4e5/*"]}}
    there = {"Null": {"aws:PrincipalOrgPaths": "false"}}
    assert (_to("*", Condition=paths | there),) == closed(_to("*", Condition=paths))


def test_named_principals_and_narrow_values_of_one_statement_are_two_statements_with_one_sid() -> None:
    condition = _if("IpAddress", "aws:SourceIp", ["203.0.113.0/24", "0.0.0.0/0"])
    narrow = _if("IpAddress", "aws:SourceIp", ["203.0.113.0/24"])
    expected = (_to({"AWS": [PARTNER]}, Sid="x", **condition), _to({"AWS": [PARTNER, "*"]}, **narrow))
    assert expected == closed(_to({"AWS": [PARTNER, "*"]}, Sid="x", **condition))


# Who may come, and with what: an independent reading of statements, for the properties below.

COMERS: Mapping[str, Mapping[str, str]] = {
    "nobody": {},
    PARTNER: {"AWS": PARTNER},
    LOGS: {"Service": LOGS},
    SAML: {"Federated": SAML},
    "facebook": {"Federated": "graph.facebook.com"},
}
CIRCUMSTANCES: tuple[Mapping[str, str], ...] = (
    {},
    {"aws:sourceip": "203.0.113.7"},
    {"aws:sourceip": "198.51.100.7"},
    {"aws:sourcevpc": "vpc-1", "aws:sourceip": "203.0.113.7"},
    {"aws:sourcevpc": "vpc-2"},
    {"aws:sourceaccount": "111122223333"},
)


def _lets_in(statement: Mapping[str, Any], comer: str, circumstances: Mapping[str, str]) -> bool:
    principal = statement["Principal"]
    given = {"AWS": [principal]} if isinstance(principal, str) else principal
    named = any(COMERS[comer].get(kind) in listed(values) for kind, values in given.items())
    anybody = any("*" in listed(values) for kind, values in given.items() if kind == "AWS")
    return (named or anybody) and all(
        _is_met(operator, circumstances.get(key.lower()), listed(values))
        for operator, tests in (statement.get("Condition") or {}).items()
        for key, values in tests.items()
    )


def _is_met(operator: str, actual: str | None, values: list[str]) -> bool:
    if operator == "Null":
        return values == [str(actual is None).lower()]
    if actual is None:
        return operator.endswith("IfExists")
    if operator.startswith("IpAddress"):
        return any(ip_address(actual) in ip_network(one) for one in values)
    return any(fnmatchcase(actual, one) if "Like" in operator else actual == one for one in values)


def _values(*known: str) -> st.SearchStrategy[Any]:
    return st.sampled_from(known) | st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True)


principal_parts = st.dictionaries(
    st.sampled_from(["AWS", "Service", "Federated"]), st.just(None), min_size=1, max_size=3
).flatmap(
    lambda kinds: st.fixed_dictionaries(
        {
            kind: {
                "AWS": _values("*", PARTNER),
                "Service": _values(LOGS),
                "Federated": _values("graph.facebook.com", SAML),
            }[kind]
            for kind in kinds
        }
    )
)
conditions = st.fixed_dictionaries(
    {},
    optional={
        "IpAddress": st.fixed_dictionaries({"aws:SourceIp": _values("203.0.113.0/24", "0.0.0.0/0")}),
        "IpAddressIfExists": st.fixed_dictionaries({"aws:SourceIp": _values("203.0.113.0/24", "0.0.0.0/0")}),
        "StringLike": st.fixed_dictionaries({"aws:SourceVpc": _values("vpc-1", "vpc-*")}),
        "StringEquals": st.fixed_dictionaries(
            {}, optional={"aws:SourceAccount": _values("111122223333"), "aws:SourceVpc": _values("vpc-1", "vpc-2")}
        ),
    },
)
allowing = st.builds(
    lambda principal, condition: _to(principal) | ({"Condition": condition} if condition else {}),
    st.just("*") | principal_parts,
    conditions,
)


def _innocent(statement: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Whom a public statement lets in by name, whatever else it says."""
    for comer, how in COMERS.items():
        for circumstances in CIRCUMSTANCES:
            principal = statement["Principal"]
            by_name = isinstance(principal, dict) and any(
                name in listed(principal.get(kind)) for kind, name in how.items() if comer != "facebook"
            )
            if by_name and _lets_in(statement, comer, circumstances):
                yield comer, circumstances


@given(allowing)
def test_the_innocent_of_a_public_statement_keep_all_they_had_and_nobody_gets_more(statement: dict[str, Any]) -> None:
    if not is_public(statement):
        return
    kept = closed(statement)
    assert not any(map(is_public, kept))
    for comer, circumstances in _innocent(statement):
        assert any(_lets_in(one, comer, circumstances) for one in kept), f"{comer} in {circumstances} lost what it had"
    for comer in COMERS:
        for circumstances in CIRCUMSTANCES:
            now = any(_lets_in(one, comer, circumstances) for one in kept)
            assert not now or _lets_in(statement, comer, circumstances)


FIXED = {"203.0.113.7": "203.0.113.0/24", "vpc-1": "vpc-1"}


@given(allowing)
def test_whoever_comes_with_what_a_condition_names_keeps_it(statement: dict[str, Any]) -> None:
    if not is_public(statement):
        return
    for comer in COMERS:
        for circumstances in CIRCUMSTANCES:
            is_named = any(
                FIXED.get(circumstances.get(key.lower(), "")) in listed(values)
                for tests in statement.get("Condition", {}).values()
                for key, values in tests.items()
            )
            if is_named and _lets_in(statement, comer, circumstances):
                assert any(_lets_in(one, comer, circumstances) for one in closed(statement)), f"{comer} {circumstances}"


@given(allowing)
def test_no_statement_disappears_that_names_somebody(statement: dict[str, Any]) -> None:
    named = {PARTNER, LOGS, SAML} & set(_texts(statement["Principal"]))
    assert bool(closed(statement)) or not named


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for one in part.values():
            yield from map(str, listed(one))
    else:
        yield str(part)


@given(allowing, st.data())
def test_a_condition_less_never_makes_a_statement_less_public(statement: dict[str, Any], data: st.DataObject) -> None:
    order = list(Verdict).index
    tests = [(operator, key) for operator, keys in statement.get("Condition", {}).items() for key in keys]
    if tests:
        operator, key = data.draw(st.sampled_from(tests))
        less = copy.deepcopy(statement)
        del less["Condition"][operator][key]
        assert order(verdict(less)) >= order(verdict(statement))


@given(allowing, st.sampled_from([str.upper, str.lower, str.title]))
def test_the_case_of_keys_and_operators_and_one_value_in_a_list_make_no_difference(
    statement: dict[str, Any], spell: Any
) -> None:
    condition = statement.get("Condition", {})
    other = {
        spell(operator): {spell(key): listed(values) for key, values in tests.items()}
        for operator, tests in condition.items()
    }
    assert verdict(statement) is verdict(statement | {"Condition": other})


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["*", "", "x", PARTNER, "aws:SourceIp", "${a}"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["AWS", "Null", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)
well_formed = st.dictionaries(
    st.sampled_from(["StringEquals", "Null", "ForAllValues:StringLike", "IpAddressIfExists"]),
    st.dictionaries(st.sampled_from(["aws:SourceIp", "aws:SourceArn", "aws:userid", "x"]), anything, max_size=2),
    max_size=2,
)


@given(
    st.fixed_dictionaries(
        {"Effect": st.sampled_from(["Allow", "Deny", None])},
        optional={"Principal": anything, "NotPrincipal": anything, "Condition": well_formed, "Sid": st.just("x")},
    )
)
def test_every_shape_of_statement_is_judged_and_closed(statement: dict[str, Any]) -> None:
    before = copy.deepcopy(statement)
    assert isinstance(verdict(statement), Verdict)
    assert not any(map(is_public, closed(statement)))
    assert isinstance(without({"Statement": statement}, deleted({"Statement": statement})), dict)
    assert before == statement


# --- what is dead ---------------------------------------------------------------------------------


def test_ids_of_deleted_users_and_roles_are_found_wherever_a_principal_stands() -> None:
    policy = {
        "Statement": [
            _to({"AWS": [PARTNER, GONE]}),
            _to(None, Effect="Deny") | {"NotPrincipal": {"AWS": "AIDAEXAMPLEGONE000002"}},
            _to("*", **_if("StringLike", "aws:userid", "AROAEXAMPLEHERE000003:*")),
        ]
    }
    assert (GONE, "AIDAEXAMPLEGONE000002") == deleted(policy)
    assert (PARTNER, GONE, "AIDAEXAMPLEGONE000002") == principals(policy)


def test_who_is_dead_is_left_out_and_everything_else_means_what_it_meant() -> None:
    both, only, but = _to({"AWS": [PARTNER, GONE]}), _to({"AWS": GONE}), _to(None, Effect="Deny")
    del but["Principal"]
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            both,
            only,
            but | {"NotPrincipal": {"AWS": [GONE, PARTNER]}},
            but | {"NotPrincipal": {"AWS": GONE}},
        ],
    }
    expected = {
        "Version": "2012-10-17",
        "Statement": [_to({"AWS": [PARTNER]}), but | {"NotPrincipal": {"AWS": [PARTNER]}}, but | {"Principal": "*"}],
    }
    assert expected == without(policy, (GONE,))
