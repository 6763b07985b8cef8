"""The sources of a daemon: made, launched and halted; polled, and let rest, at an operator's word."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import partial

from cgsync.api import Log
from cgsync.config import SourceConfig
from cgsync.contract import Contract
from cgsync.drained import Drained
from cgsync.errors import ControlError
from cgsync.hosting import Host
from cgsync.intake import Offer
from cgsync.ledger import Instant, Ledger, freshness, mappings, sources
from cgsync.ledger.sources import Known
from cgsync.running import LONGEST_HALT, Running, running


class Sources(Mapping[str, Running]):
    """Those that are configured, by name. ``watched`` starts a task; ``offer`` takes rows that were just committed.

    ``changing`` is held by whoever starts or ends some of them.
    """

    def __init__(
        self,
        ledger: Ledger,
        host: Host,
        *,
        offer: Offer,
        watched: Callable[..., asyncio.Task[None]],
        random: Callable[[], float],
        log: Log,
    ) -> None:
        self._ledger = ledger
        self._host = host
        self._offer = offer
        self._watched = watched
        self._random = random
        self._log = log
        self._made: dict[str, Running] = {}
        self._polling = False
        self.changing = asyncio.Lock()

    def __getitem__(self, name: str) -> Running:
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)

    async def add(self, source: SourceConfig, known: Known, contract: Contract) -> None:
        """Make its parts, or make them anew; they run from :meth:`launch` on."""
        made = running(
            source,
            known,
            await self._ledger.read(partial(freshness.load, uid=known.uid)),
            contract=contract,
            ledger=self._ledger,
            host=self._host,
            offer=self._offer,
            random=self._random,
            log=self._log.bind(source=source.name),  # type: ignore[attr-defined]  # structlog's own loggers have it
        )
        mapper, now = made.plan.mapper, Instant.of(self._host.clock)
        work = partial(mappings.keep, version=mapper.version, expressions=mapper.expressions(), now=now)
        await self._ledger.write(work)
        self._made[source.name] = made

    def start(self) -> None:
        """Let each poll, from now on."""
        self._polling = True
        for name in self:
            self.launch(name)

    def launch(self, name: str) -> None:
        """Let it poll, if others do and nobody wants it to rest."""
        if self._polling:
            self[name].launch(self._watched)

    async def remove(self, name: str) -> None:
        """End it. What does not end is left behind."""
        await self._halt(self._made.pop(name))

    async def stop(self) -> None:
        """End them all."""
        await asyncio.gather(*(self._halt(source) for source in self.values()))
        self._made.clear()

    async def drain(self, name: str) -> Drained:
        """Poll it until it is dry, for ``run --once``."""
        return await self[name].poller.drain_once()

    async def poll(self, name: str) -> Drained:
        """Have it polled now; what that took in. Raises what it failed with."""
        source = self[name]
        if source.paused:
            raise ControlError(f"source {name} is paused", hint=f"`cgsync resume {name}` lets it go on")
        if not self._polling:
            return await self.drain(name)
        self.launch(name)  # if it is held, whoever asks wants to see whether it still is
        return await source.poller.poll_now()

    async def pause(self, name: str) -> None:
        """Let it rest, also after a restart, until :meth:`resume`. Raises when its plugin does not let go."""
        async with self.changing:
            await self._ledger.write(partial(sources.pause, name=name))
            if (source := self.get(name)) is None:
                return
            source.paused = True
            await self._halt(source)
            if source.at_work:
                raise ControlError(f"source {name} does not let go", hint="restart the daemon; it will stay paused")
            source.poller.pause()

    async def resume(self, name: str) -> None:
        """Let it go on, with a poll at once."""
        async with self.changing:
            await self._ledger.write(partial(sources.pause, name=name, paused=False))
            if (source := self.get(name)) is not None:
                source.paused = False
                self.launch(name)

    @contextlib.asynccontextmanager
    async def halted(self, name: str, part: str) -> AsyncIterator[None]:
        """That part of it does not run while the block does."""
        async with self.changing:
            if name in self:
                await self._halt(self[name], part)
            yield
            if name in self:
                self.launch(name)

    async def _halt(self, source: Running, *parts: str) -> None:
        if not await source.halt(*parts):
            self._log.error("source does not end", source=source.config.name, after=str(LONGEST_HALT))
