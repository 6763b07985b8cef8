"""One run of the program: the real engine over the real ledger, on our loop; it can be stopped or killed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

from cgsync.chores import RETRIALS, chores
from cgsync.config import Config
from cgsync.engine import Engine
from cgsync.hosting import Host
from cgsync.operations.core import Core
from cgsync.secrets import Redactor
from cgsync.sender import Sender
from tests.faults.machine.daemon import Line, Log, configuration, receiver
from tests.faults.machine.disk import Disk, ledger_class
from tests.faults.machine.loop import WorldClock, WorldLoop
from tests.faults.machine.origin import Origin, Watcher, tap
from tests.faults.machine.receiver import Api

LONGEST_STOP = 60.0


class Process:
    """A daemon without its shell, and without its housekeeping. ``failure``: what must end it."""

    def __init__(
        self,
        folder: Path,
        *,
        loop: WorldLoop,
        clock: WorldClock,
        boot: str,
        disk: Disk,
        api: Api,
        origins: Sequence[Origin],
        random: Callable[[], float],
        watcher: Watcher,
        on_failure: Callable[[object], object],
    ) -> None:
        self.alive = True
        self.failure: BaseException | None = None
        self.log = Log()
        self._folder = folder
        self._loop = loop
        self._clock = clock
        self._origins = origins
        self._random = random
        self._watcher = watcher
        self._line = Line(api, self, lambda: self.alive, on_failure)
        self.bells = {origin.name: asyncio.Event() for origin in origins}
        identity = receiver().identity
        self.ledger = ledger_class(disk, loop).open(folder, receiver=identity, clock=clock, boot_id=boot)
        self._commands: set[asyncio.Task[None]] = set()
        self._failing: asyncio.Task[None] | None = None
        self.engine: Engine

    @property
    def core(self) -> Core:
        """What commands work with."""
        return Core.of(self.engine, self._folder)

    @property
    def sender(self) -> Sender:
        return self.engine.sender

    def configured(self) -> Config:
        """The configuration as it is now."""
        taps = [tap(each, self.bells[each.name], lambda: self.alive, self._watcher) for each in self._origins]
        return configuration(self._folder, taps)

    def start(self) -> None:
        """Begin to work; what is to run runs with the loop."""
        self._spawn(self._begin())

    async def _begin(self) -> None:
        clock, log = self._clock, self.log
        host = Host(clock=clock, log=log, redactor=Redactor(), state_dir=self._folder)
        self.engine = Engine(self.configured(), self.ledger, host, random=self._random, log=log, opens=self._line.opens)
        self._failing = self._spawn(self.engine.failure())
        await self.engine.assemble()
        self.engine.sending.start()
        self.engine.sources.start()

    def stop(self) -> bool:
        """Stop as the daemon does on SIGTERM; false when something of it still runs; else the ledger closes clean."""
        ended = self._spawn(self._stop())
        for _ in range(int(LONGEST_STOP)):
            self._loop.drive(1.0)
            if ended.done() or self.ledger.writer.dead:  # type: ignore[attr-defined]  # it is a HandLedger
                break
        if not ended.done() or asyncio.all_tasks(self._loop):
            return False
        self.alive = False
        self.ledger.close(clean=self.failure is None)
        return True

    async def _stop(self) -> None:
        await cancelled(*filter(None, [self._failing]))
        await self.engine.stop()
        await cancelled(*self._commands)  # nobody waits for them, and they end with the loop
        self.engine.check()

    def kill(self) -> None:
        """It is gone from one instant to the next: nothing of it has any effect any more."""
        self.alive = False
        self.ledger.writer.dead = True  # type: ignore[attr-defined]  # it is a HandLedger
        for _ in range(5):
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            if not left:
                break
            self._loop.drive(0.0)
        self.ledger.close()

    async def try_rejects_again(self) -> None:
        """The chore that does that each minute."""
        engine = self.engine
        some = chores(
            engine.ledger,
            engine.sources,
            engine.custody,
            engine.watch,
            config=lambda: engine.config,
            clock=self._clock,
            log=self.log,
        )
        await next(chore for chore in some if chore.name == RETRIALS).work()

    def command(self, work: Coroutine[Any, Any, None]) -> None:
        """Somebody asks something of it; a stop does not wait for that."""
        task = self._spawn(work)
        self._commands.add(task)
        task.add_done_callback(self._commands.discard)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._loop.create_task(work)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failure = self.failure or error


async def cancelled(*tasks: asyncio.Task[None]) -> None:
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
