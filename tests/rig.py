"""The core with a hand on its clock: sources that say what a test tells them, a real ledger, mapping and contract."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from cgsync.api import Batch, Cursor, Json, Record, Source
from cgsync.config import Schedule
from cgsync.contract import Contract
from cgsync.freshness import Freshness
from cgsync.intake import SourceIntake
from cgsync.ledger import Instant, Ledger, checkpoints, outbox, rejects, settlements, sources
from cgsync.ledger.schema import run
from cgsync.mapping import MappingSpec, compile_mapping
from cgsync.model import Due
from cgsync.poller import Poller
from cgsync.preparation import Plan
from cgsync.rhythm import Rhythm
from cgsync.schedule import Bell
from cgsync.testing import MemoryLog
from tests.hand import HandClock

RECEIVER = "https://receiver.example/activities as someone"
UTC_ZONE = ZoneInfo("UTC")
ACTIVITY: Mapping[str, Any] = {
    "reference": "t-{{ record.id }}",
    "account": "{{ record.account }}",
    "type": "Ticket",
    "source": "Desk",
    "happened_at": "2026-03-04 10:00:00",
}


async def eventually(condition: Callable[[], Any], within: float = 60.0) -> Any:
    """The first true value of the condition; what runs on threads needs real time."""
    async with asyncio.timeout(within):
        while not (value := condition()):  # noqa: ASYNC110 - what is waited for knows nothing of events
            await asyncio.sleep(0.001)
    return value


def record(key: str, account: str = "Acme", **more: Any) -> Record:
    data = {"id": key, "account": account, **more.pop("data", {})}
    return Record(key=key, data=data, position=f"desk {key}", **more)


def batch(*keys: str, at: Json = None, **more: Any) -> Batch:
    """A batch of these records, after which the part ``p`` stands at ``at`` (the last key, if not said)."""
    return Batch(records=[record(key) for key in keys], cursor={"p": at or (keys[-1] if keys else None)}, **more)


class Script:
    """A source that does what it is told, step by step, and nothing after that.

    A step is what ``fetch`` returns, an exception that it raises, or a function of the cursor, awaited.
    """

    def __init__(self, *steps: Any) -> None:
        self.steps = list(steps)
        self.cursors: list[Mapping[str, Json]] = []
        self.did: list[str] = []
        self.opened = 0
        self.open_now = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Source]:
        self.opened += 1
        self.open_now += 1
        try:
            yield self
        finally:
            self.open_now -= 1

    async def fetch(self, cursor: Cursor) -> Any:
        self.cursors.append(dict(cursor))
        self.did.append("fetch")
        step = self.steps.pop(0) if self.steps else None
        if isinstance(step, BaseException):
            raise step
        return await step(cursor) if callable(step) else step


class Settling(Script):
    """One that settles too. ``troubles`` are raised by the next calls of ``settle``."""

    def __init__(self, *steps: Any, troubles: Sequence[BaseException] = ()) -> None:
        super().__init__(*steps)
        self.troubles = list(troubles)
        self.settled: list[Json] = []

    async def settle(self, done: Sequence[Json]) -> None:
        self.did.append("settle")
        if self.troubles:
            raise self.troubles.pop(0)
        self.settled.extend(done)


class Waiting(Script):
    """One that notices by itself: ``news`` is set by the test."""

    def __init__(self, *steps: Any) -> None:
        super().__init__(*steps)
        self.news = asyncio.Event()

    async def wait(self) -> None:
        self.did.append("wait")
        try:
            await self.news.wait()
            self.news.clear()
        except asyncio.CancelledError:
            await asyncio.sleep(0)  # an IDLE needs a moment to be ended
            self.did.append("cancelled")
            raise


class Rig:
    """One source's part of the core over a ledger in ``folder``."""

    def __init__(self, folder: Path, *, activity: Any = ACTIVITY, when: str | None = None, **plan: Any) -> None:
        self.clock = HandClock()
        self.log = MemoryLog()
        self.ledger = Ledger.open(folder, receiver=RECEIVER, clock=self.clock)
        self.offered: list[Due] = []
        self.time_limit = timedelta(seconds=30)
        self.schedule = Schedule(every=timedelta(minutes=5), timezone=UTC_ZONE)
        activities = activity if isinstance(activity, list) else [activity]
        spec = MappingSpec(
            record_name="record",
            when=when,
            activities=activities,
            timezone=UTC_ZONE,
            listed=isinstance(activity, list),
        )
        self.freshness = self.freshness_of("off")
        self.plan = Plan(uid="desk", mapper=compile_mapping(spec), contract=Contract(), **plan)

    def freshness_of(self, wanted: timedelta | str, rhythm: Rhythm | None = None) -> Freshness:
        """How fresh the source of this schedule is, with that limit."""
        now = Instant.of(self.clock)
        options: dict[str, Any] = {"name": "desk", "known": now.wall, "longest_look": self.time_limit, "now": now}
        return Freshness(wanted, self.schedule, rhythm=rhythm or Rhythm(), **options)

    async def register(self) -> None:
        work = partial(sources.register, name="desk", plugin="script", now=Instant.of(self.clock))
        await self.ledger.write(work)

    def intake(self, **changes: Any) -> SourceIntake:
        options: dict[str, Any] = {
            "offer": lambda rows, _: self.offered.extend(rows),
            "clock": self.clock,
            "time_limit": self.time_limit,
            **changes,
        }
        return SourceIntake(options.pop("plan", self.plan), self.ledger, **options)

    def poller(
        self, source: Script | Callable[[], AbstractAsyncContextManager[Any]], *, random: Callable[[], float] = float
    ) -> Poller:
        return Poller(
            source.open if isinstance(source, Script) else source,
            self.intake(),
            self.ledger,
            uid="desk",
            bell=Bell(self.schedule, clock=self.clock, random=random),
            freshness=self.freshness,
            clock=self.clock,
            random=random,
            log=self.log,
        )

    async def cursor(self) -> Mapping[str, Json]:
        return await self.ledger.read(partial(checkpoints.load, source="desk"))

    async def unsettled(self) -> list[Json]:
        return [item.value for item in await self.ledger.read(partial(settlements.pending, source="desk"))]

    async def all_settled(self) -> None:
        async with asyncio.timeout(60):
            while await self.unsettled():  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.001)

    async def rejects(self) -> Sequence[Any]:
        return await self.ledger.read(lambda conn: rejects.load(conn, [one.number for one in rejects.chosen(conn)]))

    async def runs(self) -> Sequence[Any]:
        """The polls that were written down, the last one first."""
        return await self.ledger.read(lambda conn: conn.execute(select(run).order_by(run.c.id.desc())).all())

    async def waiting(self) -> list[str]:
        """References that are to be sent."""
        rows = await self.ledger.read(partial(outbox.list_rows, now=Instant.of(self.clock)))
        return [row.reference for row in rows]

    async def waits_for(self, seconds: float) -> None:
        """Return once somebody sleeps for that long."""
        await eventually(lambda: any(abs(nap - seconds) < 1e-6 for nap in self.clock.naps))


def prepare_state(folder: Path) -> Path:
    """A state folder with an empty ledger: a copy, since making one takes longer than most tests."""
    model, state = folder.parent / "empty-ledger", folder / "state"
    if not model.exists():
        Ledger.open(model, receiver=RECEIVER, clock=HandClock()).close()
    shutil.copytree(model, state)
    return state


@asynccontextmanager
async def rig(folder: Path, **options: Any) -> AsyncIterator[Rig]:
    made = Rig(prepare_state(folder), **options)
    try:
        await made.register()
        yield made
    finally:
        made.ledger.close()


@asynccontextmanager
async def running(poller: Poller) -> AsyncIterator[asyncio.Task[None]]:
    """The poller at work; ended with the block."""
    task = asyncio.create_task(poller.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
