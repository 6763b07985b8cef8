"""A source over one mailbox as the core drives it: fetch, settle, wait, and once more when it is unavailable."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from cgsync.api import Batch, Source, SourceUnavailable
from cgsync.testing.driving import advanced

SOON = 20.0
MOST_TRIES = 5


class Polling:
    """Fetches until there is nothing more, then waits, as the core does; a lost source is not opened anew.

    ``complaints``: what it said while it was unavailable.
    """

    def __init__(self, source: Source) -> None:
        self.source: Any = source
        self.cursor: Any = {}
        self.uids: list[int] = []
        self.done: list[Any] = []
        self.complaints: list[str] = []

    async def drain(self) -> None:
        while isinstance(batch := await self.source.fetch(self.cursor), Batch):
            self.cursor = advanced(self.cursor, batch)
            self.uids += [record.data["uid"] for record in batch.records]
            self.done += batch.done

    async def settle(self) -> None:
        await self.source.settle(self.done)
        self.done = []

    async def until_woken(self) -> None:
        async with asyncio.timeout(SOON):
            await self.source.wait()

    @property
    def idling(self) -> bool:
        return bool(self.source._session and self.source._session.connection.idling)

    async def parked(self) -> asyncio.Task[None]:
        """A wait that listens by now, or is over."""
        waiting = asyncio.create_task(self.until_woken())
        async with asyncio.timeout(SOON):
            while not (self.idling or waiting.done()):  # noqa: ASYNC110 - what is waited for tells no event
                await asyncio.sleep(0.01)
        return waiting

    async def persist(self, step: Callable[[], Awaitable[None]]) -> None:
        """Take a step, and again as often as the source is unavailable; none may take long."""
        for _ in range(MOST_TRIES):
            try:
                async with asyncio.timeout(SOON):
                    return await step()
            except SourceUnavailable as error:
                self.complaints.append(error.message)
        raise AssertionError(f"it stays unavailable: {self.complaints}")


async def cancelled(waiting: asyncio.Task[None]) -> None:
    waiting.cancel()
    await asyncio.wait([waiting])
