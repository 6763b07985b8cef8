"""What is an address, and what only looks like a part of one."""

from __future__ import annotations

import pytest

from cgsync.ledger.addresses import addresses_in, is_address


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Anna <ANNA@example.com>,", {"anna@example.com"}),
        ("mailto:anna@example.com.", {"anna@example.com"}),
        ("joanna@example.com", {"joanna@example.com"}),
        ("anna@example.com.au", {"anna@example.com.au"}),
        ("a@example.com,b@example.com", {"a@example.com", "b@example.com"}),
        ("to=anna@example.com", {"to=anna@example.com", "anna@example.com"}),
        ("anna@ example.com", set()),
        ("no address", set()),
    ],
)
def test_addresses_are_whole_ones(text: str, found: set[str]) -> None:
    assert addresses_in({"text": [text]}) == found


def test_a_reference_is_no_address() -> None:
    assert is_address("anna@example.com")
    assert not is_address("order-17")
    assert not is_address("<anna@example.com>")


def test_long_texts_take_no_time() -> None:
    """A pattern that is tried from each place on would need hours for one of these."""
    assert (
        addresses_in(["x" * 2_000_000 + "@", "a@" * 200_000, "a@" + "b" * 2_000_000, "a.b" * 500_000 + "@c"]) == set()
    )
