"""The world of one example: a machine with its disk and clock, the API, two sources, and the process that may die."""

from __future__ import annotations

import random
import shutil
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from cgsync.api import Window
from cgsync.errors import ControlError
from cgsync.ledger import Ledger
from cgsync.operations import forgetting, outbox, sending, sources
from cgsync.operations.core import Core
from cgsync.state import LEDGER
from tests.faults.machine.daemon import receiver
from tests.faults.machine.disk import Disk, Fault
from tests.faults.machine.judge import Judge
from tests.faults.machine.loop import WorldClock, WorldLoop
from tests.faults.machine.orders import Person
from tests.faults.machine.origin import Origin, address
from tests.faults.machine.process import Process
from tests.faults.machine.receiver import BAD, Api, account_of
from tests.faults.machine.rows import Row, reference

T = TypeVar("T")
WAITS = (5.0, 130.0, 310.0, 920.0, *[3_700.0] * 12, *[86_500.0] * 9)
"""Seconds that are given for everything to arrive: past a doubt, a backoff, a pause, a day for what was refused."""
FIRST_WINDOW = datetime(2026, 1, 1, tzinfo=UTC)
MOMENT = 0.05
"""Seconds: whatever needs no waiting is done by then."""


def empty_ledger(folder: Path) -> Path:
    """A state folder to copy from: making one takes longer than a whole example."""
    loop = WorldLoop()
    Ledger.open(folder, receiver=receiver().identity, clock=WorldClock(loop), boot_id="boot 0").close(clean=True)
    loop.close()
    return folder


