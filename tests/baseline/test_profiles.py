"""Profiles: what many accounts share, and who wins where two say something."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from plumbline.baseline import profiles
from plumbline.baseline.compiler import compile_text
from plumbline.baseline.rules import Baseline
from plumbline.controls import registry
from plumbline.core.clock import CANNOT_BE_LOOKED_AT, UNSEEN, Clock, Response
from plumbline.core.errors import BaselineError

TODAY = date(2026, 3, 2)
FOLDER = Path(__file__).parent / "profiles"
DAY = timedelta(days=1)


def _compiled(text: str, folder: Path = FOLDER) -> Baseline:
    return Baseline.from_json(compile_text(text, name="baseline.yaml", today=TODAY, folder=folder))


def _problems(text: str, folder: Path = FOLDER) -> tuple[str, ...]:
    with pytest.raises(BaselineError) as caught:
        _compiled(text, folder)
    return caught.value.problems


def test_a_profile_stands_for_the_lines_that_are_in_it() -> None:
    profile = (FOLDER / "calm.yaml").read_text()
    named = compile_text("profile: calm", name="baseline.yaml", today=TODAY, folder=FOLDER)
    written = compile_text(profile, name="baseline.yaml", today=TODAY, folder=FOLDER)
    assert ("calm", "") == (named.pop("profile"), written.pop("profile"))
    assert written == named


def test_what_it_does_not_name_keeps_its_default() -> None:
    with_profile, without = _compiled("profile: calm").rules, _compiled("controls: {}").rules
    named = {"iam-access-key-created", "iam-admin-grants", "iam-groups"}
    assert named == {one for one in without if with_profile[one].mark != without[one].mark}


def test_the_file_wins_key_by_key() -> None:
    rules = _compiled(
        """
profile: calm
controls:
  iam-access-key-created:
    clocks:
      default: {remind: [], act: 7d}
  iam-admin-grants:
    mode: alert
    administrators: {users: [bob]}
"""
    ).rules
    key, grants = rules["iam-access-key-created"], rules["iam-admin-grants"]
    patient = Clock((), 2 * DAY, 7 * DAY)
    unseen = {UNSEEN: CANNOT_BE_LOOKED_AT}
    assert (Response.PROPOSE, {"default": patient, "found-by-sweep": patient} | unseen) == (key.response, key.clocks)
    assert {"allowed_users": ["ci-deploy"]} == key.own
    named = grants.settings["administrators"]
    assert (Response.ALERT, ["bob"], ["deploy"], ["administrators"]) == (
        grants.response,
        named["users"],
        named["roles"],
        named["groups"],
    )


@pytest.mark.parametrize(
    ("control", "line", "expected"),
    [
        ("iam-access-key-created", "allowed_users: [backup]", {"allowed_users": ["backup"]}),
        ("iam-access-key-created", "allowed_users: []", {"allowed_users": []}),
        (
            "iam-groups",
            "groups: {auditors: [SecurityAudit]}",
            {"groups": {"auditors": ["SecurityAudit"]}, "self_service": True},
        ),
    ],
)
def test_a_list_and_a_mapping_with_free_keys_are_replaced_as_a_whole(
    control: str, line: str, expected: dict[str, object]
) -> None:
    assert expected == _compiled(f"profile: calm\ncontrols:\n  {control}:\n    {line}").rules[control].own


def test_a_control_without_a_word_leaves_the_profiles_as_they_are() -> None:
    assert _compiled("profile: calm") == _compiled(
        "profile: calm\ncontrols:\n  iam-access-key-created:\n  iam-groups: {}"
    )


def test_the_functions_know_its_name() -> None:
    assert ("calm", "") == (_compiled("profile: calm").profile, _compiled("controls: {}").profile)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("calme", "\"calme\", only calm and keen; did you mean 'calm'?"),
        ("moj", '"moj", only calm and keen; write one of these, or remove this line'),
        ("../profiles/calm", "\"../profiles/calm\", only calm and keen; did you mean 'calm'?"),
        ("[calm]", '["calm"], only calm and keen; write one of these, or remove this line'),
        ("off", "off, only calm and keen; write one of these, or remove this line"),
    ],
)
def test_a_profile_that_does_not_exist_stops_the_build(line: str, expected: str) -> None:
    assert (f"baseline.yaml:2: profile: there is no profile {expected}",) == _problems(
        f"controls: {{}}\nprofile: {line}"
    )


def test_a_profile_without_a_name_stops_the_build() -> None:
    assert ("baseline.yaml:1: profile: this must not be empty; write one of calm and keen, or remove this line",) == (
        _problems("profile:")
    )


def test_where_there_are_none_it_says_so(tmp_path: Path) -> None:
    assert ("baseline.yaml:1: profile: there are no profiles here; remove this line",) == _problems(
        "profile: calm", tmp_path / "none"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("controls:\n  iam-grups: {}", "2: controls.iam-grups: there is no such control; did you mean 'iam-groups'?"),
        (
            "controls:\n  iam-groups:\n    mode: enforced",
            "3: controls.iam-groups.mode: \"enforced\" is not known here; did you mean 'enforce'?",
        ),
        (
            "controls:\n  iam-groups:\n    clocks:\n      default: {act: 9999d}",
            '4: controls.iam-groups.clocks.default.act: "9999d" is too long; write at most 3650d',
        ),
        ("controls: {}\nregions: [eu-west-1]", "2: regions: there is no such key; write one of: controls"),
        ("", "1: the file is empty; write at least `controls: {}`"),
    ],
)
def test_a_profile_that_is_wrong_itself_is_named(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "odd.yaml").write_text(text)
    assert (f"{tmp_path.name}/odd.yaml:{expected}",) == _problems("profile: odd", tmp_path)


def test_a_fight_that_a_profile_brings_says_so() -> None:
    (problem,) = _problems("profile: keen")
    assert problem.startswith("baseline.yaml:1: controls.iam-groups.groups.ops: IAMFullAccess makes administrators")
    assert problem.endswith(" (profile keen sets this)")
    lines = "controls:\n  iam-admin-grants: {administrators: {groups: [administrators, ops]}}"
    assert "keen" == _compiled(f"profile: keen\n{lines}").profile


@pytest.mark.parametrize("name", profiles.names(profiles.SHIPPED))
def test_each_profile_of_the_project_is_sound_and_says_something(name: str) -> None:
    assert _compiled("controls: {}").rules != _compiled(f"profile: {name}", profiles.SHIPPED).rules


def test_a_profile_governs_every_control_there_is() -> None:
    assert set(registry.load()) == set(_compiled("profile: calm").rules)
