"""Finding the end of one JSON value without decoding it, over a window that slides along a stream."""

from __future__ import annotations

import re
from typing import BinaryIO

CHUNK = 256 * 1024
BLANKS = re.compile(rb"[ \t\r\n]*")
TOKEN = re.compile(rb'["{}\[\]]')
SCALAR_END = re.compile(rb"[ \t\r\n,\]}]")


class Window:
    """A piece of the stream in memory. ``offset`` and ``line`` are the place of the next byte."""

    def __init__(self, stream: BinaryIO, *, offset: int, line: int) -> None:
        self._stream = stream
        self._bytes = b""
        self._at = 0
        self.offset = offset
        self.line = line
        stream.seek(offset)

    def peek(self) -> bytes:
        """Pass over blanks; the byte that follows, or ``b""`` at the end of the stream."""
        while True:
            match = BLANKS.match(self._bytes, self._at)
            self.advance((match.end() if match else self._at) - self._at)
            if self._at < len(self._bytes):
                return self._bytes[self._at : self._at + 1]
            if not self.slide():
                return b""

    def step(self) -> None:
        self.advance(1)

    def advance(self, size: int) -> None:
        end = self._at + size
        self.line += self._bytes.count(b"\n", self._at, end)
        self.offset += size
        self._at = end

    def ahead(self, size: int | None = None) -> bytes:
        """The bytes in memory from here on, at most ``size``."""
        return self._bytes[self._at :] if size is None else self._bytes[self._at : self._at + size]

    def slide(self) -> bool:
        """Forget what is in memory and load what follows; ``False`` at the end of the stream."""
        self.advance(len(self._bytes) - self._at)
        self._bytes, self._at = self._stream.read(CHUNK), 0
        return bool(self._bytes)


class Skimmer:
    """Follows one value through pieces of bytes: brackets outside of strings, and the ends of strings."""

    def __init__(self) -> None:
        self._level = 0
        self._in_string = False
        self._escaping = False
        self._scalar = False
        self._begun = False

    def feed(self, piece: bytes) -> int:
        """The size of what belongs to the value in ``piece``, or -1 when all of it does and more follows."""
        if not self._begun:
            self._begun = True
            self._scalar = piece[:1] not in (b"{", b"[", b'"')
        if self._scalar:
            match = SCALAR_END.search(piece)
            return match.start() if match else -1
        at = 0
        while at >= 0:
            at = self._in_text(piece, at) if self._in_string else self._in_structure(piece, at)
            if at > 0 and not self._level and not self._in_string:
                return at
        return -1

    def _in_structure(self, piece: bytes, at: int) -> int:
        match = TOKEN.search(piece, at)
        if not match:
            return -1
        sign = match.group()
        if sign == b'"':
            self._in_string = True
        else:
            self._level += 1 if sign in b"{[" else -1
        return match.end()

    def _in_text(self, piece: bytes, at: int) -> int:
        """Right after the end of the string, or after an escaped quote."""
        quote = piece.find(b'"', at)
        text = piece[at:] if quote < 0 else piece[at:quote]
        slashes = len(text) - len(text.rstrip(b"\\"))
        if slashes == len(text) and self._escaping:
            slashes += 1
        self._escaping = slashes % 2 == 1
        if quote < 0:
            return -1
        self._in_string, self._escaping = self._escaping, False
        return quote + 1
