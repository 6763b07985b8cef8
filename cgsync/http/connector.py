"""A connector with a door between connection and first byte. Imports aiohttp; imported by whoever opens a session."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

import aiohttp

from cgsync.http.broken import Broken, translate

if TYPE_CHECKING:
    from aiohttp.client import ClientRequest, ClientTimeout
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

Admit: TypeAlias = Callable[[], Awaitable[None]]
"""Awaited when token and connection are at hand and the next thing is the first byte; raises to send nothing."""

SWEEP = 1.0
"""Seconds between two looks at what takes too long."""


class Crossing:
    """One request on its way through the door, to be entered around it."""

    __slots__ = ("_began", "_connection", "_connector", "_expired", "admit")

    def __init__(self, admit: Admit) -> None:
        self.admit = admit
        self._began = 0.0
        self._connection: Connection | None = None
        self._connector: DoorConnector | None = None
        self._expired = False

    @property
    def crossed(self) -> bool:
        """The first byte has left, or may have."""
        return self._connection is not None

    def seconds(self, now: float) -> float:
        """Since the first byte; ``now`` by the loop's time."""
        return now - self._began

    def cross(self, connector: DoorConnector, connection: Connection, now: float) -> None:
        self._connector, self._connection, self._began = connector, connection, now

    def abort(self) -> None:
        """The answer takes too long: cut the connection, which ends the request with an error."""
        self._expired = True
        if self._connection is not None and self._connection.transport is not None:
            self._connection.transport.abort()

    def broken(self, error: Exception, *, host: str) -> Broken:
        """What ended the request, in our words."""
        return translate(TimeoutError() if self._expired else error, host=host, sent=self.crossed)

    def __enter__(self) -> Crossing:
        CROSSING.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        if self._connector is not None:
            self._connector.forget(self)


CROSSING: ContextVar[Crossing] = ContextVar("cgsync.http.crossing")
"""Which request asks for the connection: aiohttp has no argument through which it could be told."""


class DoorConnector(aiohttp.TCPConnector):
    """Lets a request pass only when its ``admit`` does, never twice, and cuts it ``limit`` after its first byte.

    A pace that is measured before the connection is made would let pile up what waits for slow handshakes, and then
    go out at once. aiohttp repeats a PUT by itself when a kept connection breaks; here only the ledger repeats. And
    one sweep a second over what is under way costs a tenth of a timer for each request.
    """

    def __init__(
        self, *, limit: timedelta, connecting: timedelta, connections: int, trust: ssl.SSLContext | bool
    ) -> None:
        super().__init__(ssl=trust, limit=connections, keepalive_timeout=30)
        self._connecting = connecting.total_seconds()
        self._crossings: set[Crossing] = set()
        self._longest = limit.total_seconds()
        self._pulse = min(SWEEP, self._longest / 4)
        self._clock = asyncio.get_running_loop()
        self._sweeping: asyncio.TimerHandle | None = None

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout) -> Connection:
        crossing = CROSSING.get()
        if crossing.crossed:
            raise crossing.broken(aiohttp.ServerDisconnectedError(), host=str(req.url.origin()))
        connection = await super().connect(req, traces, timeout)
        while not await self._admitted(connection, crossing):
            connection = await super().connect(req, traces, timeout)
        crossing.cross(self, connection, self._clock.time())
        self._crossings.add(crossing)
        if self._sweeping is None:
            self._sweeping = self._clock.call_later(self._pulse, self._sweep)
        return connection

    async def _create_connection(
        self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> ResponseHandler:
        """Within one limit for the name, the connection, TLS, and the answer of a proxy."""
        async with asyncio.timeout(self._connecting):
            return await super()._create_connection(req, traces, timeout)

    def forget(self, crossing: Crossing) -> None:
        """That request has ended."""
        self._crossings.discard(crossing)

    async def _admitted(self, connection: Connection, crossing: Crossing) -> bool:
        """False when the connection ended while its turn was awaited."""
        try:
            await crossing.admit()
        except BaseException:
            connection.release()
            raise
        if connection.protocol is not None and connection.protocol.is_connected():
            return True
        connection.close()
        return False

    def _sweep(self) -> None:
        now = self._clock.time()
        for crossing in self._crossings:
            if crossing.seconds(now) > self._longest:
                crossing.abort()
        self._sweeping = self._clock.call_later(self._pulse, self._sweep) if self._crossings else None

    async def close(self, *, abort_ssl: bool = False) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
        await super().close(abort_ssl=abort_ssl)