class World:
    """What the rules of the machine act on. Each verb ends when nothing is left that could run without time."""

    def __init__(self, folder: Path, model: Path, seed: int) -> None:
        shutil.copytree(model, folder)
        self.folder = folder
        self.loop = WorldLoop()
        self.clock = WorldClock(self.loop)
        self.disk = Disk()
        self.origins = [
            Origin(name="desk", revisions=False, settles=True),
            Origin(name="mail", revisions=True, settles=False),
        ]
        self.judge = Judge(folder / LEDGER, self.origins, self.loop.time)
        self.api = Api(self.loop, self.judge)
        self.random = random.Random(seed)
        self.boots = 0
        self.restarts = 0
        self.dying = False
        self.looks = 0
        self.ended_by_stops = 0
        """faults of the disk that struck in processes which were ending anyway"""
        self.late: float | None = None
        """when the API executes what a killed process left behind; ``None``: never"""
        self.exits: list[BaseException] = []
        self.texts: list[str] = []
        """what ended processes have logged"""
        self.process: Process
        self.disk.on_commit = self.judge.observe
        self.disk.on_death = self._die
        self.start()

    # The process.

    def start(self) -> None:
        self.process = Process(
            self.folder,
            loop=self.loop,
            clock=self.clock,
            boot=f"boot {self.boots}",
            disk=self.disk,
            api=self.api,
            origins=self.origins,
            random=self.random.random,
            watcher=self.judge,
            on_failure=self.judge.writes_failed.add,
        )
        self.restarts += 1
        self.process.start()
        self.drive(MOMENT)

    def stop(self) -> None:
        """SIGTERM."""
        struck = len(self.disk.struck)
        self.disk.stalled = False  # for a disk that hangs for ever systemd has its SIGKILL
        self.process.ledger.writer.wake()  # type: ignore[attr-defined]  # it is a HandLedger
        waiting = [put for put in self.judge.open if put.owner is self.process]
        if not self.process.stop():
            if not self.dying:
                self.judge.violated("StopsInTime", f"it still runs, {len(waiting)} requests were in flight")
            self.process.kill()
        self.ended_by_stops += len(self.disk.struck) - struck
        self._ended()

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self._ended()

    def reboot(self, seconds: float) -> None:
        """The machine is off for a while; its boot clock starts over."""
        self.boots += 1
        self.loop.jump(seconds)
        self.clock.reboot()

    def _ended(self) -> None:
        self.judge.observe()
        self.judge.stopped(self.process, self.clock.monotonic())
        self.api.abandon(self.process, self.late)
        self.judge.gone(self.process)
        self.texts.append(self.process.log.text)
        self.disk.stalled = False
        self.dying = False

    def _die(self) -> None:
        self.dying = True
        self.loop.stop()

    # Time.

    def drive(self, seconds: float = MOMENT) -> None:
        """Let so much time pass; a process that ended meanwhile is started again, as systemd does."""
        end = self.loop.now + seconds
        while True:
            self.loop.drive(max(0.0, end - self.loop.now))
            if not self._resurrect():
                return

    def suspend(self, seconds: float) -> None:
        self.loop.jump(seconds)
        self.drive()

    def _resurrect(self) -> bool:
        if self.dying:
            self.kill()
        elif self.process.failure is not None:
            self.exits.append(self.process.failure)
            self.kill()
        else:
            return False
        self.disk.fault, self.disk.lasting = Fault.NONE, False
        self.start()
        return True

    @property
    def at_ease(self) -> bool:
        """Whether a command would be carried out at once."""
        return not self.disk.stalled

    # What an operator, or a source, does.

    def origin(self, name: str) -> Origin:
        return next(origin for origin in self.origins if origin.name == name)

    def poll(self, name: str) -> None:
        self.process.bells[name].set()
        self.drive()

    def read(self, query: Callable[[Connection], T]) -> T:
        return self.process.ledger._query(query)

    def command(self, work: Callable[[Core], Awaitable[object]], done: Callable[[], None] = lambda: None) -> None:
        """Carry a command out; ``done`` is called right after it, unless it failed or the process died over it."""

        async def carry() -> None:
            try:
                await work(process.core)
            except ControlError:
                return
            done()

        process = self.process
        process.command(carry())
        self.drive()

    def ask_again(self, work: Callable[[Core], Awaitable[object]]) -> None:
        """A command that lets something be sent: the time that it had to wait for is forgotten."""
        self.judge.dealings[self.process].asked.clear()
        self.command(work)

    def release(self, *references: str, source: str | None = None) -> None:
        """`cgsync outbox release`."""
        self.ask_again(partial(outbox.release, references=references, source=source))

    def hold(self, reference: str) -> None:
        """`cgsync outbox hold`."""
        self.judge.orders.holding = True
        self.command(partial(outbox.hold, references=[reference]))
        self.judge.orders.holding = False

    def pause(self, name: str) -> None:
        """`cgsync pause` of a source."""
        self.command(partial(sources.pause, names=[name]), partial(self.judge.orders.paused.add, name))

    def go_on(self, name: str) -> None:
        """`cgsync resume` of a source."""
        self.judge.orders.paused.discard(name)
        self.command(partial(sources.resume, names=[name]))

    def pause_sending(self) -> None:
        """`cgsync pause --sending`."""

        def done() -> None:
            self.judge.orders.sending_rests = True

        self.command(sending.pause, done)

    def resume_sending(self) -> None:
        """`cgsync resume --sending`."""
        self.judge.orders.sending_rests = False
        self.judge.operator(self.process)
        self.command(sending.resume)

    def backfill(self, name: str) -> None:
        """`cgsync backfill`, of a window that nobody asked for before."""
        catching_up = self.judge.storing.catching_up
        start = FIRST_WINDOW + timedelta(days=len(catching_up.asked))
        catching_up.asked[start] = frozenset(self.origin(name).table)
        window = Window(start=start, end=start + timedelta(days=1))
        self.command(lambda core: core.engine.sources[name].backfiller.start(window))

    def forget(self, source: str, key: str, *, by_address: bool) -> None:
        """`cgsync forget`."""
        name = address(source, key) if by_address else reference(source, key)
        self.judge.orders.leaving.add((source, key))
        self.command(partial(self._forget, name=name, person=(source, key)))

    async def _forget(self, core: Core, name: str, person: Person) -> None:
        orders, judge = self.judge.orders, self.judge
        try:
            told = await forgetting.forget(core, name)
        except ControlError:
            orders.leaving.discard(person)  # nothing is known of that reference: nothing was done
            raise
        orders.leaving.discard(person)
        orders.forgotten.add(person)
        judge.happened["forgotten"] += 1
        if not told["left"] and (named := orders.traces(self.folder)):
            judge.violated("ForgottenStaysSo", f"{named} can still be read in the files")

    def reload(self, name: str, *, mended: bool | None = None, new_accounts: int | None = None) -> None:
        """`cgsync reload` after an edit of that source; what was tried and failed is tried at once."""
        origin = self.origin(name)
        if mended is not None:
            origin.mended = mended
        if origin.mended:
            self.judge.storing.mend(name)
        origin.new_accounts = new_accounts
        self.resume()

    def resume(self) -> None:
        """`cgsync reload`: a closed gate is tried at once."""
        self.judge.operator(self.process)
        self.command(lambda core: core.engine.reload(self.process.configured()))

    def stall(self, stalled: bool) -> None:
        """Writes hang, or go on."""
        self.disk.stalled = stalled
        self.process.ledger.writer.wake()  # type: ignore[attr-defined]  # it is a HandLedger
        self.drive()

    # The end.

    def converge(self) -> bool:
        """All is well from now on; true when everything got where it should."""
        self.api.heal()
        self.disk.fault, self.disk.lasting = Fault.NONE, False
        self.stall(False)
        self.resume_sending()
        for person in sorted(self.judge.orders.leaving):
            self.forget(*person, by_address=True)
        for origin in self.origins:
            self.go_on(origin.name)
            if self.process.engine.config.sources[origin.name].limits.new_accounts is not None:
                self.reload(origin.name)  # else the guard would rightly hold the last run, and nobody release it
        for origin in self.origins:
            origin.troubles.clear()
            origin.settle_troubles.clear()
            origin.slow = 0.0
            origin.edit("z", "the last")
        self.release()
        for wait in WAITS:
            self._poll_all()
            if self._is_done():
                return True
            self.suspend(wait)
            self.drive(3.0)
        return False

    def _poll_all(self) -> None:
        for bell in self.process.bells.values():
            bell.set()
        self.drive(3.0)

    def _is_done(self) -> bool:
        caught_up = not self.judge.query("SELECT 1 FROM backfill WHERE state = 'running'")
        return (
            caught_up
            and all(self._is_read(origin) for origin in self.origins)
            and all(
                row.state == "delivered" or (row.state == "refused" and (row.due is None or _is_bad(row)))
                for row in self.judge.rows.values()
            )
        )

    def _is_read(self, origin: Origin) -> bool:
        stored = self.judge.storing.stored[origin.name]
        read = bool(stored) and stored[-1] == origin.batches and origin.dry
        return read and (not origin.settles or origin.settled >= set(stored))

    def story(self) -> str:
        """How it stands, for whoever has to find out why."""
        health = {name: source.poller.health for name, source in self.process.engine.sources.items()}
        return f"{list(self.judge.rows.values())}\n{self.process.sender.state()}\n{health}\n{self.exits}"

    def close(self) -> None:
        if self.process.alive:
            self.process.kill()
        self.judge.close()
        self.loop.close()
        shutil.rmtree(self.folder)


def _is_bad(row: Row) -> bool:
    return str(account_of(row.body)).startswith(BAD)
