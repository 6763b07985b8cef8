"""One run of the program: the real ledger, sender, intake and pollers, on our loop; it can be stopped or killed."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cgsync.config import Schedule
from cgsync.contract import Contract
from cgsync.errors import LedgerError
from cgsync.http import Pace
from cgsync.intake import SourceIntake
from cgsync.ledger import Instant, sources
from cgsync.mapping import Mapper, MappingSpec, compile_mapping
from cgsync.model import Due, Result
from cgsync.poller import Poller
from cgsync.preparation import Plan
from cgsync.schedule import Bell
from cgsync.secrets import Redactor, Secret
from cgsync.sender import Sender
from cgsync.sending import LedgerOutbox
from cgsync.testing import MemoryLog
from tests.faults.machine.disk import Compiled, Disk, ledger_class
from tests.faults.machine.loop import WorldClock, WorldLoop
from tests.faults.machine.origin import Origin, Tap, tap
from tests.faults.machine.receiver import Api, HandCredentials, HandWire

RECEIVER = "https://receiver.example/activities as someone"
SECRET = "canary-secret"
UTC_ZONE = ZoneInfo("UTC")
CONCURRENCY = 3
EVERY = timedelta(minutes=5)
RETRY_REFUSED = timedelta(days=7)
LONGEST_STOP = 60.0


@functools.cache
def mapper(name: str) -> Mapper:
    """Records become activities that differ in their account."""
    activity = {
        "reference": f"{name}-{{{{ record.id }}}}",
        "account": "{{ record.account }}",
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
        on_settle: Callable[[Origin, Sequence[int]], None],
        on_failure: Callable[[object], None],
    ) -> None:
        self.alive = True
        self.failure: BaseException | None = None
        self.log = MemoryLog()
        self._loop = loop
        self._clock = clock
        self._tasks: list[asyncio.Task[None]] = []
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
        self.taps: dict[str, Tap] = {}
        self.intakes: dict[str, SourceIntake] = {}
        self.pollers: dict[str, Poller] = {}
        for origin in origins:
            self._equip(origin, random, on_settle)

    def _equip(
        self, origin: Origin, random: Callable[[], float], on_settle: Callable[[Origin, Sequence[int]], None]
    ) -> None:
        plan = Plan(uid=origin.name, mapper=mapper(origin.name), contract=contract())
        self.taps[origin.name] = opened = tap(origin, lambda: self.alive, on_settle)
        self.intakes[origin.name] = intake = SourceIntake(
            plan, self.ledger, offer=self.sender.offer, clock=self._clock, time_limit=timedelta(minutes=5)
        )
        self.pollers[origin.name] = Poller(
            opened.open,
            intake,
            self.ledger,
            uid=origin.name,
            bell=Bell(Schedule(every=EVERY, timezone=UTC_ZONE), clock=self._clock, random=random),
            clock=self._clock,
            random=random,
            log=self.log,
        )

    def start(self) -> None:
        """Begin to work; what is to run runs with the loop."""
        self.spawn(self._begin())

    async def _begin(self) -> None:
        now = Instant.of(self._clock)
        for name in self.pollers:
            # its uid is its name here: the judge reads the file by it
            await self.ledger.write(partial(sources.register, name=name, plugin="script", now=now))
        self._sending = self.spawn(self.sender.run())
        self._polling = [self.spawn(poller.run()) for poller in self.pollers.values()]

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
        for task in self._polling:
            task.cancel()
        await asyncio.wait(self._polling)
        self.sender.stop()
        await asyncio.gather(self._sending, return_exceptions=True)
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

    def spawn(self, work: object) -> asyncio.Task[None]:
        task: asyncio.Task[None] = self._loop.create_task(work)
        task.add_done_callback(self._ended)
        self._tasks.append(task)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None and self.failure is None:
            self.failure = error
