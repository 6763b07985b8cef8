"""Time as the machine has it: wall time for people, boot time for durations."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cgsync.api import Clock

LONGEST_NAP = 30.0
"""Seconds after which a long sleep looks at the clock again: the loop's own timers stand still during suspend."""


def span(seconds: float | None) -> str:
    """A length of time in its two largest units: ``23h 59m``."""
    if seconds is None:
        return ""
    left, parts = round(seconds), []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"


class SystemClock:
    """The real clock; implements :class:`cgsync.api.Clock`."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since boot, suspend included (CLOCK_BOOTTIME)."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    async def sleep(self, seconds: float) -> None:
        end = self.monotonic() + seconds
        await asyncio.sleep(min(seconds, LONGEST_NAP))
        while (left := end - self.monotonic()) > 0:  # noqa: ASYNC110 - the event that is awaited is the time itself
            await asyncio.sleep(min(left, LONGEST_NAP))


class HeldClock:
    """Time that stood still at ``now`` and passes only by sleeping, at once; implements :class:`cgsync.api.Clock`."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._slept = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._slept

    async def sleep(self, seconds: float) -> None:
        self._slept += seconds
        await asyncio.sleep(0)


class StoppedClock:
    """Wall time stands still at ``now``, all else goes on as by ``clock``; implements :class:`cgsync.api.Clock`."""

    def __init__(self, now: datetime, clock: Clock) -> None:
        self._now = now
        self._clock = clock

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
