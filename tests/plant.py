"""A whole engine on scripted sources, with a real ledger and a real sandbox to send to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from cgsync.api import Clock, SourceType
from cgsync.clock import SystemClock
from cgsync.config import Config, ReceiverConfig, Schedule, SourceConfig
from cgsync.engine import Engine
from cgsync.hosting import Host
from cgsync.ledger import Instant, Ledger, outbox
from cgsync.mapping import MappingSpec
from cgsync.operations import Core
from cgsync.sandbox import Sandbox
from cgsync.secrets import Redactor, Secret
from cgsync.testing import MemoryLog
from tests.rig import ACTIVITY, UTC_ZONE, Script


class Log(MemoryLog):
    """The one log of all sources."""

    def bind(self, **_: Any) -> Log:
        return self


SCRIPT = SourceType(
    name="script",
    options_schema={"type": "object"},
    sample="{}",
    open=lambda options, context: options["script"].open(),
)


def source(
    name: str, script: Script, *, fingerprint: str = "1", activity: Mapping[str, Any] = ACTIVITY, **changes: Any
) -> SourceConfig:
    """A source that is polled at the start, and then hourly."""
    spec = MappingSpec(record_name="record", when=changes.pop("when", None), activities=[activity], timezone=UTC_ZONE)
    options: dict[str, Any] = {
        "plugin": "script",
        "type": SCRIPT,
        "schedule": Schedule(every=timedelta(hours=1), timezone=UTC_ZONE),
        "timezone": UTC_ZONE,
    }
    return SourceConfig(
        name=name, options={"script": script}, mapping=spec, fingerprint=fingerprint, **{**options, **changes}
    )


def config(folder: Path, sandbox: Sandbox, *sources: SourceConfig, **changes: Any) -> Config:
    receiver = ReceiverConfig(
        url=sandbox.url,
        token_url=sandbox.token_url,
        client_id="sandbox",
        client_secret=Secret("sandbox"),
        rate_limit=1000.0,
        concurrency=2,
    )
    options: dict[str, Any] = {"receiver": receiver, "state_dir": folder / "state", "runtime_dir": folder / "state"}
    named = {each.name: each for each in sources}
    return Config(path=folder / "cgsync.yaml", files=(), sources=named, **{**options, **changes})


@asynccontextmanager
async def engine_on(config: Config, clock: Clock | None = None) -> AsyncIterator[Engine]:
    """The engine of that configuration, assembled but not started."""
    clock, log = clock or SystemClock(), Log()
    ledger = Ledger.open(config.state_dir, receiver=config.receiver.identity, clock=clock)
    try:
        host = Host(clock=clock, log=log, redactor=Redactor(), state_dir=config.state_dir)
        made = Engine(config, ledger, host, random=lambda: 0.5, log=log)
        try:
            await made.assemble()
            yield made
        finally:
            await made.stop()
    finally:
        ledger.close(clean=True)


@asynccontextmanager
async def polled(folder: Path, sandbox: Sandbox, *steps: Any, **options: Any) -> AsyncIterator[Engine]:
    """An engine whose source ``desk`` was polled once; nothing runs, and what is due waits in its sender."""
    async with engine_on(config(folder, sandbox, source("desk", Script(*steps), **options))) as engine:
        await engine.sources.drain("desk")
        yield engine


def core_of(engine: Engine, *, running: bool = True) -> Core:
    return Core.of(engine, engine.config.path, running=running)


def with_sources(config: Config, *sources: SourceConfig) -> Config:
    return replace(config, sources={each.name: each for each in sources})


async def undelivered(engine: Engine) -> int:
    return await engine.ledger.read(outbox.pending_count)


async def row_state(engine: Engine, reference: str) -> str | None:
    """The state of an activity that is not delivered; ``None`` when it is, or is not there."""
    rows = await engine.ledger.read(partial(outbox.list_rows, now=Instant.of(engine.host.clock)))
    return next((row.state for row in rows if row.reference == reference), None)
