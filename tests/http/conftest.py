"""Time in the hand of the test."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest


class HandClock:
    """Time moves only when the test says so, and stops at everything that sleeps."""

    def __init__(self) -> None:
        self.time = 1_000.0
        self._sleepers: list[tuple[float, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return datetime(2026, 3, 4, tzinfo=UTC) + timedelta(seconds=self.time)

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        alarm: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.time + seconds, alarm))
        await alarm

    async def settle(self) -> None:
        """Let everything run that can run without time."""
        for _ in range(20):
            await asyncio.sleep(0)

    async def advance(self, seconds: float) -> None:
        """Move on, waking each sleeper at its own time."""
        end = self.time + seconds
        await self.settle()
        while due := min((at for at, alarm in self._sleepers if not alarm.done() and at <= end), default=None):
            self.time = max(self.time, due)
            for at, alarm in self._sleepers:
                if at <= self.time and not alarm.done():
                    alarm.set_result(None)
            self._sleepers = [(at, alarm) for at, alarm in self._sleepers if not alarm.done()]
            await self.settle()
        self.time = end
        await self.settle()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def clock_type() -> type[HandClock]:
    return HandClock
