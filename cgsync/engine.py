"""The running parts of a daemon: one sender, one poller a source, and what a reload changes of them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from cgsync.api import Log, Window
from cgsync.config import Config, SourceConfig
from cgsync.contract import Contract
from cgsync.custody import Custody
from cgsync.dispatch import open_sender
from cgsync.errors import ConfigError, ControlError, SourceError
from cgsync.hosting import Host
from cgsync.housekeeping import Chore, Housekeeping
from cgsync.intake import Drained
from cgsync.ledger import SETTLE_TIME, Instant, Ledger, backfills, basis, mappings, outbox, sending, sources
from cgsync.ledger.backfills import Backfill, Progress
from cgsync.ledger.sources import Known
from cgsync.model import Due, Result
from cgsync.retention import Retention
from cgsync.running import BACKFILLER, LONGEST_HALT, Running, running
from cgsync.sender import Sender

OPERATOR = "operator"
"""The cause for which a sender is halted that somebody paused."""
RETRIALS = "retrials"
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a reload did, by source name."""

    started: list[str] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    restarted: list[str] = field(default_factory=list)
    sender: bool = False


class LedgerOutbox:
    """The ledger as the sender sees it; implements :class:`cgsync.sender.Outbox`."""

    def __init__(self, ledger: Ledger, now: Callable[[], Instant], retry_refused: timedelta) -> None:
        self._ledger = ledger
        self._now = now
        self._retry_refused = retry_refused

    async def due(self, limit: int) -> tuple[Sequence[Due], float | None]:
        now = self._now()
        return await self._ledger.read(lambda conn: (outbox.due(conn, now, limit), outbox.next_due(conn, now)))

    async def settle(self, results: Sequence[Result]) -> Sequence[Due]:
        work = partial(
            outbox.settle,
            results=results,
            now=self._now(),
            settle_time=SETTLE_TIME,
            retry_refused=self._retry_refused,
        )
        return await self._ledger.write(work)


