"""The sender with its real transport, token source and clock against a real receiver."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from cgsync.clock import SystemClock
from cgsync.config import ReceiverConfig
from cgsync.dispatch import open_sender
from cgsync.model import Delivered, Due, Result
from cgsync.secrets import Redactor, Secret
from cgsync.sender import Sender
from cgsync.testing.fakes import MemoryLog

SECRET = "secret-canary"


class Queue:
    """An outbox that knows what is not delivered."""

    def __init__(self, count: int) -> None:
        self.rows = {f"k{n}": Due(key=f"k{n}", reference=f"k{n}", version=1, body=b"{}") for n in range(count)}

    async def due(self, limit: int) -> tuple[Sequence[Due], float | None]:
        return list(self.rows.values())[:limit], None

    async def settle(self, results: Sequence[Result]) -> Sequence[Due]:
        for result in results:
            if isinstance(result.outcome, Delivered):
                del self.rows[result.due.key]
        return []


class Receiver:
    """Issues tokens ``token-canary-N`` and answers PUTs by what the test wrote."""

    def __init__(self) -> None:
        self.tokens = 0
        self.times: list[float] = []
        self.answer: Callable[[str], web.Response] = lambda token: good()

    async def token(self, request: web.Request) -> web.Response:
        self.tokens += 1
        await asyncio.sleep(0.05)
        return web.json_response({"access_token": f"token-canary-{self.tokens}"})

    async def put(self, request: web.Request) -> web.Response:
        self.times.append(time.monotonic())
        await request.read()
        return self.answer(request.headers["Authorization"])


def good() -> web.Response:
    return web.json_response({"data": {"id": 1, "reference": "x"}})


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def server(receiver: Receiver) -> AsyncIterator[TestServer]:
    app = web.Application()
    app.router.add_put("/activities", receiver.put)
    app.router.add_post("/oauth2/token", receiver.token)
    async with TestServer(app) as server:
        yield server


@asynccontextmanager
async def sending(server: TestServer, queue: Queue, log: MemoryLog, **options: Any) -> AsyncIterator[Sender]:
    config = ReceiverConfig(
        url=str(server.make_url("/activities")),
        token_url=str(server.make_url("/oauth2/token")),
        client_id="me",
        client_secret=Secret(SECRET),
        **{"rate_limit": 1e6, **options},
    )
    clock = SystemClock()
    async with open_sender(config, queue, clock=clock, random=random.random, log=log, redactor=Redactor()) as sender:
        running = asyncio.create_task(sender.run())
        yield sender
        sender.stop()
        await asyncio.wait_for(running, 10)


async def test_everything_arrives(server: TestServer, receiver: Receiver) -> None:
    queue = Queue(3_000)
    async with sending(server, queue, MemoryLog()) as sender:
        await sender.idle()
        assert sender.state().delivered == len(receiver.times) == 3_000
    assert queue.rows == {}
    assert receiver.tokens == 1


async def test_fifty_workers_whose_token_was_revoked_ask_for_one_new_one(
    server: TestServer, receiver: Receiver
) -> None:
    receiver.answer = lambda token: good() if token == "Bearer token-canary-2" else web.Response(status=401)
    queue = Queue(500)
    async with sending(server, queue, MemoryLog(), concurrency=50) as sender:
        await sender.idle()
        assert sender.state().generation == 2
    assert receiver.tokens == 2
    assert queue.rows == {}


async def test_the_pace_arrives_as_it_was_meant(server: TestServer, receiver: Receiver) -> None:
    """Timers of a busy machine are late, never early, and what is late is not made up for in a burst."""
    async with sending(server, Queue(1_000), MemoryLog(), rate_limit=50, concurrency=16):
        await asyncio.sleep(3)
    assert len(receiver.times) <= 50 * 3 + 2
    for start in receiver.times:
        assert sum(start <= at < start + 1 for at in receiver.times) <= 50 + 3


async def test_no_secret_is_said(server: TestServer, receiver: Receiver) -> None:
    log = MemoryLog()
    receiver.answer = lambda token: web.json_response({"message": f"bad {token}"}, status=403)
    async with sending(server, Queue(10), log) as sender:
        await sender.idle()
        state = sender.state()
    assert state.cause == "forbidden"
    said = log.text + repr(state)
    assert "bad Bearer ********" in said
    assert SECRET not in said
    assert "token-canary" not in said


async def test_stop_ends_while_everything_waits(server: TestServer) -> None:
    async with sending(server, Queue(10), MemoryLog(), rate_limit=0.01) as sender:
        await asyncio.sleep(0.2)
        assert sender.state().waiting > 0
