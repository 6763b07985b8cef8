"""Connections of all IMAP sources of a daemon, counted: whose turn it is, and who makes room for it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from itertools import count
from typing import TypeAlias

from cgsync.api import Clock, SourceUnavailable
from cgsync_imap.errors import Overloaded
from cgsync_imap.settings import Connections

Scope: TypeAlias = "tuple[str, ...]"
"""What a limit holds for: ``(host, username)``, ``(host,)``, or ``()`` for everything."""

GAP = 0.1
"""Seconds between two connections to one host: many mailboxes do not all log in at once."""
TURN = 15.0
"""Seconds of reading after which a mailbox that is not at its end lets others have its connection."""

PATIENCE = 240.0
"""Seconds of waiting for a connection; a look that takes five minutes would be given up with other words."""


class Pool:
    """All seats. Nobody waits for one of them while another that could do without it rests.

    Who waits is served in the order of asking, and is made room for by the one that rests longest. Since an account
    is part of a host, room in the innermost limit that is reached is room in all of them: nobody starves between two.
    """

    def __init__(self) -> None:
        self._limits: dict[Scope, int] = {}
        self.waiting: dict[Seat, None] = {}
        self.hoping: dict[Seat, None] = {}
        self.rests = count()
        self._seats: list[Seat] = []
        self._next: dict[str, float] = {}
        self._alone: dict[Scope, float] = {}

    @contextmanager
    def seat(self, host: str, username: str, limits: Connections, clock: Clock) -> Iterator[Seat]:
        """For one source, as long as it is open. Where sources disagree about a limit, the lowest counts."""
        seat = Seat(self, (host.lower(), username), limits, clock)
        self._seats.append(seat)
        self._agree()
        try:
            yield seat
        finally:
            self._seats.remove(seat)
            self._agree()
            seat.release()

    def _agree(self) -> None:
        self._limits.clear()
        for seat in self._seats:
            for scope, limit in seat.scopes.items():
                self._limits[scope] = min(limit, self._limits.get(scope, limit))

    def serve(self) -> None:
        """Give what is free to those who wait, and have others leave for the rest of them."""
        taken = Counter(scope for seat in self._seats if seat.held for scope in seat.scopes)
        staying = Counter(scope for seat in self._seats if seat.held and not seat.leaving for scope in seat.scopes)
        for seat in list(self.waiting):
            if self._make_room(seat, staying):
                staying.update(seat.scopes.keys())
                self._grant(seat, taken)
        for seat in list(self.hoping):
            if self._full(seat, staying) is None and self._grant(seat, taken):
                staying.update(seat.scopes.keys())

    def _grant(self, seat: Seat, taken: Counter[Scope]) -> bool:
        if self._full(seat, taken) is not None:
            return False
        taken.update(seat.scopes.keys())
        seat.grant()
        return True

    def _make_room(self, seat: Seat, staying: Counter[Scope]) -> bool:
        while (scope := self._full(seat, staying)) is not None:
            resting = [each for each in self._seats if each.resting is not None and scope in each.scopes]
            longest = min(resting, key=lambda each: each.resting or 0, default=None)
            if longest is None:
                return False
            longest.leave()
            staying.subtract(longest.scopes.keys())
        return True

    def _full(self, seat: Seat, taken: Counter[Scope]) -> Scope | None:
        """The innermost limit that is reached."""
        return next((scope for scope in seat.scopes if taken[scope] >= self._limits[scope]), None)

    def is_short(self, seat: Seat) -> bool:
        """Whether somebody waits for what this one holds."""
        taken = Counter(scope for each in self._seats if each.held for scope in each.scopes)
        return any(self._full(each, taken) in seat.scopes for each in self.waiting)

    def check_alone(self, seat: Seat, now: float) -> None:
        """Raise :class:`SourceUnavailable` while the host, or this account of it, wants to be left alone."""
        left = max(self._alone.get(scope, now) for scope in seat.scopes) - now
        if left > 0:
            raise SourceUnavailable(f"{seat.host} wants to be left alone", retry_after=timedelta(seconds=left))

    def leave_alone(self, scope: Scope, until: float) -> None:
        self._alone[scope] = max(until, self._alone.get(scope, until))

    def start(self, host: str, now: float) -> float:
        """Seconds until the next connection to that host may begin."""
        begin = max(now, self._next.get(host, now))
        self._next[host] = begin + GAP
        return begin - now


class Seat:
    """The place of one source among all: with or without a connection. ``resting``: since when, by number."""

    def __init__(self, pool: Pool, account: Scope, limits: Connections, clock: Clock) -> None:
        self._pool = pool
        self._clock = clock
        self._granted = asyncio.Event()
        self._since = 0.0
        self._ask: Callable[[], None] = lambda: None
        self.account = account
        self.host = account[0]
        self.scopes = {account: limits.account, account[:1]: limits.host, (): limits.all}
        self.held = False
        self.leaving = False
        self.resting: int | None = None

    @asynccontextmanager
    async def taking(self, *, spare: bool = False) -> AsyncIterator[None]:
        """Wait for leave to connect, which lasts until :meth:`release` or an error in the block.

        ``spare``: not at the cost of others. Raises :class:`SourceUnavailable` while the server wants to be left alone.
        """
        try:
            await self._take(self._pool.hoping if spare else self._pool.waiting)
            yield
        except BaseException as error:
            self.release()
            self._heed(error)
            raise

    async def _take(self, line: dict[Seat, None]) -> None:
        self._pool.check_alone(self, self._clock.monotonic())
        line[self] = None
        try:
            self._pool.serve()
            async with asyncio.timeout(PATIENCE if line is self._pool.waiting else None):
                await self._granted.wait()
        except TimeoutError:
            hint = "raise `connections:`, or look less often with `every:`"
            raise SourceUnavailable("other mailboxes need all connections that there may be", hint=hint) from None
        finally:
            line.pop(self, None)
        self._pool.check_alone(self, self._clock.monotonic())  # that may have come up meanwhile
        await self._clock.sleep(self._pool.start(self.host, self._clock.monotonic()))

    def _heed(self, error: BaseException) -> None:
        """A server that asks for patience before it knows who we are means all that come from here."""
        if isinstance(error, SourceUnavailable) and error.retry_after is not None:
            scope = self.account[:1] if isinstance(error, Overloaded) else self.account
            self._pool.leave_alone(scope, self._clock.monotonic() + error.retry_after.total_seconds())

    def grant(self) -> None:
        self.held = True
        self._granted.set()
        self._since = self._clock.monotonic()
        for line in (self._pool.waiting, self._pool.hoping):
            line.pop(self, None)

    def release(self) -> None:
        """There is no connection any more."""
        self.held = self.leaving = False
        self._granted.clear()
        self._pool.serve()

    async def rest(self, listening: Awaitable[object]) -> bool:
        """Whether ``listening`` ended; false when the connection is needed by another before that."""
        try:
            async with asyncio.timeout(None) as end:
                self._ask = lambda: end.reschedule(asyncio.get_running_loop().time())
                self.resting = next(self._pool.rests) if self.held else None
                self._pool.serve()
                await listening
        except TimeoutError:
            if not end.expired():
                raise
            return False
        finally:
            self.resting = None
            self._since = self._clock.monotonic()
        return True

    def leave(self) -> None:
        """Somebody needs what this one holds."""
        self.resting, self.leaving = None, True
        self._ask()

    @property
    def is_over(self) -> bool:
        """Whether the connection is to be given up before it is used again."""
        worked = self._clock.monotonic() - self._since
        return self.leaving or (worked >= TURN and self._pool.is_short(self))