class Engine:
    """Starts and stops the parts. Whatever they raise arrives in :meth:`failure`."""

    def __init__(self, config: Config, ledger: Ledger, host: Host, *, random: Callable[[], float], log: Log) -> None:
        self.config = config
        self.ledger = ledger
        self.host = host
        host.budgets.declare(config.budgets)
        self.sources: dict[str, Running] = {}
        self._random = random
        self._log = log
        self._contract = Contract(config.overlay)
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._wire = AsyncExitStack()
        self._sending: asyncio.Task[None] | None = None
        self.custody = Custody(
            ledger, wanted=lambda: self.config.backup, sender=lambda: self.sender, clock=host.clock, log=log
        )
        self._housekeeping: Housekeeping | None = None
        self._tidying: asyncio.Task[None] | None = None
        self._inspecting: asyncio.Task[None] | None = None
        self._polling = False
        self._changing = asyncio.Lock()
        self.sender: Sender

    async def connect(self) -> None:
        """Make the sender; nothing runs yet."""
        await self._make_sender()

    async def assemble(self) -> None:
        """Make the sender and a poller for each source; nothing runs yet."""
        await self.connect()
        known = await self._register(self.config)
        for source in self.config.sources.values():
            self.sources[source.name] = await self._make(source, known[source.name])
        await self._retain()

    def start(self, *, polling: bool) -> None:
        """Let the sender run and, with ``polling``, each poller too."""
        self._polling = polling
        self._send()
        for source in self.sources.values():
            self._launch(source)
        if polling:
            self._housekeeping = Housekeeping(self._chores(), clock=self.host.clock, log=self._log)
            self._tidying = self._watched(self._housekeeping.run(), "housekeeping")
        self._inspecting = self._watched(self.custody.inspect(), "inspection")

    async def failure(self) -> None:
        """Raise what ended a part that must not end; returns never."""
        await asyncio.shield(self._failure)

    def check(self) -> None:
        """Raise what ended a part that must not end, also while it was being stopped."""
        if self._failure.done():
            self._failure.result()

    async def drain(self, name: str) -> Drained:
        """Poll one source until it is dry, for ``run --once``."""
        return await self.sources[name].poller.drain_once()

    async def poll(self, name: str) -> Drained:
        """Have a source polled now; what that took in. Raises what it failed with."""
        source = self.sources[name]
        if source.paused:
            raise ControlError(f"source {name} is paused", hint=f"`cgsync resume {name}` lets it go on")
        if not self._polling:
            return await self.drain(name)
        self._launch(source)  # if it is held, whoever asks wants to see whether it still is
        return await source.poller.poll_now()

    async def pause(self, name: str) -> None:
        """Let a source rest, also after a restart, until :meth:`resume`. Raises when its plugin does not let go."""
        async with self._changing:
            await self.ledger.write(partial(sources.pause, name=name))
            if (source := self.sources.get(name)) is None:
                return
            source.paused = True
            await self._halt(source)
            if source.at_work:
                raise ControlError(f"source {name} does not let go", hint="restart the daemon; it will stay paused")
            source.poller.pause()

    async def resume(self, name: str) -> None:
        """Let a source go on, with a poll at once."""
        async with self._changing:
            await self.ledger.write(partial(sources.pause, name=name, paused=False))
            if (source := self.sources.get(name)) is not None:
                source.paused = False
                self._launch(source)

    async def backfill(self, name: str, window: Window) -> int:
        """Have a span of time of a source read again, in the background; returns the number of the backfill."""
        source = self.sources[name]
        work = partial(backfills.start, source=source.uid, window=window, now=Instant.of(self.host.clock))
        number = await self.ledger.write(work)
        source.backfiller.look()
        return number

    async def stop_backfill(self, backfill: Backfill) -> None:
        """End a backfill where it is; what it stored so far is still sent."""
        async with self._changing:
            source = self.sources.get(backfill.name)
            if source is not None:
                await self._halt(source, BACKFILLER)
            now = Instant.of(self.host.clock)
            await self.ledger.write(partial(backfills.finish, number=backfill.id, state=Progress.STOPPED, now=now))
            if source is not None:
                self._launch(source)

    async def pause_sending(self) -> None:
        """No new PUT, also after a restart, until :meth:`resume_sending`."""
        await self.ledger.write(partial(sending.pause, now=Instant.of(self.host.clock)))
        await self._halt_sending()

    async def resume_sending(self) -> None:
        """Send on; where the gate is closed for another reason, try at once whether that is over."""
        await self.ledger.write(sending.resume)
        self.sender.go_on(OPERATOR)
        self.sender.resume()

    async def _halt_sending(self) -> None:
        if since := await self.ledger.read(sending.paused_since):
            words = f"paused by an operator since {since.astimezone():%Y-%m-%d %H:%M}"
            self.sender.halt(OPERATOR, words, "`cgsync resume --sending` ends that")

    async def stop(self) -> None:
        """No new poll, no new PUT; what is in flight is waited for and stored."""
        beside = [task for task in (self._tidying, self._inspecting) if task is not None]
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await asyncio.gather(*(self._halt(source) for source in self.sources.values()))
        self.sources.clear()
        await self._stop_sender()

    async def reload(self, config: Config) -> Changes:
        """Take another configuration: only what changed is restarted. Raises before anything was touched."""
        async with self._changing:
            return await self._reload(config)

    async def _reload(self, config: Config) -> Changes:
        self._refuse(config)
        contract = Contract(config.overlay)
        known = await self._register(config)
        overlay_changed = config.overlay != self.config.overlay
        changes = self._compare(config, everything=overlay_changed)
        sender_changed = config.receiver != self.config.receiver or config.retry_refused != self.config.retry_refused
        self.config, self._contract = config, contract
        self.host.budgets.declare(config.budgets)
        self.ledger.disk.reserve = config.disk_reserve
        for name in [*changes.stopped, *changes.restarted]:
            await self._halt(self.sources.pop(name))
        if sender_changed:
            await self._stop_sender()
            await self._make_sender()
            self._send()
        self.sender.resume()  # who reloads has mended something, perhaps what a pause was for
        for name in [*changes.restarted, *changes.started]:
            self.sources[name] = await self._make(config.sources[name], known[name])
            self._launch(self.sources[name])
        await self._retain()
        if self._housekeeping is not None:
            self._housekeeping.ask(RETRIALS)
        return Changes(
            started=changes.started, stopped=changes.stopped, restarted=changes.restarted, sender=sender_changed
        )

    async def _retain(self) -> None:
        """Tell the ledger which sources are configured; the others are shown as removed."""
        names = {*self.config.sources, *self.config.broken}
        await self.ledger.write(partial(sources.retain, names=names))

    def _compare(self, config: Config, *, everything: bool) -> Changes:
        old, new = self.sources, config.sources
        return Changes(
            started=[name for name in new if name not in old],
            stopped=[name for name in old if name not in new],
            restarted=[
                name
                for name in new
                if name in old
                and (everything or old[name].troubled or new[name].fingerprint != old[name].config.fingerprint)
            ],
        )

    def _refuse(self, config: Config) -> None:
        if config.state_dir != self.config.state_dir:
            raise ConfigError("state_dir cannot change while the daemon runs", hint="restart it")
        if config.receiver.identity != self.config.receiver.identity:
            raise ConfigError("the receiver cannot change while the daemon runs", hint="restart it")

    async def _register(self, config: Config) -> Mapping[str, Known]:
        """The sources as the ledger knows them; raises, and stores nothing, when one stands for another plugin now."""
        plugins = {each.name: each.plugin for each in config.sources.values()}
        known = await self.ledger.write(partial(sources.register_all, plugins=plugins, now=Instant.of(self.host.clock)))
        return {each.name: each for each in known}

    async def _make(self, source: SourceConfig, known: Known) -> Running:
        made = running(
            source,
            known,
            contract=self._contract,
            ledger=self.ledger,
            host=self.host,
            offer=self._offer,
            random=self._random,
            log=self._log.bind(source=source.name),  # type: ignore[attr-defined]  # structlog's own loggers have it
        )
        mapper, now = made.plan.mapper, Instant.of(self.host.clock)
        work = partial(mappings.keep, version=mapper.version, expressions=mapper.expressions(), now=now)
        await self.ledger.write(work)
        return made

    def _chores(self) -> Sequence[Chore]:
        """What is done beside reading and sending, each in its own interval."""
        clock, log = self.host.clock, self._log
        retention = Retention(self.ledger, terms=lambda: self.config.retention, clock=clock, log=log)
        return [
            Chore(name="disk", every=lambda: SECOND, work=self.custody.look),
            Chore(name="backup", every=lambda: MINUTE, work=self.custody.back_up_when_due),
            Chore(name=RETRIALS, every=lambda: MINUTE, work=self._retry_rejects),
            Chore(name="rejects", every=lambda: MINUTE, work=lambda: retention.trim(self._reject_limits())),
            Chore(name="retention", every=lambda: HOUR, work=retention.sweep),
        ]

    async def _retry_rejects(self) -> None:
        """Also of sources that are polled once a day: what was mended is to be seen soon."""
        for source in [each for each in self.sources.values() if not each.paused]:
            with contextlib.suppress(SourceError):  # a table that cannot be read: the next poll says so
                await source.retrial.run()

    def _reject_limits(self) -> Mapping[str, int]:
        return {each.uid: each.config.limits.rejects for each in self.sources.values()}

    def _offer(self, rows: Sequence[Due]) -> None:
        self.sender.offer(rows)  # looked up at each call: a reload replaces the sender

    def _launch(self, source: Running) -> None:
        if self._polling:
            source.launch(self._watched)

    async def _halt(self, source: Running, *parts: str) -> None:
        if not await source.halt(*parts):
            self._log.error("source does not end", source=source.config.name, after=str(LONGEST_HALT))

    async def _make_sender(self) -> None:
        await self.ledger.write(partial(basis.note_credentials, credentials=self.config.receiver.credentials))
        self.sender = await self._wire.enter_async_context(
            open_sender(
                self.config.receiver,
                LedgerOutbox(self.ledger, partial(Instant.of, self.host.clock), self.config.retry_refused),
                clock=self.host.clock,
                random=self._random,
                log=self._log,
                redactor=self.host.redactor,
            )
        )
        await self._halt_sending()
        await self.custody.look()

    def _send(self) -> None:
        self._sending = self._watched(self.sender.run(), "sender")

    async def _stop_sender(self) -> None:
        if self._sending is not None:
            self.sender.stop()
            await asyncio.gather(self._sending, return_exceptions=True)
        await self._wire.aclose()

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
