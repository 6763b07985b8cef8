"""An alarm is told once when it begins and once when it is over, whatever restarts come between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from cgsync.config import Schedule
from cgsync.engine import Engine
from cgsync.health import Condition
from cgsync.ledger import freshness, sources
from cgsync.sandbox import Sandbox
from tests.hand import HandClock
from tests.plant import config, core_of, engine_on, source
from tests.rig import UTC_ZONE, Script, batch

HOUR = timedelta(hours=1)
EACH_MINUTE = Schedule(every=timedelta(minutes=1), timezone=UTC_ZONE)


@dataclass
class Station:
    """A source ``desk`` that may be silent for an hour; all that it does is done by hand, at times by hand."""

    engine: Engine
    clock: HandClock

    async def after(self, seconds: float, *, look: bool = True) -> list[str]:
        """Let time pass, look at the source or fail to, and have it judged; what was told of that."""
        await self.clock.advance(seconds)
        if look:
            await self.engine.sources.drain("desk")
        return await self.judged()

    async def judged(self) -> list[str]:
        log: Any = self.engine.host.log
        before = len(log.lines)
        await self.engine.watch.look()
        return [f"{line.level}: {line.event}" for line in log.lines[before:]]


@pytest.fixture
def opened(tmp_path: Path, sandbox: Sandbox):
    """Opens the station anew on its ledger, with a source of these steps."""
    clock = HandClock()

    @asynccontextmanager
    async def opens(*steps: Any, **changes: Any) -> AsyncIterator[Station]:
        desk = source("desk", Script(*steps), **{"freshness": HOUR, **changes})
        async with engine_on(config(tmp_path, sandbox, desk), clock) as engine:
            yield Station(engine, clock)

    return opens


async def test_a_silence_is_told_once_and_so_is_its_end(opened) -> None:
    async with opened(batch("1"), None, None, None, None, batch("2")) as station:
        assert await station.after(0) == []
        assert await station.after(3_600) == []
        assert await station.after(1) == ["warning: source is silent"]
        assert await station.after(1) == []
        assert await station.after(1) == ["info: source is no longer silent"]
        assert await station.judged() == []
        assert station.engine.sources["desk"].poller.health.alarm is None


async def test_blindness_is_told_once_and_then_what_a_look_finds(opened) -> None:
    async with opened(batch("1"), schedule=EACH_MINUTE, freshness=timedelta(minutes=5)) as station:
        await station.after(0)
        told = [await station.after(60, look=False) for _ in range(12)]
        assert told == [*[[]] * 8, ["warning: source is blind"], *[[]] * 3]
        assert station.engine.sources["desk"].poller.health.outlook is Condition.BLIND
        assert await station.after(60) == ["info: source is no longer blind", "warning: source is silent"]


async def test_a_restart_tells_nothing_twice(opened) -> None:
    async with opened(batch("1")) as station:
        await station.after(0)
        assert await station.after(3_601) == ["warning: source is silent"]
    async with opened() as station:
        assert await station.judged() == []
        assert station.engine.sources["desk"].poller.health.outlook is Condition.SILENT
        assert await station.after(60) == []
    async with opened(batch("2")) as station:
        assert await station.after(60) == ["info: source is no longer silent"]
    async with opened() as station:
        assert await station.after(60) == []


async def test_what_was_learned_outlives_a_restart(opened) -> None:
    day, daily = 86_400, [step for n in range(20) for step in (batch(str(n)), None)]
    async with opened(*daily, freshness="learned") as station:
        for _ in range(20):
            await station.after(day)
    async with opened(freshness="learned") as station:
        assert station.engine.sources["desk"].freshness.limit == timedelta(days=2)
        assert await station.after(day) == []
        assert await station.after(day + 1) == ["warning: source is silent"]


async def test_after_a_suspend_each_source_has_its_time_and_a_pause_ends_an_alarm(opened) -> None:
    async with opened(batch("1"), schedule=EACH_MINUTE, freshness="off") as station:
        await station.after(0)
        told = [await station.after(seconds, look=False) for seconds in (86_400, *[60] * 9)]
        assert told == [*[[]] * 9, ["warning: source is blind"]]
        await station.engine.sources.pause("desk")
        assert await station.judged() == ["info: source is no longer blind"]


async def test_a_source_that_is_dropped_leaves_nothing_behind(opened) -> None:
    async with opened(batch("1")) as station:
        await station.after(0)
        await station.after(3_601)
        ledger = station.engine.ledger
        kept = partial(freshness.load, uid="desk")
        assert (await ledger.read(kept)).alarm is not None
        now = core_of(station.engine).now()
        await ledger.write(partial(sources.drop, name="desk", now=now))
        assert await ledger.read(kept) == freshness.Kept()
