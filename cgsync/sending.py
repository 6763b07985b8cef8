"""The sending of a daemon: its sender, which a reload may replace, and the rest that an operator may give it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import timedelta
from functools import partial

from cgsync.config import ReceiverConfig
from cgsync.ledger import SETTLE_TIME, Instant, Ledger, basis, outbox, sending
from cgsync.model import Due, Result
from cgsync.sender import Sender

OPERATOR = "operator"
"""The cause for which a sender is halted that somebody paused."""


class LedgerOutbox:
    """The ledger as the sender sees it; implements :class:`cgsync.sender.Outbox`."""

    def __init__(self, ledger: Ledger, now: Callable[[], Instant], retry_refused: timedelta) -> None:
        self._ledger = ledger
        self._now = now
        self._retry_refused = retry_refused

    async def due(self, limit: int) -> tuple[Sequence[Due], float | None]:
        now = self._now()
        return await self._ledger.read(lambda conn: (outbox.due(conn, now, limit), outbox.next_due(conn, now)))

    async def settle(self, results: Sequence[Result]) -> Sequence[Due]:
        work = partial(
            outbox.settle,
            results=results,
            now=self._now(),
            settle_time=SETTLE_TIME,
            retry_refused=self._retry_refused,
        )
        return await self._ledger.write(work)


class Sending:
    """From the ledger to one receiver. ``opens`` makes a sender of that and its outbox; ``watched`` starts a task."""

    def __init__(
        self,
        ledger: Ledger,
        now: Callable[[], Instant],
        *,
        opens: Callable[[ReceiverConfig, LedgerOutbox], AbstractAsyncContextManager[Sender]],
        watched: Callable[..., asyncio.Task[None]],
    ) -> None:
        self._ledger = ledger
        self._now = now
        self._opens = opens
        self._watched = watched
        self._wire = AsyncExitStack()
        self._task: asyncio.Task[None] | None = None
        self.sender: Sender

    async def connect(self, receiver: ReceiverConfig, retry_refused: timedelta) -> None:
        """Make the sender; it runs from :meth:`start` on."""
        await self._ledger.write(partial(basis.note_credentials, credentials=receiver.credentials))
        rows = LedgerOutbox(self._ledger, self._now, retry_refused)
        self.sender = await self._wire.enter_async_context(self._opens(receiver, rows))
        await self._halt()

    async def check(self, receiver: ReceiverConfig) -> str:
        """Log in there with a sender of its own, which sends nothing; what was seen."""
        async with self._opens(receiver, LedgerOutbox(self._ledger, self._now, timedelta())) as sender:
            return await sender.transport.check()

    def start(self) -> None:
        self._task = self._watched(self.sender.run(), "sender")

    async def stop(self) -> None:
        """No new PUT; what is in flight is waited for and stored."""
        if self._task is not None:
            self.sender.stop()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._wire.aclose()

    def offer(self, rows: Sequence[Due], held: Collection[str]) -> None:
        """Rows that were just committed, to whoever sends now; and of ``held`` nothing more, not even what is older."""
        self.sender.withdraw(held)
        self.sender.offer(rows)

    async def pause(self) -> None:
        """No new PUT, also after a restart, until :meth:`resume`."""
        await self._ledger.write(partial(sending.pause, now=self._now()))
        await self._halt()

    async def resume(self) -> None:
        """Send on; where the gate is closed for another reason, try at once whether that is over."""
        await self._ledger.write(sending.resume)
        self.sender.go_on(OPERATOR)
        self.sender.resume()

    async def _halt(self) -> None:
        if since := await self._ledger.read(sending.paused_since):
            words = f"paused by an operator since {since.astimezone():%Y-%m-%d %H:%M}"
            self.sender.halt(OPERATOR, words, "`cgsync resume --sending` ends that")
