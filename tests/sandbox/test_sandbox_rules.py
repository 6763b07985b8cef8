"""The documented rules, and the words for what breaks them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgsync.sandbox.rules import moment, violations

GOOD = {"account": "Acme", "type": "Order", "source": "Shop", "happened_at": "2025-03-04 10:00:00"}


def test_the_four_required_fields_are_enough() -> None:
    assert violations(GOOD) == {}


def test_an_empty_body_lacks_all_four() -> None:
    assert violations({}) == {
        "account": ["The account field is required."],
        "type": ["The type field is required."],
        "source": ["The source field is required."],
        "happened_at": ["The happened at field is required."],
    }


@pytest.mark.parametrize(
    ("field", "limit"), [("account", 255), ("type", 100), ("source", 100), ("reference", 128), ("contact", 255)]
)
def test_lengths_are_counted_in_characters(field: str, limit: int) -> None:
    assert violations({**GOOD, field: "ü" * limit}) == {}
    words = f"The {field} must not be greater than {limit} characters."
    assert violations({**GOOD, field: "ü" * (limit + 1)}) == {field: [words]}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"account": 7}, "account"),
        ({"account": "  "}, "account"),
        ({"reference": 7}, "reference"),
        ({"happened_at": "2025-02-30 10:00:00"}, "happened_at"),
        ({"happened_at": "2025-03-04T10:00:00Z"}, "happened_at"),
        ({"happened_at": 1741082400}, "happened_at"),
        ({"additional_information_object": ["a"]}, "additional_information_object"),
        ({"additional_information_array": "a"}, "additional_information_array"),
        ({"additional_information_array[n]": 7}, "additional_information_array.n"),
        ({"additional_information_array": {"n": 7}}, "additional_information_array.n"),
    ],
)
def test_a_broken_rule_names_its_field(change: dict[str, Any], field: str) -> None:
    assert list(violations({**GOOD, **change})) == [field]


def test_only_one_form_of_additional_information_may_be_used() -> None:
    both = {"additional_information_object": {"a": "1"}, "additional_information_array[b]": "2"}
    assert list(violations({**GOOD, **both})) == ["additional_information_object"]


def test_an_offset_is_taken_into_account() -> None:
    assert moment("2019-03-06 10:00:00 +0530") == datetime(2019, 3, 6, 4, 30, tzinfo=UTC)
    assert moment("2019-03-06 10:00:00") == datetime(2019, 3, 6, 10, tzinfo=UTC)
    assert moment("2019-03-06 10:00:00 +9999") is None


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*GOOD, "reference", "additional_information_array", "x"]), json))
def test_whatever_is_sent_gets_words(body: dict[str, Any]) -> None:
    assert all(isinstance(word, str) for words in violations(body).values() for word in words)
