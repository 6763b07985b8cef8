"""The transport against a real server that misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from cgsync.clock import SystemClock
from cgsync.delivery import Broken, Kind, Transport, open_transport
from cgsync.http import client_credentials
from cgsync.secrets import Secret

SECRET, TOKEN = "secret-canary", "token-canary"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Receiver:
    """Answers PUTs by what the test wrote, and counts them."""

    def __init__(self) -> None:
        self.puts: list[tuple[dict[str, str], bytes]] = []
        self.handler: Handler

    async def put(self, request: web.Request) -> web.StreamResponse:
        self.puts.append((dict(request.headers), await request.read()))
        return await self.handler(request)

    async def token(self, request: web.Request) -> web.Response:
        return web.json_response({"access_token": TOKEN})


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


def wire(server: TestServer, timeout: float = 5) -> AbstractAsyncContextManager[Transport]:
    tokens = client_credentials(
        str(server.make_url("/oauth2/token")), "me", Secret(SECRET), clock=SystemClock(), timeout=timedelta(seconds=5)
    )
    return open_transport(
        str(server.make_url("/activities")), tokens, connections=4, timeout=timedelta(seconds=timeout)
    )


async def admit() -> None:
    """No pace."""


def answering(**answer: object) -> Handler:
    async def handler(request: web.Request) -> web.Response:
        return web.Response(**answer)  # type: ignore[arg-type]

    return handler


async def test_a_put_carries_the_body_the_token_and_what_is_documented(receiver: Receiver, server: TestServer) -> None:
    receiver.handler = answering(text="{}", headers={"X-RateLimit-Remaining": "7"})
    async with wire(server) as transport:
        answer = await transport.put(b'{"a":1}', admit)
    headers, body = receiver.puts[0]
    assert body == b'{"a":1}'
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert (headers["Content-Type"], headers["Accept"]) == ("application/json", "application/json")
    assert (answer.status, answer.body, answer.generation) == (200, b"{}", 1)
    assert answer.headers["x-ratelimit-remaining"] == "7"
    assert answer.seconds > 0


async def test_a_redirect_is_an_answer(receiver: Receiver, server: TestServer) -> None:
    receiver.handler = answering(status=308, headers={"Location": "/elsewhere"})
    async with wire(server) as transport:
        assert (await transport.put(b"{}", admit)).status == 308
    assert len(receiver.puts) == 1


async def test_admit_is_asked_when_the_connection_stands(receiver: Receiver, server: TestServer) -> None:
    """And what it raises is passed on, with nothing sent."""

    class NotNowError(Exception):
        pass

    async def refuse() -> None:
        raise NotNowError

    receiver.handler = answering(text="{}")
    async with wire(server) as transport:
        with pytest.raises(NotNowError):
            await transport.put(b"{}", refuse)
        assert receiver.puts == []
        assert (await transport.put(b"{}", admit)).status == 200


async def test_a_cut_connection_is_not_repeated_by_the_client(receiver: Receiver, server: TestServer) -> None:
    """A kept connection that breaks makes aiohttp send an idempotent request twice; only the ledger may."""

    async def cut(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        await asyncio.sleep(0)
        return web.Response()

    async with wire(server) as transport:
        receiver.handler = answering(text="{}")
        await transport.put(b"{}", admit)
        receiver.handler = cut
        with pytest.raises(Broken) as caught:
            await transport.put(b"{}", admit)
    assert caught.value.kind is Kind.RESET
    assert caught.value.sent
    assert len(receiver.puts) == 2


async def test_silence_ends_after_the_timeout_in_doubt(receiver: Receiver, server: TestServer) -> None:
    async def silent(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(3600)
        return web.Response()

    receiver.handler = silent
    async with wire(server, timeout=0.2) as transport:
        with pytest.raises(Broken) as caught:
            await transport.put(b"{}", admit)
    assert caught.value.kind is Kind.TIMEOUT
    assert caught.value.sent


async def test_waiting_for_a_turn_is_not_silence(receiver: Receiver, server: TestServer) -> None:
    receiver.handler = answering(text="{}")

    async def slowly() -> None:
        await asyncio.sleep(0.5)

    async with wire(server, timeout=0.2) as transport:
        assert (await transport.put(b"{}", slowly)).status == 200


async def test_a_slow_loris_ends_too(receiver: Receiver, server: TestServer) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0.02)

    receiver.handler = drip
    async with wire(server, timeout=0.3) as transport:
        with pytest.raises(Broken) as caught:
            await transport.put(b"{}", admit)
    assert caught.value.kind is Kind.TIMEOUT


async def test_an_endless_answer_is_too_large(receiver: Receiver, server: TestServer) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65_536)

    receiver.handler = endless
    async with wire(server) as transport:
        answer = await transport.put(b"{}", admit)
        assert answer.too_large
        receiver.handler = answering(text="{}")
        assert (await transport.put(b"{}", admit)).status == 200


async def test_a_truncated_answer_is_in_doubt(receiver: Receiver, server: TestServer) -> None:
    async def truncated(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'{"data"')
        assert request.transport is not None
        request.transport.close()
        return response

    receiver.handler = truncated
    async with wire(server) as transport:
        with pytest.raises(Broken) as caught:
            await transport.put(b"{}", admit)
    assert caught.value.sent


async def test_nobody_there_was_not_sent(unused_tcp_port: int, server: TestServer) -> None:
    tokens = client_credentials(str(server.make_url("/oauth2/token")), "me", Secret(SECRET), clock=SystemClock())
    async with open_transport(f"http://127.0.0.1:{unused_tcp_port}/", tokens, connections=1) as transport:
        with pytest.raises(Broken) as caught:
            await transport.put(b"{}", admit)
    assert caught.value.kind is Kind.REFUSED
    assert not caught.value.sent
    assert TOKEN not in f"{caught.value!r} {caught.value.__cause__!r}"


async def test_a_name_that_does_not_resolve_was_not_sent(server: TestServer) -> None:
    tokens = client_credentials(str(server.make_url("/oauth2/token")), "me", Secret(SECRET), clock=SystemClock())
    async with open_transport("http://nowhere.invalid/", tokens, connections=1) as transport:
        with pytest.raises(Broken) as caught:
            await transport.put(b"{}", admit)
    assert caught.value.kind is Kind.DNS


async def test_plain_http_behind_https_is_no_secure_connection(server: TestServer) -> None:
    tokens = client_credentials(str(server.make_url("/oauth2/token")), "me", Secret(SECRET), clock=SystemClock())
    url = str(server.make_url("/activities").with_scheme("https"))
    async with open_transport(url, tokens, connections=1) as transport:
        with pytest.raises(Broken) as caught:
            await transport.put(b"{}", admit)
    assert caught.value.kind is Kind.TLS


async def test_check_logs_in_and_sends_nothing(receiver: Receiver, server: TestServer) -> None:
    async with wire(server) as transport:
        assert "issued a token" in await transport.check()
    assert receiver.puts == []
