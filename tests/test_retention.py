"""Sweeping the ledger: in steps, by the terms of now, and with a word in the log only when something went."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

from cgsync.api import Batch
from cgsync.config import RetentionConfig
from cgsync.ledger import Instant, outbox, retention
from cgsync.model import Delivered, Due, Result
from cgsync.retention import Retention
from tests.rig import Rig, batch, record, rig

DAY = timedelta(days=1)


class Store:
    """A ledger with something in it, and the sweep with terms that can be changed."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.terms = RetentionConfig(bodies=30 * DAY, records=7 * DAY, rejects=90 * DAY)
        self.retention = Retention(rig.ledger, terms=lambda: self.terms, clock=Naps(rig), log=rig.log)

    async def deliver(self, *keys: str) -> None:
        stored = await self.rig.intake().take(batch(*keys))
        await self._settle(list(stored.due))

    async def _settle(self, rows: list[Due]) -> None:
        results = [Result(due=due, outcome=Delivered(status=200, data={"id": 1}), retry_in=timedelta()) for due in rows]
        now = Instant.of(self.rig.clock)
        await self.rig.ledger.write(partial(outbox.settle, results=results, now=now, settle_time=timedelta(minutes=2)))

    async def reject(self, *keys: str) -> None:
        records = [record(key, account="") for key in keys]
        await self.rig.intake().take(Batch(records=records, cursor={"p": keys[-1]}))

    def age(self, days: float) -> None:
        self.rig.clock.wall += days * DAY

    def said(self) -> list[tuple[str, dict[str, object]]]:
        return [(line.event, line.values) for line in self.rig.log.lines]


class Naps:
    """The rig's clock; whoever sleeps by it wakes at once."""

    def __init__(self, rig: Rig) -> None:
        self._clock = rig.clock
        self.now, self.monotonic = rig.clock.now, rig.clock.monotonic

    async def sleep(self, seconds: float) -> None:
        self._clock.time += seconds


@asynccontextmanager
async def store(folder: Path) -> AsyncIterator[Store]:
    async with rig(folder) as made:
        yield Store(made)


async def without_body(store: Store) -> int:
    return await store.rig.ledger.read(retention.without_body)


async def test_a_sweep_takes_what_is_beyond_its_term_and_says_how_much(tmp_path: Path) -> None:
    async with store(tmp_path) as s:
        await s.deliver("1", "2", "3")
        s.age(8)
        await s.retention.sweep()
        assert s.said() == [("dropped what is kept no longer", {"records": 3})]
        s.age(30)
        await s.retention.sweep()
        assert s.said()[1:] == [("dropped what is kept no longer", {"bodies": 3})]
        assert await without_body(s) == 3


async def test_a_sweep_that_finds_nothing_says_nothing(tmp_path: Path) -> None:
    async with store(tmp_path) as s:
        await s.deliver("1")
        await s.reject("2")
        await s.retention.sweep()
        assert s.said() == []


async def test_what_waits_keeps_everything_however_old_it_is(tmp_path: Path) -> None:
    async with store(tmp_path) as s:
        await s.rig.intake().take(batch("1"))
        s.age(1_000)
        await s.retention.sweep()
        assert await without_body(s) == 0


async def test_a_sweep_goes_by_the_terms_of_now(tmp_path: Path) -> None:
    async with store(tmp_path) as s:
        await s.deliver("1")
        s.age(2)
        await s.retention.sweep()
        assert await without_body(s) == 0
        s.terms = RetentionConfig(bodies=DAY, records=DAY, rejects=DAY)
        await s.retention.sweep()
        assert await without_body(s) == 1


async def test_more_than_one_step_holds_is_swept_at_once_and_the_next_sweep_begins_anew(tmp_path: Path) -> None:
    async with store(tmp_path) as s:
        for start in range(0, 2_500, 500):
            await s.deliver(*map(str, range(start, start + 500)))
        s.age(31)
        await s.retention.sweep()
        assert await without_body(s) == 2_500
        assert await s.rig.ledger.read(retention.place) == 0


async def test_rejects_that_were_not_seen_for_so_long_go_with_a_warning(tmp_path: Path) -> None:
    async with store(tmp_path) as s:
        await s.reject("1", "2")
        s.age(80)
        await s.reject("3")
        s.age(11)
        await s.retention.sweep()
        assert s.said() == [("dropped rejects that are too old", {"count": 2, "limit": "retention.rejects"})]
        assert [one.identity for one in await s.rig.rejects()] == ["3"]


async def test_a_source_that_has_more_rejects_than_it_may_loses_the_oldest(tmp_path: Path) -> None:
    async with store(tmp_path) as s:
        for key in ("1", "2", "3"):
            await s.reject(key)
            s.age(1)
        await s.retention.trim({"desk": 2, "another": 0})
        words = {"source": "desk", "count": 1, "limit": "limits.rejects"}
        assert s.said() == [("dropped the oldest rejects", words)]
        assert sorted(one.identity for one in await s.rig.rejects()) == ["2", "3"]
