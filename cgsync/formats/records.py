"""What a decoder gives: records, what could not be read, and where to go on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cgsync.api import MAX_RAW, Json
from cgsync.errors import CgsyncError


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Where a decoder goes on: ``offset`` bytes into the stream, at physical line ``line`` (from 1), row ``row``
    (from 0; what could not be read counts). ``memo`` is what it learnt on the way and cannot see from there."""

    offset: int = 0
    line: int = 1
    row: int = 0
    memo: Mapping[str, Json] = field(default_factory=dict)

    def as_json(self) -> dict[str, Json]:
        return {"offset": self.offset, "line": self.line, "row": self.row} | ({"memo": self.memo} if self.memo else {})

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Resume:
        """Raises ``KeyError``, ``TypeError`` or ``ValueError`` for what :meth:`as_json` did not make."""
        resume = cls(
            offset=int(value["offset"]),
            line=int(value["line"]),
            row=int(value["row"]),
            memo=dict(value.get("memo", {})),
        )
        if min(resume.offset, resume.row) < 0:
            raise ValueError("a place in a stream cannot be negative")
        return resume


START = Resume()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """One record. ``cleaned`` counts characters that no store takes (NUL, lone surrogates) and that were removed."""

    data: dict[str, Any]
    line: int
    offset: int
    row: int
    after: Resume
    cleaned: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecodable:
    """What could not be read, and why, in words; ``raw`` is at most 64 KiB of it."""

    raw: bytes
    reason: str
    line: int
    offset: int
    row: int
    after: Resume


class Malformed(CgsyncError):
    """From ``offset`` on nothing can be read: not this format, cut short, or too broken to find the next record."""

    def __init__(self, reason: str, *, offset: int = 0, line: int = 1, raw: bytes = b"", hint: str = "") -> None:
        super().__init__(reason, hint=hint)
        self.offset = offset
        self.line = line
        self.raw = raw[:MAX_RAW]

    def within(self, name: str) -> Malformed:
        """The same, said of a file in an archive."""
        reason = f"{name!r}: {self.message}"
        return Malformed(reason, offset=self.offset, line=self.line, raw=self.raw, hint=self.hint)
