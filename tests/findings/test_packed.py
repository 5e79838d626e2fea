"""Long texts in items are compressed, and come back exactly; what does not fit is refused before it is written."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plumbline.core.errors import TooLarge
from plumbline.findings.adoption import Adoption, in_pieces, piece_of, whole
from plumbline.findings.packed import LARGEST, body, checked, size_of, text_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=50),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=9), inner, max_size=5),
    max_leaves=30,
)


@given(JSON, st.integers(min_value=1, max_value=2_000))
def test_any_text_comes_back_as_it_was(data: object, times: int) -> None:
    text = json.dumps([data] * times)
    assert text == text_of(body(text))


@given(JSON, st.integers(min_value=1, max_value=2_000))
def test_it_comes_back_from_the_stream_too_where_binary_values_are_base64(data: object, times: int) -> None:
    text = json.dumps([data] * times)
    item = {
        name: {kind: base64.b64encode(value).decode() if kind == "B" else value for kind, value in one.items()}
        for name, one in body(text).items()
    }
    assert text == text_of(item)


def test_what_is_short_stays_readable_as_version_0_1_wrote_it() -> None:
    assert {"body": {"S": '{"id":1}'}} == body('{"id":1}')


def test_what_is_long_takes_a_fraction() -> None:
    text = json.dumps([{"role": f"role-{number}", "path": "/team/", "attached": True} for number in range(5_000)])
    assert (True, True) == (len(text) > LARGEST // 2, size_of(body(text)) < len(text) // 5)


@pytest.mark.parametrize("item", [{}, {"packed": {"B": b"no zlib"}}, {"body": {"N": "7"}}])
def test_what_cannot_be_read_is_said_to_be(item: dict[str, dict[str, object]]) -> None:
    with pytest.raises((KeyError, ValueError)):
        text_of(item)


def test_an_item_is_as_large_as_its_names_and_values() -> None:
    """Amazon DynamoDB Developer Guide, "DynamoDB item sizes and formats"."""
    assert 4 + 5 == size_of({"name": {"S": "Käse"}}), "characters count as the bytes they take"
    assert 1 + 3 == size_of({"b": {"B": b"123"}})
    assert 1 + 3 == size_of({"n": {"N": "27"}})


def test_what_is_too_large_is_refused_with_its_size() -> None:
    item = {"packed": {"B": bytes(LARGEST)}}
    with pytest.raises(
        TooLarge, match="the finding does not fit into the ledger: it would take 400,006 bytes"
    ) as error:
        checked(item, "the finding")
    assert (LARGEST + 6, LARGEST) == (error.value.size, error.value.limit)


# --- adoption in pieces ---------------------------------------------------------------------------------------------


@given(st.frozensets(st.text(min_size=1, max_size=30), max_size=600))
def test_an_adoption_is_whole_again_whatever_its_size(pending: frozenset[str]) -> None:
    adoption = Adoption("mark", pending)
    head, pieces = in_pieces(adoption.to_json())
    assert adoption == Adoption.from_json(whole(head, pieces.values()))
    for target in pending:
        one = [pieces[piece_of(target)]] if pieces else []
        assert target in Adoption.from_json(whole(head, one)).pending, "its own piece is enough to know of a target"


def test_few_targets_stand_as_version_0_1_wrote_them() -> None:
    text = Adoption("mark", frozenset({"a", "b"})).to_json()
    assert ('{"mark": "mark", "pending": ["a", "b"]}', (text, {})) == (text, in_pieces(text))


def test_many_targets_that_version_0_1_wrote_in_one_are_read() -> None:
    adoption = Adoption("mark", frozenset(f"111122223333/global/access-key/AKIA{one}" for one in range(3_000)))
    assert adoption == Adoption.from_json(whole(adoption.to_json(), ()))


def test_a_piece_that_is_left_over_from_before_counts_for_nothing() -> None:
    head = Adoption("mark", frozenset({"a"})).to_json()
    assert frozenset({"a"}) == Adoption.from_json(whole(head, ['["old"]'])).pending
