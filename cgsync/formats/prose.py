"""Plain text as records: one a line, or one for all of it."""

from __future__ import annotations

from cgsync.formats.encoding import as_utf8
from cgsync.formats.records import Malformed
from cgsync.formats.text import scrubbed


def read(content: bytes, *, encoding: str | None, whole: bool) -> tuple[list[dict[str, object]], int]:
    """Records with a field ``text``, of lines also ``line`` (from 1), and how many characters were removed.

    Blank lines are no records. Raises :class:`Malformed`.
    """
    try:
        text, removed = scrubbed(as_utf8(content, encoding).decode())
    except ValueError as error:
        raise Malformed(str(error), raw=content, hint="say `encoding:`") from None
    if whole:
        return [{"text": text}] if text.strip() else [], removed
    lines = (line.rstrip("\r") for line in text.split("\n"))
    return [{"text": line, "line": number} for number, line in enumerate(lines, 1) if line.strip()], removed
