"""A wire between client and server that a test can cut, stall and refuse to open."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

ESTABLISHED = 1
"""What TCP_INFO says of a connection that neither side has ended."""


class Proxy:
    """Passes bytes on, both ways. ``connections`` counts those that were ever opened."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._flows = asyncio.Event()
        self._flows.set()
        self._open: set[asyncio.StreamWriter] = set()
        self._clients: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.connections = 0
        self.most = 0
        """Connections that were open at the same time."""
        self.left: int | None = None
        """Bytes from the server that still pass; after them the connection is reset."""

    async def __aenter__(self) -> Self:
        await self.accept()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse()
        self._flows.set()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def accept(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Accept no connection any more."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def stall(self) -> None:
        """Pass nothing on, in any direction, and say nothing of it: a half-open connection."""
        self._flows.clear()

    def flow(self) -> None:
        self._flows.set()

    def cut(self) -> None:
        """Reset every connection."""
        for writer in list(self._open):
            with contextlib.suppress(OSError):
                raw = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        self._open.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._clients = [each for each in (*self._clients, writer) if _is_open(each)]
        self.most = max(self.most, len(self._clients))
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, back}
        for pump in (self._pump(reader, back), self._pump(there, writer, counted=True)):
            task = asyncio.create_task(pump)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, counted: bool = False) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._flows.wait()
                if counted and self.left is not None:
                    data, self.left = data[: self.left], max(0, self.left - len(data))
                writer.write(data)
                await writer.drain()
                if counted and self.left == 0:
                    self.left = None
                    self.cut()
                    return
        writer.transport.abort()


def _is_open(client: asyncio.StreamWriter) -> bool:
    """Whether the client has not hung up, by what the kernel knows already."""
    if client.transport.is_closing():
        return False
    state = client.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return bool(state == ESTABLISHED)


@asynccontextmanager
async def proxied(port: int) -> AsyncIterator[Proxy]:
    async with Proxy(port) as proxy:
        yield proxy
