"""Plays a fault on a live connection: resets, silence, half an answer."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable

from aiohttp import web

from cgsync.sandbox.faults import Fault
from cgsync.sandbox.reply import Reply

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time left: close() sends RST instead of FIN


def respond(reply: Reply) -> web.Response:
    """A reply as HTTP."""
    return web.Response(status=reply.status, body=reply.body, headers=reply.headers)


def reset(request: web.Request) -> web.Response:
    """Reset the connection. What is returned is never sent."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()
    return web.Response()


def truncate(request: web.Request, reply: Reply) -> web.Response:
    """Promise the whole answer, send half of it, and close."""
    transport = request.transport
    if transport is not None:
        head = (
            f"HTTP/1.1 {reply.status} OK\r\nContent-Type: application/json\r\nContent-Length: {len(reply.body)}\r\n\r\n"
        )
        transport.write(head.encode() + reply.body[: len(reply.body) // 2])
        transport.close()
    return web.Response()


async def hang(fault: Fault, stopping: asyncio.Event) -> None:
    """Say nothing for the fault's time, or until the sandbox ends."""
    try:
        await asyncio.wait_for(stopping.wait(), fault.seconds)
    except TimeoutError:
        return


async def play(
    fault: Fault,
    request: web.Request,
    stopping: asyncio.Event,
    put: Callable[[], Reply],
    refuse: Callable[[Reply], Reply],
) -> web.Response:
    """The fault's answer. ``put`` applies the request as usual; ``refuse`` notes an answer that applied nothing."""
    if fault.kind == "delay":
        await asyncio.sleep(1.0 if fault.seconds is None else fault.seconds)
        return respond(put())
    shown = fault.reply()
    real = put() if fault.applies else refuse(shown)
    if fault.kind == "truncated":
        return truncate(request, real)
    if fault.kind == "hang":
        await hang(fault, stopping)
        return reset(request)
    if fault.kind.startswith("reset"):
        return reset(request)
    return respond(shown)
