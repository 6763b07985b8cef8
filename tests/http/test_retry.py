"""What is tried again, how often, after how long, and when it is left to the core."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from cgsync.errors import SourceUnavailable
from cgsync.http import Pace, Response, Retry, Verdict, open_http
from cgsync.testing import FakeClock
from tests.http.site import Site, answers


def said(*statuses: int, **headers: str) -> list[web.Response]:
    return [web.Response(status=status, headers=headers) for status in statuses]


def serve(site: Site, *responses: web.Response) -> None:
    site.handler = answers(*(partial(again, each) for each in responses))


def again(response: web.Response) -> web.Response:
    """An answer can be sent but once."""
    return web.Response(status=response.status, headers=response.headers, body=response.body)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_a_passing_failure_is_tried_again(site: Site, url: str, quick: FakeClock, status: int) -> None:
    serve(site, *said(status, status, 200))
    async with open_http(clock=quick) as http:
        assert (await http.get(url)).status == 200
    assert len(site.requests) == 3


async def test_it_is_given_up_after_the_attempts(site: Site, url: str, quick: FakeClock) -> None:
    serve(site, web.Response(status=503, text="maintenance"))
    async with open_http(clock=quick, retry=Retry(attempts=3), random=lambda: 0.1) as http:
        with pytest.raises(SourceUnavailable, match="answered 503: text/plain, “maintenance”"):
            await http.get(url)
    assert len(site.requests) == 3


async def test_one_attempt_repeats_nothing(site: Site, url: str, quick: FakeClock) -> None:
    serve(site, *said(503))
    async with open_http(clock=quick, retry=Retry(attempts=1)) as http:
        with pytest.raises(SourceUnavailable):
            await http.get(url)
    assert len(site.requests) == 1


async def test_the_waiting_in_all_stays_within_the_patience(site: Site, url: str, quick: FakeClock) -> None:
    serve(site, *said(503))
    began = quick.monotonic()
    async with open_http(clock=quick, retry=Retry(attempts=100), random=lambda: 0.999) as http:
        with pytest.raises(SourceUnavailable):
            await http.get(url)
    assert 10 < quick.monotonic() - began <= 30


async def test_what_the_server_asks_for_is_waited(site: Site, url: str, quick: FakeClock) -> None:
    serve(site, *said(503, **{"Retry-After": "7"}), *said(200))
    began = quick.monotonic()
    async with open_http(clock=quick) as http:
        await http.get(url)
    assert quick.monotonic() - began == 7


async def test_a_post_is_repeated_where_the_caller_knows_that_it_only_reads(
    site: Site, url: str, quick: FakeClock
) -> None:
    serve(site, *said(503, 200))
    async with open_http(clock=quick) as http:
        assert (await http.request("POST", url, body=b"{}", repeatable=True)).status == 200
    assert site.bodies == [b"{}", b"{}"]


async def test_a_connection_that_is_cut_is_tried_again(site: Site, url: str, quick: FakeClock) -> None:
    async def cut(request: web.Request) -> web.Response:
        if len(site.requests) == 1:
            assert request.transport is not None
            request.transport.abort()
        return web.Response(text="[]")

    site.handler = cut
    async with open_http(clock=quick) as http:
        assert (await http.get(url)).json() == []


async def test_a_judge_decides_where_the_status_does_not(site: Site, url: str, quick: FakeClock) -> None:
    """Some APIs say "busy" with a 200, and "nothing there" with a 503."""
    serve(site, web.Response(text="busy"), web.Response(status=503, text="nothing there"))

    def judge(response: Response) -> Verdict | None:
        return {b"busy": Verdict.AGAIN, b"nothing there": Verdict.FINAL}.get(response.body)

    async with open_http(clock=quick) as http:
        assert (await http.request("GET", url, judge=judge)).status == 503
    assert len(site.requests) == 2


async def test_a_429_slows_all_who_share_the_pace(site: Site, url: str, quick: FakeClock) -> None:
    pace = Pace(10, quick)
    serve(site, *said(429, **{"Retry-After": "5"}), *said(200))
    began = quick.monotonic()
    async with open_http(clock=quick, pace=pace) as http:
        await http.get(url)
    assert quick.monotonic() - began >= 5
    assert pace.rate < 10


async def test_a_verdict_may_throttle_what_is_no_429(site: Site, url: str, quick: FakeClock) -> None:
    pace = Pace(10, quick)
    serve(site, *said(403, 200))

    def judge(response: Response) -> Verdict | None:
        return Verdict.THROTTLE if response.status == 403 else None

    async with open_http(clock=quick, pace=pace) as http:
        assert (await http.request("GET", url, judge=judge)).status == 200
    assert pace.rate == 5


async def test_a_quota_that_is_used_up_is_left_to_the_core(site: Site, url: str, quick: FakeClock) -> None:
    serve(site, *said(200, **{"RateLimit-Remaining": "0", "RateLimit-Reset": "3000", "RateLimit-Limit": "100"}))
    async with open_http(clock=quick, pace=Pace(10, quick)) as http:
        await http.get(url)
        with pytest.raises(SourceUnavailable, match="quota is used up") as caught:
            await http.get(url)
    assert caught.value.retry_after is not None
    assert timedelta(seconds=50) < caught.value.retry_after <= timedelta(minutes=1)
    assert len(site.requests) == 1


async def test_our_own_low_ceiling_is_waited_for(site: Site, url: str, quick: FakeClock) -> None:
    """A page a minute is what was asked for: to give up between two pages would never come to an end."""
    began = quick.monotonic()
    async with open_http(clock=quick, pace=Pace(1 / 60, quick)) as http:
        for _ in range(3):
            await http.get(url)
    assert quick.monotonic() - began >= 120


@pytest.mark.parametrize(("early", "slower"), [(0.1, False), (0.5, True)])
async def test_below_the_early_limit_what_remains_is_spread(
    site: Site, url: str, quick: FakeClock, early: float, slower: bool
) -> None:
    pace = Pace(10, quick)
    serve(site, *said(200, **{"X-RateLimit-Remaining": "40", "X-RateLimit-Reset": "20", "X-RateLimit-Limit": "100"}))
    async with open_http(clock=quick, pace=pace, early_limit=early) as http:
        await http.get(url)
    assert pace.rate == (2 if slower else 10)


waits = st.integers(1, 10_000).map(lambda number: timedelta(milliseconds=number))


@given(first=waits, longest=waits, attempt=st.integers(0, 1_000), random=st.floats(0, 1, exclude_max=True))
def test_a_wait_is_never_zero_nor_longer_than_allowed(
    first: timedelta, longest: timedelta, attempt: int, random: float
) -> None:
    for jitter in (True, False):
        wait = Retry(first=first, longest=longest, jitter=jitter).wait(attempt, random)
        assert 0 < wait <= longest.total_seconds()


def test_waits_double() -> None:
    assert [Retry(jitter=False).wait(attempt, 0.5) for attempt in range(7)] == [1, 2, 4, 8, 16, 30, 30]


def test_more_patience_than_the_core_has_is_refused() -> None:
    with pytest.raises(ValueError, match="30 s at most"):
        Retry(patience=timedelta(seconds=31))
