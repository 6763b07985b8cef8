"""When a source is due: an interval on the monotonic clock, a cron expression in its time zone, or when it is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from cgsync import cron
from cgsync.api import Clock
from cgsync.config.sources import EVERY
from cgsync.delivery import first

if TYPE_CHECKING:
    from apscheduler.triggers.base import BaseTrigger

MISSED = 3
"""So many looks in a row that do not succeed, and a source is blind ..."""
LONGEST_DELAY = timedelta(days=1)
"""... or one for so long, where looks are rarer."""
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


def patience(times: Times, last: datetime) -> timedelta:
    """For how long after a look at that time none may succeed before the schedule counts as not kept."""
    due = _by_expression(times.cron, times.timezone, last) if times.cron else _by_steps(times.every or EVERY)
    if not due:
        return timedelta.max
    return min(due[-1], due[0] + LONGEST_DELAY) + times.jitter


def _by_steps(every: timedelta) -> Sequence[timedelta]:
    return [every * step for step in range(1, MISSED + 1)]


def _by_expression(expression: str, zone: ZoneInfo, last: datetime) -> Sequence[timedelta]:
    """Until the next times of a cron expression; fewer, or none, where it does not fire so often any more."""
    trigger, due, fire = cron.trigger(expression, zone), list[timedelta](), _after(last, zone)
    while len(due) < MISSED and (fire := trigger.get_next_fire_time(None, fire)) is not None:
        due.append(fire - last)
        fire = _after(fire, zone)
    return due


def _after(moment: datetime, zone: ZoneInfo) -> datetime:
    """From when to look for the next time: a trigger counts the very instant as yet to come."""
    return moment.astimezone(zone) + timedelta(microseconds=1)


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
            await self._by_interval(self._times.every or EVERY)

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
        now = _after(self._clock.now(), self._times.timezone)
        fire: datetime | None = trigger.get_next_fire_time(None, now)
        return fire

    def _jitter(self) -> float:
        return self._random() * self._times.jitter.total_seconds()
