"""Time limits: for the connection, between two pieces, and in all."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web

from cgsync.errors import SourceUnavailable
from cgsync.http import Http, Retry, open_http
from tests.http.site import Site

SHORT = timedelta(seconds=0.3)
LONG = timedelta(seconds=60)
ONCE = Retry(attempts=1)


def dripping(seconds: float, *, head: bool = True) -> Callable[[web.Request], Coroutine[Any, Any, web.StreamResponse]]:
    """A byte each so many seconds, for ever."""

    async def drip(request: web.Request) -> web.StreamResponse:
        if not head:
            await asyncio.sleep(60)
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(seconds)

    return drip


@pytest.fixture
def full() -> Iterator[str]:
    """A port whose queue of connections is full: what knocks there waits for ever."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        knocking = [socket.socket() for _ in range(4)]
        for each in knocking:
            each.setblocking(False)
            each.connect_ex(address)
        yield f"http://127.0.0.1:{address[1]}/"
        for each in knocking:
            each.close()


async def gives_up(http: Http, url: str) -> float:
    """Seconds until it did."""
    began = time.monotonic()
    with pytest.raises(SourceUnavailable, match="no answer in time"):
        await http.get(url)
    return time.monotonic() - began


async def test_a_connection_that_is_not_made(full: str) -> None:
    async with open_http(connect_timeout=SHORT, retry=ONCE) as http:
        assert 0.2 < await gives_up(http, full) < 10


async def test_an_answer_that_does_not_begin(site: Site, url: str) -> None:
    site.handler = dripping(0.01, head=False)
    async with open_http(read_timeout=SHORT, timeout=LONG, retry=ONCE) as http:
        assert await gives_up(http, url) < 10


async def test_an_answer_that_stops_in_the_middle(site: Site, url: str) -> None:
    site.handler = dripping(60)
    async with open_http(read_timeout=SHORT, timeout=LONG, retry=ONCE) as http:
        assert await gives_up(http, url) < 10


async def test_a_slow_loris_passes_the_one_between_pieces_and_is_stopped_by_the_total(site: Site, url: str) -> None:
    site.handler = dripping(0.02)
    async with open_http(read_timeout=timedelta(seconds=5), timeout=timedelta(seconds=0.6), retry=ONCE) as http:
        assert 0.5 < await gives_up(http, url) < 10
