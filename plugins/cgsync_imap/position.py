"""Where a folder stands: one part of the cursor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cgsync.api import Json

ZONES = timedelta(days=1)
"""SINCE and BEFORE count in days of whatever zone the server likes."""
EPOCH = datetime.fromtimestamp(0, UTC)
"""When the newest message came, where none was read yet and all are to be."""
MARGIN = timedelta(days=2)
"""What may have come late, or with a clock that is wrong, when a folder was numbered anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What was stored of a folder is all up to UID ``low``, while the server counts by ``uidvalidity``.

    ``newest``: when the newest message came that was read, or when the folder was first seen. Up to UID ``until``, only
    what came from ``since`` on is read.
    """

    uidvalidity: int
    low: int
    newest: datetime
    since: datetime | None = None
    until: int = 0

    def as_json(self) -> dict[str, Json]:
        value: dict[str, Json] = {
            "uidvalidity": self.uidvalidity,
            "low": self.low,
            "newest": self.newest.isoformat(timespec="seconds"),
        }
        if self.since is not None and self.low < self.until:
            value |= {"since": self.since.isoformat(timespec="seconds"), "until": self.until}
        return value

    @classmethod
    def from_json(cls, value: Any) -> Position | None:
        """``None`` for a part that an operator or another version wrote: then the folder is one that is new."""
        try:
            return cls._of(value)
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    @classmethod
    def _of(cls, value: Mapping[str, Any]) -> Position:
        return cls(
            uidvalidity=int(value["uidvalidity"]),
            low=int(value["low"]),
            newest=moment(value["newest"]),
            since=moment(value["since"]) if "since" in value else None,
            until=int(value.get("until", 0)),
        )

    def criteria(self) -> Sequence[Any]:
        """What is to be read, for a SEARCH. A server may add the last message, read or not."""
        unread = ["UID", f"{self.low + 1}:*"]
        if self.since is None or self.low >= self.until:
            return unread
        return ["OR", "UID", f"{self.until + 1}:*", "SINCE", (self.since - ZONES).date(), *unread]

    def reaches_back_to(self, uid: int, at: datetime) -> bool:
        """Whether a message that came then is one of those that count."""
        return self.since is None or uid > self.until or at >= self.since

    def through(self) -> Position:
        """With all read that was there when the reading of this folder began."""
        return replace(self, low=max(self.low, self.until))

    def behind(self, uid: int, at: datetime | None, now: datetime) -> Position:
        """After that message. A time in the future is none that one could go by."""
        newest = max(self.newest, min(at, now)) if at is not None else self.newest
        return replace(self, low=uid, newest=newest)


def moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
