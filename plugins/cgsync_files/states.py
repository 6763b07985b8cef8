"""What is remembered of a file: which content it is, and how far it was read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from cgsync.api import Json
from cgsync.formats import START, Resume
from cgsync_files.folder import Stamp

EDGE = 64 * 1024
"""Bytes at the beginning and at the end that make the identity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileState:
    """One part of the cursor. ``outcome`` is empty while the file is being read, then ``done`` or ``failed``.

    ``identity`` is a hash of both ends and the size: for a file up to 128 KiB of all of it.
    """

    stamp: Stamp
    identity: str
    at: Resume = START
    bad: int = 0
    outcome: str = ""
    reason: str = ""

    def as_json(self) -> dict[str, Json]:
        value: dict[str, Json] = {
            "id": self.identity,
            "size": self.stamp.size,
            "mtime": self.stamp.mtime,
            "inode": self.stamp.inode,
            "bad": self.bad,
        }
        if self.outcome:
            return (
                value
                | {"outcome": self.outcome, "rows": self.at.row}
                | ({"reason": self.reason} if self.reason else {})
            )
        return value | {"at": self.at.as_json()}

    @classmethod
    def from_json(cls, value: Any) -> FileState | None:
        """``None`` for a part that an operator or another version wrote: then the file is read from the start."""
        try:
            return cls._of(value)
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    @classmethod
    def _of(cls, value: Mapping[str, Any]) -> FileState:
        outcome = str(value.get("outcome", ""))
        return cls(
            stamp=Stamp(size=int(value["size"]), mtime=int(value["mtime"]), inode=int(value["inode"])),
            identity=str(value["id"]),
            at=Resume(row=int(value["rows"])) if outcome else Resume.from_json(value["at"]),
            bad=int(value.get("bad", 0)),
            outcome=outcome,
            reason=str(value.get("reason", "")),
        )

    def same_content(self, other: Stamp, identity: str) -> bool:
        """Whether a file with that stamp and identity has this content.

        The identity sees all of a small file; for the middle of a large one the time of the last change must do.
        """
        return self.identity == identity and (self.stamp.mtime == other.mtime or other.size <= 2 * EDGE)

    def moved_to(self, stamp: Stamp) -> FileState:
        return replace(self, stamp=stamp)


def identify(stream: BinaryIO, size: int) -> str:
    """The identity of an open file; leaves the stream where it likes."""
    digest = hashlib.blake2b(size.to_bytes(8, "big"), digest_size=16)
    stream.seek(0)
    digest.update(stream.read(EDGE))
    if size > EDGE:
        stream.seek(max(EDGE, size - EDGE))
        digest.update(stream.read(EDGE))
    return digest.hexdigest()
