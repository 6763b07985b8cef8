"""The running parts of a daemon, one sender and one poller a source: how they start, stop, and follow a reload."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from cgsync.api import Log
from cgsync.chores import REJECTS, RETENTION, RETRIALS, chores
from cgsync.config import Config
from cgsync.contract import Contract
from cgsync.custody import Custody
from cgsync.dispatch import open_sender
from cgsync.errors import ConfigError
from cgsync.hosting import Host
from cgsync.housekeeping import Housekeeping
from cgsync.ledger import Instant, Ledger, sources
from cgsync.ledger.sources import Known
from cgsync.sender import Sender
from cgsync.sending import Sending
from cgsync.sources import Sources
from cgsync.watch import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a reload did, by source name."""

    started: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    restarted: list[str] = field(default_factory=list)
    sender: bool = False
    settings: list[str] = field(default_factory=list)
    """other sections whose new values are in force"""


class Engine:
    """Starts and stops the parts. Whatever they raise arrives in :meth:`failure`. ``opens`` makes the sender."""

    def __init__(
        self,
        config: Config,
        ledger: Ledger,
        host: Host,
        *,
        random: Callable[[], float],
        log: Log,
        opens: Callable[..., AbstractAsyncContextManager[Sender]] = open_sender,
    ) -> None:
        self.config = config
        self.ledger = ledger
        self.host = host
        host.budgets.declare(config.budgets)
        self._log = log
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        opened = partial(opens, clock=host.clock, random=random, log=log, redactor=host.redactor)
        self.sending = Sending(ledger, partial(Instant.of, host.clock), opens=opened, watched=self._watched)
        self.sources = Sources(ledger, host, offer=self.sending.offer, watched=self._watched, random=random, log=log)
        self.custody = Custody(
            ledger, wanted=lambda: self.config.backup, sender=lambda: self.sender, clock=host.clock, log=log
        )
        self.watch = Watch(ledger, self.sources, clock=host.clock, log=log)
        self._housekeeping: Housekeeping | None = None
        self._stopping = False
        self._beside: list[asyncio.Task[None]] = []

    @property
    def sender(self) -> Sender:
        """The one that sends now; a reload may replace it."""
        return self.sending.sender

    async def connect(self) -> None:
        """Make the sender; nothing runs yet."""
        await self.sending.connect(self.config.receiver, self.config.retry_refused)
        await self.custody.look()

    async def assemble(self) -> None:
        """Make the sender and a poller for each source; nothing runs yet."""
        await self.connect()
        known, contract = await self._register(self.config), Contract(self.config.overlay)
        for source in self.config.sources.values():
            await self.sources.add(source, known[source.name], contract)
        await self._retain()

    def start(self, *, polling: bool) -> None:
        """Let the sender run and, with ``polling``, each poller too."""
        self.sending.start()
        if polling:
            self.sources.start()
            self._keep_house()
        self._beside.append(self._watched(self.custody.inspect(), "inspection"))

    def _keep_house(self) -> None:
        clock, log = self.host.clock, self._log
        some = chores(
            self.ledger, self.sources, self.custody, self.watch, config=lambda: self.config, clock=clock, log=log
        )
        self._housekeeping = Housekeeping(some, clock=clock, log=log)
        self._beside.append(self._watched(self._housekeeping.run(), "housekeeping"))

    async def stop(self) -> None:
        """No new poll, no new PUT; what is in flight is waited for and stored."""
        for task in self._beside:
            task.cancel()
        await asyncio.gather(*self._beside, return_exceptions=True)
        if not self._stopping:
            self._stopping = True
            await self.sources.changing.acquire()  # for good: a reload that comes later would start them again
        await self.sources.stop()
        await self.sending.stop()

    async def reload(self, config: Config) -> Changes:
        """Take another configuration: only what changed is restarted. Raises before anything was touched."""
        async with self.sources.changing:
            return await self._reload(config)

    async def _reload(self, config: Config) -> Changes:
        self._refuse(config)
        contract = Contract(config.overlay)
        known = await self._register(config)
        changes = self._compare(config)
        stale = [RETRIALS, REJECTS, *([RETENTION] if config.retention != self.config.retention else [])]
        self.config = config
        self.host.budgets.declare(config.budgets)
        self.ledger.disk.reserve = config.disk_reserve
        for name in [*changes.stopped, *changes.restarted]:
            await self.sources.remove(name)
        if changes.sender:
            await self.sending.stop()
            await self.connect()
            self.sending.start()
        self.sender.resume()  # who reloads has mended something, perhaps what a pause was for
        for name in [*changes.restarted, *changes.started]:
            await self.sources.add(config.sources[name], known[name], contract)
            self.sources.launch(name)
        await self._retain()
        if self._housekeeping is not None:
            for chore in stale:
                self._housekeeping.ask(chore)
        return changes

    def _refuse(self, config: Config) -> None:
        if config.state_dir != self.config.state_dir:
            raise ConfigError("state_dir cannot change while the daemon runs", hint="restart it")
        if config.receiver.identity != self.config.receiver.identity:
            raise ConfigError("the receiver cannot change while the daemon runs", hint="restart it")

    def _compare(self, config: Config) -> Changes:
        """What has to be done for it."""
        now, old, new = self.config, self.sources, config.sources
        return Changes(
            started=[name for name in new if name not in old],
            stopped=[name for name in old if name not in new],
            restarted=[
                name
                for name in new
                if name in old
                and (
                    config.overlay != now.overlay
                    or old[name].troubled
                    or new[name].fingerprint != old[name].config.fingerprint
                )
            ],
            sender=(config.receiver, config.retry_refused) != (now.receiver, now.retry_refused),
        )

    async def _register(self, config: Config) -> Mapping[str, Known]:
        """The sources as the ledger knows them; raises, and stores nothing, when one stands for another plugin now."""
        plugins = {each.name: each.plugin for each in config.sources.values()}
        known = await self.ledger.write(partial(sources.register_all, plugins=plugins, now=Instant.of(self.host.clock)))
        return {each.name: each for each in known}

    async def _retain(self) -> None:
        """Tell the ledger which sources are configured; the others are shown as removed."""
        names = {*self.config.sources, *self.config.broken}
        await self.ledger.write(partial(sources.retain, names=names))

    # What must not end.

    def _watched(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()):
            self.give_up(error)

    def give_up(self, error: BaseException) -> None:
        """This must not go on: :meth:`failure` raises it."""
        if not self._failure.done():
            self._failure.set_exception(error)

    async def failure(self) -> None:
        """Raise what ended a part that must not end; returns never."""
        await asyncio.shield(self._failure)

    def check(self) -> None:
        """Raise what ended a part that must not end, also while it was being stopped."""
        if self._failure.done():
            self._failure.result()
