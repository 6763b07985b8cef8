"""The backfills of one source as a task: each span is read with an open source of its own, one after another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial

from cgsync.api import Clock, Log, Source, Window
from cgsync.bounds import is_ending
from cgsync.errors import LedgerError, NoRoom, SourceError
from cgsync.intake import SourceIntake
from cgsync.ledger import Instant, Ledger, backfills
from cgsync.ledger.backfills import Backfill, Progress
from cgsync.model import Stored
from cgsync.opening import gap_after, opened


class Backfiller:
    """Works at what the ledger says is to be read again, until it is cancelled; then it can go on from there."""

    def __init__(
        self,
        open_source: Callable[[Window], AbstractAsyncContextManager[Source]],
        intake: SourceIntake,
        ledger: Ledger,
        *,
        uid: str,
        clock: Clock,
        random: Callable[[], float],
        log: Log,
    ) -> None:
        self._open = open_source
        self._intake = intake
        self._ledger = ledger
        self._uid = uid
        self._clock = clock
        self._random = random
        self._log = log
        self._failures = 0
        self._news = asyncio.Event()

    async def start(self, window: Window) -> int:
        """Have that span of time read again, in the background; returns the number of the backfill."""
        work = partial(backfills.start, source=self._uid, window=window, now=Instant.of(self._clock))
        number = await self._ledger.write(work)
        self._news.set()
        return number

    async def run(self) -> None:
        """Only trouble of the ledger leaves this method; a bug of the plugin fails the backfill that meets it."""
        while True:
            self._news.clear()
            while backfill := await self._ledger.read(partial(backfills.unfinished, source=self._uid)):
                await self._work_at(backfill)
            await self._news.wait()

    async def _work_at(self, backfill: Backfill) -> None:
        try:
            await self._read(backfill)
        except SourceError as error:
            if is_ending():  # the plugin made another error of it
                raise asyncio.CancelledError from error
            await self._wait_out(backfill, error)
        except LedgerError:
            raise
        except BaseException as error:
            if is_ending():
                raise asyncio.CancelledError from error
            self._log.error("backfill failed", backfill=backfill.id, exc_info=error)
            await self._finish(backfill, Progress.FAILED, f"{type(error).__name__}: {error}")
        else:
            self._log.info("backfill done", backfill=backfill.id)
            await self._finish(backfill, Progress.DONE)

    async def _read(self, backfill: Backfill) -> None:
        catch_up = partial(self._intake.catch_up, backfill=backfill.id, after=self._progress)
        async with opened(partial(self._open, backfill.window), self._intake.time_limit) as source:
            while later := (await catch_up(source)).later:
                await self._clock.sleep(later.total_seconds())

    async def _progress(self, _: Stored) -> None:
        self._failures = 0

    async def _wait_out(self, backfill: Backfill, error: SourceError) -> None:
        self._failures += 1
        gap = gap_after(error, self._failures, self._random).total_seconds()
        self._log.warning("backfill waits", backfill=backfill.id, error=str(error), again_in=f"{gap:.0f}s")
        if not isinstance(error, NoRoom):
            await self._ledger.write(partial(backfills.stumble, number=backfill.id, error=str(error)))
        await self._clock.sleep(gap)

    async def _finish(self, backfill: Backfill, state: Progress, error: str = "") -> None:
        now = Instant.of(self._clock)
        await self._ledger.write(partial(backfills.finish, number=backfill.id, state=state, now=now, error=error))
