"""One source as a task: open it, wait for the bell, drain it, settle what is stored; its trouble stays its own."""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from cgsync.api import Clock, Log, Source, Waits
from cgsync.bounds import is_ending
from cgsync.delivery import first
from cgsync.drained import Drained
from cgsync.errors import (
    ControlError,
    LedgerError,
    NoRoom,
    PluginError,
    SourceError,
    SourceMisconfigured,
    SourceUnavailable,
)
from cgsync.freshness import Freshness
from cgsync.health import Condition, Health
from cgsync.intake import SourceIntake
from cgsync.ledger import Instant, Ledger, freshness, runs
from cgsync.model import Stored
from cgsync.opening import gap_after, opened
from cgsync.rhythm import is_news
from cgsync.schedule import Bell
from cgsync.settler import Settler

if TYPE_CHECKING:
    from sqlalchemy import Connection

MOST_WAKES = 3
"""So often in a row a source may wake us for nothing before that costs it a second."""
PATIENCE = timedelta(minutes=1)
"""For so long a single run waits for what is not ready yet."""
BUG = "this is a bug of the plugin; the source is held until a reload, a restart or `cgsync poll`"


class Poller:
    """Runs one source until it is cancelled; ``before`` is called before each poll, and its trouble is the source's."""

    def __init__(
        self,
        open_source: Callable[[], contextlib.AbstractAsyncContextManager[Source]],
        intake: SourceIntake,
        ledger: Ledger,
        *,
        uid: str,
        bell: Bell,
        freshness: Freshness,
        clock: Clock,
        random: Callable[[], float],
        log: Log,
        before: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self._open = open_source
        self._intake = intake
        self._ledger = ledger
        self._uid = uid
        self._bell = bell
        self._freshness = freshness
        self._clock = clock
        self._random = random
        self._log = log
        self._before = before
        self._failures = 0
        self._wakes = 0
        self._asked: list[asyncio.Future[Drained]] = []
        self._turn = asyncio.Lock()
        self._settler = Settler(ledger, uid=uid, time_limit=intake.time_limit, clock=clock, random=random, log=log)
        self.health = Health(since=clock.now())

    async def run(self) -> None:
        """Poll for ever. Only trouble of the ledger leaves this method; a bug of the plugin holds the source."""
        self._freshness.begin(Instant.of(self._clock))
        self.health.become(Condition.STARTING, self._clock.now())
        try:
            await self._run()
        finally:
            self._answer(ControlError("the source was stopped before it was polled"))

    async def poll_now(self) -> Drained:
        """Have :meth:`run` poll at once; what that poll took in. Raises whatever that poll failed with."""
        asked: asyncio.Future[Drained] = asyncio.get_running_loop().create_future()
        self._asked.append(asked)
        self._bell.pull()
        return await asked

    async def drain_once(self) -> Drained:
        """Open the source, drain it, waiting up to a minute for what is not ready yet, and close it."""
        async with self._turn, opened(self._open, self._intake.time_limit) as source:
            total = await self._poll(source)
            patience = self._clock.monotonic() + PATIENCE.total_seconds()
            while total.later and self._clock.monotonic() + total.later.total_seconds() <= patience:
                await self._clock.sleep(total.later.total_seconds())
                earlier, total = total, await self._poll(source)
                total.follow(earlier)
            return total

    @property
    def draining(self) -> bool:
        return self._turn.locked()

    def pause(self) -> None:
        """Show that it rests because somebody wants it to; call it only while it does not run."""
        self.health.rest(self._clock.now())

    async def _run(self) -> None:
        while True:
            try:
                await self._session()
            except SourceMisconfigured as error:
                await self._wait_out(Condition.MISCONFIGURED, error)
            except SourceUnavailable as error:
                await self._wait_out(Condition.UNAVAILABLE, error)
            except LedgerError:
                raise
            except BaseException as error:
                if is_ending():
                    raise asyncio.CancelledError from error
                self._hold(error)
                return

    async def _session(self) -> None:
        async with opened(self._open, self._intake.time_limit) as source:
            while True:
                drained = await self._poll(source)
                self._failures = 0
                await self._until_due(source, drained.later)

    async def _poll(self, source: Source) -> Drained:
        self.health.become(Condition.POLLING, self._clock.now())
        asked = len(self._asked)  # who asks from here on may know of something that this poll does not see any more
        started = self._clock.now()
        await self._settler.settle(source)
        if self._before is not None:
            await self._before()
        drained = await self._intake.drain(source, after=partial(self._go_on, source))
        self._look(news=False)
        await self._record(started, drained.counts, "")
        self._succeed(drained)
        self._answer(drained, asked)
        return drained

    async def _go_on(self, source: Source, stored: Stored) -> None:
        self._look(news=is_news(stored.counts))
        await self._settler.settle(source)

    def _look(self, *, news: bool) -> None:
        self._freshness.look(Instant.of(self._clock), news=news)

    def _answer(self, outcome: Drained | Exception, count: int | None = None) -> None:
        """Tell the first ``count`` of those who asked for a poll (all, without it) what became of it."""
        told, self._asked = self._asked[:count], [] if count is None else self._asked[count:]
        for asked in told:
            if asked.done():  # whoever asked is gone
                continue
            if isinstance(outcome, Drained):
                asked.set_result(outcome)
            else:
                asked.set_exception(outcome)

    def _succeed(self, drained: Drained) -> None:
        self.health.succeed(drained, self._clock.now())
        if drained.batches:
            self._wakes = 0
            self._log.info("took in", **{name: count for name, count in drained.counts.items() if count})
        if drained.held:
            hint = "`cgsync outbox list --state held` shows it; `cgsync outbox release --source` and its name sends it"
            self._log.warning("the rest of the run is held", because=drained.held, hint=hint)
        for part, reason in drained.problems.items():
            self._log.warning("part of the source failed", part=part, reason=reason)

    async def _record(self, started: datetime, counts: Mapping[str, int], error: str) -> None:
        """Keep a run that found something or failed; the many that found nothing would only bury it."""
        if not counts and not error:
            return
        finished = self._clock.now()

        def work(conn: Connection) -> None:
            runs.record(conn, self._uid, started, finished, counts, error)
            if is_news(counts):
                freshness.keep_rhythm(conn, self._uid, self._freshness.rhythm)

        await self._ledger.write(work)

    async def _until_due(self, source: Source, later: timedelta | None) -> None:
        """Return at the bell, when the source says that something may be new, or when ``later`` is over."""
        ready = None if later is None else self._clock.monotonic() + later.total_seconds()
        while await self._rest(source, ready):
            await self._settler.settle(source)

    async def _rest(self, source: Source, ready: float | None) -> bool:
        """Wait for whatever comes first; true when that is the time to settle again what could not be settled."""
        waits = [self._bell.ring()]
        if isinstance(source, Waits):
            waits.append(_awaken(source))
        if ready is not None:
            waits.append(self._until(ready))
        settling = [self._until(self._settler.due)] if self._settler.failures else []
        place = await first(*waits, *settling)
        if place == 1 and isinstance(source, Waits):
            await self._slow_down()
        return place == len(waits)

    async def _slow_down(self) -> None:
        """A source that cries wolf again and again is not to keep the daemon busy by that."""
        self._wakes += 1
        if self._wakes > MOST_WAKES:
            await self._clock.sleep(1.0)

    async def _until(self, moment: float) -> None:
        await self._clock.sleep(max(moment - self._clock.monotonic(), 0.0))

    async def _wait_out(self, condition: Condition, error: SourceError) -> None:
        """Close the source for a while: as long as it asked for, else with growing gaps."""
        if is_ending():  # the plugin made another error of it
            raise asyncio.CancelledError from error
        self._failures += 1
        gap = gap_after(error, self._failures, self._random)
        self.health.fail(condition, self._clock.now(), error=error.message, hint=error.hint)
        self._answer(error)
        if not isinstance(error, NoRoom):  # that was said once for all, and nothing is written without need
            self._log.warning("source failed", condition=condition, error=error.message, hint=error.hint or None,
                              again_in=f"{gap.total_seconds():.0f}s")  # fmt: skip
            await self._record(self._clock.now(), {}, error.message)
        await first(self._clock.sleep(gap.total_seconds()), self._bell.pulled())

    def _hold(self, error: BaseException) -> None:
        words = "".join(traceback.format_exception(error))
        told = ControlError(f"{type(error).__name__}: {error}", hint=BUG)
        self.health.fail(Condition.HELD, self._clock.now(), error=told.message, hint=told.hint, traceback=words)
        self._log.error("source held", error=told.message, exc_info=error)
        self._answer(told)


async def _awaken(source: Waits) -> None:
    try:
        await source.wait()
    except (KeyboardInterrupt, SystemExit) as error:  # out of a task of their own these would end the loop
        raise PluginError(f"wait() raised {error!r}") from error
