"""baseline.yaml: what is wrong, where, and what to write instead."""

from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.baseline.compiler import compile_text, fits, main
from plumbline.baseline.rules import Baseline, Patience, load
from plumbline.baseline.schema import schema
from plumbline.controls import registry
from plumbline.core.clock import CANNOT_BE_LOOKED_AT, FOUND, UNSEEN, Clock, Response
from plumbline.core.errors import BaselineError

TODAY = date(2026, 3, 2)
ROOT = Path(__file__).parents[2]
PROFILES = Path(__file__).parent / "profiles"


def _compiled(text: str) -> Baseline:
    return Baseline.from_json(compile_text(text, name="baseline.yaml", today=TODAY))


def _problems(text: str) -> tuple[str, ...]:
    with pytest.raises(BaselineError) as caught:
        _compiled(text)
    return caught.value.problems


def test_without_a_word_every_control_is_on_with_its_defaults_but_what_needs_a_word() -> None:
    rules = _compiled("controls: {}").rules
    expected = {
        one.id: (Response.OFF if one.needs else one.response, dict(one.every_clock)) for one in registry.load().values()
    }
    assert expected == {name: (rule.response, dict(rule.clocks)) for name, rule in rules.items()}


def test_the_shipped_baseline_is_sound() -> None:
    assert set(_compiled((ROOT / "baseline.yaml").read_text()).rules) == set(registry.load())


EXAMPLES = re.findall(r"(?ms)^```yaml\n(.*?)^```", (ROOT / "docs/operating.md").read_text())


def test_the_examples_of_the_documentation_are_sound_and_show_every_setting() -> None:
    assert EXAMPLES
    shown = [set(compile_text(one, name="docs/operating.md", today=TODAY)["controls"]) for one in EXAMPLES]
    assert [set(registry.load())] * len(EXAMPLES) == shown
    words = (ROOT / "docs/operating.md").read_text()
    names = {name for one in registry.load().values() for name in one.every_clock}
    known = {*schema(registry.load())["properties"], *names, "mode", "clocks", "remind", "every", "escalate", "act"}
    assert [] == sorted(one for one in known if not re.search(rf"[`\s]{one}[`:,]", words))


def test_who_hears_of_what_cannot_be_looked_at_is_a_clock_like_any_other_but_that_nothing_is_repaired() -> None:
    hours = timedelta(hours=1)
    written = _compiled(
        "controls: {s3-public-acl: {clocks: {cannot-be-looked-at: {remind: [2h], escalate: null}}}}"
    ).rules
    assert written["s3-public-acl"].clocks[UNSEEN] == Clock(remind=(2 * hours,))
    assert written["s3-public-policy"].clocks[UNSEEN] == CANNOT_BE_LOOKED_AT
    assert UNSEEN not in written["root-activity"].clocks, "it looks at nothing"
    for key, value in (("act", "7d"), ("mode", "propose")):
        text = f"controls: {{s3-public-acl: {{clocks: {{cannot-be-looked-at: {{{key}: {value}}}}}}}}}"
        (problem,) = _problems(text)
        assert problem.endswith(
            f"s3-public-acl.clocks.cannot-be-looked-at.{key}: there is no such key; write one of: remind, every, "
            "escalate"
        )


def test_who_hears_of_what_cannot_be_looked_at_makes_nothing_be_judged_anew() -> None:
    plain = _compiled("controls: {}").rules["s3-public-acl"]
    written = _compiled("controls: {s3-public-acl: {clocks: {cannot-be-looked-at: {escalate: 1d}}}}").rules
    assert plain.mark == written["s3-public-acl"].mark


def test_mode_clock_and_settings_are_taken() -> None:
    rule = _compiled(
        """
controls:
  iam-access-key-created:
    mode: observe
    clocks: {default: {remind: [12h, 2d], escalate: 3d, act: 5d}}
    allowed_users: [ci-deploy]
"""
    ).rules["iam-access-key-created"]
    hours = timedelta(hours=1)
    assert rule.response is Response.OBSERVE
    assert rule.clocks["default"] == Clock((12 * hours, 48 * hours), 72 * hours, 120 * hours)
    assert rule.own == {"allowed_users": ["ci-deploy"]}


