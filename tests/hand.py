"""Time in the hand of the test."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta


class HandClock:
    """Time moves only when the test says so. ``wall`` can be set apart from the monotonic clock."""

    def __init__(self, wall: datetime = datetime(2026, 3, 4, 10, 0, 20, tzinfo=UTC)) -> None:
        self.wall = wall
        self.time = 1000.0
        self.naps: list[float] = []
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        alarm: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.time + seconds, alarm))
        await alarm

    async def advance(self, seconds: float) -> None:
        """Move on, waking each sleeper at its own time and letting it do what it then does."""
        end = self.time + seconds
        await breathe()
        while (due := self._next()) is not None and due <= end:
            self._move(due)
            await breathe()
        self._move(end)
        await breathe()

    def _next(self) -> float | None:
        self._sleepers = [(at, alarm) for at, alarm in self._sleepers if not alarm.done()]
        return min((at for at, _ in self._sleepers), default=None)

    def _move(self, to: float) -> None:
        self.wall += timedelta(seconds=max(0.0, to - self.time))
        self.time = max(self.time, to)
        for at, alarm in self._sleepers:
            if at <= self.time and not alarm.done():
                alarm.set_result(None)


async def breathe() -> None:
    """Let everything run that can run without time."""
    for _ in range(40):
        await asyncio.sleep(0)
