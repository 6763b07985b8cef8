"""A value that was cut into frames is the same when it is put together again."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cgsync.formats.pieces import assembled, cut

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(text, inner, max_size=6),
    max_leaves=40,
)


@given(value=values, piece=st.integers(1, 60))
def test_a_value_comes_back(value: Any, piece: int) -> None:
    frames = iter(list(cut(value, piece=piece)))
    assert assembled(lambda: next(frames)) == value
    assert next(frames, None) is None


def test_no_frame_is_large() -> None:
    value = {
        "rows": [{"n": n, "text": "x" * 100} for n in range(10_000)],
        "deep": {str(n): "y" * 50 for n in range(20_000)},
    }
    frames = list(cut(value, piece=10_000))
    assert max(len(content) for _, content in frames) <= 11_000
    assert len(frames) > 200


def test_whole_numbers_keep_all_their_digits() -> None:
    frames = iter(list(cut({"id": 10**300})))
    assert assembled(lambda: next(frames)) == {"id": 10**300}
