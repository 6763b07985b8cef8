"""The sending of a daemon rests when an operator wants it to, whatever happens to the sender meanwhile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from cgsync.engine import Engine
from cgsync.sandbox import Sandbox
from tests.plant import config, engine_on, source
from tests.rig import Script, batch, eventually


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
