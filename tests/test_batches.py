"""What would loop for ever or could never be stored is no batch; a cursor moves part by part."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cgsync.api import MAX_CURSOR_PART, MAX_RECORDS, Batch
from cgsync.batches import advanced, check
from cgsync.errors import PluginError
from tests.rig import batch, record


def test_a_batch_that_only_forgets_a_part_moves_it() -> None:
    check(Batch(cursor={"p": None}), {"p": 1}, None)
    with pytest.raises(PluginError, match="moves no part"):
        check(Batch(cursor={"p": None}), {}, None)


def test_a_batch_has_at_most_500_records() -> None:
    check(Batch(records=[record(str(n)) for n in range(MAX_RECORDS)], cursor={"p": 1}), {}, None)
    with pytest.raises(PluginError, match="returned 501 records, at most 500"):
        check(Batch(records=[record(str(n)) for n in range(MAX_RECORDS + 1)], cursor={"p": 1}), {}, None)


def test_a_part_of_the_cursor_has_at_most_64_kib() -> None:
    check(Batch(cursor={"p": "x" * (MAX_CURSOR_PART - 2)}), {}, None)
    with pytest.raises(PluginError, match="part 'p' of the cursor takes 65537 bytes"):
        check(Batch(cursor={"p": "x" * (MAX_CURSOR_PART - 1)}), {}, None)


NOT_JSON = [datetime(2026, 1, 1, tzinfo=UTC), b"bytes", {1, 2}, float("nan"), float("inf"), object(), "\ud800", [b""]]


@pytest.mark.parametrize("value", NOT_JSON, ids=lambda value: f"{value!r:.20}")
def test_a_part_of_the_cursor_that_would_not_come_back_as_it_is_is_refused(value: Any) -> None:
    with pytest.raises(PluginError, match="part 'p' of the cursor is not JSON"):
        check(Batch(cursor={"p": value}), {}, None)
    with pytest.raises(PluginError, match="an item of done is not JSON"):
        check(batch("1", done=[value]), {}, None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
PARTS = st.dictionaries(st.text(min_size=1, max_size=3), JSON)


@settings(max_examples=50)
@given(PARTS, PARTS)
def test_a_cursor_advances_part_by_part(cursor: Any, changes: Any) -> None:
    cursor = {part: value for part, value in cursor.items() if value is not None}
    after = advanced(cursor, changes)
    assert None not in after.values()
    for part in {*cursor, *changes}:
        assert after.get(part) == (changes[part] if part in changes else cursor[part])
