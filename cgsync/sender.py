"""The sender: what is due is PUT, the answer classified, the outcome settled in the ledger.

This is one half of the story; ``intake.py`` is the other. Rows come from memory right after their commit, or from the
ledger: at the start, for retries, after an overflow. A worker takes a row when the gate is open, and puts its first
byte on the wire when the pace gives it a turn; one of each reference at a time. Workers never wait for the disk: a
bookkeeper settles whatever gathered while its last commit ran. While the gate is closed, one probe at a time tries
whether it may open again.

    ledger ──due──▶ rows ──take──▶ worker ──PUT──▶ classify ──▶ steer: gate, breaker, brake, pace
       ▲                                                          │
       └───────────── settle, in groups ◀──── results ◀───────────┘
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Literal, Protocol

from cgsync.api import Clock, Log
from cgsync.delivery import (
    Closing,
    Courier,
    Crew,
    Gate,
    Rows,
    SenderState,
    Steering,
    Tally,
    Transport,
    Withdrawn,
    Worker,
    first,
)
from cgsync.delivery.lookout import LOOK, LOW, Lookout
from cgsync.delivery.rows import MOST_UNSETTLED
from cgsync.http import Pace
from cgsync.model import Due, Result

READ = 1_500
GATHER = 0.02
"""Seconds that a commit waits for more outcomes when many come: it costs nearly as much for a few as for hundreds."""
MANY = range(32, 200)
"""Outcomes that gathered while the last commit ran: with fewer it is no load, with more it is worth its commit."""


class Outbox(Protocol):
    """The ledger as the sender sees it. Whatever it raises ends :meth:`Sender.run`: no write, no send."""

    async def due(self, limit: int) -> tuple[Sequence[Due], float | None]:
        """The rows that are due, the first lane first and in fair shares; and when the next falls due that is not.

        Among them are those which were handed out before and are not settled. The time is in seconds from now;
        ``None`` when no other row waits for one.
        """

    async def settle(self, results: Sequence[Result]) -> Sequence[Due]:
        """Store outcomes; returns newer versions of these references that are due now."""


class Sender:
    """Sends what is due until :meth:`stop`."""

    def __init__(
        self,
        outbox: Outbox,
        transport: Transport,
        *,
        concurrency: int,
        pace: Pace,
        clock: Clock,
        random: Callable[[], float],
        log: Log,
        unknown_contact: Literal["refuse", "drop"] = "refuse",
    ) -> None:
        self._outbox = outbox
        self.transport = transport
        self._concurrency = concurrency
        self._pace = pace
        self._clock = clock
        self._log = log
        self._gate = Gate(clock, random)
        self._steering = Steering(self._gate, pace, random=random, log=log)
        self._courier = Courier(transport, pace, clock=clock, log=log, drops_contacts=unknown_contact == "drop")
        self._tally = Tally(clock)
        self._rows = Rows(most_busy=concurrency + MOST_UNSETTLED)
        self._results: list[Result] = []
        self._settling = 0
        self._bell = asyncio.Event()  # the bookkeeper may have something to do
        self._crew = Crew(self._bell.set)
        self._lookout = Lookout(clock)
        self._taken_back: set[str] | None = None  # while the ledger is read, since that began
        self._idlers: list[asyncio.Future[None]] = []
        self._stopping = False

    async def run(self) -> None:
        """Send until :meth:`stop`; then what is on the wire ends and is settled, and this returns.

        Raises what the outbox raises: an outcome that cannot be stored must not be followed by another PUT.
        """
        for _ in range(self._concurrency):
            self._crew.hire(Worker(), self._work)
        self._crew.hire(Worker(probes=True), self._probe)
        try:
            await self._keep_books()
        finally:
            self._stopping = True
            await self._crew.dismiss()
            self._release_idlers()

    # The workers: take a row, send it, note what came of it.

    async def _work(self, me: Worker) -> None:
        while not me.stopping:
            await self._send(await self._next_row(), me)

    async def _next_row(self) -> Due:
        while self._gate.closed is not None or (row := self._rows.take()) is None:
            await self._gate.opened()
            await self._rows.ready.wait()
        return row

    async def _probe(self, me: Worker) -> None:
        """The one worker for a closed gate: a single row, whenever it is time for one."""
        while not me.stopping:
            await self._gate.probe_due()
            await self._rows.ready.wait()
            if self._gate.closed is None or self._gate.wait() > 0:
                continue  # it changed while there was no row
            if (row := self._rows.take()) is not None:
                me.tries = self._gate.answered
                await self._send(row, me)

    async def _send(self, row: Due, me: Worker) -> None:
        try:
            outcome = await self._courier.bring(row, me, partial(self._admit, row, me))
        except Withdrawn:
            self._rows.give_back(row)
            self._bell.set()
            return
        # a probe says nothing of what closed the gate while it was under way, such as a 429 for an older request
        probe = me.tries is not None and me.tries is self._gate.answered
        result = self._steering.steer(row, outcome, probe=probe)
        self._tally.count(result.outcome)
        self._results.append(result)
        self._bell.set()

    async def _admit(self, row: Due, me: Worker) -> None:
        """Awaited by the transport right before the first byte; from its return on the worker is not cancelled."""
        await self._pace.turn()
        closed = self._gate.closed
        if closed is not None and not (me.probes and closed.kind is not Closing.HALTED):
            raise Withdrawn
        if not self._rows.wanted(row):
            raise Withdrawn
        me.on_wire, me.tries = True, closed
        self._tally.puts += 1

    # The bookkeeper: the only one that talks to the ledger, so that what it reads is never older than what it wrote.

    async def _keep_books(self) -> None:
        while self._crew or self._results:
            self._bell.clear()
            if self._results:
                await self._gather()
                await self._settle()
            elif not self._wants_rows():
                await self._await_news()
            if self._wants_rows():
                await self._refill()
            if self._crew.failure is not None:
                raise self._crew.failure

    async def _gather(self) -> None:
        if self._rows.waiting and len(self._results) in MANY and not self._stopping:
            await asyncio.sleep(GATHER)  # by the loop: nothing is decided by this time

    async def _settle(self) -> None:
        self._tally.mark()
        results, self._results = self._results, []
        self._settling = len(results)
        newer = await self._outbox.settle(results)
        self._settling = 0
        overtaken = self._rows.settled(result.due for result in results)
        fits = self._rows.offer(newer)
        self._lookout.more |= overtaken or not fits
        for result in results:
            self._lookout.expect(result)

    async def _refill(self) -> None:
        self._lookout.looking()
        self._taken_back = stale = set[str]()
        limit = self._rows.waiting + self._rows.busy + READ
        rows, ahead = await self._outbox.due(limit)
        self._taken_back = None
        fits = self._rows.offer(row for row in rows if row.key not in stale)
        self._lookout.looked(ahead, more=len(rows) >= limit or not fits or bool(stale))

    def _wants_rows(self) -> bool:
        """More rows are of no use while the gate is closed."""
        useless = self._gate.closed is not None and self._rows.waiting >= LOW
        return not self._stopping and not useless and self._lookout.wants(self._rows.waiting)

    async def _await_news(self) -> None:
        """Nothing to settle, nothing to read: wait for a result, an offer, or the time when a row falls due."""
        if self._is_quiet():
            self._release_idlers()
        if self._stopping or (self._rows.waiting and (self._rows.busy or self._gate.closed is not None)):
            await self._bell.wait()  # rung by each result, by each worker that ends, and when the gate opens
        else:
            await first(self._bell.wait(), self._clock.sleep(max(0.0, self._lookout.wait(self._rows.waiting))))

    def _is_quiet(self) -> bool:
        """Nothing on its way, and nothing that can go within 60 s."""
        nothing_soon = self._rows.waiting == 0 and self._lookout.ahead > LOOK
        return not self._rows.busy and (self._is_shut() or nothing_soon)

    # From outside.

    def offer(self, rows: Sequence[Due]) -> None:
        """Rows that were just committed. What waits, or does not fit into memory, is read from the ledger later."""
        self._lookout.more |= not self._rows.offer(row for row in rows if not row.wait)
        self._lookout.await_these(row.wait for row in rows if row.wait)
        self._bell.set()

    def look(self) -> None:
        """Rows may have become due in the ledger by another way than :meth:`offer`."""
        self._lookout.more = True
        self._bell.set()

    def withdraw(self, keys: Collection[str]) -> Sequence[str]:
        """Do not send these: they were held or forgotten. What is on the wire ends; returns those that may be."""
        if self._taken_back is not None:
            self._taken_back.update(keys)
        return self._rows.withdraw(keys)

    def halt(self, cause: str, words: str, hint: str) -> None:
        """Send nothing, not even a probe, until :meth:`go_on` with the same cause. What is on the wire ends."""
        if self._gate.halt(cause, words, hint):
            self._log.warning("sending is halted", cause=cause, reason=words, hint=hint)
        self._bell.set()

    def go_on(self, cause: str) -> None:
        """That halt is over. Another one, or what the receiver's answers closed, is not."""
        if self._gate.go_on(cause):
            self._log.info("sending is not halted any more", after=cause)
        self._bell.set()

    def resume(self) -> None:
        """Try now whether a closed gate may open; refusals are counted afresh."""
        self._steering.forgive()

    def stop(self) -> None:
        """No new PUT. Those on the wire are waited for by :meth:`run`."""
        self._stopping = True
        self._crew.stop()
        self._bell.set()

    async def idle(self) -> None:
        """Return when nothing can be sent within 60 s: nothing is due by then, or the gate stays closed for longer."""
        if self._stopping:
            return
        quiet: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._idlers.append(quiet)
        self.look()
        await quiet

    def state(self) -> SenderState:
        """How it stands, for people."""
        closed, counts = self._gate.closed, self._tally.outcomes
        return SenderState(
            gate="open" if closed is None else closed.kind.word,
            cause="" if closed is None else closed.cause,
            words="" if closed is None else closed.words,
            hint="" if closed is None else closed.hint,
            since=None if closed is None else closed.since,
            next_probe=None if closed is None or closed.kind is Closing.HALTED else self._gate.wait(),
            waiting=self._rows.waiting,
            in_flight=self._crew.on_wire,
            unsettled=len(self._results) + self._settling,
            puts=self._tally.puts,
            delivered=counts["delivered"],
            refused=counts["refused"],
            again=counts["again"],
            rate=self._tally.rate,
            pace=self._pace.rate,
            generation=self.transport.generation,
        )

    def _is_shut(self) -> bool:
        """Closed for longer than anyone who waits for :meth:`idle` wants to wait."""
        closed = self._gate.closed
        return closed is not None and (closed.kind >= Closing.PAUSED or self._gate.wait() > LOOK)

    def _release_idlers(self) -> None:
        for quiet in self._idlers:
            if not quiet.done():
                quiet.set_result(None)
        self._idlers.clear()
