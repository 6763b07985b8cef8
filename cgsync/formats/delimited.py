"""CSV, strictly: a row that does not fit is refused alone, and a stray quote swallows no rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any, BinaryIO

from cgsync.api import MAX_RAW
from cgsync.formats.dialect import Table, dialect, table
from cgsync.formats.encoding import UTF8, prepared
from cgsync.formats.options import DecodeOptions
from cgsync.formats.physical import skip_line
from cgsync.formats.records import Decoded, Resume, Undecodable
from cgsync.formats.swallowed import swallowed
from cgsync.formats.text import scrubbed

WORDS = {
    "unexpected end of data": "a quote is opened and never closed",
    "expected after": "a quote stands inside a quoted field; it must be doubled",
    "field larger than field limit": "a field is longer than 131072 characters",
    "new-line character seen": "a carriage return stands inside a row",
}
PATIENCE = 16 * 1024 * 1024
"""Bytes read in vain, beyond what is being read for good, until rows may no longer span many lines."""
SHORT = 16
"""Lines that a row may span from then on."""


class Failed(Exception):
    """The row that starts here cannot be read; in words."""


class SwitchEncoding(Exception):
    """The row that starts here is the first that is not UTF-8."""


def decode(stream: BinaryIO, options: DecodeOptions, resume: Resume) -> Iterator[Decoded | Undecodable]:
    """Each row as a record of strings; one that is ragged, or broken by a quote, is an :class:`Undecodable`."""
    stream, encoding, start = prepared(stream, options.encoding)
    fallback = options.fallback_encoding if encoding == UTF8 else None
    layout = table(stream, options.csv, options.limits, encoding=encoding, fallback=fallback, start=start)
    if layout is None:
        return
    if resume.offset < layout.offset:
        resume = Resume(offset=layout.offset, line=layout.line)
    rows = Rows(stream, options, layout, resume, encoding=str(resume.memo.get("codec", encoding)), fallback=fallback)
    yield from rows.read()


class Rows:
    """The rows of one stream. What csv.reader has consumed is known by the lines it took from :meth:`_texts`."""

    def __init__(
        self,
        stream: BinaryIO,
        options: DecodeOptions,
        layout: Table,
        resume: Resume,
        *,
        encoding: str,
        fallback: str | None,
    ) -> None:
        self._stream = stream
        self._dialect = dialect(options.csv, layout.delimiter)
        self._columns = layout.columns
        self._cap = options.limits.record
        self._encoding = encoding
        self._fallback = fallback if encoding == UTF8 else None
        self._in_vain = int(str(resume.memo.get("in_vain", 0)))
        self._memo: dict[str, Any] = dict(resume.memo)
        self._start, self._start_line, self._row = resume.offset, resume.line, resume.row
        self._flaw, self._removed = "", 0
        self._go_to_start()

    def read(self) -> Iterator[Decoded | Undecodable]:
        while True:
            try:
                yield from self._until_failure()
            except csv.Error as error:
                yield self._quarantine(in_words(str(error)))
            except Failed as error:
                yield self._quarantine(str(error))
            except SwitchEncoding:
                self._encoding, self._fallback = str(self._fallback), None
                self._memo = {**self._memo, "codec": self._encoding}
                self._go_to_start()
            else:
                return

    def _until_failure(self) -> Iterator[Decoded | Undecodable]:
        width, columns = len(self._columns), self._columns
        for values in csv.reader(self._texts(), **self._dialect):
            spans = self._line - self._start_line
            if not values:
                self._advance()
                continue
            if len(values) != width and not (len(values) == width + 1 and not values[-1]):
                # of a row that spans lines, only the first is refused: the others may be rows that it swallowed
                raise Failed(f"{counted(len(values), 'field')}, the table has {counted(width, 'column')}")
            if spans > 1 and swallowed(self._again(), values, columns, self._dialect):
                raise Failed("a quote is opened here and closed some rows later")
            start, line, row = self._start, self._start_line, self._row
            if self._flaw:
                raw, reason = self._raw(), self._flaw
                after = self._advance(rows=1)
                yield Undecodable(raw=raw, reason=reason, line=line, offset=start, row=row, after=after)
                continue
            removed = self._removed
            after = self._advance(rows=1)
            data = dict(zip(columns, values, strict=False))
            yield Decoded(data=data, line=line, offset=start, row=row, after=after, cleaned=removed)

    def _texts(self) -> Iterator[str]:
        """Physical lines as text. A line that is not text is a flaw of its row, which csv.reader still delimits."""
        readline, cap = self._stream.readline, self._cap
        while raw := readline(cap + 1):
            self._offset += len(raw)
            self._line += 1
            if self._offset - self._start > cap:
                raise Failed(f"the row is longer than {cap} bytes")
            if self._in_vain > PATIENCE and self._line - self._start_line > SHORT:
                raise Failed(f"a quote is opened and not closed within {SHORT} lines")
            try:
                text = raw.decode(self._encoding)
            except UnicodeDecodeError as error:
                text = self._not_text(raw, error)
            if "\0" in text:
                text, removed = scrubbed(text)
                self._removed += removed
            yield text

    def _not_text(self, raw: bytes, error: UnicodeDecodeError) -> str:
        if self._fallback:
            raise SwitchEncoding
        self._flaw = f"byte {error.start + 1} of line {self._line - 1} is not {self._encoding}"
        return raw.decode(self._encoding, "replace")

    def _advance(self, *, rows: int = 0) -> Resume:
        """Make the next row start where the reader stands."""
        if self._in_vain:
            self._repay(self._offset - self._start)
        self._start, self._start_line, self._row = self._offset, self._line, self._row + rows
        self._flaw, self._removed = "", 0
        return Resume(offset=self._start, line=self._start_line, row=self._row, memo=self._memo)

    def _repay(self, consumed: int) -> None:
        # what is read for good earns patience for what is read in vain, so that the whole stays linear in time
        self._in_vain = max(0, self._in_vain - 4 * consumed)
        self._memo = {**self._memo, "in_vain": self._in_vain}
        if not self._in_vain:
            del self._memo["in_vain"]

    def _quarantine(self, reason: str) -> Undecodable:
        """Refuse one physical line, and start again right after it."""
        reached = self._offset
        start, line, row = self._start, self._start_line, self._row
        self._go_to_start()
        raw = self._stream.readline(self._cap + 1)
        self._offset += len(raw)
        if not raw.endswith(b"\n"):
            self._offset += skip_line(self._stream)
        self._line += 1
        self._in_vain += max(0, reached - self._offset)
        after = self._advance(rows=1)
        return Undecodable(raw=raw[:MAX_RAW], reason=reason, line=line, offset=start, row=row, after=after)

    def _go_to_start(self) -> None:
        self._offset, self._line = self._start, self._start_line
        self._flaw, self._removed = "", 0
        self._stream.seek(self._start)

    def _raw(self) -> bytes:
        self._stream.seek(self._start)
        raw = self._stream.read(min(MAX_RAW, self._offset - self._start))
        self._stream.seek(self._offset)
        return raw

    def _again(self) -> list[str]:
        """The physical lines of the row that was just read."""
        self._stream.seek(self._start)
        raw = self._stream.read(self._offset - self._start)
        return [line.decode(self._encoding, "replace") for line in io.BytesIO(raw)]


def in_words(error: str) -> str:
    return next((words for part, words in WORDS.items() if part in error), error)


def counted(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number} {noun}s"