def test_whoever_wants_to_be_reminded_for_as_long_as_it_is_so_says_how_often() -> None:
    written = _compiled("controls: {iam-groups: {clocks: {default: {every: 1d}}}}").rules["iam-groups"]
    plain = _compiled("controls: {}").rules["iam-groups"]
    assert written.clocks["default"] == replace(plain.clocks["default"], every=timedelta(days=1))
    assert written.mark != plain.mark, "what was told under the other rule is looked at anew"
    never = _compiled("controls: {iam-groups: {clocks: {default: {every: null}}}}").rules["iam-groups"]
    assert (plain.clocks, plain.mark) == (never.clocks, never.mark)


@pytest.mark.parametrize("word", ["off", "Off", "'off'"])
def test_a_control_is_switched_off_with_the_bare_word(word: str) -> None:
    rules = _compiled(f"controls:\n  iam-groups: {{mode: {word}}}").rules
    assert (Response.OFF, Response.ENFORCE) == (rules["iam-groups"].response, rules["s3-public-acl"].response)


def test_how_long_a_person_may_hold_repairs_back_is_taken_and_has_a_default() -> None:
    taken = _compiled("exemptions: {max_days: 30}\npauses: {max_days: 2}").patience
    assert (Patience(30, 2), Patience(90, 7)) == (taken, _compiled("controls: {}").patience)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("controls: {", "baseline.yaml:1: a bracket is not closed; write } or ] there"),
        ("", "baseline.yaml:1: the file is empty; write at least `controls: {}`"),
        (
            "[]",
            (
                "baseline.yaml:1: [] stands where a mapping belongs; write `controls: {}`, and in it what you want "
                "otherwise than the defaults"
            ),
        ),
        ("control: {}", "baseline.yaml:1: control: there is no such key; did you mean 'controls'?"),
        (
            "controls:\n  iam-acess-key-created: {}",
            (
                "baseline.yaml:2: controls.iam-acess-key-created: there is no such control; "
                "did you mean 'iam-access-key-created'?"
            ),
        ),
        (
            "controls:\n  iam-access-key-created:\n    alowed_users: [x]",
            (
                "baseline.yaml:3: controls.iam-access-key-created.alowed_users: there is no such key; "
                "did you mean 'allowed_users'?"
            ),
        ),
        (
            "controls:\n  iam-access-key-created:\n    allowed_users: ci",
            (
                'baseline.yaml:3: controls.iam-access-key-created.allowed_users: "ci" stands where a list belongs; '
                "write a list: [ci]"
            ),
        ),
        (
            "controls:\n  iam-access-key-created:\n    mode: enforced",
            (
                'baseline.yaml:3: controls.iam-access-key-created.mode: "enforced" is not known here; '
                "did you mean 'enforce'?"
            ),
        ),
        (
            "controls:\n  iam-access-key-created:\n    clocks: {default: {act: soon}}",
            (
                'baseline.yaml:3: controls.iam-access-key-created.clocks.default.act: "soon" is no duration; '
                "write hours or days, such as 12h or 7d, or 0 for at once"
            ),
        ),
        (
            "controls:\n  iam-access-key-created:\n    clocks: {default: {act: 7}}",
            (
                "baseline.yaml:3: controls.iam-access-key-created.clocks.default.act: 7 is no duration; "
                "write hours or days, such as 12h or 7d, or 0 for at once"
            ),
        ),
        (
            "controls:\n  iam-access-key-created: {}\n  iam-access-key-created: {}",
            "baseline.yaml:3: controls.iam-access-key-created: this is written twice, on lines 2 and 3; keep one",
        ),
        (
            "controls:\n  iam-groups:\n    groups:\n      analysts: []",
            "baseline.yaml:4: controls.iam-groups.groups.analysts: this must not be empty; name at least one",
        ),
        (
            "exemptions:\n  reviewed:\n  - {control: '*', target: '*/x', owner: ann, reason: x, until: 2026-03-01}",
            (
                "baseline.yaml:3: exemptions.reviewed[1].until: this exemption ended on 2026-03-01; "
                "remove it, or agree on a new day with its owner (ann)"
            ),
        ),
        (
            "exemptions:\n  reviewed:\n  - {control: '*', target: '*', owner: ann, reason: x}",
            "baseline.yaml:3: exemptions.reviewed[1]: 'until' is missing; add `until: ...`",
        ),
        (
            "exemptions:\n reviewed:\n - {control: '*', target: '*/user/x', owner: a, reason: b, until: 2026-02-30}",
            (
                "baseline.yaml:3: exemptions.reviewed[1].until: '2026-02-30' is no day of the calendar; "
                "write one such as 2026-04-01"
            ),
        ),
        (
            "exemptions: {max_days: 0}",
            "baseline.yaml:1: exemptions.max_days: 0 is too small; write at least 1",
        ),
        (
            "exemptions: []",
            "baseline.yaml:1: exemptions: [] stands where a mapping belongs; write `key: value` lines below it",
        ),
        (
            "pauses: {max_days: soon}",
            ('baseline.yaml:1: pauses.max_days: "soon" stands where a whole number belongs; write for example 7'),
        ),
        (
            "regions: [Sydney]",
            'baseline.yaml:1: regions[1]: "Sydney" has not the right form. A region reads like ap-southeast-2.',
        ),
        (
            "regions: [eu-west-1, xx-nowhere-9]",
            "baseline.yaml:1: regions[2]: xx-nowhere-9 is no region of AWS; write one such as ap-southeast-2",
        ),
        (
            "regions: [us-eats-1]",
            "baseline.yaml:1: regions[1]: us-eats-1 is no region of AWS; write one such as us-east-1",
        ),
        ("breakers: {per_control: 0}", "baseline.yaml:1: breakers.per_control: 0 is too small; write at least 1"),
    ],
)
def test_an_error_names_line_place_and_remedy(text: str, expected: str) -> None:
    first = _problems(text)[0]
    assert first == expected or (expected.endswith(": ") and first.startswith(expected))


