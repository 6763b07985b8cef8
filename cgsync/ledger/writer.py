"""The one thread that writes: it commits together whatever gathered while the last commit ran."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from itertools import chain
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from cgsync.errors import LedgerError, UnknownCommit
from cgsync.ledger import database, trouble

T = TypeVar("T")

LARGEST_GROUP = 256
"""Functions in one commit."""
LONGEST_GROUP = 0.1
"""Seconds after which no further function joins a commit."""


class Job:
    """A function that waits for its transaction, and the future that waits for its commit.

    One that is ``apart`` runs in none: it gets the bare connection, between two commits.
    """

    __slots__ = ("apart", "error", "future", "value", "work")

    def __init__(self, work: Callable[[Any], Any], *, apart: bool = False) -> None:
        self.work = work
        self.apart = apart
        self.future: Future[Any] = Future()
        self.value: Any = None
        self.error: BaseException | None = None

    def resolve(self, error: BaseException | None = None) -> None:
        """Tell the waiter: ``error`` (of the commit) before the function's own."""
        if not self.future.set_running_or_notify_cancel():
            return
        if error is not None or self.error is not None:
            self.future.set_exception(error or self.error)
        else:
            self.future.set_result(self.value)


class Writer:
    """Runs functions in SAVEPOINTs of one ``BEGIN IMMEDIATE ... COMMIT``, on a thread of its own.

    Who waits is told in the order in which the functions ran: the sender relies on hearing of a newer version before
    it hears of the outcome that was settled after it.
    """

    def __init__(self, engine: Engine, file: Path) -> None:
        self._engine = engine
        self._file = file
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._next: list[Job | None] = []  # what came after a group and may not join it
        self._failure: LedgerError | None = None
        self._closing = False
        self._gate = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="cgsync-ledger-writer", daemon=True)
        self._thread.start()

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction; return what it returned once that is committed.

        What it raises rolls back its own changes alone. A caller that is cancelled does not stop the work.
        """
        result: T = await asyncio.wrap_future(self.submit(work))
        return result

    async def write_apart(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run ``work`` between two transactions, for what cannot be done in one. Nothing is written meanwhile."""
        result: T = await asyncio.wrap_future(self._queue(Job(work, apart=True)))
        return result

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        """Queue ``work``; the future is resolved after the commit."""
        return self._queue(Job(work))

    def _queue(self, job: Job) -> Future[Any]:
        with self._gate:
            if not self._closing:
                self._jobs.put(job)
                return job.future
        job.resolve(LedgerError(f"{self._file}: the ledger is closed"))
        return job.future

    def close(self) -> None:
        """Run what is queued, then end the thread and the connection."""
        with self._gate:
            if not self._closing:
                self._closing = True
                self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        conn = self._engine.connect()
        while (job := self._next.pop() if self._next else self._jobs.get()) is not None:
            if job.apart:
                self._run_apart(conn, job)
            else:
                self._commit(conn, job)
        with contextlib.suppress(SQLAlchemyError, sqlite3.Error):  # after a failed commit there is nothing to save
            conn.close()
            self._engine.dispose()

    def _run_apart(self, conn: Connection, job: Job) -> None:
        if self._failure is None:
            try:
                job.value = job.work(database.link(conn))
            except sqlite3.Error as error:
                job.error = _because(error, trouble.translate(error, self._file))
            except BaseException as error:  # noqa: BLE001 - as in a transaction: whoever waits gets what it raised
                job.error = error
        job.resolve(self._failure)

    def _commit(self, conn: Connection, first: Job) -> None:
        """Commit a group of jobs that begins with ``first``, and tell those who wait."""
        group = [first]
        error = self._failure
        if error is None:
            try:
                error = self._transact(conn, group)
            except Exception as bug:  # noqa: BLE001 - the root of the thread: whoever waits would wait for ever
                error = self._failure = _because(bug, LedgerError(f"{self._file}: the writer broke: {bug}"))
        if isinstance(error, UnknownCommit):
            self._failure = error
        for job in group:
            job.resolve(error)

    def _transact(self, conn: Connection, group: list[Job]) -> LedgerError | None:
        """Run and commit the first job of ``group`` and what else is waiting, which joins it; return what fails all."""
        try:
            transaction = conn.begin()
        except DBAPIError as error:
            conn.rollback()
            return _because(error, trouble.translate(error, self._file))
        for job in chain([group[0]], self._joining(group)):
            _attempt(conn, job, self._file)
            if not database.in_transaction(conn):
                transaction.close()
                return job.error if isinstance(job.error, LedgerError) else _ended(self._file)
        try:
            transaction.commit()
        except DBAPIError as error:
            return _because(error, _unknown(error, self._file))
        return None

    def _joining(self, group: list[Job]) -> Iterator[Job]:
        """What waits already, as long as the first of the group does not wait too long for the last."""
        end = time.monotonic() + LONGEST_GROUP
        while len(group) < LARGEST_GROUP and time.monotonic() < end:
            try:
                job = self._jobs.get_nowait()
            except Empty:
                return
            if job is None or job.apart:
                self._next.append(job)
                return
            group.append(job)
            yield job


def _attempt(conn: Connection, job: Job, file: Path) -> None:
    """Run one function in a savepoint of its own."""
    conn.exec_driver_sql("SAVEPOINT job")  # SQLAlchemy's own bookkeeping for it costs more than a small job
    try:
        job.value = job.work(conn)
        conn.exec_driver_sql("RELEASE job")
    except DBAPIError as error:
        job.error = _because(error, trouble.translate(error, file))
    except BaseException as error:  # noqa: BLE001 - the root of a job: whoever waits for it gets what it raised
        job.error = error
    if job.error is not None and database.in_transaction(conn):
        conn.exec_driver_sql("ROLLBACK TO job")
        conn.exec_driver_sql("RELEASE job")


def _unknown(error: DBAPIError, file: Path) -> UnknownCommit:
    known = trouble.translate(error, file)
    return UnknownCommit(f"{known.message}, at the commit: nobody knows whether it was kept", hint=known.hint)


def _ended(file: Path) -> LedgerError:
    return LedgerError(f"{file}: the transaction was ended from inside, so nothing of its group was kept")


def _because(cause: BaseException, error: LedgerError) -> LedgerError:
    error.__cause__ = cause
    return error
