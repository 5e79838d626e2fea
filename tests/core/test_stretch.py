"""A stretch of many targets is found without asking each of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from plumbline.core.stretch import WHOLE, Stretch

_NAMES = st.text(alphabet="ab/*\U0010ffff", max_size=4)
_PLACES = st.one_of(st.just(""), _NAMES, _NAMES.map(lambda name: f"{name}/*"))


@given(st.lists(_NAMES), _PLACES, _PLACES)
def test_whatever_lies_in_a_stretch_is_among_what_is_asked(names: list[str], after: str, upto: str) -> None:
    texts, stretch = sorted(names), Stretch(after, upto)
    asked = texts[stretch.among(texts)]
    assert [one for one in texts if one in stretch] == [one for one in asked if one in stretch]


def test_of_many_no_more_are_asked_than_lie_in_it() -> None:
    texts = [f"111122223333/global/s3-bucket/{number:05}" for number in range(20_000)]
    assert texts[10:330] == texts[Stretch(texts[9], texts[329]).among(texts)]
    assert texts == texts[WHOLE.among(texts)]
