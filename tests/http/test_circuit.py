"""A host that failed often in a row is left alone."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from aiohttp import web

from cgsync.errors import SourceUnavailable
from cgsync.http import CircuitBreaker, Circuits, Retry, open_http
from cgsync.testing import FakeClock
from tests.http.site import Site, answers

BREAKER = CircuitBreaker(failures=3, pause=timedelta(seconds=60))


def serve(site: Site, *statuses: int) -> None:
    site.handler = answers(*(partial(web.Response, status=status) for status in statuses))


async def fails(url: str, clock: FakeClock, circuits: Circuits) -> SourceUnavailable:
    """One poll, with a session of its own: the core opens a new one after each error."""
    retry = Retry(attempts=1)
    async with open_http(clock=clock, retry=retry, circuit=BREAKER, circuits=circuits) as http:
        with pytest.raises(SourceUnavailable) as caught:
            await http.get(url)
    return caught.value


async def works(url: str, clock: FakeClock, circuits: Circuits) -> None:
    async with open_http(clock=clock, retry=Retry(attempts=1), circuit=BREAKER, circuits=circuits) as http:
        await http.get(url)


async def test_after_that_many_failures_nothing_is_sent_for_a_while(site: Site, url: str, quick: FakeClock) -> None:
    circuits = Circuits(quick)
    serve(site, 503)
    for _ in range(3):
        await fails(url, quick, circuits)
    quick.advance(timedelta(seconds=20))
    error = await fails(url, quick, circuits)
    assert len(site.requests) == 3
    assert error.retry_after == timedelta(seconds=40)
    assert "failed 3 times in a row and is left alone for 40 s" in str(error)


async def test_after_the_pause_one_request_decides(site: Site, url: str, quick: FakeClock) -> None:
    circuits = Circuits(quick)
    serve(site, 503, 503, 503, 503, 200)
    for _ in range(3):
        await fails(url, quick, circuits)
    quick.advance(BREAKER.pause)
    await fails(url, quick, circuits)
    await fails(url, quick, circuits)
    assert len(site.requests) == 4
    quick.advance(BREAKER.pause)
    for _ in range(3):
        await works(url, quick, circuits)


async def test_an_answer_in_between_begins_anew(site: Site, url: str, quick: FakeClock) -> None:
    circuits = Circuits(quick)
    serve(site, 503, 503, 404, 503, 503, 200)
    for attempt in range(6):
        await (works if attempt in (2, 5) else fails)(url, quick, circuits)
    assert len(site.requests) == 6


async def test_a_429_is_no_failure_of_the_host(site: Site, url: str, quick: FakeClock) -> None:
    circuits = Circuits(quick)
    serve(site, 429)
    for _ in range(5):
        await fails(url, quick, circuits)
    assert len(site.requests) == 5


async def test_another_origin_goes_on(site: Site, url: str, quick: FakeClock, unused_tcp_port: int) -> None:
    circuits = Circuits(quick)
    for _ in range(4):
        await fails(f"http://127.0.0.1:{unused_tcp_port}/", quick, circuits)
    await works(url, quick, circuits)
