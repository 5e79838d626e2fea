"""What is said of a baseline that does not fit: one line for each problem, in words for people who write YAML."""

from __future__ import annotations

from datetime import date

import pytest

from plumbline.baseline.advice import nearest, shown
from plumbline.baseline.compiler import compile_text
from plumbline.core.errors import BaselineError


def _problems(text: str) -> tuple[str, ...]:
    with pytest.raises(BaselineError) as caught:
        compile_text(text, name="baseline.yaml", today=date(2026, 3, 2))
    return caught.value.problems


@pytest.mark.parametrize("word", ["off", "observe", "'off'"])
def test_who_writes_a_mode_where_a_mapping_belongs_is_shown_the_mapping(word: str) -> None:
    (problem,) = _problems(f"controls:\n  iam-groups: {word}")
    assert problem.startswith("baseline.yaml:2: controls.iam-groups: ")
    assert problem.endswith(f" stands where a mapping belongs; write `iam-groups: {{mode: {word.strip(chr(39))}}}`")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("iam-groups: [x]", 'iam-groups: ["x"] stands where a mapping belongs; write `iam-groups: {mode: observe}`'),
        (
            "iam-groups: {mode: on}",
            "iam-groups.mode: on is not known here; write one of: enforce, propose, observe, alert, off",
        ),
        (
            "iam-groups: {mode: }",
            ("iam-groups.mode: this must not be empty; write one of: enforce, propose, observe, alert, off"),
        ),
        (
            "iam-groups: {clocks: {default: {act: 12:30}}}",
            (
                "iam-groups.clocks.default.act: 12:30 is no duration; "
                "write hours or days, such as 12h or 7d, or 0 for at once"
            ),
        ),
        (
            "iam-groups: {clocks: {default: {act: true}}}",
            (
                "iam-groups.clocks.default.act: true is no duration; "
                "write hours or days, such as 12h or 7d, or 0 for at once"
            ),
        ),
        (
            "iam-groups: {clocks: {default: {remind: 1d}}}",
            ('iam-groups.clocks.default.remind: "1d" stands where a list belongs; write a list: [1d]'),
        ),
        (
            "iam-groups: {clocks: {sweep: {}}}",
            (
                "iam-groups.clocks.sweep: there is no such key; write one of: default, found-by-sweep, "
                "identity-center, given-before, cannot-be-looked-at"
            ),
        ),
        (
            "iam-groups: {groups: {a b: [X]}}",
            "iam-groups.groups.a b: this name has not the right form. Write the name of a group",
        ),
        ("iam-groups: {groups: {a: [X, X]}}", 'iam-groups.groups.a[2]: "X" stands in this list twice; name it once'),
        ("iam-groups: {groups: {a: [{}]}}", "iam-groups.groups.a[1]: {} stands where text belongs"),
        (
            "iam-inline-policies: {keep_inline: [deploy]}",
            (
                'iam-inline-policies.keep_inline[1]: "deploy" has not the right form. '
                "Write user/NAME, group/NAME or role/NAME."
            ),
        ),
        (
            "cloudtrail-logging: {bucket: ab}",
            "cloudtrail-logging.bucket: this is too short; write at least 3 characters",
        ),
        ("billing-alarm: {threshold_usd: 0}", "billing-alarm.threshold_usd: 0 is too small; write more than 0"),
        (
            "account-password-policy: {minimum_length: 999}",
            ("account-password-policy.minimum_length: 999 is too large; write at most 128"),
        ),
    ],
)
def test_each_rule_is_told_in_plain_words(text: str, expected: str) -> None:
    (problem,) = _problems(f"controls:\n  {text}")
    assert problem.startswith(f"baseline.yaml:2: controls.{expected}")


def test_each_unknown_key_is_told_on_its_own_line() -> None:
    assert (
        "baseline.yaml:2: controls.iam-grups: there is no such control; did you mean 'iam-groups'?",
        "baseline.yaml:4: controls.root-activity.modes: there is no such key; did you mean 'mode'?",
        "baseline.yaml:5: controls.root-activity.clokcs: there is no such key; did you mean 'clocks'?",
        "baseline.yaml:6: breaker: there is no such key; did you mean 'breakers'?",
    ) == _problems("controls:\n  iam-grups: {}\n  root-activity:\n    modes: alert\n    clokcs: {}\nbreaker: {}")


def test_what_stands_in_the_file_breaks_no_line_of_a_message() -> None:
    (key,) = _problems('"a\\nb": {}')
    assert key.startswith("baseline.yaml:1: a b: there is no such key; ")
    row = "{control: '*', target: '*/iam-user/x', owner: \"a\\nb\\e[2J\", reason: x, until: 2026-01-01}"
    *_, owner = _problems(f"exemptions:\n  reviewed:\n  - {row}")
    assert owner.endswith("remove it, or agree on a new day with its owner (a b [2J)")


def test_all_that_is_missing_in_one_place_is_told_once() -> None:
    text = "exemptions:\n  reviewed:\n  - {control: iam-groups, target: '*/x', until: 2026-09-01}"
    assert (
        "baseline.yaml:3: exemptions.reviewed[1]: 'owner' and 'reason' are missing; add `owner: ...` and `reason: ...`",
    ) == _problems(text)


def test_a_section_without_a_word_in_it_is_as_good_as_none() -> None:
    empty = "controls:\nregions:\nbreakers:\nletters:\npauses:\nexemptions:\n  reviewed:\n"
    assert compile_text("controls: {}", name="", today=date.min) == compile_text(empty, name="", today=date.min)


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("mod", ["mode", "clocks"], "did you mean 'mode'?"),
        ("x", ["mode", "clocks"], "write one of: mode, clocks"),
        ("x", [f"control-{number}" for number in range(13)], "docs/controls.md lists them all"),
    ],
)
def test_a_word_that_is_not_known_is_answered_with_those_that_are(word: str, known: list[str], expected: str) -> None:
    assert expected == nearest(word, known)


def test_a_value_is_shown_as_it_was_written_and_cut_where_it_is_long() -> None:
    assert ("off", '"é"', "nothing", f'"{"x" * 56}...') == (
        shown(False, "off"),
        shown("é"),
        shown(None),
        shown("x" * 99),
    )
