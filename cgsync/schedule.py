"""When a source is due: an interval on the monotonic clock, a cron expression in its time zone, or when it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from cgsync import cron
from cgsync.api import Clock
from cgsync.delivery import first

if TYPE_CHECKING:
    from apscheduler.triggers.base import BaseTrigger

LOOK_AGAIN = 30.0
"""Seconds after which a cron wait reads the wall clock anew, since that may have been set meanwhile."""


class Times(Protocol):
    """What a schedule consists of; ``cgsync.config.Schedule`` is one."""

    @property
    def every(self) -> timedelta | None: ...
    @property
    def cron(self) -> str | None: ...
    @property
    def timezone(self) -> ZoneInfo: ...
    @property
    def jitter(self) -> timedelta: ...


class Bell:
    """Rings when a source is due. One bell a source; a ring that nobody waits for is not made up for."""

    def __init__(self, times: Times, *, clock: Clock, random: Callable[[], float]) -> None:
        self._times = times
        self._clock = clock
        self._random = random
        self._last = clock.monotonic()
        self._pulled = asyncio.Event()

    async def ring(self) -> None:
        """Return when the source is due next, or when the bell is pulled."""
        await first(self._time(), self.pulled())
        self._last = self._clock.monotonic()

    def pull(self) -> None:
        """Ring now; when nobody waits for that, as soon as somebody does."""
        self._pulled.set()

    async def pulled(self) -> None:
        """Return when the bell is pulled, whatever the schedule says."""
        await self._pulled.wait()
        self._pulled.clear()

    async def _time(self) -> None:
        if self._times.cron:
            await self._by_cron(self._times.cron)
        else:
            await self._by_interval(self._times.every or timedelta(minutes=5))

    async def _by_interval(self, every: timedelta) -> None:
        due = self._last + every.total_seconds() + self._jitter()
        await self._clock.sleep(max(due - self._clock.monotonic(), 0.0))

    async def _by_cron(self, expression: str) -> None:
        trigger, jitter = cron.trigger(expression, self._times.timezone), self._jitter()
        fire = self._next(trigger)
        if fire is None:
            raise ValueError(f"cron {expression!r} never fires again")
        while (left := (fire - self._clock.now()).total_seconds() + jitter) > 0:
            await self._clock.sleep(min(left, LOOK_AGAIN))
            fire = min(fire, self._next(trigger) or fire)  # earlier, when the wall clock was set back meanwhile

    def _next(self, trigger: BaseTrigger) -> datetime | None:
        # strictly after now: a trigger counts the very instant of the last ring as yet to come
        now = self._clock.now().astimezone(self._times.timezone) + timedelta(microseconds=1)
        fire: datetime | None = trigger.get_next_fire_time(None, now)
        return fire

    def _jitter(self) -> float:
        return self._random() * self._times.jitter.total_seconds()
