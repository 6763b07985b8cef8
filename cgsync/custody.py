"""The ledger in good hands: its disk is watched, copies of it are made, and damage is looked for."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar

from cgsync.api import Clock, Log
from cgsync.config import BackupConfig
from cgsync.errors import LedgerDamaged, LedgerError
from cgsync.ledger import Ledger, backup, check, copies
from cgsync.ledger.copies import Backup
from cgsync.ledger.room import Look, Room

T = TypeVar("T")

DISK = "disk"
"""The cause for which sending is halted while the disk is full."""
FAREWELL = 2.0
"""Seconds that somebody who is cancelled waits for the work he left to a thread."""


class Halting(Protocol):
    """The sender, as far as the disk has a say."""

    def halt(self, cause: str, words: str, hint: str) -> None: ...

    def go_on(self, cause: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Copies:
    """How it stands with the copies: the newest one, and why the last try failed, or empty."""

    newest: Backup | None
    failure: str = ""
    hint: str = ""
    failed_at: datetime | None = None


class Abandoned(Exception):
    """Whoever wanted this work is gone."""


class Custody:
    """Keeps the ledger safe. ``wanted`` is what the configuration says of copies now, ``None`` for none."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        wanted: Callable[[], BackupConfig | None],
        sender: Callable[[], Halting],
        clock: Clock,
        log: Log,
    ) -> None:
        self._ledger = ledger
        self._wanted = wanted
        self._sender = sender
        self._clock = clock
        self._log = log
        self._busy = asyncio.Lock()
        self._failed: LedgerError | None = None
        self._failed_at: datetime | None = None
        self._room = Room.AMPLE

    async def look(self) -> Look:
        """Look at the disk: without any room sending is halted, and goes on by itself. Reading looks for itself."""
        seen = self._ledger.disk.look()
        if seen.room is Room.NONE:
            self._sender().halt(DISK, seen.words, seen.hint)
        else:
            self._sender().go_on(DISK)
        if seen.room is not self._room:
            self._room = seen.room
            if seen.words:
                self._log.error("the disk is nearly full", reason=seen.words, hint=seen.hint)
            else:
                self._log.info("the disk has room again")
        return seen

    async def inspect(self) -> None:
        """After a stop that was not in order: read all of the ledger; :class:`LedgerDamaged` when it is not sound."""
        if not self._ledger.orderly:
            await aside(partial(check.require_sound, self._ledger.file))

    async def back_up_when_due(self) -> None:
        """Make a copy when the newest is old enough. A failure is kept for :attr:`copies`, and tried again."""
        wanted = self._wanted()
        if wanted is None:
            return
        newest = self.copies.newest
        if newest is not None and timedelta(0) <= self._clock.now() - newest.at < wanted.every:
            return
        with contextlib.suppress(NoCopy):
            await self.back_up(wanted)

    async def back_up(self, wanted: BackupConfig) -> Backup:
        """Make a copy now. Raises :class:`NoCopy`, or :class:`LedgerDamaged` when the ledger itself is not sound."""
        add = partial(
            backup.add_to, wanted.folder, self._ledger.file, keep=wanted.keep, reserve=self._ledger.disk.reserve
        )
        async with self._busy:
            try:
                made = await aside(lambda proceed: add(proceed=proceed))
            except LedgerDamaged:
                raise
            except LedgerError as error:
                self._failed, self._failed_at = error, self._clock.now()
                self._log.error("no backup", error=error.message, hint=error.hint or None)
                raise NoCopy(error.message, hint=error.hint) from error
        self._failed = self._failed_at = None
        self._log.info("backed up", file=str(made.path), bytes=made.size)
        return made

    @property
    def without_copies(self) -> asyncio.Lock:
        """Held while no scheduled copy may be made; whoever takes it waits for one that is."""
        return self._busy

    @property
    def copies(self) -> Copies:
        wanted = self._wanted()
        there = copies.in_folder(wanted.folder) if wanted else []
        return Copies(
            newest=there[-1] if there else None,
            failure=self._failed.message if self._failed else "",
            hint=self._failed.hint if self._failed else "",
            failed_at=self._failed_at,
        )


class NoCopy(LedgerError):
    """There is no copy of the ledger; the ledger itself is in order."""


async def aside(work: Callable[[Callable[[], None]], T]) -> T:
    """Do long work in a thread of its own. ``work`` gets a function to call now and then, which ends it by raising
    once whoever waits here was cancelled; a thread that does not call it for a while does not keep us from ending.
    """
    loop, gone = asyncio.get_running_loop(), threading.Event()
    done: asyncio.Future[T] = loop.create_future()
    done.add_done_callback(lambda future: future.cancelled() or future.exception())  # perhaps nobody asks any more

    def proceed() -> None:
        if gone.is_set():
            raise Abandoned

    def run() -> None:
        try:
            tell = partial(done.set_result, work(proceed))
        except BaseException as error:  # noqa: BLE001 - the root of a thread: whoever waits gets what it raised
            tell = partial(done.set_exception, error)
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(tell)

    threading.Thread(target=run, name="cgsync-aside", daemon=True).start()
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        gone.set()
        await asyncio.wait([done], timeout=FAREWELL)
        raise
