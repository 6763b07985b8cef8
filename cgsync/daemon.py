"""The daemon: open the ledger, start the engine, answer commands, tell systemd, and end well."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import os
import random
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from cgsync import config as configuration
from cgsync import control, logs, memory, operations
from cgsync.api import Log
from cgsync.clock import SystemClock
from cgsync.config import Config
from cgsync.engine import Changes, Engine
from cgsync.errors import CgsyncError, LedgerDamaged
from cgsync.hosting import Host
from cgsync.ledger import Ledger
from cgsync.metrics import Metrics
from cgsync.notify import Notifier
from cgsync.secrets import Redactor
from cgsync.web import Server

Task = Callable[[Engine], Coroutine[Any, Any, None]]

PATIENCE = timedelta(minutes=2)
"""For so long a service manager is asked to wait, each time that a long start says what it does."""
SETTINGS = ("web", "log", "backup", "retention", "disk_reserve", "budgets")
"""Sections of the configuration that restart nothing."""
BEAT = 5.0
"""Seconds between two looks at whether all goes on; more often when the watchdog wants it."""


def run(path: Path, config: Config, redactor: Redactor, task: Task | None = None) -> None:
    """Run until a signal comes, or until ``task`` is done with the engine."""
    faulthandler.enable()  # the watchdog's SIGABRT then names the line that hung
    memory.settle()
    notifier = Notifier()
    try:
        with asyncio.Runner(loop_factory=_fast_loop()) as runner:
            runner.run(Daemon(path, config, redactor, notifier).run(task))
    except CgsyncError as error:
        cause = error.__cause__
        notifier.failed(str(error), cause.errno if isinstance(cause, OSError) else None)
        raise


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it is installed (`cgsync[uvloop]`): a fifth faster on plain HTTP, nothing on TLS."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


@contextlib.asynccontextmanager
async def assembled(
    config: Config, redactor: Redactor, tell: Callable[[str], object] = lambda _: None
) -> AsyncIterator[Engine]:
    """An engine over its open ledger; the caller starts it, here it is stopped and the ledger closed.

    ``tell`` hears, again and again, what opening takes so long for.
    """
    clock, log = SystemClock(), structlog.get_logger()
    ledger = Ledger.open(
        config.state_dir, receiver=config.receiver.identity, clock=clock, reserve=config.disk_reserve, tell=tell
    )
    clean = False
    try:
        host = Host(clock=clock, log=log, redactor=redactor, state_dir=config.state_dir)
        engine = Engine(config, ledger, host, random=random.random, log=log)
        try:
            yield engine
        finally:
            await engine.stop()
        engine.check()  # what could not be stored while it stopped is in doubt
        clean = True
    except LedgerDamaged as error:
        ledger.mark_damaged(error.message)
        raise
    finally:
        ledger.close(clean=clean)


class Daemon:
    """One run of the daemon."""

    def __init__(self, path: Path, config: Config, redactor: Redactor, notifier: Notifier) -> None:
        self._path = path
        self._config = config
        self._redactor = redactor
        self._notifier = notifier
        self._log: Log = structlog.get_logger()
        self._stop = asyncio.Event()
        self._reloads = asyncio.Lock()
        self._started = False
        self._web = Server(metrics=self._measured, alive=self._answer, unready=self._unready, log=self._log)
        self.engine: Engine
        self._metrics: Metrics

    async def run(self, task: Task | None) -> None:
        self._catch_signals()
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(self._log.info, "stopped")
            self.engine = await stack.enter_async_context(assembled(self._config, self._redactor, self._tell))
            await self.engine.assemble()
            await stack.enter_async_context(self._listening())
            self._metrics = Metrics(self.engine)
            stack.push_async_callback(self._web.close)
            if task is None:
                await self._web.listen(self._config.web)
            self.engine.start(polling=task is None)
            self._started = True
            self._notifier.ready()
            self._log.info("running", sources=len(self._config.sources), receiver=self._config.receiver.url)
            await self._until_ended([task(self.engine)] if task else [])
            self._notifier.stopping()
            self._notifier.status("stopping: waiting for what is in flight")

    def _tell(self, words: str) -> None:
        """What the start takes so long for: a service manager gives us time as long as it hears that."""
        self._notifier.extend(PATIENCE)
        self._notifier.status(words)
        self._log.info(words)

    def _catch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._terminate)
        loop.add_signal_handler(signal.SIGHUP, self._reload_soon)

    def _terminate(self) -> None:
        if self._stop.is_set():  # the second time means: now
            os._exit(1)
        self._stop.set()

    def _listening(self) -> contextlib.AbstractAsyncContextManager[None]:
        path = control.socket_path(self._config.runtime_dir)
        self.engine.ledger.announce(path, self._path.resolve())
        return control.listening(path, self.carry, self._log)

    async def _until_ended(self, work: list[Coroutine[Any, Any, None]]) -> None:
        """Wait for a signal or for the work; whatever ends a part of the engine ends the daemon with it."""
        watched = [self._stop.wait(), self.engine.failure(), self._beat(), *work]
        parts = [asyncio.ensure_future(part) for part in watched]
        try:
            done, _ = await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
            for part in done:
                part.result()
        finally:
            for part in parts:
                part.cancel()
            await asyncio.gather(*parts, return_exceptions=True)

    async def _beat(self) -> None:
        """Feed the watchdog while there is progress: the loop turns, the ledger's thread answers."""
        watchdog = self._notifier.watchdog
        pace = min(BEAT, watchdog.total_seconds() / 3) if watchdog else BEAT
        while True:
            await self._answer()
            self._notifier.alive()
            self._notifier.status(await operations.summary(self.engine))
            await asyncio.sleep(pace)

    async def _measured(self) -> str:
        return await self._metrics.text()

    async def _answer(self) -> None:
        """Return when the ledger's thread has answered: then everything turns."""
        await self.engine.ledger.write(lambda _: None)

    def _unready(self) -> str:
        """Why nothing would be delivered now, or empty."""
        if not self._started or self._stop.is_set():
            return "stopping" if self._started else "starting"
        state = self.engine.sender.state()
        return f"sending is {state.gate}: {state.words}" if state.paused else self.engine.ledger.disk.look().words

    async def carry(self, verb: str, args: Mapping[str, Any]) -> Any:
        """Carry out a command that came over the control socket."""
        if verb in ("reload", "apply"):
            changes = await self.reload()
            if verb == "reload":
                return changes
        return await operations.carry(verb, args, operations.Core.of(self.engine, self._path))

    async def reload(self) -> Changes:
        """Take the configuration as it is on disk now; on an error the old one stays and the error is raised."""
        async with self._reloads:
            self._notifier.reloading()
            try:
                fresh = await asyncio.to_thread(configuration.load, self._path, redactor=self._redactor)
                async with self._web.moving(fresh.web):
                    changes = await self.engine.reload(fresh)
                changes = replace(changes, settings=_differing(self._config, fresh))
                self._config = fresh
                logs.configure(fresh.log.level, fresh.log.format, self._redactor)
            finally:
                self._notifier.ready()
        self._log.info("reloaded", started=changes.started, stopped=changes.stopped, restarted=changes.restarted)
        return changes

    def _reload_soon(self) -> None:
        if not self._started:  # the configuration was read a moment ago
            return
        self._reloading = asyncio.ensure_future(self.reload())  # kept, since the loop itself forgets tasks
        self._reloading.add_done_callback(partial(_report, self._log))


def _differing(old: Config, new: Config) -> list[str]:
    """The sections that differ and are no source's and not the sender's."""
    return [name for name in SETTINGS if getattr(old, name) != getattr(new, name)]


def _report(log: Log, task: asyncio.Task[Changes]) -> None:
    """A reload by signal has nobody to answer to but the log."""
    if not task.cancelled() and (error := task.exception()):
        log.error("reload refused, the old configuration stays", error=str(error))
