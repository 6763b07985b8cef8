"""The one thread that writes: it commits together whatever gathered while the last commit ran."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from cgsync.errors import LedgerError, UnknownCommit
from cgsync.ledger import database, trouble

T = TypeVar("T")

LARGEST_GROUP = 64
"""Functions in one commit: a batch of 500 records is one of them, and the first waits for the last."""


class Job:
    """A function that waits for its transaction, and the future that waits for its commit."""

    __slots__ = ("error", "future", "value", "work")

    def __init__(self, work: Callable[[Connection], Any]) -> None:
        self.work = work
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
    """Runs functions in SAVEPOINTs of one ``BEGIN IMMEDIATE ... COMMIT``, on a thread of its own."""

    def __init__(self, engine: Engine, file: Path) -> None:
        self._engine = engine
        self._file = file
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
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

    def submit(self, work: Callable[[Connection], T]) -> Future[T]:
        """Queue ``work``; the future is resolved after the commit."""
        job = Job(work)
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
        with self._engine.connect() as conn:
            while group := self._gather():
                self._commit(conn, group)
        self._engine.dispose()

    def _gather(self) -> list[Job]:
        """Wait for a job, take what else is there; nothing at the end."""
        first = self._jobs.get()
        if first is None:
            return []
        group = [first]
        while len(group) < LARGEST_GROUP:
            try:
                job = self._jobs.get_nowait()
            except Empty:
                break
            if job is None:
                self._jobs.put(None)  # the end comes after this group
                break
            group.append(job)
        return group

    def _commit(self, conn: Connection, group: Sequence[Job]) -> None:
        error = self._failure or self._transact(conn, group)
        if isinstance(error, UnknownCommit):
            self._failure = error
        for job in group:
            job.resolve(error)

    def _transact(self, conn: Connection, group: Sequence[Job]) -> LedgerError | None:
        """Run and commit the group; return what concerns all of it."""
        try:
            transaction = conn.begin()
        except DBAPIError as error:
            conn.rollback()
            return _because(error, trouble.translate(error, self._file))
        for job in group:
            _attempt(conn, job, self._file)
            if not database.in_transaction(conn):
                transaction.close()
                return job.error if isinstance(job.error, LedgerError) else _ended(self._file)
        try:
            transaction.commit()
        except DBAPIError as error:
            return _because(error, _unknown(error, self._file))
        return None


def _attempt(conn: Connection, job: Job, file: Path) -> None:
    """Run one function in a savepoint of its own."""
    savepoint = conn.begin_nested()
    try:
        job.value = job.work(conn)
        savepoint.commit()
    except DBAPIError as error:
        job.error = _because(error, trouble.translate(error, file))
    except BaseException as error:  # noqa: BLE001 - the root of a job: whoever waits for it gets what it raised
        job.error = error
    if job.error is not None and database.in_transaction(conn):
        savepoint.rollback()


def _unknown(error: DBAPIError, file: Path) -> UnknownCommit:
    known = trouble.translate(error, file)
    return UnknownCommit(f"{known.message}, at the commit: nobody knows whether it was kept", hint=known.hint)


def _ended(file: Path) -> LedgerError:
    return LedgerError(f"{file}: the transaction was ended from inside, so nothing of its group was kept")


def _because(cause: BaseException, error: LedgerError) -> LedgerError:
    error.__cause__ = cause
    return error