def _clock(text: str) -> str:
    return f"controls:\n  iam-groups:\n    clocks:\n      default:\n        {text}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("act: 99999999999d", '.act: "99999999999d" is too long; write at most 3650d'),
        (f"act: {'9' * 5000}h", f'.act: "{"9" * 56}... is too long; write at most 3650d'),
        ("escalate: 3000000d", '.escalate: "3000000d" is too long; write at most 3650d'),
        ("remind: [1d, 87601h]", '.remind[2]: "87601h" is too long; write at most 3650d'),
        ("act: 0.0", ".act: 0.0 is no duration; write hours or days, such as 12h or 7d, or 0 for at once"),
        *(
            (
                f"remind: [{zero}]",
                (
                    ".remind[1]: a reminder at once is the first e-mail itself; remove it, or write when to remind, "
                    "such as 1d"
                ),
            )
            for zero in ("0", "0h", "'0'")
        ),
        (
            "every: 0",
            ".every: a reminder at once is the first e-mail itself; remove it, or write when to remind, such as 1d",
        ),
    ],
)
def test_a_time_that_nobody_can_wait_for_stops_the_build(text: str, expected: str) -> None:
    assert _problems(_clock(text)) == (f"baseline.yaml:5: controls.iam-groups.clocks.default{expected}",)


@pytest.mark.parametrize("text", ["act: 3650d", "remind: []", "{escalate: null, act: 0}", "act: 0d"])
def test_times_that_can_be_waited_for_do_not_stop_it(text: str) -> None:
    assert _compiled(_clock(text)).rules["iam-groups"].clocks


def _exemption(**different: str) -> str:
    whole = {"control": "iam-groups", "target": "*/x", "owner": "ann", "reason": "x", "until": "2027-01-31"}
    rows = [f"{key}: '{value}'" for key, value in {**whole, **different}.items()]
    return "exemptions:\n  reviewed:\n  - " + "\n    ".join(rows)


