"""Watches how fresh each source is: tells once when it goes blind or silent, and once when that is over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from cgsync.api import Clock, Log
from cgsync.ledger import Instant, Ledger, freshness
from cgsync.ledger.freshness import Alarm
from cgsync.running import Running

EVERY = timedelta(seconds=1)
ASLEEP = timedelta(minutes=1)
"""Who was not asked for so long was asleep, with all sources."""


class Watch:
    """The alarm that stands is in the health of its source, and in the ledger: a restart tells nothing twice."""

    def __init__(self, ledger: Ledger, sources: Mapping[str, Running], *, clock: Clock, log: Log) -> None:
        self._ledger = ledger
        self._sources = sources
        self._clock = clock
        self._log = log
        self._last = clock.monotonic()

    async def look(self) -> None:
        """Judge each source; tell and remember what began and what is over."""
        now = Instant.of(self._clock)
        self._excuse(timedelta(seconds=now.mono - self._last))
        self._last = now.mono
        for name, source in list(self._sources.items()):
            await self._judge(name, source, now)

    def _excuse(self, pause: timedelta) -> None:
        """After a suspend, or while the loop stood still, no source had its chance either."""
        if pause > ASLEEP:
            for source in self._sources.values():
                source.freshness.excuse(pause)

    async def _judge(self, name: str, source: Running, now: Instant) -> None:
        health = source.poller.health
        old, health.alarm = health.alarm, source.freshness.judge(health, now)
        if (old and old.kind) == (health.alarm and health.alarm.kind):
            return
        self._tell(name, old, health.alarm)
        await self._ledger.write(partial(freshness.keep_alarm, uid=source.uid, alarm=health.alarm))

    def _tell(self, name: str, old: Alarm | None, new: Alarm | None) -> None:
        if old:
            self._log.info(f"source is no longer {old.kind}", source=name, since=old.began)
        if new:
            self._log.warning(f"source is {new.kind}", source=name, since=new.began, reason=new.words, hint=new.hint)
