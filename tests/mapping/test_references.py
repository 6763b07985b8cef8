"""References name activities for ever: none of these vectors may change. Their digests are those of `b2sum -l 128`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cgsync.mapping.references import KEPT, LIMIT, Frame, default_reference, fitted, frame_of

TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


def test_a_short_reference_stays_as_it_is() -> None:
    assert fitted("freshdesk-4711") == "freshdesk-4711"


def test_the_default_names_the_source_and_the_key() -> None:
    assert default_reference("orders", "A-1") == "orders:A-1"


def test_128_characters_fit() -> None:
    assert fitted("x" * 128) == "x" * 128


def test_a_longer_one_keeps_its_beginning_and_ends_in_a_digest_of_the_whole() -> None:
    assert fitted("x" * 129) == "x" * 95 + ":b9ee96f69e8210c624fee55d71d5a54f"


def test_length_is_counted_in_characters_and_the_digest_is_of_utf_8() -> None:
    assert fitted("ü" * 128) == "ü" * 128
    assert fitted("ü" * 129) == "ü" * 95 + ":e2910ccf1e0a4ec16c80d7dc97d53a5b"


def test_a_long_message_id() -> None:
    reference = default_reference("support/alice", "<" + "a1b2c3d4" * 20 + "@mail.example.com>")
    assert reference == "support/alice:<" + ("a1b2c3d4" * 20)[:80] + ":05899e5ce9289db016f80c21150ed2f9"


@given(TEXT)
def test_what_comes_out_always_fits(reference: str) -> None:
    assert len(fitted(reference * 7)) <= LIMIT


@given(TEXT, TEXT)
def test_two_long_references_with_one_beginning_stay_two(one: str, other: str) -> None:
    first, second = fitted("p" * LIMIT + one), fitted("p" * LIMIT + other)
    assert (first == second) == (one == other)
    assert first[:KEPT] == second[:KEPT]


def test_the_frame_of_a_reference_finds_the_key_in_it_and_puts_one_in() -> None:
    frame = frame_of("shop-{{ order.no | trim }}:paid")
    assert frame == Frame(before="shop-", after=":paid")
    assert (frame.within("shop-4711:paid"), frame.around("4711")) == ("4711", "shop-4711:paid")
    assert [frame.within(other) for other in ("shop-:paid", "desk-1:paid", "shop-1", "")] == [None] * 4


def test_what_is_put_together_otherwise_has_no_frame() -> None:
    templates = ("{{ a.b }}-{{ a.c }}", "fixed", "{% if a.b %}1{% endif %}", "{{ {'a': 1}[a.b] }}")
    assert [frame_of(template) for template in templates] == [None] * 4
