"""The parts of a message, found by their boundaries in one pass over its bytes.

The parser of the standard library asks each line about each boundary around it and calls itself for each level: a small
message of many levels takes it minutes, or all of its stack. Here a line costs one look into a table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from cgsync.formats.mail.headers import FIELD, Headers, headers_of
from cgsync.formats.mail.model import MailLimits
from cgsync.formats.mail.parameters import Parameters

AFTER_HEAD = re.compile(rb"^(?:\r*\n|--([^\n]*)\n?)", re.MULTILINE)
"""A blank line, or what may be a boundary."""
HEADED = re.compile(rb"\r*\n|" + FIELD.pattern)
"""How a part begins that has headers, if only none."""
LONGEST_BOUNDARY = 1000


@dataclass(frozen=True, slots=True)
class Part:
    """A part that has none itself. ``choice``: the number of the alternative that it belongs to, 0 for none."""

    headers: Headers
    kind: Parameters
    body: bytes
    choice: int = 0


@dataclass(slots=True)
class Open:
    """A multipart whose end has not come yet."""

    headers: Headers
    boundary: bytes
    body: int
    choice: int
    empty: bool = True


class Delimiter(NamedTuple):
    """The line that ends a part of the multipart at ``level``, from ``start`` to ``end``; ``last``: and that itself."""

    level: int
    last: bool
    start: int
    end: int


@dataclass(slots=True)
class Structure:
    """``headers`` of the message, and its ``parts``. ``cut``: which of the caps did not hold."""

    headers: Headers
    parts: list[Part] = field(default_factory=list)
    cut: set[str] = field(default_factory=set)


def structure_of(raw: bytes, limits: MailLimits) -> Structure:
    """Nothing is refused: what is not in order is a part as it stands."""
    splitter = Splitter(raw, limits)
    splitter.run()
    return splitter.found


class Splitter:
    """Goes through a message once, and knows which multiparts are open."""

    def __init__(self, raw: bytes, limits: MailLimits) -> None:
        self._raw = raw
        self._limits = limits
        self._open: list[Open] = []
        self._levels: dict[bytes, int] = {}
        self._begun = 0
        self._choices = 0
        self.found = Structure(Headers())

    def run(self) -> None:
        at = 0
        while at >= 0:
            at = self._part(at)
        self._close(0, len(self._raw))

    def _part(self, start: int) -> int:
        """Read one part; where the next one starts, or -1."""
        if self._begun == self._limits.parts:
            self.found.cut.add("parts")
            return -1
        head, body = self._head(start)
        headers = self._headers(start, head)
        opened = self._opened(headers, body)
        delimiter = self._delimiter(body - 1)
        if not opened:
            self._leaf(headers, body, delimiter.start if delimiter else len(self._raw), self._choice())
        return self._next(delimiter)

    def _headers(self, start: int, end: int) -> Headers:
        headers = headers_of(self._raw[start : min(end, start + self._limits.head)], self._limits.header)
        if end - start > self._limits.head:
            self.found.cut.add("head")
        if headers.cut:
            self.found.cut.add("header")
        if not self._begun:
            self.found.headers = headers
        self._begun += 1
        return headers

    def _head(self, start: int) -> tuple[int, int]:
        """Where the headers end, and where the body starts."""
        at = start
        if not HEADED.match(self._raw, start):
            return start, start
        while found := AFTER_HEAD.search(self._raw, at):
            if found[1] is None:
                return found.start(), found.end()
            if self._level(found[1]):
                return found.start(), found.start()
            at = found.end()
        return len(self._raw), len(self._raw)

    def _opened(self, headers: Headers, body: int) -> bool:
        kind = headers.parameters("content-type")
        boundary = kind.get("boundary").rstrip().encode()
        if not kind.word.startswith("multipart/") or not boundary:
            return False
        if len(self._open) == self._limits.depth:
            self.found.cut.add("depth")
            return False
        choice = self._choice()
        if kind.word == "multipart/alternative" and not choice:
            self._choices += 1
            choice = self._choices
        self._open.append(Open(headers, boundary, body, choice))
        self._levels[boundary] = len(self._open) - 1
        return True

    def _choice(self) -> int:
        return self._open[-1].choice if self._open else 0

    def _delimiter(self, at: int) -> Delimiter | None:
        raw = self._raw
        at = raw.find(b"\n--", max(at, 0)) if self._open else -1
        while at >= 0:
            end = raw.find(b"\n", at + 1)
            end = len(raw) if end < 0 else end + 1
            found = self._level(raw[at + 3 : min(end, at + LONGEST_BOUNDARY)])
            if found:
                return Delimiter(*found, start=at, end=end)
            at = raw.find(b"\n--", end - 1)
        return None

    def _level(self, line: bytes) -> tuple[int, bool] | None:
        """Which multipart a line of two dashes and this belongs to, and whether it ends it."""
        line = line.rstrip()
        if line in self._levels:
            return self._levels[line], False
        if line.endswith(b"--") and line[:-2].rstrip() in self._levels:
            return self._levels[line[:-2].rstrip()], True
        return None

    def _next(self, delimiter: Delimiter | None) -> int:
        while delimiter:
            self._close(delimiter.level + 1, delimiter.start)
            self._open[delimiter.level].empty = False
            if not delimiter.last:
                return delimiter.end
            self._close(delimiter.level, delimiter.start)
            delimiter = self._delimiter(delimiter.end - 1)
        return -1

    def _close(self, level: int, end: int) -> None:
        """End the multiparts from that level on; one without any part is a text."""
        for multipart in self._open[level:]:
            if multipart.empty:
                self._leaf(multipart.headers, multipart.body, end, multipart.choice)
        del self._open[level:]
        self._levels = {multipart.boundary: number for number, multipart in enumerate(self._open)}

    def _leaf(self, headers: Headers, body: int, end: int, choice: int) -> None:
        kind = headers.parameters("content-type")
        self.found.parts.append(Part(headers, kind, self._raw[body : max(body, end)], choice))
