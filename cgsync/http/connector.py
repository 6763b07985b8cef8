"""A connector with a door between connection and first byte. Imports aiohttp; imported by whoever opens a session."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import aiohttp

from cgsync.http.broken import Broken, Kind

if TYPE_CHECKING:
    from aiohttp.client import ClientRequest, ClientTimeout
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

Admit: TypeAlias = Callable[[], Awaitable[None]]
"""Awaited when token and connection are at hand and the next thing is the first byte; raises to send nothing."""


class Crossing:
    """One request on its way through the door. From there on, ``limit`` seconds are left for its answer."""

    __slots__ = ("_admit", "_limit", "_scope", "crossed_at")

    def __init__(self, admit: Admit, scope: asyncio.Timeout, limit: float) -> None:
        self._admit = admit
        self._scope = scope
        self._limit = limit
        self.crossed_at: float | None = None
        """Time of the loop at the first byte."""

    async def admit(self) -> None:
        await self._admit()

    def cross(self) -> None:
        self.crossed_at = asyncio.get_running_loop().time()
        self._scope.reschedule(self.crossed_at + self._limit)

    def seconds(self) -> float:
        """Since the first byte."""
        return 0.0 if self.crossed_at is None else asyncio.get_running_loop().time() - self.crossed_at


CROSSING: ContextVar[Crossing] = ContextVar("cgsync.http.crossing")
"""Which request asks for the connection: aiohttp has no argument through which it could be told."""


class DoorConnector(aiohttp.TCPConnector):
    """Lets a request pass only when its ``admit`` does, and never twice.

    A pace that is measured before the connection is made would let pile up what waits for slow handshakes, and then
    go out at once. And aiohttp repeats a PUT by itself when a kept connection breaks; here only the ledger repeats.
    """

    async def connect(self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout) -> Connection:
        crossing = CROSSING.get()
        if crossing.crossed_at is not None:
            raise Broken(Kind.RESET, f"{req.url.host}: the connection was cut", sent=True)
        connection = await super().connect(req, traces, timeout)
        while not await self._admitted(connection, crossing):
            connection = await super().connect(req, traces, timeout)
        crossing.cross()
        return connection

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


def tls(ca_file: Path | None) -> ssl.SSLContext:
    """The system's trust, or that of ``ca_file``; nothing here turns the check off."""
    return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
