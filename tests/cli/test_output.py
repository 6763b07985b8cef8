"""What people read: lengths of time, moments, and text that cannot move the cursor."""

from __future__ import annotations

import pytest

from cgsync.cli import output


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (0, "0s"), (59.6, "1m"), (61, "1m 1s"), (86_387.9, "23h 59m"), (90_061, "1d 1h"), (86_401, "1d 1s")],
)
def test_a_span_shows_its_two_largest_units(seconds: float | None, words: str) -> None:
    assert output.span(seconds) == words


def test_text_of_strangers_cannot_move_the_cursor() -> None:
    assert output.plain("a\x1b[2J\tb") == "a\\x1b[2J\\tb"
    assert output.plain({"a": "\x1b"}) == '{"a":"\\u001b"}'
