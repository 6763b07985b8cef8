"""What every source must do, as a test class to subclass.

A subclass sets ``source_type`` and ``keys``, and overrides the fixture ``options`` with one that puts something to
read in place and returns the options as a user would write them. It needs pytest-asyncio.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import pytest

from cgsync.api import (
    MAX_CURSOR_PART,
    MAX_RAW,
    MAX_RECORDS,
    Batch,
    Checks,
    Later,
    Samples,
    Secret,
    Settles,
    SourceType,
    Waits,
)
from cgsync.plugins.presets import check as check_presets
from cgsync.plugins.soundness import check
from cgsync.testing.driving import Driver, advanced, keys
from cgsync.testing.fakes import FakeClock, MemoryLog, context
from cgsync.testing.options import as_opened

RESTARTS = 25
"""Cursors at which a restart is tried, evenly spread."""
AWAITS = 12
"""Turns of the loop after which a fetch is cancelled: 0, 1, 2, …"""


@pytest.mark.asyncio
class SourceConformance:
    """The contract of a source, one fact a test."""

    source_type: ClassVar[SourceType]
    keys: ClassVar[Collection[str]]
    """Keys of the records that ``options`` make it read, all of them."""

    @pytest.fixture
    def options(self, tmp_path: Path) -> Mapping[str, Any]:
        """Put something to read in place; return the options as a user writes them."""
        raise NotImplementedError("override the fixture `options`")

    @pytest.fixture
    def log(self) -> MemoryLog:
        return MemoryLog()

    @pytest.fixture
    def driver(self, options: Mapping[str, Any], log: MemoryLog) -> Driver:
        opened = as_opened(self.source_type, options)
        return Driver(kind=self.source_type, options=opened, context=context(clock=FakeClock(), log=log))

    def surroundings(self, folder: Path) -> Any:
        """Whatever a fetch must leave alone, for comparison. Override it for a source that is not files."""
        return {path.relative_to(folder): fingerprint(path) for path in folder.rglob("*")}

    async def test_its_type_is_sound(self) -> None:
        """Name, schema and sample are what the loader asks for, and so is each preset."""
        check(self.source_type)
        check_presets(self.source_type)

    async def test_it_reads_every_record(self, driver: Driver) -> None:
        assert set(keys(await driver.reopened({}))) == set(self.keys)

    async def test_records_are_well_formed(self, driver: Driver) -> None:
        """A key, a position in one line, data that is JSON, a revision that can be compared."""
        for step in await driver.reopened({}):
            for record in step.batch.records:
                assert isinstance(record.key, str)
                assert record.key
                assert record.position
                assert record.position.isprintable()
                msgspec.json.encode(record.data)
                revision = record.revision
                assert not isinstance(revision, datetime) or revision.tzinfo is not None

    async def test_batches_are_bounded(self, driver: Driver) -> None:
        for step in await driver.reopened({}):
            assert len(step.batch.records) <= MAX_RECORDS
            assert all(len(reject.raw) <= MAX_RAW for reject in step.batch.rejects)

    async def test_parts_of_the_cursor_are_small_json(self, driver: Driver) -> None:
        for step in await driver.reopened({}):
            for part, value in step.batch.cursor.items():
                assert isinstance(part, str)
                assert len(msgspec.json.encode(value)) <= MAX_CURSOR_PART
                assert msgspec.json.decode(msgspec.json.encode(value)) == value

    async def test_a_batch_without_records_moves_the_cursor(self, driver: Driver) -> None:
        for step in await driver.reopened({}):
            assert step.batch.records or step.batch.rejects or step.behind != step.before

    async def test_it_ends(self, driver: Driver) -> None:
        """At the last cursor there is nothing more, how often one asks, and whoever asks."""
        async with driver.open() as source:
            steps = await driver.drain(source, {})
            last = steps[-1].behind if steps else {}
            assert keys(await driver.drain(source, last)) == []
        assert keys(await driver.reopened(last)) == []

    async def test_the_same_cursor_gives_the_same_records(self, driver: Driver) -> None:
        async with driver.open() as source:
            cursor: Mapping[str, Any] = {}
            async for step in driver.steps(source, {}):
                again = await source.fetch(cursor)
                assert isinstance(again, Batch)
                told = {record.key: record.data for record in again.records}
                assert all(told.get(record.key) == record.data for record in step.batch.records)
                cursor = step.behind

    async def test_fetch_has_no_side_effects(self, driver: Driver, tmp_path: Path) -> None:
        before = self.surroundings(tmp_path)
        await driver.reopened({})
        assert self.surroundings(tmp_path) == before

    async def test_a_restart_loses_nothing(self, driver: Driver) -> None:
        """Killed after each batch, by somebody who knows nothing but the cursor."""
        steps = await driver.reopened({})
        for count in range(0, len(steps), max(1, len(steps) // RESTARTS)):
            seen = set(keys(steps[: count + 1]))
            seen.update(keys(await driver.reopened(steps[count].behind)))
            assert seen == set(self.keys)

    async def test_it_survives_a_cancelled_fetch(self, driver: Driver) -> None:
        for turns in range(AWAITS):
            async with driver.open() as source:
                await cancelled(source.fetch({}), turns)
                assert set(keys(await driver.drain(source, {}))) == set(self.keys)

    async def test_it_survives_a_cancelled_wait(self, driver: Driver) -> None:
        for turns in range(AWAITS):
            async with driver.open() as source:
                if not isinstance(source, Waits):
                    return
                first = await source.fetch({})
                await cancelled(source.wait(), turns)
                behind = advanced({}, first) if isinstance(first, Batch) else {}
                seen = {record.key for record in first.records} if isinstance(first, Batch) else set()
                assert seen | set(keys(await driver.drain(source, behind))) == set(self.keys)

    async def test_settle_can_be_repeated(self, driver: Driver) -> None:
        """Item by item, all again, and by a source that was opened anew."""
        async with driver.open() as source:
            if not isinstance(source, Settles):
                return
            steps = await driver.drain(source, {})
            done = [item for step in steps for item in step.batch.done]
            done = msgspec.json.decode(msgspec.json.encode(done))
            for item in done:
                await source.settle([item])
            await source.settle(done)
        async with driver.open() as source:
            assert isinstance(source, Settles)
            await source.settle(done)
            await source.settle([])
            assert keys(await driver.drain(source, steps[-1].behind if steps else {})) == []

    async def test_check_tells_one_line(self, driver: Driver) -> None:
        async with driver.open() as source:
            if not isinstance(source, Checks):
                return
            words = await source.check()
            assert words
            assert words.isprintable()

    async def test_samples_are_records_of_its_own(self, driver: Driver, tmp_path: Path) -> None:
        before = self.surroundings(tmp_path)
        async with driver.open() as source:
            if not isinstance(source, Samples):
                return
            samples = await source.sample(2)
        assert len(samples) <= 2
        assert {record.key for record in samples} <= set(self.keys)
        assert self.surroundings(tmp_path) == before

    async def test_no_secret_is_logged(self, driver: Driver, log: MemoryLog) -> None:
        steps = await driver.reopened({})
        told = log.text + repr(driver.options) + repr([step.batch.problems for step in steps])
        assert [secret for secret in secrets(driver.options) if secret.reveal() in told] == []


async def cancelled(call: Any, turns: int) -> None:
    """Start ``call`` and cancel it after so many turns of the loop."""
    task: asyncio.Task[Batch | Later | None] = asyncio.ensure_future(call)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])


def secrets(value: Any) -> list[Secret]:
    if isinstance(value, Secret):
        return [value]
    if isinstance(value, Mapping):
        return [secret for each in value.values() for secret in secrets(each)]
    if isinstance(value, list | tuple):
        return [secret for each in value for secret in secrets(each)]
    return []


def fingerprint(path: Path) -> tuple[int, int, str]:
    status = path.lstat()
    content = hashlib.blake2b(path.read_bytes()).hexdigest() if path.is_file() else ""
    return status.st_mode, status.st_mtime_ns, content
