"""A source whose records are edited all the time, and time that runs a thousand times as fast."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from cgsync.api import Batch, Json, Record, Source

BEGAN = datetime(2026, 3, 4, 10, tzinfo=UTC)
ACTIVITY = {
    "reference": "{{ record.id }}",
    "account": "Acme",
    "type": "Ticket",
    "source": "Desk",
    "happened_at": "2026-03-04 10:00:00",
    "additional_information_object": {"version": "{{ record.version }}"},
}


class FastClock:
    """Real time, ``speed`` times as fast: gaps of minutes are over in milliseconds, in their true order."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._start = time.monotonic()

    def now(self) -> datetime:
        return BEGAN + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return (time.monotonic() - self._start) * self.speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self.speed)


class Stock:
    """What the source has: each edit makes the next version of one record. The cursor is the number of edits read."""

    def __init__(self) -> None:
        self.versions: dict[str, int] = {}
        self._edits: list[tuple[str, int]] = []
        self._news = asyncio.Event()

    def edit(self, key: str) -> None:
        self.versions[key] = self.versions.get(key, 0) + 1
        self._edits.append((key, self.versions[key]))
        self._news.set()

    @property
    def cursor(self) -> Mapping[str, Json]:
        """Where it stands when all is read."""
        return {"read": len(self._edits)}

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Source]:
        yield self

    async def fetch(self, cursor: Mapping[str, Json]) -> Batch | None:
        start = cursor.get("read", 0)
        assert isinstance(start, int)
        some = self._edits[start : start + 500]
        if not some:
            return None
        records = [
            Record(key=key, data={"id": key, "version": version}, position=f"edit {start + place}")
            for place, (key, version) in enumerate(some, 1)
        ]
        return Batch(records=records, cursor={"read": start + len(some)})

    async def wait(self) -> None:
        await self._news.wait()
        self._news.clear()
