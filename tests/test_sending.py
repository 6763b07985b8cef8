"""The sending of a daemon rests when an operator wants it to, whatever happens to the sender meanwhile."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from cgsync.api import Batch
from cgsync.config.settings import Limits
from cgsync.engine import Engine
from cgsync.ledger import Instant, outbox
from cgsync.sandbox import Sandbox
from tests.plant import config, engine_on, source
from tests.rig import Script, batch, eventually, record


async def rests(engine: Engine) -> None:
    """Something is there to be sent, and is not, because somebody paused that."""
    await eventually(lambda: engine.sender.state().waiting == 1)
    assert "paused by an operator" in engine.sender.state().words
    assert engine.sender.state().puts == 0


async def test_it_rests_over_a_restart_and_a_reload_until_it_is_resumed(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = config(tmp_path, sandbox, source("desk", Script(batch("1"))))
    async with engine_on(settings) as engine:
        await engine.sending.pause()
    async with engine_on(settings) as engine:
        engine.start(polling=True)
        await rests(engine)
        changes = await engine.reload(replace(settings, receiver=replace(settings.receiver, concurrency=3)))
        assert changes.sender
        await rests(engine)
        await engine.sending.resume()
        await eventually(lambda: sandbox.stats()["applied"] == 1)
    async with engine_on(settings) as engine:
        assert engine.sender.state().gate == "open"


async def test_what_waits_is_not_sent_once_something_newer_in_its_place_is_held(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """A run makes one account more than it may, for a record whose older version the sender has in memory."""
    engines: list[Engine] = []

    async def one_too_many(_: object) -> Batch:
        await eventually(lambda: engines[0].sender.state().waiting == 1)
        return Batch(records=[record("1", account="Other")], cursor={"p": 2})

    script = Script(Batch(records=[record("1")], cursor={"p": 1}), one_too_many)
    settings = config(tmp_path, sandbox, source("desk", script, limits=Limits(new_accounts=1)))
    async with engine_on(settings) as engine:
        engines.append(engine)
        await engine.sending.pause()
        engine.start(polling=True)
        await eventually(lambda: len(script.cursors) == 3)
        assert await states(engine) == ["held"]
        await engine.sending.resume()
        await engine.sender.idle()
        assert engine.sender.state().puts == 0


async def states(engine: Engine) -> list[Any]:
    now = Instant.of(engine.host.clock)
    return [row.state for row in await engine.ledger.read(partial(outbox.list_rows, now=now))]
