"""JSON: the elements of a top-level array, or top-level objects one after another, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from cgsync.api import MAX_RAW
from cgsync.formats.encoding import prepared
from cgsync.formats.objects import Objects
from cgsync.formats.options import DecodeOptions
from cgsync.formats.records import Decoded, Malformed, Resume, Undecodable
from cgsync.formats.skimming import Skimmer, Window

TRIES = 3


def decode(stream: BinaryIO, options: DecodeOptions, resume: Resume) -> Iterator[Decoded | Undecodable]:
    """Each element as a record. Raises :class:`Malformed` where the stream stops being a sequence of elements."""
    stream, encoding, start = prepared(stream, options.encoding)
    window = Window(stream, offset=start, line=1)
    in_array = window.peek() == b"["
    if in_array:
        window.step()
    if resume.offset > start:
        window = Window(stream, offset=resume.offset, line=resume.line)
    elements = Elements(window, options.limits.record)
    between = resume.offset > start and in_array
    objects, row = Objects(options, encoding, resume.memo), resume.row
    while elements.another(first=not between) if in_array else elements.one_more():
        between = True
        offset, line = window.offset, window.line
        raw, length = elements.take(many=in_array)
        yield objects.item(raw, length=length, offset=offset, line=line, row=row, next_line=window.line)
        row += 1


class Elements:
    """Cuts a window into elements: many at once where the JSON is sound, else bracket by bracket."""

    def __init__(self, window: Window, cap: int) -> None:
        self._window = window
        self._cap = cap
        self._ready: list[msgspec.Raw] = []
        self._one_by_one_until = 0
        self._decoder = msgspec.json.Decoder(list[msgspec.Raw])

    def another(self, *, first: bool) -> bool:
        """Pass over what stands between two elements; ``False`` at the end of the array."""
        window = self._window
        sign = window.peek()
        if sign == b"]":
            return self._end()
        if not first:
            if sign != b",":
                raise self._malformed("a comma or the end of the array should stand here")
            window.step()
        if not self.one_more():
            raise self._malformed("")
        return True

    def one_more(self) -> bool:
        """Pass over blanks; whether a value starts there, or else the stream ends."""
        sign = self._window.peek()
        if sign and sign in b",]}":
            raise self._malformed("a record should stand here")
        return bool(sign)

    def _end(self) -> bool:
        self._window.step()
        if self._window.peek():
            raise self._malformed("something follows the end of the array")
        return False

    def _malformed(self, reason: str) -> Malformed:
        window = self._window
        if not window.peek():
            reason = "the file ends before the array does"
        return Malformed(
            reason,
            offset=window.offset,
            line=window.line,
            raw=window.ahead(MAX_RAW),
            hint="was it cut short while it was written?" if not window.peek() else "",
        )

    def take(self, *, many: bool) -> tuple[bytes, int]:
        """The bytes of the next element, and its length; of one that is too long only the beginning."""
        if many and not self._ready and self._window.offset >= self._one_by_one_until:
            self._cut()
        if self._ready:
            raw = bytes(self._ready.pop())
            self._window.advance(len(raw))
            return raw, len(raw)
        return self._skim()

    def _cut(self) -> None:
        """Let msgspec find the elements of the window, up to a closing brace that a comma follows."""
        text = self._window.ahead()
        end = len(text)
        for _ in range(TRIES):
            end = text.rfind(b"}", 0, end)
            if end < 0:
                break
            if text[end + 1 : end + 64].lstrip()[:1] != b",":
                continue
            try:
                self._ready = self._decoder.decode(b"[" + text[: end + 1] + b"]")[::-1]
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue  # the brace stands inside an element, or an element is broken
            return
        self._one_by_one_until = self._window.offset + len(text)

    def _skim(self) -> tuple[bytes, int]:
        window, skimmer = self._window, Skimmer()
        start, line = window.offset, window.line
        kept = b""
        while (size := skimmer.feed(window.ahead())) < 0:
            kept = self._keep(kept, window.ahead())
            if not window.slide():
                raise Malformed(
                    "the file ends inside a record",
                    offset=start,
                    line=line,
                    raw=kept,
                    hint="was it cut short while it was written?",
                )
        kept = self._keep(kept, window.ahead(size))
        window.advance(size)
        return kept, window.offset - start

    def _keep(self, kept: bytes, more: bytes) -> bytes:
        return kept + more[: self._cap + 1 - len(kept)]
