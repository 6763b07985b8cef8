"""One moment, seen on both clocks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from cgsync.api import Clock


@dataclass(frozen=True, slots=True)
class Instant:
    """``wall`` is aware and for people; ``mono`` is boot time in seconds, and what durations are reckoned by."""

    wall: datetime
    mono: float

    @classmethod
    def of(cls, clock: Clock) -> Instant:
        return cls(clock.now(), clock.monotonic())

    @property
    def stamp(self) -> str:
        """The wall time as the ledger writes it."""
        return stamp(self.wall)


def stamp(moment: datetime) -> str:
    """An aware time as ISO 8601 in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str) -> datetime:
    """What :func:`stamp` wrote, as an aware time."""
    return datetime.fromisoformat(text)
