"""What a daemon does now and then: the rejects of each source are tried again, and the oldest of too many dropped."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from cgsync.chores import chores
from cgsync.config.settings import Limits
from cgsync.engine import Engine
from cgsync.ledger import rejects
from cgsync.sandbox import Sandbox
from tests.plant import config, engine_on, source, undelivered, with_sources
from tests.rig import ACTIVITY, Script, batch

LONG = {**ACTIVITY, "type": "{{ 'x' * 200 }}"}


def work(engine: Engine) -> Mapping[str, Callable[[], Awaitable[object]]]:
    clock, log = engine.host.clock, engine.host.log
    parts = (engine.ledger, engine.sources, engine.custody, engine.watch)
    some = chores(*parts, config=lambda: engine.config, clock=clock, log=log)
    return {chore.name: chore.work for chore in some}


async def test_rejects_are_tried_again_unless_their_source_is_to_rest(sandbox: Sandbox, tmp_path: Path) -> None:
    both = [source("desk", Script(batch("1")), activity=LONG), source("shop", Script(batch("2")), activity=LONG)]
    settings = config(tmp_path, sandbox, *both)
    async with engine_on(settings) as engine:
        for name in engine.sources:
            await engine.sources.drain(name)
        await engine.sources.pause("shop")
    async with engine_on(with_sources(settings, source("desk", Script()), source("shop", Script()))) as engine:
        await work(engine)["retrials"]()
        assert await undelivered(engine) == 1
        await engine.sources.resume("shop")
        await work(engine)["retrials"]()
        assert await undelivered(engine) == 2


async def test_no_more_rejects_are_kept_of_a_source_than_it_may_have(sandbox: Sandbox, tmp_path: Path) -> None:
    desk = source("desk", Script(batch("1", "2", "3")), activity=LONG, limits=Limits(rejects=2))
    async with engine_on(config(tmp_path, sandbox, desk)) as engine:
        await engine.sources.drain("desk")
        await work(engine)["rejects"]()
        assert await engine.ledger.read(rejects.counts) == {"desk": 2}
