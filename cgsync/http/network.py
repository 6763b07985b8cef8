"""The wire itself: aiohttp, with a door before the first byte, time limits and caps. Imported when one is opened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from cgsync.errors import SourceUnavailable
from cgsync.http import body as bodies
from cgsync.http.broken import TooLarge
from cgsync.http.connector import Admit, Crossing, DoorConnector
from cgsync.http.messages import Request, Response
from cgsync.http.settings import Caps, Line
from cgsync.http.trust import trust

LONGEST_HEADER = 64 * 1024
"""Bytes: a cursor in a Link header may be long."""


async def at_once() -> None:
    """No pace."""


@asynccontextmanager
async def open_network(line: Line, *, admit: Admit = at_once) -> AsyncIterator[Network]:
    """A wire; ``admit`` is awaited right before each first byte. Cookies are not kept."""
    read = line.read_timeout
    async with aiohttp.ClientSession(
        connector=DoorConnector(
            limit=line.timeout,
            connecting=line.connect_timeout,
            connections=line.connections,
            trust=trust(line.tls),
        ),
        timeout=aiohttp.ClientTimeout(total=None, sock_read=None if read is None else read.total_seconds()),
        headers={"User-Agent": line.user_agent, "Accept-Encoding": "gzip, deflate"},
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        max_field_size=LONGEST_HEADER,
        proxy=line.proxy,
    ) as session:
        yield Network(session, line.caps, admit)


class Network:
    """A :class:`cgsync.http.Wire` over aiohttp. It follows no redirect and repeats nothing."""

    def __init__(self, session: aiohttp.ClientSession, caps: Caps, admit: Admit) -> None:
        self._session = session
        self._caps = caps
        self._admit = admit
        self._loop = asyncio.get_running_loop()

    async def exchange(self, request: Request) -> Response:
        url = URL(request.url)
        shown = str(url.with_query(None).with_user(None))  # a query may hold a key
        try:
            with (crossing := Crossing(self._admit)):
                async with self._session.request(
                    request.method, url, headers=request.headers, data=request.body, allow_redirects=False
                ) as answer:
                    body = await self._body(answer)
                elapsed = timedelta(seconds=crossing.seconds(self._loop.time()))
        except TooLarge as error:
            raise SourceUnavailable(f"{shown}: {error}", hint="ask for smaller pages, or raise the limit") from None
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise crossing.broken(error, host=shown) from None  # its own text may show headers
        except ValueError as error:
            raise SourceUnavailable(f"{shown}: {error}") from None
        return Response(url=shown, status=answer.status, headers=_folded(answer.headers), body=body, elapsed=elapsed)

    async def _body(self, answer: aiohttp.ClientResponse) -> bytes:
        if answer.method == "HEAD" or answer.status in (204, 304):
            return b""
        return await bodies.read_expanded(answer, received=self._caps.received, expanded=self._caps.expanded)


def _folded(headers: CIMultiDictProxy[str]) -> Mapping[str, str]:
    """A header that came several times is one with commas: two Link headers lose neither."""
    folded: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        folded[name] = f"{folded[name]}, {value}" if name in folded else value
    return folded
