"""Plays a fault on a live connection: resets, silence, half an answer, an answer that is not one."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import struct
from collections.abc import Callable
from functools import cache

from aiohttp import web

from cgsync.sandbox.faults import Fault
from cgsync.sandbox.reply import JSON, Reply

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER with no time left: close() sends RST instead of FIN
DRIP = 60.0
"""Seconds over which an answer drips, if not said."""
HUGE = 10 * 1024 * 1024
BOMB = 100 * 1024 * 1024
CHUNK = bytes(64 * 1024)


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


def half(request: web.Request, reply: Reply) -> asyncio.Transport | None:
    """Promise the whole answer and send half of it; returns the connection, if there still is one."""
    transport = request.transport
    if transport is not None:
        head = (
            f"HTTP/1.1 {reply.status} OK\r\nContent-Type: application/json\r\nContent-Length: {len(reply.body)}\r\n\r\n"
        )
        transport.write(head.encode() + reply.body[: len(reply.body) // 2])
    return transport


def truncate(request: web.Request, reply: Reply) -> web.Response:
    """Half of the answer, and close."""
    if (transport := half(request, reply)) is not None:
        transport.close()
    return web.Response()


async def cut(request: web.Request, reply: Reply) -> web.Response:
    """Half of the answer, and a reset once it is on its way: at once, the reset would overtake it."""
    half(request, reply)
    await asyncio.sleep(0.01)
    return reset(request)


async def hang(fault: Fault, stopping: asyncio.Event) -> None:
    """Say nothing for the fault's time, or until the sandbox ends."""
    try:
        await asyncio.wait_for(stopping.wait(), fault.seconds)
    except TimeoutError:
        return


async def drip(request: web.Request, reply: Reply, seconds: float) -> web.StreamResponse:
    """The answer byte by byte: each comes well before a client's patience with a silent socket ends."""
    answer = web.StreamResponse(status=reply.status, headers=reply.headers)
    answer.content_length = len(reply.body)
    with contextlib.suppress(ConnectionError):  # a client that has had enough
        await answer.prepare(request)
        for byte in reply.body:
            await answer.write(bytes([byte]))
            await asyncio.sleep(seconds / len(reply.body))
    return answer


async def flood(request: web.Request, reply: Reply) -> web.StreamResponse:
    """An answer without end; a client that goes ends it."""
    answer = web.StreamResponse(status=reply.status, headers=JSON)
    with contextlib.suppress(ConnectionError):
        await answer.prepare(request)
        while True:
            await answer.write(CHUNK)
            await asyncio.sleep(0)
    return answer


def garbled(kind: str, reply: Reply) -> Reply | None:
    """The answer, spoilt in one of the ways that still are HTTP; ``None`` for any other kind."""
    zipped = {**reply.headers, "Content-Encoding": "gzip"}
    match kind:
        case "huge":
            return Reply(status=reply.status, body=reply.body[:-1] + b',"pad":"' + b"x" * HUGE + b'"}')
        case "bad_gzip":
            return Reply(status=reply.status, body=reply.body, headers=zipped)
        case "gzip_bomb":
            return Reply(status=reply.status, body=bomb(), headers=zipped)
        case "bad_json":
            return Reply(status=reply.status, body=reply.body[: len(reply.body) // 2])
    return None


async def play(
    fault: Fault,
    request: web.Request,
    stopping: asyncio.Event,
    put: Callable[[], Reply],
    refuse: Callable[[Reply], Reply],
) -> web.StreamResponse:
    """The fault's answer. ``put`` applies the request as usual; ``refuse`` notes an answer that applied nothing."""
    seconds = 1.0 if fault.seconds is None else fault.seconds
    if fault.kind == "delay":
        await asyncio.sleep(seconds)
        return respond(put())
    if fault.kind == "late":
        refuse(fault.reply())  # noted as it came, and once more when it is applied
        asyncio.get_running_loop().call_later(seconds, put)
        return reset(request)
    shown = fault.reply()
    real = put() if fault.applies else refuse(shown)
    if fault.kind == "hang":
        await hang(fault, stopping)
        return reset(request)
    return await spoil(fault, request, real) or respond(shown)


async def spoil(fault: Fault, request: web.Request, reply: Reply) -> web.StreamResponse | None:
    """What is left of the answer on its way; ``None`` for a kind that leaves the way alone."""
    match fault.kind:
        case "reset_before" | "reset_after" | "down":
            return reset(request)
        case "reset_inside":
            return await cut(request, reply)
        case "truncated":
            return truncate(request, reply)
        case "drip":
            return await drip(request, reply, DRIP if fault.seconds is None else fault.seconds)
        case "endless":
            return await flood(request, reply)
        case kind if spoilt := garbled(kind, reply):
            return respond(spoilt)
    return None


@cache
def bomb() -> bytes:
    """Made once, when it is first thrown: that takes a third of a second."""
    return gzip.compress(bytes(BOMB), 1)
