"""The real ledger with its threads in our hand: one turn of the writer at a time, and a disk that can fail at it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from enum import StrEnum
from pathlib import Path
from queue import Empty
from typing import Any, TypeVar

from sqlalchemy import Connection, event
from sqlalchemy.exc import OperationalError

from cgsync.api import Clock
from cgsync.errors import LedgerError
from cgsync.ledger import Ledger, database
from cgsync.ledger.writer import Job, Writer
from cgsync.state import Lock

T = TypeVar("T")


class Fault(StrEnum):
    """What happens at the next commit."""

    NONE = "none"
    REFUSED = "refused"
    """the database cannot be written: a full or read-only disk"""
    UNKNOWN_KEPT = "unknown, kept"
    """the commit raises, and was kept in truth"""
    UNKNOWN_LOST = "unknown, lost"
    DIES_BEFORE = "dies before"
    """the process is killed before the commit"""
    DIES_AFTER = "dies after"
    """the process is killed after the commit, before anybody heard of it"""


class Disk:
    """What the machine decides about writes, and who is told of them."""

    def __init__(self) -> None:
        self.fault = Fault.NONE
        self.lasting = False
        """whether the fault stays after it struck"""
        self.stalled = False
        self.struck: list[Fault] = []
        self.on_commit: Callable[[], None] = lambda: None
        self.on_death: Callable[[], None] = lambda: None

    def strike(self) -> Fault:
        fault = self.fault
        if fault is not Fault.NONE:
            self.struck.append(fault)
            if not self.lasting:
                self.fault = Fault.NONE
        return fault


class HandWriter(Writer):
    """The writer without its thread: the loop gives it its turns."""

    def __init__(self, writer: Writer, disk: Disk, loop: asyncio.AbstractEventLoop) -> None:
        self._disk = disk
        self._loop = loop
        self._fault = Fault.NONE
        self._turning = False
        self.dead = False
        super().__init__(writer._engine, writer._file)
        self._thread.join()
        event.listen(self._engine, "commit", self._committing)
        self._link = self._engine.connect()

    def _run(self) -> None:
        """The thread ends at once."""

    def _queue(self, job: Job) -> Future[Any]:
        future = super()._queue(job)
        self.wake()
        return future

    def wake(self) -> None:
        """A turn soon: what is submitted until then joins the same commit."""
        if not self._turning and not self._disk.stalled and not self.dead:
            self._turning = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._turning = False
        if self.dead or self._disk.stalled:
            return
        try:
            job = self._jobs.get_nowait()
        except Empty:
            return
        if job is not None and job.apart:
            self._run_apart(self._link, job)
        elif job is not None:
            self._commit_with_faults(job)
        self.wake_for_more()

    def wake_for_more(self) -> None:
        """What may not join the last commit comes first."""
        for job in self._next:
            if job is not None:
                self._jobs.put(job)
        self._next.clear()
        if not self._jobs.empty():
            self.wake()

    def _commit_with_faults(self, job: Any) -> None:
        self._fault = self._disk.strike()
        if self._fault is Fault.DIES_BEFORE:
            self._die()
            return
        link = self._link.connection.driver_connection
        assert isinstance(link, sqlite3.Connection)
        if self._fault is Fault.REFUSED:
            link.execute("PRAGMA query_only = ON")
        self._commit(self._link, job)
        if self._fault is Fault.REFUSED:
            link.execute("PRAGMA query_only = OFF")
        self._disk.on_commit()
        if self._fault is Fault.DIES_AFTER:
            self._die()  # the loop ends with this turn: what was resolved reaches nobody
        self._fault = Fault.NONE

    def _committing(self, conn: Connection) -> None:
        if self._fault in (Fault.UNKNOWN_KEPT, Fault.UNKNOWN_LOST):
            link = conn.connection.driver_connection
            assert isinstance(link, sqlite3.Connection)
            link.execute("COMMIT" if self._fault is Fault.UNKNOWN_KEPT else "ROLLBACK")
            raise OperationalError("COMMIT", (), sqlite3.OperationalError("disk I/O error"))

    def _die(self) -> None:
        self.dead = True
        self._disk.on_death()

    def close(self) -> None:
        """What is queued is written, unless the process is dead."""
        while not self.dead and not self._jobs.empty():
            job = self._jobs.get_nowait()
            if job is not None:
                self._commit(self._link, job)
        super().close()
        self._link.close()
        self._engine.dispose()


def ledger_class(disk: Disk, loop: asyncio.AbstractEventLoop) -> type[Ledger]:
    """The ledger over that disk and that loop."""

    class HandLedger(Ledger):
        writer: HandWriter

        def __init__(self, file: Path, lock: Lock, writer: Writer, clock: Clock, **more: Any) -> None:
            writer.close()
            self.writer = HandWriter(writer, disk, loop)
            super().__init__(file, lock, self.writer, clock, **more)
            self._link = self._reading.connect()

        async def read(self, query: Callable[[Connection], T]) -> T:
            await asyncio.sleep(0)
            if self._closed or self.writer.dead:
                raise LedgerError("the ledger is closed")
            return self._query(query)

        def _query(self, query: Callable[[Connection], T]) -> T:
            with database.translated(self.file), self._link.begin():
                return query(self._link)

        def close(self, *, clean: bool = False) -> None:
            self._link.close()
            super().close(clean=clean)

    return HandLedger
