"""The open source: one connection, what is done over it, and what wakes it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, TypeVar

from cgsync.api import Batch, Context, Cursor, Json, Record, SourceUnavailable
from cgsync.formats import Workers
from cgsync_imap.access import Access
from cgsync_imap.after import Aftermath
from cgsync_imap.errors import Refused
from cgsync_imap.judging import prepared
from cgsync_imap.looking import summary
from cgsync_imap.pool import Pool, Seat
from cgsync_imap.round import Round
from cgsync_imap.saving import check
from cgsync_imap.session import Session
from cgsync_imap.settings import Settings

T = TypeVar("T")

LIFE = timedelta(hours=6)
"""A connection is replaced after that time, whatever state it may be in that nobody thought of."""


@asynccontextmanager
async def opened(options: Mapping[str, Any], context: Context) -> AsyncIterator[ImapSource]:
    """The source. Raises :class:`SourceMisconfigured` for options that do not go together; nobody is asked yet."""
    settings, tokens, insecure = prepared(options, context)
    for words in insecure:
        context.log.warning("insecure", reason=words, allowed_by="allow_insecure")
    place = (settings.server.host, settings.username, settings.connections)
    with context.shared(Pool).seat(*place, context.clock) as seat:
        # one process: it reads a letter in a millisecond, and takes a third of a second to start
        async with Workers(count=1) as workers:
            source = ImapSource(settings, Access(settings, tokens), seat, context, workers)
            try:
                yield source
            finally:
                await source.hang_up()


class ImapSource:
    """Reads one mailbox."""

    def __init__(self, settings: Settings, access: Access, seat: Seat, context: Context, workers: Workers) -> None:
        self._settings = settings
        self._access = access
        self._seat = seat
        self._clock = context.clock
        self._round = Round(settings, context, workers)
        self._aftermath = Aftermath(settings.after, context.log) if settings.after else None
        self._session: Session | None = None
        self._ends = 0.0
        self._behind: Cursor = {}

    async def fetch(self, cursor: Cursor) -> Batch | None:
        """What is new behind ``cursor``; at most 500 records, from as many folders as that takes."""
        if cursor != self._behind:
            self._round.forget()  # somebody starts from another place than where we stopped
        self._behind = cursor
        batch = await self._asked(lambda session: self._round.fetch(session, cursor))
        if batch is not None:
            self._behind = {part: value for part, value in {**cursor, **batch.cursor}.items() if value is not None}
        return batch

    async def settle(self, done: Sequence[Json]) -> None:
        """Flag, move or delete messages whose records are stored."""
        aftermath = self._aftermath
        if aftermath is not None and done:
            await self._asked(lambda session: aftermath.settle(session, done))

    async def wait(self) -> None:
        """Return when the server says that something came, or when the connection was lost.

        When another mailbox needs the connection meanwhile, the schedule finds what comes, until there is one to spare.
        """
        while not await self._heard():
            await self.hang_up()

    async def _heard(self) -> bool:
        """Whether there may be something; false when the connection is needed by another before that."""
        try:
            if self._settings.idle:
                session = await self._connected(spare=True)
                return await self._seat.rest(self._listen(session))
        except Refused:
            pass  # this folder cannot tell
        except SourceUnavailable:
            return True  # the next fetch connects anew, and says what is wrong if it cannot
        return await self._seat.rest(asyncio.Event().wait())  # the schedule can

    async def _listen(self, session: Session) -> None:
        """Return when a message came. Those of other folders, and without IDLE all, are found by the schedule."""
        if "IDLE" not in await session.capabilities():
            await asyncio.Event().wait()
        folder = (await self._round.folders(session))[0]
        if not await self._round.has_news(session, folder, self._behind):
            await session.connection.idle(self._settings.idle_refresh)

    async def check(self) -> str:
        """What was seen after logging in: folders, messages, what the server can do."""
        return await self._asked(self._summary)

    async def _summary(self, session: Session) -> str:
        if self._aftermath is not None:
            self._aftermath.check(await session.capabilities())
        if self._settings.saving is not None:
            check(self._settings.saving)
        return await summary(session, await self._round.folders(session), self._settings, self._clock.now())

    async def sample(self, n: int) -> Sequence[Record]:
        """The newest ``n`` messages of the first folder that has any, then of the next."""
        return await self._asked(lambda session: self._round.newest(session, n))

    async def hang_up(self) -> None:
        """Close the connection, if there is one, and let others have it."""
        session, self._session = self._session, None
        try:
            if session is not None:
                await session.connection.close()
        finally:
            self._seat.release()

    async def _asked(self, work: Callable[[Session], Awaitable[T]]) -> T:
        """What ``work`` returns. A connection that was lost while nobody looked is replaced at once."""
        before = self._session
        session = await self._connected()
        try:
            return await work(session)
        except SourceUnavailable:
            if session is not before or not session.connection.lost:
                raise
        return await work(await self._connected())

    async def _connected(self, *, spare: bool = False) -> Session:
        """``spare``: without taking the connection of another mailbox for that."""
        now = self._clock.monotonic()
        if self._session is None or self._session.connection.lost or now >= self._ends or self._seat.is_over:
            await self.hang_up()
            async with self._seat.taking(spare=spare):
                self._session = Session(await self._access.connect(), self._settings.username)
            self._ends = now + LIFE.total_seconds()
        return self._session
