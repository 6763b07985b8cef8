"""The transport over aiohttp, tuned for many small PUTs to one address. Imported when one is opened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import aiohttp
from yarl import URL

from cgsync import secrets
from cgsync.delivery.answer import Answer
from cgsync.delivery.transport import Admit
from cgsync.http import Tls, Tokens, TooLarge
from cgsync.http.body import read
from cgsync.http.connector import Crossing, DoorConnector
from cgsync.http.trust import trust

MASK = secrets.MASK.encode()
MOST = 64 * 1024
"""Bytes of an answer that are read; the documented ones have a few hundred."""


@asynccontextmanager
async def open_wire(
    url: str,
    tokens: Tokens,
    *,
    connections: int,
    timeout: timedelta,
    connect_timeout: timedelta,
    ca_file: Path | None,
    user_agent: str,
) -> AsyncIterator[Wire]:
    """See :func:`cgsync.delivery.transport.open_transport`."""
    async with aiohttp.ClientSession(
        connector=DoorConnector(
            limit=timeout, connecting=connect_timeout, connections=connections, trust=trust(Tls(ca=ca_file))
        ),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout.total_seconds()),
        headers={
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": user_agent,
        },
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:
        try:
            yield Wire(session, URL(url), tokens)
        finally:
            await tokens.aclose()


class Wire:
    """A :class:`cgsync.delivery.Transport`. It follows no redirect and repeats nothing."""

    def __init__(self, session: aiohttp.ClientSession, url: URL, tokens: Tokens) -> None:
        self._session = session
        self._url = url
        self._tokens = tokens
        self._loop = asyncio.get_running_loop()
        self._generation = 0
        self._token = b""

    @property
    def generation(self) -> int:
        return self._tokens.generation

    def renew(self, generation: int) -> None:
        self._tokens.invalidate(generation)

    async def check(self) -> str:
        await self._log_in()
        return f"{self._tokens.url} issued a token"

    async def put(self, body: bytes, admit: Admit) -> Answer:
        generation = await self._log_in()
        try:
            with (crossing := Crossing(admit)):
                response = await self._session.put(self._url, data=body, allow_redirects=False)
                return await self._read(response, generation, crossing)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            place = str(self._url.with_user(None).with_query(None))
            # without its cause: the text of aiohttp's own errors shows our headers
            raise crossing.broken(error, host=place) from None

    async def _log_in(self) -> int:
        """The session's own header changes with the token: merging one into each request would cost more."""
        credential = await self._tokens.credential()
        if credential.generation != self._generation:
            header = credential.value.reveal()
            self._session.headers[credential.name] = header
            self._token = header.partition(" ")[2].encode()
            self._generation = credential.generation
        return credential.generation

    async def _read(self, response: aiohttp.ClientResponse, generation: int, crossing: Crossing) -> Answer:
        try:
            body, too_large = await read(response, limit=MOST), False
        except TooLarge:
            body, too_large = b"", True
        finally:
            response.release()
        return Answer(
            status=response.status,
            headers=response.headers,
            body=body.replace(self._token, MASK) if self._token in body else body,  # some servers echo what they got
            seconds=crossing.seconds(self._loop.time()),
            generation=generation,
            too_large=too_large,
        )
