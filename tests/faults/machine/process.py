"""One run of the program: the real ledger, sender, intake and pollers, on our loop; it can be stopped or killed."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from cgsync.backfill import Backfiller
from cgsync.config import Schedule, SourceConfig
from cgsync.contract import Contract
from cgsync.errors import LedgerError
from cgsync.http import Pace
from cgsync.intake import SourceIntake
from cgsync.ledger import Instant
from cgsync.ledger.sources import Known
from cgsync.mapping import Mapper, MappingSpec, compile_mapping
from cgsync.model import Due, Result
from cgsync.operations.core import Core
from cgsync.poller import Poller
from cgsync.preparation import Plan
from cgsync.retrial import Retrial
from cgsync.running import Running
from cgsync.schedule import Bell
from cgsync.secrets import Redactor, Secret
from cgsync.sender import Sender
from cgsync.sending import LedgerOutbox
from cgsync.testing import MemoryLog
from tests.faults.machine.daemon import HandEngine, configuration
from tests.faults.machine.disk import Compiled, Disk, ledger_class
from tests.faults.machine.loop import WorldClock, WorldLoop
from tests.faults.machine.origin import Origin, Watcher, tap
from tests.faults.machine.receiver import Api, HandCredentials, HandWire

RECEIVER = "https://receiver.example/activities as someone"
SECRET = "canary-secret"
UTC_ZONE = ZoneInfo("UTC")
CONCURRENCY = 3
EVERY = timedelta(minutes=5)
RETRY_REFUSED = timedelta(days=7)
LONGEST_STOP = 60.0


@functools.cache
def mapper(name: str, *, mended: bool) -> Mapper:
    """Records become activities that differ in their account; a ``mended`` one knows what to do without one."""
    activity = {
        "reference": f"{name}-{{{{ record.id }}}}",
        "account": "{{ record.account or 'Mended ' ~ record.name }}" if mended else "{{ record.account }}",
        "contact": "{{ record.from }}",
        "type": "Ticket",
        "source": "Desk",
        "happened_at": "2026-03-04 10:00:00",
    }
    spec = MappingSpec(
        record_name="record", when="{{ not record.skip }}", activities=[activity], timezone=UTC_ZONE, listed=False
    )
    return compile_mapping(spec)


@functools.cache
def contract() -> Contract:
    return Contract()


@functools.cache
def compiled() -> Compiled:
    return Compiled()


class Watched(LedgerOutbox):
    """The real outbox; somebody hears of an outcome that could not be stored."""

    def __init__(self, *args: Any, on_failure: Callable[[], None]) -> None:
        super().__init__(*args)
        self._on_failure = on_failure

    async def settle(self, results: Sequence[Result]) -> Sequence[Due]:
        try:
            return await super().settle(results)
        except LedgerError:
            self._on_failure()
            raise


class Process:
    """A daemon without its shell. ``failure``: what ended a part of it that must not end."""

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
        on_failure: Callable[[object], None],
    ) -> None:
        self.alive = True
        self.failure: BaseException | None = None
        self.log = MemoryLog()
        self._folder = folder
        self._loop = loop
        self._clock = clock
        self._origins = origins
        self._random = random
        self._watcher = watcher
        self.bells = {origin.name: asyncio.Event() for origin in origins}
        self.ledger = ledger_class(disk, loop, compiled()).open(folder, receiver=RECEIVER, clock=clock, boot_id=boot)
        self._tokens = HandCredentials(
            "https://receiver.example/token", "id", Secret(SECRET), clock=clock, redactor=Redactor()
        )
        self._tokens.api, self._tokens.owner = api, self
        self.sender = Sender(
            Watched(self.ledger, partial(Instant.of, clock), RETRY_REFUSED, on_failure=lambda: on_failure(self)),
            HandWire(api, self._tokens, self, lambda: self.alive),
            concurrency=CONCURRENCY,
            pace=Pace(1e6, clock),
            clock=clock,
            random=random,
            log=self.log,
        )
        self._commands: set[asyncio.Task[None]] = set()
        self.engine: HandEngine

    @property
    def core(self) -> Core:
        """What commands work with."""
        return Core.of(self.engine, self._folder)

    def configured(self) -> Any:
        """The configuration as it is now."""
        return configuration(self._folder, self._origins)

    def _equip(self, source: SourceConfig, known: Known) -> Running:
        origin = next(origin for origin in self._origins if origin.name == known.uid)
        chosen = mapper(origin.name, mended=origin.mended)
        plan = Plan(uid=origin.name, mapper=chosen, contract=contract(), new_accounts=origin.new_accounts)
        opened = tap(origin, self.bells[origin.name], lambda: self.alive, self._watcher)
        common: dict[str, Any] = {"clock": self._clock, "log": self.log}
        intake = SourceIntake(
            plan, self.ledger, offer=self.sender.offer, clock=self._clock, time_limit=timedelta(minutes=5)
        )
        retrial = Retrial(plan, intake, self.ledger, offer=self.sender.offer, **common)
        common |= {"uid": origin.name, "random": self._random}
        bell = Bell(Schedule(every=EVERY, timezone=UTC_ZONE), clock=self._clock, random=self._random)
        return Running(
            config=source,
            uid=known.uid,
            plan=plan,
            intake=intake,
            retrial=retrial,
            poller=Poller(opened.open, intake, self.ledger, bell=bell, before=retrial.run, **common),
            backfiller=Backfiller(opened.open, intake, self.ledger, **common),
            paused=known.paused,
        )

    def start(self) -> None:
        """Begin to work; what is to run runs with the loop."""
        self.spawn(self._begin())

    async def _begin(self) -> None:
        self.engine = HandEngine(
            self.configured(),
            self.ledger,
            SimpleNamespace(clock=self._clock, log=self.log),
            random=self._random,
            log=self.log,
            sender=self.sender,
            equip=self._equip,
            on_failure=self._fail,
        )
        await self.engine.assemble()
        self.engine.start()

    def stop(self) -> bool:
        """Stop as the daemon does on SIGTERM; false when it took too long. The ledger is closed as clean after it."""
        ended = self._loop.create_task(self._stop())
        for _ in range(int(LONGEST_STOP)):
            self._loop.drive(1.0)
            if ended.done():
                break
        if not ended.done():
            return False
        self.alive = False
        self.ledger.close(clean=self.failure is None)
        return True

    async def _stop(self) -> None:
        for command in self._commands:
            command.cancel()
        await asyncio.gather(*self._commands, return_exceptions=True)
        await self.engine.stop()
        await self._tokens.aclose()

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

    def command(self, work: Coroutine[Any, Any, None]) -> None:
        """Somebody asks something of it; a stop does not wait for that."""
        task = self.spawn(work)
        self._commands.add(task)
        task.add_done_callback(self._commands.discard)

    def spawn(self, work: object) -> asyncio.Task[None]:
        task: asyncio.Task[None] = self._loop.create_task(work)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        self.failure = self.failure or error
