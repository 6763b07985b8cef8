"""A secret prints as a mask, whatever is done to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgsync.secrets import MASK, Redactor, Secret


@pytest.mark.parametrize(
    "print_it", [str, repr, "{}".format, "{!r:>9}".format, lambda secret: f"{secret}", "%s".__mod__]
)
def test_no_way_of_printing_shows_it(print_it) -> None:
    assert "hunter2" not in print_it(Secret("hunter2"))


def test_reveal_is_the_way_to_it_and_equality_works() -> None:
    assert Secret("hunter2").reveal() == "hunter2"
    assert Secret("hunter2") == Secret("hunter2")
    assert Secret("hunter2") != "hunter2"
    assert not Secret("")


def test_a_secret_inside_another_leaves_no_tail() -> None:
    redact = Redactor()
    redact.add("secret-1")
    redact.add("secret-1-longer")
    assert redact("a secret-1-longer b secret-1") == f"a {MASK} b {MASK}"


def test_short_values_are_left_alone() -> None:
    redact = Redactor()
    redact.add("abc")
    assert redact("abcdef") == "abcdef"


@given(st.lists(st.text(min_size=6, max_size=12), max_size=5), st.lists(st.text(max_size=9), max_size=5))
def test_no_known_secret_survives(values: list[str], around: list[str]) -> None:
    redact = Redactor()
    for value in values:
        redact.add(value)
    text = redact("".join(piece for pair in zip(around, values, strict=False) for piece in pair))
    assert not any(value in text for value in values if value not in MASK)