@pytest.mark.parametrize(
    ("different", "expected"),
    [
        ({"owner": "  "}, "5: exemptions.reviewed[1].owner: this must not be blank; write who answers for it"),
        ({"reason": " "}, "6: exemptions.reviewed[1].reason: this must not be blank; write why, for the next reader"),
        ({"target": "acme"}, '4: exemptions.reviewed[1].target: "acme" fits no target: targets read account/region/'),
        *(
            (
                {"control": "s3-public-acl", "target": target},
                f'4: exemptions.reviewed[1].target: "{target}" covers nothing: it fits no target of s3-public-acl: ',
            )
            for target in ("*/s3-buckets/www-*", "111122223333/global/iam-user/ann", "s3-bucket/www")
        ),
        *(
            (
                {"control": "*", "target": target},
                f'4: exemptions.reviewed[1].target: "{target}" exempts everything from every control',
            )
            for target in ("*", "*/*", "111122223333/*", "????????????/*", "1*")
        ),
    ],
)
def test_an_exemption_that_says_too_little_or_covers_too_much_stops_the_build(
    different: Mapping[str, str], expected: str
) -> None:
    (problem,) = _problems(_exemption(**different))
    assert problem.startswith(f"baseline.yaml:{expected}")


def test_an_exemption_that_covers_nothing_says_which_kinds_there_are() -> None:
    (problem,) = _problems(_exemption(control="iam-inline-policies", target="*/iam-usr/bob"))
    kinds = "targets read account/region/kind/id, and the kinds are iam-group, iam-path, iam-role, iam-user"
    assert problem.endswith(f"{kinds}; write a pattern such as '*/iam-group/NAME'")


@pytest.mark.parametrize(
    "different",
    [
        {"target": "*"},
        {"control": "*", "target": "*/s3-bucket/*"},
        {"control": "*", "target": "111122223333/global/iam-user/ann"},
        {"control": "s3-public-acl", "target": "999999999999/eu-west-1/s3-bucket/www"},
    ],
)
def test_an_exemption_of_one_control_or_of_one_kind_does_not_stop_it(different: Mapping[str, str]) -> None:
    assert len(_compiled(_exemption(**different)).exemptions) == 1


OPS = "controls:\n  iam-groups:\n    groups:\n      ops: [IAMFullAccess]\n"


def test_two_rules_that_would_fight_stop_the_build() -> None:
    (problem,) = _problems(OPS)
    assert problem == (
        "baseline.yaml:4: controls.iam-groups.groups.ops: IAMFullAccess makes administrators, and iam-admin-grants "
        "would take it from the group again; write 'ops' into controls.iam-admin-grants.administrators.groups, or give "
        "the group less"
    )


@pytest.mark.parametrize(
    "peace",
    [
        "  iam-admin-grants: {administrators: {groups: [administrators, ops]}}",
        "  iam-admin-grants: {mode: alert}",
    ],
)
def test_rules_that_agree_do_not_stop_it(peace: str) -> None:
    assert _compiled(OPS + peace).rules["iam-groups"].settings["groups"] == {"ops": ["IAMFullAccess"]}


def test_a_key_that_is_left_out_keeps_its_default_and_the_stacks_name_is_filled_in() -> None:
    text = "controls:\n  iam-admin-grants: {administrators: {users: [ann]}}"
    data = compile_text(text, name="baseline.yaml", today=TODAY)
    named = Baseline.from_json(data, "line-two").rules["iam-admin-grants"].settings["administrators"]
    trail = Baseline.from_json(data, "line-two").rules["cloudtrail-logging"].settings
    assert (named["users"], named["groups"]) == (["ann"], ["administrators"])
    assert "plumbline/line-two-hands" in named["roles"]
    assert (trail["trail_name"], trail["bucket"]) == ("line-two", "line-two-trail-{account}-{region}")


def test_all_problems_are_reported_at_once() -> None:
    text = "controls:\n  iam-access-key-created: {mode: x, allowed_users: 5}\nregions: 7"
    assert [one.split(": ")[0] for one in _problems(text)] == ["baseline.yaml:2", "baseline.yaml:2", "baseline.yaml:3"]


