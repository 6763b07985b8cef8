"""Which encoding a stream has, and how to see it as bytes in which ASCII is ASCII."""

from __future__ import annotations

import codecs
import io
from typing import BinaryIO

UTF8 = "utf-8"
MARKS = ((codecs.BOM_UTF8, UTF8), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
PUNCTUATION = b'\n\r\t",;|\\{}[]:'
SHIFTING = ("iso2022", "hz")
"""Encodings in which ASCII stands for something else after certain signs."""
CHUNK = 64 * 1024


def transparent(encoding: str) -> bool:
    """Whether a byte below 128 is always that ASCII character: then lines and brackets can be found in the bytes."""
    if encoding == UTF8:
        return True
    if encoding.startswith(SHIFTING):
        return False
    ascii_bytes = bytes(range(128))
    if ascii_bytes.decode(encoding, "replace") != ascii_bytes.decode("ascii"):
        return False
    pairs = (bytes((high, low)) for high in range(128, 256) for low in PUNCTUATION)
    return all(pair.decode(encoding, "replace")[1:] == chr(pair[1]) for pair in pairs)


def utf8(raw: bytes) -> bool:
    if raw.isascii():
        return True
    try:
        raw.decode(UTF8)
    except UnicodeDecodeError:
        return False
    return True


def marked(raw: bytes) -> bool:
    """Whether a byte order mark tells the encoding."""
    return any(raw.startswith(mark) for mark, _ in MARKS)


def believed(raw: bytes, charset: str | None) -> str | None:
    """``charset``, or ``None`` where the bytes know better: many servers name one and send UTF-8."""
    if charset is None or marked(raw) or (transparent(charset) and utf8(raw)):
        return None
    return charset


def opening(head: bytes, encoding: str | None) -> tuple[str, int]:
    """The encoding of a text that begins with ``head``, and where it starts after a byte order mark."""
    for mark, name in MARKS:
        if head.startswith(mark) and encoding in (None, name, "utf-8-sig", "utf-16"):
            return name, len(mark)
    return {None: UTF8, "utf-8-sig": UTF8, "utf-16": "utf-16-le"}.get(encoding, encoding or UTF8), 0


def readable(head: bytes) -> str:
    """The beginning of a stream as text, whatever it is."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return head.decode("utf-16", "replace")
    return head.decode("utf-8-sig", "replace")


def as_utf8(raw: bytes, encoding: str | None) -> bytes:
    """The text as UTF-8 without a byte order mark. Raises ``ValueError`` where it is not in that encoding."""
    encoding, start = opening(raw, encoding)
    try:
        text = raw[start:].decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(f"byte {start + error.start + 1} is not {encoding}") from None
    return raw[start:] if encoding == UTF8 else text.encode()


def prepared(stream: BinaryIO, encoding: str | None) -> tuple[BinaryIO, str, int]:
    """The stream to read, its encoding, and where its text starts, after a byte order mark.

    A stream in which ASCII is not ASCII (UTF-16, Shift-JIS) becomes one of UTF-8; offsets then count in that.
    """
    stream.seek(0)
    encoding, start = opening(stream.read(4), encoding)
    if transparent(encoding):
        return stream, encoding, start
    return io.BufferedReader(Transcoded(stream, encoding, start), CHUNK), UTF8, 0


class Transcoded(io.RawIOBase):
    """A stream as UTF-8. It seeks by reading again from the start: that happens once, when a reader goes on.

    What is not valid in the encoding comes out as bytes that are not valid UTF-8, so that the record it stands in,
    and only that one, is refused.
    """

    def __init__(self, stream: BinaryIO, encoding: str, start: int) -> None:
        self._stream = stream
        self._encoding = encoding
        self._start = start
        self._rewind()

    def _rewind(self) -> None:
        self._stream.seek(self._start)
        self._decoder = codecs.getincrementaldecoder(self._encoding)(errors="replace")
        self._pending = b""
        self._position = 0
        self._ended = False

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed wants any writable buffer; we are given these
        while not self._pending and not self._ended:
            self._fill()
        size = min(len(buffer), len(self._pending))
        buffer[:size] = self._pending[:size]
        self._pending = self._pending[size:]
        self._position += size
        return size

    def _fill(self) -> None:
        chunk = self._stream.read(CHUNK)
        self._ended = not chunk
        # U+FFFD becomes a byte that UTF-8 never has; one that was really in the text is refused with it
        self._pending = self._decoder.decode(chunk, final=self._ended).encode(UTF8).replace(b"\xef\xbf\xbd", b"\xff")

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_CUR:
            offset += self._position
        elif whence == io.SEEK_END:
            raise io.UnsupportedOperation("the length of a transcoded stream is not known")
        if offset < self._position:
            self._rewind()
        skipped = bytearray(CHUNK)
        while self._position < offset:
            if not self.readinto(memoryview(skipped)[: offset - self._position]):
                break
        return self._position

    def tell(self) -> int:
        return self._position
