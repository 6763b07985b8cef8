"""What a template may give, and what it may not."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from cgsync.mapping.values import MAX_FIELD, Unfit, clean, json_value, plain, shown, text, truth, words

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(st.text(alphabet=st.characters()))
def test_clean_text_can_be_encoded_and_has_no_nul(dirty: str) -> None:
    cleaned = clean(dirty)
    assert b"\0" not in cleaned.encode()
    assert [each for each in cleaned if ord(each) < 0xD800] == [each for each in dirty if 0 < ord(each) < 0xD800]


def test_halves_of_a_pair_become_the_character_they_are() -> None:
    assert clean("a\ud83d\ude00b") == "a😀b"


def test_half_a_pair_is_removed() -> None:
    assert clean("a\ud83db\ude00c") == "abc"


@pytest.mark.parametrize(
    ("value", "as_text"),
    [("x", "x"), (1, "1"), (True, "true"), (1.5, "1.5"), (Markup("<b>"), "<b>"), (10**30, f"{10**30}")],
)
def test_scalars_become_text(value: object, as_text: str) -> None:
    assert words(value) == as_text
    assert type(words(value)) is str


@pytest.mark.parametrize(
    "value", [None, [], {}, (), float("nan"), float("inf"), object(), pytest.param(10**5000, id="huge")]
)
def test_what_would_print_as_program_text_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        words(value)


def test_null_leaves_a_text_field_out() -> None:
    assert text(None) is None


def test_a_field_holds_64_kib_and_not_a_byte_more() -> None:
    assert text("x" * MAX_FIELD) == "x" * MAX_FIELD
    for large in ("x" * (MAX_FIELD + 1), "ü" * (MAX_FIELD // 2 + 1), "😀" * (MAX_FIELD // 4 + 1)):
        with pytest.raises(Unfit, match="at most 65,536 are allowed"):
            text(large)
        with pytest.raises(Unfit, match="at most 65,536 are allowed"):
            json_value({"deep": [large]})


@given(JSON)
def test_json_passes_unchanged_but_for_what_no_store_can_hold(value: Any) -> None:
    result = plain(value)
    again = msgspec.json.decode(msgspec.json.encode(result))
    assert again == result


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_text_of_strangers_passes_unchanged(value: str) -> None:
    assert json_value(value) == value


@pytest.mark.parametrize(
    "value", [math.nan, [math.inf], {"a": {1: 2}}, {"a": {None: 2}}, [{1, 2}], (each for each in "ab"), b"raw"]
)
def test_what_is_not_json_is_refused_at_any_depth(value: object) -> None:
    with pytest.raises(Unfit):
        json_value(value)


def test_a_value_that_is_too_deep_is_refused() -> None:
    deep: Any = 1
    for _ in range(100):
        deep = [deep]
    with pytest.raises(Unfit, match="64 levels"):
        json_value(deep)


def test_a_time_becomes_iso_8601() -> None:
    assert plain([datetime(2024, 5, 1, tzinfo=UTC)]) == ["2024-05-01T00:00:00+00:00"]


@pytest.mark.parametrize("value", [True, 1, "true", "True", " true ", [1], {"a": 1}])
def test_a_condition_that_is_met(value: object) -> None:
    assert truth(value)


@pytest.mark.parametrize("value", [False, 0, None, "", "false", [], {}])
def test_a_condition_that_is_not(value: object) -> None:
    assert not truth(value)


@pytest.mark.parametrize("value", ["no", "0", "x", object()])
def test_text_is_no_condition_until_it_is_compared(value: object) -> None:
    with pytest.raises(Unfit, match="not true or false"):
        truth(value)


@given(st.text() | st.integers() | st.lists(st.text()))
def test_what_is_shown_in_an_error_is_short_and_printable(value: object) -> None:
    said = shown(value)
    assert len(said) <= 64
    assert said.isprintable()
