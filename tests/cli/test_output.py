"""What people read: moments, and text that cannot move the cursor."""

from __future__ import annotations

from cgsync.cli import output


def test_text_of_strangers_cannot_move_the_cursor() -> None:
    assert output.plain("a\x1b[2J\tb") == "a\\x1b[2J\\tb"
    assert output.plain({"a": "\x1b"}) == '{"a":"\\u001b"}'
