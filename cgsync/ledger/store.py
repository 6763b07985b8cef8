"""The ledger as the core holds it: open, write, read, close."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from cgsync.api import Clock
from cgsync.errors import LedgerError
from cgsync.ledger import check, database, epoch, meta, migrate, receiver, scouring
from cgsync.ledger.instant import Instant
from cgsync.ledger.room import Disk
from cgsync.ledger.writer import Writer
from cgsync.state import LEDGER, Lock, folder

T = TypeVar("T")

CLEAN_STOP = "clean_stop"
READERS_END = 60
"""Seconds after which nobody should read a state of the file any more that has been replaced."""
SETTLE_TIME = timedelta(seconds=120)
"""After which the receiver does not execute an abandoned request any more."""


class Ledger:
    """An open ledger, under the lock of its folder. Make one with :meth:`open`."""

    def __init__(self, file: Path, lock: Lock, writer: Writer, clock: Clock, *, reserve: int, orderly: bool) -> None:
        self.file = file
        self.disk = Disk(file.parent, reserve)
        self.orderly = orderly
        """whether whoever had it open before closed it in order; else it is to be checked"""
        self._lock = lock
        self._writer = writer
        self._clock = clock
        self._reading = database.reader(file)
        self._reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="cgsync-ledger-reader")
        self._closed = False

    @classmethod
    def open(
        cls,
        state_dir: Path,
        *,
        receiver: str,
        clock: Clock,
        settle_time: timedelta = SETTLE_TIME,
        boot_id: str | None = None,
        reserve: int = 0,
        tell: Callable[[str], object] = lambda _: None,
    ) -> Ledger:
        """Open the ledger in ``state_dir``; make the folder and the file when there is none.

        Raises :class:`LedgerError` for a folder that is not ours, another owner, a damaged file, and
        :class:`LedgerRefused` for a newer schema or another receiver. ``boot_id``: which run of ``clock`` this is;
        ``reserve``: bytes that must stay free on the disk; ``tell`` hears what takes so long, again and again.
        """
        folder.prepare(state_dir)
        file = state_dir / LEDGER
        lock = Lock(state_dir)
        try:
            _refuse_orphan(file)
            check.refuse_marked(file)
            folder.guard(file)
            with database.translated(file):
                now = Instant.of(clock)
                writer, clean = _set_up(file, receiver, now, boot_id or epoch.boot_id(), settle_time, tell)
            return cls(file, lock, writer, clock, reserve=reserve, orderly=clean)
        except BaseException:
            lock.release()
            raise

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in a transaction on the writer's thread; return its value once that is committed.

        What ``work`` raises comes out here and rolls back its own changes alone. Raises :class:`LedgerError` when
        the database fails, :class:`UnknownCommit` when the commit did, and from then on for every write.
        """
        return await self._writer.write(work)

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Run ``query`` on one state of the database, on a thread and a connection that cannot write."""
        if self._closed:
            raise LedgerError(f"{self.file}: the ledger is closed")
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._query, query)

    def read_apart(self, query: Callable[[Connection], T]) -> T:
        """Run a long ``query`` on a connection of its own, in the thread that asks: it keeps no other waiting."""
        engine = database.reader(self.file)
        try:
            with database.translated(self.file), engine.connect() as conn, conn.begin():
                return query(conn)
        finally:
            engine.dispose()

    async def scour(self) -> None:
        """Leave nothing of what was deleted in the files. Nothing is written while that lasts.

        Raises :class:`LedgerError` when there is no room for it, or somebody reads an old state for too long.
        """
        scouring.require_room(self.file, self.disk.reserve)
        await self._writer.write_apart(scouring.rewrite)
        for _ in range(READERS_END):
            if await self._writer.write_apart(scouring.empty_log):
                return
            await self._clock.sleep(1.0)
        raise LedgerError(
            f"{self.file}: its log still holds what was deleted, since somebody reads an old state of it",
            hint="say it again when the backup, or the sqlite3 shell, has ended",
        )

    @property
    def size(self) -> int:
        """Bytes of the file and its log."""
        parts = (self.file, self.file.with_name(f"{self.file.name}-wal"))
        return sum(part.stat().st_size for part in parts if part.exists())

    def announce(self, control: Path | None, config: Path | None = None) -> None:
        """Write into the lock file where commands find the holder, and from which file it works."""
        self._lock.announce(control, config)

    def mark_damaged(self, words: str) -> None:
        """Let nobody open it again until a sound file took its place, if a second look finds it damaged too.

        SQLite also says so of a page that the disk could not read, once.
        """
        with contextlib.suppress(sqlite3.Error):  # it cannot be read at all: that is the disk, not the content
            if check.findings(self.file):
                check.mark(self.file, words.removeprefix(f"{self.file}: "))

    def close(self, *, clean: bool = False) -> None:
        """Commit what is queued, close the file, let go of the lock. A second call does nothing.

        Say ``clean`` only when no request is in flight whose outcome was not settled; without it, newer versions of
        what is pending wait for ``settle_time`` after the next start. Where the ledger failed, it is not clean.
        """
        if self._closed:
            return
        self._closed = True
        if clean:
            stamp = Instant.of(self._clock).stamp
            self._writer.submit(lambda conn: meta.put(conn, CLEAN_STOP, stamp))
        self._reader.shutdown()
        self._reading.dispose()
        self._writer.close()  # the last connection to go takes the log into the file
        self._lock.release()

    def _query(self, query: Callable[[Connection], T]) -> T:
        with database.translated(self.file), self._reading.connect() as conn, conn.begin():
            return query(conn)


def _set_up(
    file: Path, identity: str, now: Instant, boot_id: str, settle_time: timedelta, tell: Callable[[str], object]
) -> tuple[Writer, bool]:
    """The writer, and whether the last stop was clean."""
    engine = database.writer(file)
    try:
        migrate.bring_up(engine, file, tell)
        with engine.begin() as conn:
            receiver.bind(conn, identity, file)
            clean = meta.forget(conn, CLEAN_STOP)
            epoch.begin(conn, now, boot_id, clean=clean, settle_time=settle_time)
    except BaseException:
        engine.dispose()
        raise
    return Writer(engine, file), clean


def _refuse_orphan(file: Path) -> None:
    """A log without its database means that somebody took the database away: do not start with an empty one."""
    log = file.with_name(f"{file.name}-wal")
    if log.exists() and log.stat().st_size and not (file.exists() and file.stat().st_size):
        raise LedgerError(f"{file} is gone or empty, but its log is still there", hint="put the file back where it was")
