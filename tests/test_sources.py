"""What an operator does with a source: it is polled at once, rests over every restart, and goes on."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from cgsync.api import Batch
from cgsync.errors import ControlError, SourceUnavailable
from cgsync.health import Condition
from cgsync.sandbox import Sandbox
from tests.plant import config, engine_on, source, with_sources
from tests.rig import Script, batch, eventually


async def test_a_paused_source_rests_also_after_a_reload_and_a_restart_until_it_is_resumed(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    script = Script()
    settings = config(tmp_path, sandbox, source("desk", script), source("shop", shop := Script()))
    async with engine_on(settings) as engine:
        engine.start(polling=True)
        await eventually(lambda: script.did and shop.did)
        await engine.sources.pause("desk")
        assert (script.open_now, shop.open_now) == (0, 1)
        assert engine.sources["desk"].poller.health.condition is Condition.PAUSED
        await engine.reload(with_sources(settings, source("desk", script, fingerprint="2"), source("shop", shop)))
        assert not engine.sources["desk"].at_work
    script.steps.append(batch("1"))
    async with engine_on(settings) as engine:
        engine.start(polling=True)
        await eventually(lambda: shop.opened == 2)
        assert (script.opened, engine.sources["desk"].poller.health.condition) == (1, Condition.PAUSED)
        await engine.sources.resume("desk")
        await eventually(lambda: sandbox.stats()["applied"] == 1)
    assert script.opened == 2


async def test_a_poll_that_is_asked_for_does_not_wait_for_the_schedule(sandbox: Sandbox, tmp_path: Path) -> None:
    script = Script()
    async with engine_on(config(tmp_path, sandbox, source("desk", script))) as engine:
        engine.start(polling=True)
        await eventually(lambda: engine.sources["desk"].poller.health.condition is Condition.IDLE)
        script.steps.append(batch("1", "2"))
        drained = await asyncio.wait_for(engine.sources.poll("desk"), 10)
        assert drained.counts["read"] == 2
        assert script.opened == 1


async def test_a_poll_that_is_asked_for_says_what_it_failed_with(sandbox: Sandbox, tmp_path: Path) -> None:
    """Also while the source is left alone for a while after a failure, and while it is held."""
    script = Script(SourceUnavailable("busy", retry_after=timedelta(hours=1)))
    async with engine_on(config(tmp_path, sandbox, source("desk", script))) as engine:
        engine.start(polling=True)
        running = engine.sources["desk"]
        await eventually(lambda: running.poller.health.condition is Condition.UNAVAILABLE)
        script.steps.append(SourceUnavailable("still busy", retry_after=timedelta(hours=1)))
        with pytest.raises(SourceUnavailable, match="still busy"):
            await asyncio.wait_for(engine.sources.poll("desk"), 10)
        script.steps.append(RuntimeError("a bug"))
        with pytest.raises(ControlError, match="RuntimeError: a bug"):
            await asyncio.wait_for(engine.sources.poll("desk"), 10)
        await eventually(lambda: not running.at_work)
        script.steps.append(batch("1"))
        assert (await asyncio.wait_for(engine.sources.poll("desk"), 10)).counts["read"] == 1
        await engine.sources.pause("desk")
        with pytest.raises(ControlError, match="paused") as caught:
            await engine.sources.poll("desk")
        assert caught.value.hint == "`cgsync resume desk` lets it go on"


async def test_who_asks_for_a_poll_while_one_is_under_way_is_told_of_the_next(sandbox: Sandbox, tmp_path: Path) -> None:
    gate = asyncio.Event()

    async def at_the_gate(cursor: object) -> Batch:
        await gate.wait()
        return batch("1")

    script = Script(at_the_gate, None, batch("2", "3"))
    async with engine_on(config(tmp_path, sandbox, source("desk", script))) as engine:
        engine.start(polling=True)
        await eventually(lambda: script.did == ["fetch"])
        asked = asyncio.create_task(engine.sources.poll("desk"))
        await asyncio.sleep(0)
        gate.set()
        assert (await asyncio.wait_for(asked, 10)).counts["read"] == 2


async def test_who_asked_for_a_poll_of_a_source_that_is_stopped_is_told_so(sandbox: Sandbox, tmp_path: Path) -> None:
    script = Script(lambda cursor: asyncio.Event().wait())
    async with engine_on(config(tmp_path, sandbox, source("desk", script))) as engine:
        engine.start(polling=True)
        await eventually(lambda: script.did == ["fetch"])
        asked = asyncio.create_task(engine.sources.poll("desk"))
        await asyncio.sleep(0)
        await engine.sources.pause("desk")
        with pytest.raises(ControlError, match="stopped before it was polled"):
            await asked
