"""What the ledger lets go of after a time, in steps so short that nobody waits for them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from cgsync.api import Clock, Log
from cgsync.config import RetentionConfig
from cgsync.ledger import Ledger, retention

STEPS = 1000
"""Steps of one sweep, of 1,000 rows each: the next sweep goes on where this one ends."""
BREATH = 0.02
"""Seconds between two steps, in which others may write."""


class Retention:
    """Sweeps the ledger. ``terms`` is what the configuration says now."""

    def __init__(self, ledger: Ledger, *, terms: Callable[[], RetentionConfig], clock: Clock, log: Log) -> None:
        self._ledger = ledger
        self._terms = terms
        self._clock = clock
        self._log = log

    async def sweep(self) -> None:
        """Drop what is too old: bodies and records so long after their delivery, and rejects.

        What is undelivered keeps its body and its record.
        """
        now, terms = self._clock.now(), self._terms()
        await self._sweep_contents(retention.Terms(bodies=now - terms.bodies, records=now - terms.records))
        expire = partial(retention.expire_rejects, before=now - terms.rejects)
        if old := await self._repeat(partial(self._ledger.write, expire)):
            self._log.warning("dropped rejects that are too old", count=old, limit="retention.rejects")

    async def trim(self, limits: Mapping[str, int]) -> None:
        """Drop the oldest rejects of the sources that have more than they may; ``limits`` by uid."""
        for uid, most in limits.items():
            step = partial(retention.trim_rejects, uid=uid, most=most)
            if surplus := await self._repeat(partial(self._ledger.write, step)):
                self._log.warning("dropped the oldest rejects", source=uid, count=surplus, limit="limits.rejects")

    async def _sweep_contents(self, terms: retention.Terms) -> None:
        taken: Counter[str] = Counter()
        at: int | None = await self._ledger.read(retention.place)
        for _ in range(STEPS):
            step = await self._ledger.read(partial(retention.walk, after=at or 0, terms=terms))
            if step.rows:
                taken += await self._ledger.write(partial(retention.take_away, rows=step.rows, terms=terms))
            if (at := step.last) is None:
                break
            await self._clock.sleep(BREATH)
        await self._ledger.write(partial(retention.remember, last=at or 0))
        if taken:
            self._log.info("dropped what is kept no longer", **taken)

    async def _repeat(self, step: Callable[[], Awaitable[int]]) -> int:
        """Take steps until one finds nothing; returns what they found together."""
        total = 0
        while found := await step():
            total += found
            await self._clock.sleep(BREATH)
        return total
