"""Time in the hand of the test, and two servers on loopback: one for any answers, one that issues tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestServer

from cgsync.testing import FakeClock
from tests.hand import HandClock
from tests.http.authority import Authority
from tests.http.site import Site


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def clock_type() -> type[HandClock]:
    return HandClock


@pytest.fixture
def quick() -> FakeClock:
    """A clock on which nobody waits."""
    return FakeClock()


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
async def url(site: Site) -> AsyncIterator[str]:
    async with TestServer(site.app) as server:
        yield str(server.make_url("/"))


@pytest.fixture
async def authority() -> Authority:
    return Authority()


@pytest.fixture
async def base(authority: Authority) -> AsyncIterator[str]:
    """The address of the server that issues tokens, and of the API behind it."""
    async with TestServer(authority.app) as server:
        yield str(server.make_url("/"))
