"""Text that comes from events and names: no mail program makes something to click of it, and it still can be read."""

from __future__ import annotations

import re
import shlex
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.adapters.sns import chat_message
from plumbline.alerts.alert import Alert
from plumbline.alerts.harmless import harmless, harmless_command
from plumbline.alerts.wording import clean, subject_line, table

#: What Gmail, Outlook and Apple Mail are known to make links of: schemes, www, names that end in a top-level domain,
#: hosts with a port or a path.
_CLICKED = re.compile(
    r"(?i)\b[a-z][a-z0-9+-]*://|\b(?:mailto|javascript|data|tel|sms):|www\.\w"
    r"|[^\W_]\.(?!json\b|ya?ml\b)[^\W\d_]{2}|\w:\d{1,5}/|\d\.\d{1,3}/(?!\d{1,2}\b)"
)
_PIECES = st.sampled_from(
    ["evil", "com", "ru", ".", "\u3002", ":", "/", "//", "http", "HTTPS", "www", "8080", "10.0.0.1", "@", "-", "_", " ",
     "[",
     "](", ")", "<b>", "\u0430\u0440\u0440\u04cf\u0435", "\u0430", "o", "xn--80ak6aa92e",
     "\u202e", "\u200b", "\u2060", "\u3164", "\u0301",
     "\ufe0f",
     "\uff57\uff57\uff57\uff0e\uff45\uff56\uff49\uff4c\uff0e\uff43\uff4f\uff4d",
     "mailto", "javascript", "\n", "arn:aws:s3:::", "\u00e9", "\u00f1", "\u041f\u0440\u0438\u0432\u0435\u0442"]
)  # fmt: skip
HOSTILE = st.lists(_PIECES, max_size=9).map("".join) | st.text(max_size=40)


@given(HOSTILE)
def test_nothing_is_left_to_click(text: str) -> None:
    assert not _CLICKED.search(harmless(text)), harmless(text)


@given(HOSTILE)
def test_nothing_is_unseen_and_all_stands_in_one_line(text: str) -> None:
    said = harmless(text)
    assert [] == [char for char in said if char != " " and unicodedata.category(char)[0] in "CZ"]
    assert "](" not in said


@given(HOSTILE)
def test_what_is_harmless_stays_as_it_is(text: str) -> None:
    assert harmless(text) == harmless(harmless(text))


@given(HOSTILE)
def test_subject_body_and_chat_are_harmless(text: str) -> None:
    subject, body = subject_line("found", text, text), table({"Who": text})
    chat = chat_message(Alert(subject, body, about={"lead": clean(text)}))
    content = chat["content"]
    assert isinstance(content, dict)
    for said in (subject, body, str(content["title"]), str(content["description"])):
        assert not _CLICKED.search(said.removeprefix("[Plumbline] found: ")), said


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("aws iam delete-policy --policy-arn arn:aws:iam::111122223333:policy/evil.com", "policy/evil.com"),
        ("aws sns subscribe --notification-endpoint ann.lee@example.com", "ann.lee@example.com"),
        ("aws sns subscribe --notification-endpoint 'ann lee@example.com'", "ann lee@example.com"),
        ("aws sns subscribe --notification-endpoint 'o'\"'\"'brien@example.com'", "o'brien@example.com"),
        ("aws iam delete-policy --policy-arn 'https://evil.com/x y'", "https://evil.com/x y"),
    ],
)
def test_a_command_can_be_pasted_and_is_no_link(command: str, words: str) -> None:
    said = harmless_command(command)
    assert shlex.split(said)[-1].endswith(words)
    assert not _CLICKED.search(said)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bucket www.example.com", "bucket www[.]example[.]com"),
        ("arn:aws:s3:::logs.example.org/x", "arn:aws:s3:::logs[.]example[.]org/x"),
        ("ann.lee@example.com", "ann[.]lee@example[.]com"),
        ("evil.com", "evil[.]com"),
        ("intranet:8080/login", "intranet[:]8080/login"),
        ("10.0.0.1/login", "10.0.0[.]1/login"),
        ("\u0440\u0430ypal", "[U+0440][U+0430]ypal"),
        ("\u0441\u043e\u0441\u043e", "[U+0441][U+043E][U+0441][U+043E]"),
        ("[click](x)", "[click] (x)"),
        ("Admin\u200bistrator", "Admin istrator"),
    ],
)
def test_what_is_dangerous_reads_as_before_and_is_dead(text: str, expected: str) -> None:
    assert expected == harmless(text)


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:iam::111122223333:role/ci/deploy_v1.2",
        "arn:aws:sts::111122223333:assumed-role/deploy/i-0abc1234def567890",
        "aws-cli/2.31.4 md/awscrt#0.28.2",
        "198.51.100.7",
        "10.0.0.0/8 and 203.0.113.0/24",
        "baseline.yaml",
        "iam:AttachUserPolicy",
        "Tuesday 24 November 2026, 02:52 UTC",
        "ann@corp",
        "Gr\u00f6\u00dfe, caf\u00e9, na\u00efve, \u041f\u0440\u0438\u0432\u0435\u0442, \u6771\u4eac",
        "It is so. Then it is not.",
        "s3-bucket/acme-data",
    ],
)
def test_what_is_no_danger_stays_as_it_is(text: str) -> None:
    assert text == harmless(text)
