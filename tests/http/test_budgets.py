"""One budget for several sessions, judged by what the receiver saw."""

from __future__ import annotations

import asyncio
import time

import pytest
from aiohttp import web

from cgsync.clock import SystemClock
from cgsync.errors import SourceMisconfigured
from cgsync.http import Budgets, OAuth2, Pace, Tokens, open_http
from cgsync.testing import FakeClock
from tests.http.site import Site

RATE = 20.0


@pytest.fixture
def arrivals(site: Site) -> list[float]:
    """When each request reached the server."""
    times: list[float] = []

    async def note(request: web.Request) -> web.Response:
        times.append(time.monotonic())
        return web.json_response({"access_token": "a"})

    site.handler = note
    return times


async def ask(url: str, pace: Pace, times: int) -> None:
    async with open_http(pace=pace) as http:
        await asyncio.gather(*(http.get(url) for _ in range(times)))


async def test_two_sessions_together_stay_below_it(url: str, arrivals: list[float]) -> None:
    budgets = Budgets({"zendesk": RATE}, SystemClock())
    await asyncio.gather(*(ask(url, budgets.pace("zendesk"), 20) for _ in range(2)))
    assert len(arrivals) == 40
    for span in (0.5, 1.0):
        # what left evenly may arrive a little bunched: 50 ms are one more request at this rate
        assert busiest(arrivals, span) <= RATE * (span + 0.05) + 1
    assert arrivals[-1] - arrivals[0] >= 39 / RATE * 0.95


async def test_token_requests_count_too(site: Site, url: str, arrivals: list[float]) -> None:
    clock = SystemClock()
    pace = Pace(4, clock)
    tokens = [Tokens(OAuth2(url=url + "token", client_id="me", clock=clock), clock=clock) for _ in range(2)]

    async def once(auth: Tokens) -> None:
        async with open_http(origin=url, auth=auth, pace=pace) as http:
            await http.get(url)

    await asyncio.gather(*map(once, tokens))
    assert len(arrivals) == 4
    assert arrivals[-1] - arrivals[0] >= 3 / 4 * 0.9


async def test_budgets_do_not_disturb_each_other(quick: FakeClock) -> None:
    budgets = Budgets({"slow": 1, "fast": 100}, quick)
    budgets.pace("slow").throttled()
    assert budgets.pace("slow") is budgets.pace("slow")
    assert (budgets.pace("slow").rate, budgets.pace("fast").rate) == (0.5, 100)


def test_an_unknown_one_is_named_with_those_that_there_are(quick: FakeClock) -> None:
    with pytest.raises(SourceMisconfigured, match=r"no budget 'zendsk'.*under budgets: \(there: jira, zendesk\)"):
        Budgets({"zendesk": 1, "jira": 2}, quick).pace("zendsk")


def busiest(times: list[float], span: float) -> int:
    """The most of them in any so many seconds."""
    times = sorted(times)
    return max(sum(start <= each < start + span for each in times) for start in times)


async def test_a_changed_rate_takes_effect_on_who_holds_it() -> None:
    clock = FakeClock()
    budgets = Budgets({"zendesk": 1.0}, clock)
    held = budgets.pace("zendesk")
    await held.turn()
    budgets.declare({"zendesk": 10.0, "jira": 1.0})
    assert budgets.pace("zendesk") is held
    await held.turn()
    start = clock.monotonic()
    for _ in range(10):
        await held.turn()
    assert clock.monotonic() - start == pytest.approx(1.0, rel=0.02)


def test_what_a_429_slowed_down_stays_slow(quick: FakeClock) -> None:
    budgets = Budgets({"zendesk": 8.0}, quick)
    budgets.pace("zendesk").throttled()
    budgets.declare({"zendesk": 100.0})
    assert budgets.pace("zendesk").rate == 4.0
    budgets.declare({"zendesk": 2.0})
    assert budgets.pace("zendesk").rate == 2.0


def test_one_that_is_no_longer_declared_is_gone(quick: FakeClock) -> None:
    budgets = Budgets({"zendesk": 1.0}, quick)
    budgets.declare({"jira": 1.0})
    with pytest.raises(SourceMisconfigured, match=r"there: jira"):
        budgets.pace("zendesk")
