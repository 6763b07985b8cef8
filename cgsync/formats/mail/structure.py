"""The parts of a message, found by their boundaries in one pass over its bytes.

The parser of the standard library asks each line about each boundary around it and calls itself for each level: a small
message of many levels takes it minutes, or all of its stack. Here a line costs one look into a table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from cgsync.formats.mail.headers import FIELD, Headers, headers_of
from cgsync.formats.mail.model import MailLimits
from cgsync.formats.mail.parameters import Parameters

HEADED = re.compile(rb"\r*\n|" + FIELD.pattern)
"""How a part begins that has headers, if only none."""


class Looks(NamedTuple):
    """``lines``: what may be a boundary. ``after_head``: that, or a blank line."""

    lines: re.Pattern[bytes]
    after_head: re.Pattern[bytes]


@lru_cache(maxsize=256)
def looks_for(letters: bytes) -> Looks:
    """For boundaries that begin with these: what else stands behind dashes is passed over without a look at it."""
    line = rb"--([" + re.escape(letters) + rb"][^\n]*)" if letters else rb"(?!)()"
    return Looks(re.compile(rb"\n" + line), re.compile(rb"^(?:\r*\n|" + line + rb"\n?)", re.MULTILINE))


@dataclass(frozen=True, slots=True)
class Part:
    """A part that has none itself. ``kind`` is its Content-Type.

    ``choice``: the number of the alternative that it belongs to, 0 for none. ``opaque``: it may have parts, and stands
    too deep for them to be looked for.
    """

    headers: Headers
    kind: Parameters
    body: bytes
    choice: int = 0
    opaque: bool = False


@dataclass(slots=True)
class Open:
    """A multipart whose end has not come yet, with what a :class:`Part` would have of it."""

    headers: Headers
    kind: Parameters
    body: int
    choice: int
    boundary: bytes
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
        self._looks = looks_for(b"")
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
        kind = headers.parameters("content-type")
        boundary = kind.get("boundary").encode() if kind.word.startswith("multipart/") else b""
        opaque = bool(boundary) and self._too_deep()
        if boundary and not opaque:
            self._push(Open(headers, kind, body, self._choice_of(kind), boundary))
        delimiter = self._delimiter(body - 1)
        if not boundary or opaque:
            end = delimiter.start if delimiter else len(self._raw)
            self._leaf(headers, kind, body, end, choice=self._choice(), opaque=opaque)
        return self._next(delimiter)

    def _headers(self, start: int, end: int) -> Headers:
        headers = headers_of(self._raw[start : min(end, start + self._limits.head)], self._limits.header)
        self.found.cut |= headers.cut | ({"head"} if end - start > self._limits.head else set())
        if not self._begun:
            self.found.headers = headers
        self._begun += 1
        return headers

    def _head(self, start: int) -> tuple[int, int]:
        """Where the headers end, and where the body starts."""
        at = start
        if not HEADED.match(self._raw, start):
            return start, start
        while found := self._looks.after_head.search(self._raw, at):
            if found[1] is None:
                return found.start(), found.end()
            if self._level(found[1]):
                return found.start(), found.start()
            at = found.end()
        return len(self._raw), len(self._raw)

    def _too_deep(self) -> bool:
        if len(self._open) < self._limits.depth:
            return False
        self.found.cut.add("depth")
        return True

    def _push(self, multipart: Open) -> None:
        self._open.append(multipart)
        self._note_levels()

    def _note_levels(self) -> None:
        self._levels = {multipart.boundary: number for number, multipart in enumerate(self._open)}
        self._looks = looks_for(bytes(sorted({boundary[0] for boundary in self._levels})))

    def _choice(self) -> int:
        return self._open[-1].choice if self._open else 0

    def _choice_of(self, kind: Parameters) -> int:
        """An alternative is one choice with all that is in it."""
        if kind.word == "multipart/alternative" and not self._choice():
            self._choices += 1
            return self._choices
        return self._choice()

    def _delimiter(self, at: int) -> Delimiter | None:
        for line in self._looks.lines.finditer(self._raw, max(at, 0)):
            if found := self._level(line[1]):
                return Delimiter(*found, start=line.start(), end=min(line.end() + 1, len(self._raw)))
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
                self._leaf(multipart.headers, multipart.kind, multipart.body, end, choice=multipart.choice)
        del self._open[level:]
        self._note_levels()

    def _leaf(
        self, headers: Headers, kind: Parameters, start: int, end: int, *, choice: int, opaque: bool = False
    ) -> None:
        body = self._raw[start : max(start, end)].removesuffix(b"\r")
        self.found.parts.append(Part(headers, kind, body, choice, opaque))
