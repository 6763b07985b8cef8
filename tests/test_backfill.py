"""Backfills on a running engine: beside the live source and behind it, over restarts, their trouble their own."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from cgsync.api import Batch, Later, SourceUnavailable, Window
from cgsync.config import SourceConfig
from cgsync.engine import Engine
from cgsync.health import Condition
from cgsync.ledger import backfills, checkpoints
from cgsync.ledger.backfills import Backfill, Progress
from cgsync.operations import carry
from cgsync.sandbox import Sandbox
from tests.plant import SCRIPT, config, core_of, engine_on, source
from tests.rig import Script, Settling, batch, eventually

MAY = Window(start=datetime(2026, 5, 1, tzinfo=UTC), end=datetime(2026, 6, 1, tzinfo=UTC))


def desk(live: Script, again: Script, windows: list[Window] | None = None) -> SourceConfig:
    """A source that reads ``live``, and ``again`` where it is asked for a span of time."""

    def opened(options: Any, context: Any) -> Any:
        if context.window is None:
            return live.open()
        if windows is not None:
            windows.append(context.window)
        return again.open()

    return source("desk", live, type=replace(SCRIPT, open=opened, windows=True))


async def get(engine: Engine, number: int) -> Backfill:
    found = await engine.ledger.read(partial(backfills.get, number=number))
    assert found is not None
    return found


async def ended(engine: Engine, number: int) -> Backfill:
    async with asyncio.timeout(60):
        while (found := await get(engine, number)).state is Progress.RUNNING:  # noqa: ASYNC110 - the ledger knows nothing of events
            await asyncio.sleep(0.005)
    return found


async def test_a_span_is_read_by_a_source_of_its_own_beside_the_live_one(sandbox: Sandbox, tmp_path: Path) -> None:
    live, again = Settling(batch("1", done=["one"])), Settling(batch("8", done=["eight"]), batch("9", at=9))
    windows: list[Window] = []
    async with engine_on(config(tmp_path, sandbox, desk(live, again, windows))) as engine:
        engine.start(polling=True)
        await eventually(lambda: sandbox.stats()["applied"] == 1)
        number = await engine.sources["desk"].backfiller.start(MAY)
        assert (await ended(engine, number)).state is Progress.DONE
        await eventually(lambda: sandbox.stats()["applied"] == 3)
        assert windows == [MAY]
        assert again.cursors == [{}, {"p": "8"}, {"p": 9}]
        assert await engine.ledger.read(partial(checkpoints.load, source="desk")) == {"p": "1"}
        assert (live.settled, again.settled) == (["one"], [])
        assert (live.opened, again.open_now) == (1, 0)


async def test_it_goes_on_after_a_restart_where_it_was(sandbox: Sandbox, tmp_path: Path) -> None:
    async def never(cursor: object) -> Batch:
        await asyncio.Event().wait()
        raise AssertionError

    settings = config(tmp_path, sandbox, desk(Script(), again := Script(batch("8"), never)))
    async with engine_on(settings) as engine:
        engine.start(polling=True)
        number = await engine.sources["desk"].backfiller.start(MAY)
        await eventually(lambda: len(again.did) == 2)
    again.steps.append(batch("9"))
    async with engine_on(settings) as engine:
        engine.start(polling=True)
        found = await ended(engine, number)
    assert again.cursors[2:] == [{"p": "8"}, {"p": "9"}]
    assert (found.state, found.counts["read"]) == (Progress.DONE, 2)


async def test_it_rests_while_its_source_is_paused(sandbox: Sandbox, tmp_path: Path) -> None:
    again = Script()
    async with engine_on(config(tmp_path, sandbox, desk(Script(), again))) as engine:
        engine.start(polling=True)
        await engine.sources.pause("desk")
        number = await engine.sources["desk"].backfiller.start(MAY)
        await engine.reload(engine.config)
        assert again.opened == 0
        await engine.sources.resume("desk")
        assert (await ended(engine, number)).state is Progress.DONE
        assert again.opened == 1


async def test_several_are_worked_at_one_after_another(sandbox: Sandbox, tmp_path: Path) -> None:
    windows: list[Window] = []
    june = Window(start=MAY.end, end=MAY.end + timedelta(days=30))
    async with engine_on(config(tmp_path, sandbox, desk(Script(), Script(), windows))) as engine:
        engine.start(polling=True)
        await engine.sources["desk"].backfiller.start(MAY)
        await ended(engine, await engine.sources["desk"].backfiller.start(june))
    assert windows == [MAY, june]


async def test_it_waits_out_trouble_that_passes_and_what_is_not_ready(sandbox: Sandbox, tmp_path: Path) -> None:
    trouble = SourceUnavailable("busy", retry_after=timedelta(seconds=1))
    again = Script(batch("7"), trouble, Later(after=timedelta(0)), batch("8"))
    async with engine_on(config(tmp_path, sandbox, desk(Script(), again))) as engine:
        engine.start(polling=True)
        found = await ended(engine, await engine.sources["desk"].backfiller.start(MAY))
        assert (found.state, found.error, found.counts["new"]) == (Progress.DONE, "", 2)
        assert again.opened == 2


async def test_a_bug_of_the_plugin_fails_it_and_the_live_source_goes_on(sandbox: Sandbox, tmp_path: Path) -> None:
    live, again = Script(), Script(batch("8"), ZeroDivisionError("by zero"))
    async with engine_on(config(tmp_path, sandbox, desk(live, again))) as engine:
        engine.start(polling=True)
        found = await ended(engine, await engine.sources["desk"].backfiller.start(MAY))
        assert (found.state, found.error) == (Progress.FAILED, "ZeroDivisionError: by zero")
        live.steps.append(batch("1"))
        assert (await engine.sources.poll("desk")).counts["read"] == 1
        await eventually(lambda: sandbox.stats()["applied"] == 2)


async def test_one_that_is_stopped_ends_where_it_is_and_the_live_source_is_not_disturbed(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    live, again = Script(), Script(batch("8"), lambda cursor: asyncio.Event().wait())
    async with engine_on(config(tmp_path, sandbox, desk(live, again))) as engine:
        engine.start(polling=True)
        number = await engine.sources["desk"].backfiller.start(MAY)
        await eventually(lambda: len(again.did) == 2)
        stopped = await carry("backfill.stop", {"number": number}, core_of(engine))
        assert stopped["state"] is Progress.STOPPED
        assert (again.open_now, live.opened) == (0, 1)
        assert engine.sources["desk"].poller.health.condition is Condition.IDLE
        await ended(engine, await engine.sources["desk"].backfiller.start(MAY))
        await eventually(lambda: sandbox.stats()["applied"] == 1)