@given(st.text(max_size=200))
def test_no_text_at_all_crashes_it(text: str) -> None:
    problems: tuple[str, ...] = ()
    try:
        _compiled(text)
    except BaselineError as error:
        problems = error.problems
    assert [] == [one for one in problems if not one.startswith("baseline.yaml:")]


def test_a_broken_file_stops_the_build_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, destination = tmp_path / "baseline.yaml", tmp_path / "baseline.json"
    source.write_text("controls: {no-such-control: {}}")
    assert main([str(source), str(destination)]) == 1
    assert "nothing was built" in capsys.readouterr().err
    assert not destination.exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("controls: {}", "fits; 4 controls: 3 enforce, 1 alert"),
        (
            "profile: calm\ncontrols: {root-activity: {mode: off}}",
            "fits; 4 controls: 2 enforce, 1 propose, 1 off; profile calm",
        ),
        (_exemption(until="2026-09-30"), "fits; 4 controls: 3 enforce, 1 alert; 1 exemption, until 2026-09-30"),
        (
            _exemption(until="2026-12-31")
            + "\n  - {control: iam-groups, target: '*/b', owner: bob, reason: x, until: 2026-09-30}",
            "fits; 4 controls: 3 enforce, 1 alert; 2 exemptions, first ends 2026-09-30",
        ),
    ],
)
def test_what_fits_is_told_in_one_line(text: str, expected: str) -> None:
    some = ("iam-access-key-created", "iam-groups", "root-activity", "s3-public-acl")
    compiled = compile_text(text, name="baseline.yaml", today=TODAY, folder=PROFILES)
    assert expected == fits({**compiled, "controls": {name: compiled["controls"][name] for name in some}})


def test_without_a_destination_the_file_is_only_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "baseline.yaml"
    source.write_text("profile: calm")
    assert 0 == main([str(source), "--profiles", str(PROFILES)])
    compiled = compile_text("profile: calm", name="", today=TODAY, folder=PROFILES)
    assert (f"{source}: {fits(compiled)}\n", "") == capsys.readouterr()
    source.write_text("profile: clam\ncontrols: {iam-groups: off}")
    assert 1 == main([str(source), "--profiles", str(PROFILES)])
    expected = (
        f"{source}:1: profile: there is no profile \"clam\", only calm and keen; did you mean 'calm'?\n"
        f"{source}:2: controls.iam-groups: off stands where a mapping belongs; write `iam-groups: {{mode: off}}`\n"
    )
    assert ("", expected) == capsys.readouterr()
    assert [source] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("file", "code", "begins"), [("baseline.yaml", 0, "baseline.yaml: fits; "), ("no.yaml", 2, "")]
)
def test_make_baseline_checks_the_file_alone(file: str, code: int, begins: str) -> None:
    done = subprocess.run(
        ["make", "-s", "baseline", f"FILE={file}"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert (
        code,
        True,
        "" if code == 0 else "no.yaml:1: this file cannot be read (No such file or directory); write its path",
    ) == (
        done.returncode,
        done.stdout.startswith(begins),
        done.stderr.partition("\n")[0],
    )


def test_in_a_terminal_a_problem_is_folded_between_words_and_elsewhere_it_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "baseline.yaml").write_text(
        "controls: {iam-groups: {clocks: {default: {act: iam-access-key-created}}}}"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    piped, terminal = io.StringIO(), _Terminal()
    for out in (piped, terminal):
        monkeypatch.setattr("sys.stderr", out)
        assert 1 == main(["baseline.yaml"])
    folded = (
        "baseline.yaml:1: controls.iam-groups.clocks.default.act:",
        '"iam-access-key-created" is no duration; write hours or days, such as 12h or',
        "7d, or 0 for at once",
    )
    assert (" ".join(folded) + "\n", "\n    ".join(folded) + "\n") == (piped.getvalue(), terminal.getvalue())


class _Terminal(io.StringIO):
    """Where a person looks on."""

    def isatty(self) -> bool:
        return True


ROLES = (
    "since 0.2 roles are told of and no longer converted; to have them converted as before, write `roles: convert`; "
    "to keep it so and hear no more of it, write `roles: tell`"
)


@pytest.mark.parametrize(
    ("rule", "place"),
    [
        ("{mode: enforce}", "mode"),
        ("{mode: propose}", "mode"),
        ("{clocks: {role: {act: 3d}}}", "clocks.role"),
        ("{keep_inline: [role/deploy]}", ""),
        ("{mode: enforce, roles: convert}", ""),
        ("{mode: enforce, roles: tell}", ""),
        ("{mode: off}", ""),
        ("", ""),
    ],
)
def test_a_file_of_an_earlier_version_is_told_what_its_words_no_longer_say(
    rule: str, place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLUMBLINE_INLINE_POLICIES", "enforce")
    source = tmp_path / "baseline.yaml"
    source.write_text(f"controls:\n  iam-inline-policies: {rule}\n")
    assert main([str(source), str(tmp_path / "baseline.json")]) == 0
    said = f"{source}:2: controls.iam-inline-policies.{place}: {ROLES}\n" if place else ""
    assert said == capsys.readouterr().err


def test_the_layer_leaves_what_compiles_behind() -> None:
    """The functions have neither PyYAML nor jsonschema; what needs them must not lie beside the rules in AWS."""
    room = {path.stem: path.read_text() for path in (ROOT / "layers/plumbline/plumbline/baseline").glob("*.py")}
    left = re.search(r'(?m)^of_the_build="(.*)"$', (ROOT / "layers/plumbline/build.sh").read_text())
    assert left
    assert {"__init__", "regions", "rules"} == set(room) - set(left[1].split())


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "none.yaml"), str(tmp_path / "out.json")]) == 1
    assert "none.yaml:1: this file cannot be read (No such file or directory)" in capsys.readouterr().err


