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
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol

from cgsync.api import Clock, Log
from cgsync.delivery import (
    Admit,
    Answer,
    Broken,
    Closing,
    Gate,
    Rows,
    SenderState,
    Steering,
    Tally,
    Transport,
    blames_contact,
    classify,
    first,
    open_transport,
    without_contact,
)
from cgsync.delivery.rows import MOST_UNSETTLED
from cgsync.http import ClientCredentials, Pace, quota
from cgsync.model import Again, Due, Outcome, Paused, Result
from cgsync.secrets import Redactor

if TYPE_CHECKING:
    from cgsync.config import ReceiverConfig

LOW = 250
"""Rows waiting in memory below which more are read from the ledger, if it has more."""
READ = 1_500
GATHER = 0.02
"""Seconds that a commit waits for more outcomes when many come: it costs nearly as much for a few as for hundreds."""
MANY = range(32, 200)
"""Outcomes that gathered while the last commit ran: with fewer it is no load, with more it is worth its commit."""
LOOK = 60.0
"""Seconds: the ledger is looked at that often in any case, and :meth:`Sender.idle` looks that far ahead."""
SHORTEST_LOOK = 0.01


class Outbox(Protocol):
    """The ledger as the sender sees it. Whatever it raises ends :meth:`Sender.run`: no write, no send."""

    async def due(self, limit: int) -> Sequence[Due]:
        """The rows that are due, oldest first; also those which were handed out before and are not settled."""

    async def settle(self, results: Sequence[Result]) -> Sequence[Due]:
        """Store outcomes; returns newer versions of these references that are due now."""

    async def next_due(self) -> float | None:
        """Seconds until the next row is due; ``None`` when nothing waits."""


class Withdrawn(Exception):
    """Before its first byte the gate closed, or the sender was stopped: the row goes back unsent."""


