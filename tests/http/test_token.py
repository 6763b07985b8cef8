"""Client credentials against a real token endpoint."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from cgsync.http import Broken, Kind, Tokens, client_credentials
from cgsync.secrets import Redactor, Secret

SECRET = "s3cret-canary"


class Endpoint:
    """Issues t1, t2, … unless told to answer otherwise."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.answer: web.Response | None = None
        self.extra: dict[str, Any] = {"expires_in": 3600}
        self.reached = asyncio.Event()
        self.hold = asyncio.Event()
        self.hold.set()

    async def token(self, request: web.Request) -> web.Response:
        self.asked.append({str(k): str(v) for k, v in (await request.post()).items()})
        self.reached.set()
        await self.hold.wait()
        if self.answer is not None:
            return web.Response(status=self.answer.status, body=self.answer.body, headers=self.answer.headers)
        return web.json_response({"access_token": f"token-{len(self.asked)}"} | self.extra)


@pytest.fixture
async def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
async def url(endpoint: Endpoint) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/oauth2/token", endpoint.token)
    async with TestServer(app) as server:
        yield str(server.make_url("/oauth2/token"))


@pytest.fixture
async def tokens(url: str, clock: Any) -> AsyncIterator[Tokens]:
    source = client_credentials(url, "me", Secret(SECRET), clock=clock, timeout=timedelta(seconds=5))
    yield source
    await source.aclose()


async def test_the_secret_goes_in_the_body(tokens: Tokens, endpoint: Endpoint) -> None:
    credential = await tokens.credential()
    assert credential.value.reveal() == "Bearer token-1"
    assert endpoint.asked == [{"grant_type": "client_credentials", "client_id": "me", "client_secret": SECRET}]


async def test_a_token_is_used_until_shortly_before_its_end(tokens: Tokens, endpoint: Endpoint, clock: Any) -> None:
    await tokens.credential()
    clock.time += 3539
    await tokens.credential()
    assert len(endpoint.asked) == 1
    clock.time += 1
    assert (await tokens.credential()).generation == 2


async def test_fifty_who_wait_cause_one_refresh(tokens: Tokens, endpoint: Endpoint) -> None:
    endpoint.hold.clear()
    waiting = [asyncio.create_task(tokens.credential()) for _ in range(50)]
    await endpoint.reached.wait()
    endpoint.hold.set()
    assert {(await task).generation for task in waiting} == {1}
    assert len(endpoint.asked) == 1


async def test_one_who_gives_up_takes_it_from_nobody(tokens: Tokens, endpoint: Endpoint) -> None:
    endpoint.hold.clear()
    first, second = (asyncio.create_task(tokens.credential()) for _ in range(2))
    await endpoint.reached.wait()
    first.cancel()
    endpoint.hold.set()
    assert (await second).generation == 1


async def test_one_refresh_for_each_generation(tokens: Tokens, endpoint: Endpoint) -> None:
    """Fifty got a 401 with the first token; late ones do not take the second away."""
    await tokens.credential()
    for _ in range(50):
        tokens.invalidate(1)
    assert (await tokens.credential()).generation == 2
    tokens.invalidate(1)
    assert (await tokens.credential()).generation == 2
    assert len(endpoint.asked) == 2


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Kind.LOGIN),
        (401, Kind.LOGIN),
        (403, Kind.LOGIN),
        (404, Kind.LOGIN),
        (302, Kind.REDIRECT),
        (429, Kind.LOGIN_BUSY),
        (500, Kind.LOGIN_DOWN),
        (503, Kind.LOGIN_DOWN),
    ],
)
async def test_a_refusal_is_told_from_a_passing_failure(
    tokens: Tokens, endpoint: Endpoint, status: int, kind: Kind
) -> None:
    endpoint.answer = web.json_response(
        {"error": "invalid_client", "error_description": f"{SECRET} is wrong"},
        status=status,
        headers={"Retry-After": "3", "Location": "/elsewhere"},
    )
    with pytest.raises(Broken) as caught:
        await tokens.credential()
    assert caught.value.kind is kind
    assert not caught.value.sent
    assert "invalid_client" in str(caught.value)
    assert SECRET not in str(caught.value)
    if status in (429, 500, 503):
        assert caught.value.after == timedelta(seconds=3)


@pytest.mark.parametrize(
    "body", [b"<html>", b"{}", b'{"access_token": 7}', b'{"access_token": "a\\nb"}', b"[]", b"", b"x" * 100_000]
)
async def test_an_answer_without_a_token_is_a_passing_failure(tokens: Tokens, endpoint: Endpoint, body: bytes) -> None:
    endpoint.answer = web.Response(body=body)
    with pytest.raises(Broken) as caught:
        await tokens.credential()
    assert caught.value.kind is Kind.LOGIN_DOWN


@pytest.mark.parametrize(
    ("extra", "renewed_after"), [({}, 3540), ({"expires_in": "100"}, 90), ({"expires_in": -1}, 3540)]
)
async def test_the_lifetime_is_taken_when_there_is_one(
    tokens: Tokens, endpoint: Endpoint, clock: Any, extra: dict[str, Any], renewed_after: float
) -> None:
    endpoint.extra = extra
    await tokens.credential()
    clock.time += renewed_after - 1
    assert (await tokens.credential()).generation == 1
    clock.time += 1
    assert (await tokens.credential()).generation == 2


async def test_a_failed_renewal_uses_the_old_token_while_it_holds(
    tokens: Tokens, endpoint: Endpoint, clock: Any
) -> None:
    await tokens.credential()
    endpoint.answer = web.Response(status=500)
    clock.time += 3545
    assert (await tokens.credential()).generation == 1
    clock.time += 60
    with pytest.raises(Broken):
        await tokens.credential()


async def test_nobody_there_is_a_failure_without_our_secret(clock: Any, unused_tcp_port: int) -> None:
    tokens = client_credentials(f"http://127.0.0.1:{unused_tcp_port}/t", "me", Secret(SECRET), clock=clock)
    with pytest.raises(Broken) as caught:
        await tokens.credential()
    assert caught.value.kind is Kind.REFUSED
    assert SECRET not in repr(caught.value)


async def test_the_token_is_masked_in_logs(url: str, clock: Any) -> None:
    redactor = Redactor()
    await client_credentials(url, "me", Secret(SECRET), clock=clock, redactor=redactor).credential()
    assert redactor("Authorization: Bearer token-1") == "Authorization: Bearer ********"
