"""The pace: one governor for all workers, never above the ceiling in any ten seconds, and close below it."""

from __future__ import annotations

import math
from datetime import timedelta

from cgsync.api import Clock

SHARE = 0.995
"""Of the ceiling: the 50 ms that are left in ten seconds pay for timers that ring late."""
SLACK = 0.03
"""Seconds by which a turn may be late and still count; a later one is lost, so that a pause is never made up for."""
LOWEST = 0.01
"""Of the ceiling: what repeated 429s slow down to."""
STEP = 0.1
"""Of the ceiling: what is gained back each :data:`STEP_TIME` without a 429."""
STEP_TIME = 10.0
LONGEST_HOLD = timedelta(minutes=1)
"""A limit header may stop us for so long, then we ask again: only a 429 is believed for longer."""
PLENTY = 0.2
"""Of a quota: while more than that remains, its header changes nothing."""


class Pace:
    """Hands out turns, one each interval: a bucket of one, so there is no burst at the start nor after a pause."""

    def __init__(self, per_second: float, clock: Clock) -> None:
        self.ceiling = per_second
        self._clock = clock
        self._rate = per_second
        self._grow_at = math.inf
        self._quota_rate = math.inf
        self._quota_ends = -math.inf
        self._held_until = -math.inf
        self._next = -math.inf

    @property
    def rate(self) -> float:
        """Turns a second, now."""
        return self._current(self._clock.monotonic())

    @property
    def delay(self) -> float:
        """Seconds that the next turn takes, where the other side's quota is the reason; else 0."""
        now = self._clock.monotonic()
        return max(0.0, self._next - now) if now < max(self._quota_ends, self._held_until) else 0.0

    def change(self, per_second: float) -> None:
        """Another ceiling, from the next turn on; what a 429 slowed down grows up to it."""
        free = self._rate >= self.ceiling
        self.ceiling = per_second
        self._rate = per_second if free else min(self._rate, per_second)

    async def turn(self) -> None:
        """Return when the next request may put its first byte on the wire."""
        while True:
            now = self._clock.monotonic()
            slot = self._reserve(now)
            if slot <= now:
                return
            await self._clock.sleep(slot - now)
            # after a long stall of the loop all who waited would start at once
            if self._clock.monotonic() - slot <= SLACK:
                return

    def throttled(self) -> None:
        """The other side said 429: half the pace, and back up in steps."""
        self._rate = max(self.rate / 2, self.ceiling * LOWEST)
        self._grow_at = self._clock.monotonic() + STEP_TIME

    def learn(self, *, remaining: int, reset: timedelta, limit: int | None = None, early: float = PLENTY) -> None:
        """What limit headers say: ``remaining`` requests until ``reset`` from now are spread over that time.

        While more than the share ``early`` of the ``limit`` remains, nothing changes.
        """
        if reset <= timedelta(0) or (limit and remaining > limit * early):
            return
        now = self._clock.monotonic()
        if remaining <= 0:
            self._held_until = now + min(reset, LONGEST_HOLD).total_seconds()
            self._next = max(self._next, self._held_until)
            return
        self._quota_rate = remaining / reset.total_seconds()
        self._quota_ends = now + reset.total_seconds()

    def _reserve(self, now: float) -> float:
        slot = self._next if self._next >= now - SLACK else now
        if now >= self._grow_at:
            self._grow(now)
        self._next = slot + 1 / (self._current(now) * SHARE)
        return slot

    def _current(self, now: float) -> float:
        return min(self._rate, self._quota_rate) if now < self._quota_ends else self._rate

    def _grow(self, now: float) -> None:
        """One step, however long ago the last one was: time in which nothing was sent has proven nothing."""
        self._rate = min(self.ceiling, self._rate + self.ceiling * STEP)
        self._grow_at = now + STEP_TIME if self._rate < self.ceiling else math.inf