class Worker:
    """One that sends. While it has nothing ``on_wire`` it may be cancelled. ``probes``: the one for a closed gate."""

    __slots__ = ("on_wire", "probes", "task")

    def __init__(self, *, probes: bool = False) -> None:
        self.probes = probes
        self.on_wire = False
        self.task: asyncio.Task[None]


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
        self._drops_contacts = unknown_contact == "drop"
        self._gate = Gate(clock, random)
        self._steering = Steering(self._gate, pace, clock=clock, random=random, log=log)
        self._tally = Tally(clock)
        self._rows = Rows(most_busy=concurrency + MOST_UNSETTLED)
        self._results: list[Result] = []
        self._settling = 0
        self._workers: set[Worker] = set()
        self._bell = asyncio.Event()  # the bookkeeper may have something to do
        self._more = True  # the ledger may hold due rows that are not in memory
        self._look_at = 0.0  # when it may hold some in any case, by the monotonic clock
        self._idlers: list[asyncio.Future[None]] = []
        self._stopping = False
        self._failure: BaseException | None = None

    async def run(self) -> None:
        """Send until :meth:`stop`; then what is on the wire ends and is settled, and this returns.

        Raises what the outbox raises: an outcome that cannot be stored must not be followed by another PUT.
        """
        for _ in range(self._concurrency):
            self._hire(Worker(), self._work)
        self._hire(Worker(probes=True), self._probe)
        try:
            await self._keep_books()
        finally:
            self._stopping = True
            await self._dismiss()
            self._release_idlers()

    # The workers: take a row, send it, note what came of it.

    async def _work(self, me: Worker) -> None:
        while not self._stopping:
            row = await self._next_row()
            await self._send(row, me)

    async def _next_row(self) -> Due:
        while self._gate.closed is not None or (row := self._rows.take()) is None:
            await self._gate.opened()
            await self._rows.ready.wait()
        return row

    async def _probe(self, me: Worker) -> None:
        """The one worker for a closed gate: a single row, whenever it is time for one."""
        while not self._stopping:
            await self._gate.probe_due()
            await self._rows.ready.wait()
            if self._gate.closed is None or self._gate.wait() > 0:
                continue  # it changed while there was no row
            if (row := self._rows.take()) is not None:
                await self._send(row, me)

    async def _send(self, row: Due, me: Worker) -> None:
        try:
            outcome = await self._put(row.body, me)
            if self._drops_contacts and blames_contact(outcome) and (rest := without_contact(row.body)):
                self._log.info("sent once more without its unknown contact", reference=row.reference)
                outcome = await self._put(rest, me)
        except Withdrawn:
            self._rows.give_back(row)
            return
        result = self._steering.steer(row, outcome, probe=me.probes)
        self._tally.count(result.outcome)
        self._results.append(result)
        self._bell.set()

    async def _put(self, body: bytes, me: Worker) -> Outcome:
        """One PUT, and after a 401 one more with a fresh token; a 401 for that one too is the set-up's fault."""
        for _ in range(2):
            if self._stopping:
                raise Withdrawn
            answer = await self._answer(body, partial(self._admit, me))
            me.on_wire = False
            if isinstance(answer, Broken) or answer.status != 401:
                break
            self.transport.renew(answer.generation)
        return classify(answer, now=self._clock.now())

    async def _answer(self, body: bytes, admit: Admit) -> Answer | Broken:
        try:
            answer = await self.transport.put(body, admit)
        except Broken as broken:
            return broken
        if (left := quota(answer.headers, now=self._clock.now())) is not None:
            self._pace.learn(remaining=left.remaining, reset=left.reset, limit=left.limit)
        return answer

    async def _admit(self, me: Worker) -> None:
        """Awaited by the transport right before the first byte; from its return on the worker is not cancelled."""
        await self._pace.turn()
        if self._gate.closed is not None and not me.probes:
            raise Withdrawn
        me.on_wire = True
        self._tally.puts += 1

    # The bookkeeper: the only one that talks to the ledger, so that what it reads is never older than what it wrote.

    async def _keep_books(self) -> None:
        while self._workers or self._results:
            self._bell.clear()
            if self._results:
                await self._gather()
                await self._settle()
            elif not self._wants_rows():
                await self._await_news()
            if self._wants_rows():
                await self._refill()
            if self._failure is not None:
                raise self._failure

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
        self._more |= overtaken or not fits
        for result in results:
            self._expect(result)

    def _expect(self, result: Result) -> None:
        """When will the ledger hand out that row again?"""
        if isinstance(result.outcome, Paused):
            self._more = True
        elif isinstance(result.outcome, Again):
            again_at = self._clock.monotonic() + result.retry_in.total_seconds()
            self._look_at = min(self._look_at, again_at + SHORTEST_LOOK)

    def _wants_rows(self) -> bool:
        due = self._more or self._clock.monotonic() >= self._look_at
        return due and not self._stopping and self._rows.waiting < LOW

    async def _refill(self) -> None:
        self._more = False  # before the read: what does not fit meanwhile sets it again
        self._look_at = self._clock.monotonic() + LOOK
        limit = self._rows.waiting + self._rows.busy + READ
        rows = await self._outbox.due(limit)
        fits = self._rows.offer(rows)
        self._more |= len(rows) == limit or not fits

    async def _await_news(self) -> None:
        """Nothing to settle, nothing to read: wait for a result, an offer, or the time when a row falls due."""
        if self._rows.busy or self._stopping:
            await self._bell.wait()  # rung by each result and by each worker that ends
            return
        if self._rows.waiting == 0:
            await self._look_ahead()
        elif self._is_shut():
            self._release_idlers()
        if self._rows.waiting >= LOW:
            await self._bell.wait()  # the gate is closed, and more rows are of no use
        elif not self._bell.is_set():
            await first(self._bell.wait(), self._clock.sleep(max(0.0, self._look_at - self._clock.monotonic())))

    async def _look_ahead(self) -> None:
        ahead = await self._outbox.next_due()
        if self._bell.is_set():
            return  # rows were offered meanwhile
        if ahead is None or ahead > LOOK or self._is_shut():
            self._release_idlers()
        if ahead is not None:
            self._look_at = min(self._look_at, self._clock.monotonic() + max(ahead, SHORTEST_LOOK))

    # From outside.

    def offer(self, rows: Sequence[Due]) -> None:
        """Rows that were just committed. What does not fit into memory is read from the ledger later."""
        if not self._rows.offer(rows):
            self._more = True
        self._bell.set()

    def look(self) -> None:
        """Rows may have become due in the ledger by another way than :meth:`offer`."""
        self._more = True
        self._bell.set()

    def resume(self) -> None:
        """Try now whether a closed gate may open; refusals are counted afresh."""
        self._steering.forgive()

    def stop(self) -> None:
        """No new PUT. Those on the wire are waited for by :meth:`run`."""
        self._stopping = True
        for worker in self._workers:
            if not worker.on_wire:
                worker.task.cancel()
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
            next_probe=None if closed is None else self._gate.wait(),
            waiting=self._rows.waiting,
            in_flight=sum(worker.on_wire for worker in self._workers),
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
        return closed is not None and (closed.kind is Closing.PAUSED or self._gate.wait() > LOOK)

    def _release_idlers(self) -> None:
        for quiet in self._idlers:
            if not quiet.done():
                quiet.set_result(None)
        self._idlers.clear()

    def _hire(self, worker: Worker, work: Callable[[Worker], Coroutine[Any, Any, None]]) -> None:
        worker.task = asyncio.create_task(work(worker))
        worker.task.add_done_callback(partial(self._gone, worker))
        self._workers.add(worker)

    def _gone(self, worker: Worker, task: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = self._failure or error  # a bug: run() ends with it
        self._bell.set()

    async def _dismiss(self) -> None:
        tasks = [worker.task for worker in self._workers]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def open_sender(
    receiver: ReceiverConfig,
    outbox: Outbox,
    *,
    clock: Clock,
    random: Callable[[], float],
    log: Log,
    redactor: Redactor | None = None,
) -> AsyncIterator[Sender]:
    """A sender for that receiver, with its own token, connections and pace. Nothing is sent before it is run."""
    tokens = ClientCredentials(
        receiver.token_url,
        receiver.client_id,
        receiver.client_secret,
        clock=clock,
        redactor=redactor,
        ca_file=receiver.ca_file,
        timeout=receiver.timeout,
    )
    # one connection more than workers: a probe does not wait for what hangs
    async with open_transport(
        receiver.url,
        tokens,
        connections=receiver.concurrency + 1,
        timeout=receiver.timeout,
        ca_file=receiver.ca_file,
    ) as transport:
        yield Sender(
            outbox,
            transport,
            concurrency=receiver.concurrency,
            pace=Pace(receiver.rate_limit, clock),
            clock=clock,
            random=random,
            log=log,
            unknown_contact=receiver.unknown_contact,
        )
