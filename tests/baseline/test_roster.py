"""The roster: one place for who belongs here, and what follows from it for the controls."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.baseline import roster as of_the_build
from plumbline.baseline.compiler import compile_text
from plumbline.baseline.document import read
from plumbline.baseline.rules import Baseline
from plumbline.controls import registry
from plumbline.core.errors import BaselineError
from plumbline.core.names import among
from plumbline.core.roster import NOBODY, Person, of

TODAY = date(2026, 3, 2)
ROSTER = """
roster:
  maria: {groups: [administrators], email: maria@example.com}
  ci: {keys: true, until: 2026-12-31}
  "no":
"""


def _compiled(text: str) -> Baseline:
    return Baseline.from_json(compile_text(text, name="baseline.yaml", today=TODAY))


def _problems(text: str) -> tuple[str, ...]:
    with pytest.raises(BaselineError) as refused:
        compile_text(text, name="baseline.yaml", today=TODAY)
    return refused.value.problems


def test_its_people_are_read_by_the_functions() -> None:
    expected = (
        Person("maria", ("administrators",), "maria@example.com"),
        Person("ci", keys=True, until=date(2026, 12, 31)),
        Person("no"),
    )
    assert expected == _compiled(ROSTER).roster


def test_keys_and_administrators_follow_from_it() -> None:
    rules = _compiled(ROSTER).rules
    assert ["ci"] == rules["iam-access-key-created"].settings["allowed_users"]
    assert ["maria"] == rules["iam-admin-grants"].settings["administrators"]["users"]
    assert ["maria"] == rules["house-guard"].settings["people"]["administrators"]["users"]


def test_what_it_says_nothing_of_stays_as_it_was() -> None:
    plain, named = _compiled("controls: {}").rules["iam-admin-grants"], _compiled(ROSTER).rules["iam-admin-grants"]
    for other in ("groups", "roles"):
        assert plain.settings["administrators"][other] == named.settings["administrators"][other]


def test_every_control_that_judges_by_people_knows_it() -> None:
    rules = _compiled(ROSTER).rules
    judging = [one.id for one in registry.load().values() if one.people]
    assert judging
    for one in judging:
        assert {"maria", "ci", "no"} == set(rules[one].settings["people"]["roster"]), one


def test_a_roster_without_an_administrator_makes_nobody_one_by_joining_the_group() -> None:
    rules = _compiled("roster: {ci: {keys: true}}").rules
    assert [NOBODY] == rules["iam-admin-grants"].settings["administrators"]["users"]


def test_administrators_are_whoever_is_in_one_of_their_groups_as_the_file_names_them() -> None:
    named = "{administrators: {groups: [ops, administrators]}}"
    text = f"roster: {{maria: {{groups: [OPS]}}}}\ncontrols: {{iam-admin-grants: {named}}}"
    assert ["maria"] == _compiled(text).rules["iam-admin-grants"].settings["administrators"]["users"]


def test_without_one_lists_and_wildcards_mean_what_they_meant() -> None:
    here = _compiled("controls: {iam-access-key-created: {allowed_users: [ci-*]}}")
    assert ((), ["ci-*"]) == (here.roster, here.rules["iam-access-key-created"].settings["allowed_users"])


def test_a_baseline_that_an_earlier_version_compiled_has_none() -> None:
    written = compile_text("controls: {}", name="", today=TODAY)
    del written["roster"]
    assert () == Baseline.from_json(written).roster


@pytest.mark.parametrize(
    ("control", "path", "value"),
    [
        (one.control, one.path, value)
        for one in of_the_build.FOLLOWING
        for value in ("[x]", *(() if one.control == "iam-login-profiles" else ("[]",)))  # there an empty one is refused
    ],
)
def test_a_file_that_says_it_twice_is_told_which_line_wins(control: str, path: tuple[str, ...], value: str) -> None:
    inner = value
    for key in reversed(path):
        inner = f"{{{key}: {inner}}}"
    (told,) = _problems(f"controls:\n  {control}: {inner}\nroster:\n  maria: {{}}")
    place = ".".join(("controls", control, *path))
    assert told.startswith(f"baseline.yaml:2: {place}: the roster on line 3 says this, and wins; remove this line")


@pytest.mark.parametrize("text", ["roster: {}", "roster:", "roster: null"])
def test_an_empty_one_never_makes_strangers_of_everybody(text: str) -> None:
    assert (f"baseline.yaml:1: roster: {of_the_build.EMPTY}",) == _problems(text)


def test_two_spellings_of_one_name_are_refused() -> None:
    expected = ("baseline.yaml:3: roster.Maria: IAM takes Maria and maria for one name; write one of them",)
    assert expected == _problems("roster:\n  maria: {}\n  Maria: {}")


def test_a_group_that_is_nearly_one_of_the_baselines_is_doubted_and_stops_nothing() -> None:
    document = read("roster: {maria: {groups: [data-enginers, night-watch]}}", "baseline.yaml")
    place = ("roster", "maria", "groups", 0)
    expected = [(place, "the baseline makes no group 'data-enginers'; did you mean 'data-engineers'?")]
    assert expected == list(of_the_build.doubts(document, ["administrators", "data-engineers"]))


def test_a_person_belongs_here_until_the_end_of_his_last_day() -> None:
    maria = Person("maria", until=date(2026, 3, 2))
    assert (False, True) == (maria.has_left(date(2026, 3, 2)), maria.has_left(date(2026, 3, 3)))
    assert not Person("ci").has_left(date.max)


def test_names_are_found_in_any_spelling() -> None:
    people = (Person("Maria"), Person("ci"))
    assert people[0] == of("mARIA", people)
    assert of("mari", people) is None


names = st.from_regex(r"[A-Za-z0-9+=,.@_-]{1,20}", fullmatch=True)


@given(st.dictionaries(names, st.booleans(), min_size=1, max_size=5), st.lists(names, max_size=3))
def test_whoever_is_not_in_it_may_have_no_key_and_is_no_administrator(
    people: dict[str, bool], others: list[str]
) -> None:
    """Whatever is listed: an empty list would mean everybody, or nobody, and never says which."""
    controls: dict[str, Any] = {
        "iam-access-key-created": {"settings": {"allowed_users": ["old"]}},
        "iam-admin-grants": {"settings": {"administrators": {"groups": ["administrators"], "users": []}}},
    }
    of_the_build.followed(
        controls,
        {name: {"keys": admin, "groups": ["administrators"] if admin else []} for name, admin in people.items()},
    )
    keys = controls["iam-access-key-created"]["settings"]["allowed_users"]
    users = controls["iam-admin-grants"]["settings"]["administrators"]["users"]
    assert users
    for one in others:
        meant = any(among(one, [name]) and admin for name, admin in people.items())
        assert (meant, meant) == (among(one, keys), among(one, users))


def test_what_follows_never_changes_a_controls_own_defaults() -> None:
    before = registry.load()["iam-admin-grants"].settings["administrators"]["default"]
    _compiled(ROSTER)
    assert before == registry.load()["iam-admin-grants"].settings["administrators"]["default"]
    assert () == tuple(_compiled("controls: {}").rules["iam-admin-grants"].settings["administrators"]["users"])
