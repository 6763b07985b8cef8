"""The world of one example: a machine with its disk and clock, the API, two sources, and the process that may die."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from cgsync.ledger import Instant, Ledger, database, key, outbox
from tests.faults.machine.disk import Disk, Fault
from tests.faults.machine.judge import Judge, Row
from tests.faults.machine.loop import WorldClock, WorldLoop
from tests.faults.machine.origin import Origin
from tests.faults.machine.process import RECEIVER, Process
from tests.faults.machine.receiver import BAD, Api, account_of

T = TypeVar("T")
WAITS = (5.0, 130.0, 310.0, 920.0, *[3_700.0] * 12, *[86_500.0] * 9)
"""Seconds that are given for everything to arrive: past a doubt, a backoff, a pause, a day for what was refused."""
MOMENT = 0.05
"""Seconds: whatever needs no waiting is done by then."""


def empty_ledger(folder: Path) -> Path:
    """A state folder to copy from: making one takes longer than a whole example."""
    loop = WorldLoop()
    Ledger.open(folder, receiver=RECEIVER, clock=WorldClock(loop), boot_id="boot 0").close(clean=True)
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
        self.judge = Judge(folder / database.FILE, self.origins, self.loop.time)
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
            on_settle=self.judge.settling,
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

    # What an operator, or a source, does.

    def poll(self, name: str) -> None:
        self.process.taps[name].bell.set()
        self.drive()

    def write(self, work: Callable[[Connection], T]) -> T | None:
        """A command that writes; ``None`` when the process died over it."""
        done: list[T] = []

        async def carry() -> None:
            done.append(await process.ledger.write(work))

        process = self.process
        process.spawn(carry())
        self.drive()
        return done[0] if done else None

    def read(self, query: Callable[[Connection], T]) -> T:
        return self.process.ledger._query(query)

    def ask_again(self, work: Callable[[Connection], T]) -> None:
        """A command that lets something be sent: the time that it had to wait for is forgotten."""
        self.judge.dealings[self.process].asked.clear()
        self.write(work)
        self.process.sender.look()
        self.drive()

    def hold(self, reference: str) -> None:
        """`cgsync outbox hold`."""

        async def carry() -> None:
            await process.ledger.write(partial(outbox.hold, references=[reference]))
            process.sender.withdraw([key(reference)])

        process, self.judge.holding = self.process, True
        process.spawn(carry())
        self.drive()
        self.judge.holding = False

    def halt(self, halted: bool) -> None:
        """`cgsync pause --sending`, and back."""
        self.judge.dealings[self.process].halted = halted
        if halted:
            self.process.sender.halt("operator", "paused", "resume it")
        else:
            self.process.sender.go_on("operator")
        self.drive()

    def resume(self) -> None:
        """`cgsync reload`: a closed gate is tried at once."""
        self.judge.operator(self.process)
        self.process.sender.resume()
        self.drive()

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
        self.halt(False)
        for origin in self.origins:
            origin.troubles.clear()
            origin.settle_troubles.clear()
            origin.edit("z", "the last")
        held = [row.reference for row in self.judge.rows.values() if row.state == "held"]
        self.ask_again(partial(outbox.release, references=held, now=Instant.of(self.clock)))
        for wait in WAITS:
            self._poll_all()
            if self._is_done():
                return True
            self.suspend(wait)
            self.drive(3.0)
        return False

    def _poll_all(self) -> None:
        for tap in self.process.taps.values():
            tap.bell.set()
        self.drive(3.0)

    def _is_done(self) -> bool:
        return all(self._is_read(origin) for origin in self.origins) and all(
            row.state == "delivered" or (row.state == "refused" and (row.due is None or _is_bad(row)))
            for row in self.judge.rows.values()
        )

    def _is_read(self, origin: Origin) -> bool:
        stored = self.judge.stored[origin.name]
        read = bool(stored) and stored[-1] == origin.batches and origin.dry
        return read and (not origin.settles or origin.settled >= set(stored))

    def story(self) -> str:
        """How it stands, for whoever has to find out why."""
        health = {name: poller.health for name, poller in self.process.pollers.items()}
        return f"{list(self.judge.rows.values())}\n{self.process.sender.state()}\n{health}\n{self.exits}"

    def close(self) -> None:
        if self.process.alive:
            self.process.kill()
        self.judge.close()
        self.loop.close()
        shutil.rmtree(self.folder)


def _is_bad(row: Row) -> bool:
    return str(account_of(row.body)).startswith(BAD)
