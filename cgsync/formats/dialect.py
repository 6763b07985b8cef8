"""The dialect of a CSV file: what its first lines say about delimiter, columns and where the rows start."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from cgsync.formats.options import CsvOptions, Limits
from cgsync.formats.physical import skip_line
from cgsync.formats.records import Malformed
from cgsync.formats.text import scrubbed

CANDIDATES = "\t;|,"
"""Delimiters, the likelier one first where two are equally frequent: a comma also stands in numbers and in prose."""
DECIMAL_COMMA = re.compile(r"(?<=[0-9]),(?=[0-9])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """How a file is laid out. Rows start at byte ``offset``, physical line ``line``; ``columns`` name the fields."""

    delimiter: str
    columns: Sequence[str]
    offset: int
    line: int


def table(
    stream: BinaryIO, options: CsvOptions, limits: Limits, *, encoding: str, fallback: str | None, start: int
) -> Table | None:
    """The layout of the stream whose text starts at ``start``; ``None`` when it is empty. Raises :class:`Malformed`."""
    head = Head(stream, limits.record, encoding=encoding, fallback=fallback, start=start)
    for _ in range(options.skip_rows):
        head.skip()
    delimiter = options.delimiter
    line = head.peek()
    if line.lower().startswith("sep=") and len(line.rstrip("\r\n")) == len("sep=") + 1:
        delimiter = delimiter or line[4]
        head.take()
    while (line := head.peek()) and not line.strip():
        head.take()
    if not line:
        return None
    delimiter = delimiter or frequent(line, options.quote)
    offset, number = head.offset, head.line
    first = first_row(head, dialect(options, delimiter))
    if len(first) > limits.columns:
        raise Malformed(f"{len(first)} columns, at most {limits.columns} are allowed", offset=offset, line=number)
    if options.header is True:
        return Table(delimiter=delimiter, columns=named(first), offset=head.offset, line=head.line)
    columns = [f"c{i}" for i in range(1, len(first) + 1)] if options.header is False else list(options.header)
    return Table(delimiter=delimiter, columns=columns, offset=offset, line=number)


def dialect(options: CsvOptions, delimiter: str) -> dict[str, Any]:
    """What :func:`csv.reader` is to be told."""
    return {
        "delimiter": delimiter,
        "quotechar": options.quote or None,
        "quoting": csv.QUOTE_MINIMAL if options.quote else csv.QUOTE_NONE,
        "escapechar": options.escape or None,
        "strict": True,
    }


def frequent(line: str, quote: str) -> str:
    """The most frequent candidate outside of quotes; a comma when there is none."""
    outside = "".join(line.split(quote)[::2]) if quote else line
    if any(candidate in outside for candidate in CANDIDATES[:-1]):
        outside = DECIMAL_COMMA.sub("", outside)
    best = max(CANDIDATES, key=outside.count)
    return best if best in outside else ","


def first_row(head: Head, dialect: dict[str, Any]) -> list[str]:
    offset, line = head.offset, head.line
    try:
        return next(csv.reader(iter(head.take, ""), **dialect))
    except csv.Error as error:
        raise Malformed(f"the first row cannot be read: {error}", offset=offset, line=line) from None


def named(row: Sequence[str]) -> list[str]:
    """Column names, each once: a further ``Label`` is ``Label_2``, one without a name is ``c3`` by its place."""
    names: list[str] = []
    for place, name in enumerate(row, 1):
        plain = name or f"c{place}"
        candidate, count = plain, 1
        while candidate in names:
            count += 1
            candidate = f"{plain}_{count}"
        names.append(candidate)
    return names


class Head:
    """The first lines of a stream as text, with the place of the next one."""

    def __init__(self, stream: BinaryIO, cap: int, *, encoding: str, fallback: str | None, start: int) -> None:
        self._stream = stream
        self._cap = cap
        self._codecs = [encoding, fallback] if fallback else [encoding]
        self._ahead: bytes | None = None
        self.offset = start
        self.line = 1
        stream.seek(start)

    def peek(self) -> str:
        if self._ahead is None:
            self._ahead = self._stream.readline(self._cap + 1)
        if len(self._ahead) > self._cap:
            raise Malformed(f"the first line is longer than {self._cap} bytes", offset=self.offset, line=self.line)
        return self._text(self._ahead)

    def take(self) -> str:
        text = self.peek()
        self.offset += len(self._ahead or b"")
        self.line += 1
        self._ahead = None
        return text

    def skip(self) -> None:
        """Pass over one line, whatever it holds."""
        self.offset += skip_line(self._stream)
        self.line += 1

    def _text(self, raw: bytes) -> str:
        for codec in self._codecs:
            try:
                return scrubbed(raw.decode(codec))[0]
            except UnicodeDecodeError:
                continue
        raise Malformed(
            f"the first line is not {self._codecs[0]}",
            offset=self.offset,
            line=self.line,
            raw=raw,
            hint="say `encoding:` or `fallback_encoding:`",
        )
