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
        ("no address", set()),
    ],
)
def test_addresses_are_whole_ones(text: str, found: set[str]) -> None:
    assert addresses_in({"text": [text]}) == found


def test_a_reference_is_no_address() -> None:
    assert is_address("anna@example.com")
    assert not is_address("order-17")
    assert not is_address("<anna@example.com>")