def test_what_was_compiled_is_what_the_functions_load(tmp_path: Path) -> None:
    destination = tmp_path / "baseline.json"
    assert main([str(ROOT / "baseline.yaml"), str(destination)]) == 0
    assert set(load(destination).rules) == set(registry.load())


@pytest.mark.parametrize("text", ["", "{", '{"controls": {}}', "[]"])
def test_an_unreadable_compiled_baseline_stops_everything(tmp_path: Path, text: str) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(text)
    with pytest.raises(BaselineError, match="sam build"):
        load(path)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("{act: 1h}", FOUND),  # bolder than what a sweep finds is left: it keeps its own
        ("{act: 30d, remind: [], escalate: null}", Clock(act=timedelta(days=30))),
        ("{act: null, remind: [], escalate: null}", Clock()),
        ("{mode: propose}", replace(FOUND, mode=Response.PROPOSE)),
    ],
)
def test_what_a_sweep_finds_is_never_repaired_sooner_than_a_file_says_of_all(written: str, found: Clock) -> None:
    text = f"controls: {{account-password-policy: {{clocks: {{default: {written}}}}}}}"
    rules = _compiled(text).rules
    assert found == rules["account-password-policy"].clocks["found-by-sweep"]


def test_a_file_may_ask_for_what_a_sweep_finds_at_once() -> None:
    text = "controls: {iam-groups: {clocks: {default: {act: 3d}, found-by-sweep: {act: 0}}}}"
    rules = _compiled(text).rules
    assert timedelta(0) == rules["iam-groups"].clocks["found-by-sweep"].act


def test_turning_inline_policies_by_itself_stops_the_build_unless_the_deployment_chose_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "baseline.yaml"
    source.write_text("controls:\n  iam-inline-policies: {mode: enforce}\n")
    for chosen in ("", "propose"):
        monkeypatch.setenv("PLUMBLINE_INLINE_POLICIES", chosen)
        assert 1 == main([str(source)])
        said = capsys.readouterr().err
        assert said.startswith(f"{source}:2:")
        assert "make deploy PARAMETERS=InlinePolicies=enforce" in said
    monkeypatch.setenv("PLUMBLINE_INLINE_POLICIES", "enforce")
    assert 0 == main([str(source)])
