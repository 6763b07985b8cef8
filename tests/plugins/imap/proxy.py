"""A wire between client and server that a test can cut, stall and refuse to open, at any command."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self

ESTABLISHED = 1
"""What TCP_INFO says of a connection that neither side has ended."""

COMMAND = re.compile(rb"(?:^|\n)(?:\S+ ((?:UID )?[A-Z]+)|(DONE))")
"""A command without its arguments; the end of an IDLE has no tag."""


@dataclass
class Strike:
    """What befalls the first connection over which ``command`` is sent; an empty one stands for the connect itself.

    ``how``: ``rst`` and ``fin`` end it when the server answers, after ``passed`` bytes of the answer. ``stall`` passes
    no more of what the server says, and ``half-open`` nothing of what the client says either, beginning with that
    command; neither side is told.
    """

    command: str
    how: str
    passed: int = 0
    hit: bool = False


@dataclass(eq=False)
class Wire:
    """One connection through the proxy. ``struck``: what befell it."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    struck: Strike | None = None

    @property
    def deaf(self) -> bool:
        """Whether what the client says goes nowhere."""
        return self.struck is not None and self.struck.how == "half-open"

    def reset(self) -> None:
        for writer in (self.client, self.server):
            with contextlib.suppress(OSError):
                raw = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    def end(self) -> None:
        """Do what ``struck`` says once its bytes have passed."""
        assert self.struck is not None
        if self.struck.how == "rst":
            self.reset()
        elif self.struck.how == "fin":
            self.client.write_eof()
            self.server.transport.abort()


class Proxy:
    """Passes bytes on, both ways. ``connections`` counts those that were ever opened."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._flows = asyncio.Event()
        self._flows.set()
        self._wires: list[Wire] = []
        self._clients: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.connections = 0
        self.most = 0
        """Connections that were open at the same time."""
        self.strike: Strike | None = None
        """What is still to befall a connection."""
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
        while self._wires:
            self._wires.pop().reset()

    def strike_now(self, how: str) -> Strike:
        """Let it befall the newest connection, whatever is going on there."""
        self._wires[-1].struck = strike = Strike("", how, hit=True)
        self._wires[-1].end()
        return strike

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._clients = [each for each in (*self._clients, writer) if _is_open(each)]
        self.most = max(self.most, len(self._clients))
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        wire = Wire(writer, back)
        self._wires.append(wire)
        self._befall(wire, "")
        for pump in (self._upwards(reader, wire), self._downwards(there, wire)):
            task = asyncio.create_task(pump)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _befall(self, wire: Wire, command: str) -> None:
        if self.strike is not None and self.strike.command == command:
            wire.struck, self.strike = self.strike, None
            wire.struck.hit = True

    async def _upwards(self, reader: asyncio.StreamReader, wire: Wire) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._flows.wait()
                for tagged, done in COMMAND.findall(data):
                    self._befall(wire, (tagged or done).decode())
                if not wire.deaf:
                    wire.server.write(data)
                    await wire.server.drain()
        wire.server.transport.abort()

    async def _downwards(self, reader: asyncio.StreamReader, wire: Wire) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._flows.wait()
                passed = self._passed(wire, data)
                wire.client.write(data[:passed])
                await wire.client.drain()
                if passed < len(data):
                    wire.end()
        if wire.struck is None:
            wire.client.transport.abort()

    def _passed(self, wire: Wire, data: bytes) -> int:
        """How much of it passes."""
        if wire.struck is not None:
            passed = min(wire.struck.passed, len(data))
            wire.struck.passed -= passed
            return passed
        if self.left is None:
            return len(data)
        passed, self.left = min(self.left, len(data)), max(0, self.left - len(data))
        if not self.left:
            wire.struck, self.left = Strike("", "rst", hit=True), None
        return passed


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
