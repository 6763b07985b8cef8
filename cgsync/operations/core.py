"""What every command works with."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cgsync import config as configuration
from cgsync.config import Config, SourceConfig
from cgsync.engine import Engine
from cgsync.errors import ControlError
from cgsync.ledger import Instant, Ledger, sources


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The engine of the daemon, or one that was made for this command alone (``running`` is false)."""

    engine: Engine
    path: Path
    running: bool

    @classmethod
    def of(cls, engine: Engine, path: Path, *, running: bool = True) -> Core:
        return cls(engine=engine, path=path, running=running)

    @property
    def config(self) -> Config:
        return self.engine.config

    @property
    def ledger(self) -> Ledger:
        return self.engine.ledger

    async def on_disk(self) -> Config:
        """The configuration as a reload would take it now."""
        if not self.running:
            return self.config
        return await asyncio.to_thread(configuration.load, self.path, redactor=self.engine.host.redactor)

    async def connect(self) -> None:
        """Have a sender: without a daemon it is made for this command."""
        if not self.running:
            await self.engine.connect()

    async def assemble(self) -> None:
        """Have a sender and all sources: without a daemon they are made for this command."""
        if not self.running:
            await self.engine.assemble()

    async def uid(self, name: str) -> str:
        """The uid of the source of that name in the ledger."""
        uid = await self.ledger.read(partial(sources.uid_of, name=name))
        if uid is None:
            if self.standing_for(name) != [name]:
                self.source(name)  # says so
            hint = "`cgsync status` lists those that are known"
            raise ControlError(f"nothing is stored of a source {name!r}", hint=hint)
        return uid

    def now(self) -> Instant:
        return Instant.of(self.engine.host.clock)

    def standing_for(self, name: str) -> Sequence[str]:
        """Names of sources: of all that the entry ``name`` stands for, else that one alone, known or not."""
        found = [each.name for each in self.config.sources.values() if each.expanded_from == name]
        return found or [name]

    def source(self, name: str) -> SourceConfig:
        """The source of that name in the configuration."""
        return source_of(self.config, name)


def source_of(config: Config, name: str) -> SourceConfig:
    """The source of that name in that configuration."""
    if name in config.sources:
        return config.sources[name]
    if name in config.broken:
        raise ControlError(f"source {name}: {config.broken[name].reason}")
    if several := [each.name for each in config.sources.values() if each.expanded_from == name]:
        raise ControlError(f"{name} stands for several sources", hint=f"name one: {', '.join(several)}")
    known = ", ".join(sorted(config.sources)) or "none"
    raise ControlError(f"there is no source {name!r}", hint=f"the configuration has: {known}")
