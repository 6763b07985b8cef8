"""Files that stand as uuencode in the middle of a text, as programs sent them before there were parts."""

from __future__ import annotations

import binascii
import re
from typing import NamedTuple

FILE = re.compile(rb"^begin [0-7]{3,4} ([^\r\n]{1,255})\r*\n((?:[ -`]{1,90}\r*\n)*)end[ \t]*\r*$\n?", re.MULTILINE)


class File(NamedTuple):
    """What was found: a name as it stood there, and the content."""

    name: bytes
    content: bytes


def taken_out(body: bytes) -> tuple[bytes, list[File]]:
    """The text without the files, and the files."""
    files = [File(match[1].strip(), uudecoded(match[2].splitlines())) for match in FILE.finditer(body)]
    return (FILE.sub(b"", body) if files else body), files


def uudecoded(lines: list[bytes]) -> bytes:
    """The content up to an empty line or the end; a line that makes no sense is left out."""
    content = []
    for line in lines:
        if line in (b"`", b" ", b"end"):
            break
        content.append(_line(line))
    return b"".join(content)


def _line(line: bytes) -> bytes:
    """Some programs fill the last group with what does not count."""
    for size in (len(line), (((line[:1] or b" ")[0] - 32 & 63) * 4 + 5) // 3):
        try:
            return binascii.a2b_uu(line[:size])
        except binascii.Error:
            continue
    return b""
