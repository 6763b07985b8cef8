"""HTTP for sources: paced, bounded, with a credential that never leaves its origin, and errors in the core's words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from random import random
from typing import TYPE_CHECKING, TypeAlias

from cgsync.api import Clock
from cgsync.clock import SystemClock
from cgsync.errors import SourceMisconfigured, SourceUnavailable
from cgsync.http import limits
from cgsync.http.auth import Auth, Credential
from cgsync.http.broken import Broken, Kind, TooLarge
from cgsync.http.messages import PASSING, Response
from cgsync.http.pace import Pace
from cgsync.http.settings import PATIENCE, Caps

if TYPE_CHECKING:
    from aiohttp import ClientSession
    from yarl import URL

Params: TypeAlias = "Mapping[str, str | int | Sequence[str]] | Sequence[tuple[str, str]] | None"

MOST_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
SAFE = ("GET", "HEAD", "OPTIONS")
FINAL = (Kind.CERTIFICATE, Kind.LOGIN, Kind.REDIRECT)
"""Nothing that waiting would mend."""


@asynccontextmanager
async def open_http(
    *,
    origin: str | None = None,
    auth: Auth | None = None,
    pace: Pace | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: timedelta = timedelta(seconds=60),
    connect_timeout: timedelta = timedelta(seconds=10),
    caps: Caps | None = None,
    connections: int = 8,
    ca_file: Path | None = None,
    user_agent: str = "cgsync",
    redirects: bool = False,
    clock: Clock | None = None,
    random: Callable[[], float] = random,
) -> AsyncIterator[Http]:
    """A session. ``auth`` and ``headers`` go to ``origin`` (the scheme, host and port of that URL) and nowhere else.

    ``timeout`` is for one answer, from the first byte sent to the last one received. ``redirects``: follow them, for
    GET, within the origin of the request. Cookies are not kept.
    """
    import aiohttp  # a quarter of a second: sources without network do not pay it

    from cgsync.http.connector import DoorConnector

    if auth is not None and origin is None:
        raise ValueError("a credential needs the origin that it belongs to")
    async with aiohttp.ClientSession(
        connector=DoorConnector(limit=timeout, connections=connections, ca_file=ca_file),
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_timeout.total_seconds()),
        headers={"User-Agent": user_agent, "Accept-Encoding": "gzip, deflate"},
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:
        yield Http(
            session,
            origin=origin,
            auth=auth,
            pace=pace,
            headers=headers or {},
            caps=caps or Caps(),
            redirects=redirects,
            clock=clock or SystemClock(),
            random=random,
        )


class Http:
    """An open session; see :func:`open_http`."""

    def __init__(
        self,
        session: ClientSession,
        *,
        origin: str | None,
        auth: Auth | None,
        pace: Pace | None,
        headers: Mapping[str, str],
        caps: Caps,
        redirects: bool,
        clock: Clock,
        random: Callable[[], float],
    ) -> None:
        from yarl import URL

        self._session = session
        self._origin = URL(origin).origin() if origin else None
        self._auth = auth
        self._pace = pace
        self._headers = headers
        self._caps = caps
        self._redirects = redirects
        self._clock = clock
        self._random = random

    async def get(self, url: str, *, params: Params = None, headers: Mapping[str, str] | None = None) -> Response:
        """GET; see :meth:`request`."""
        return await self.request("GET", url, params=params, headers=headers)

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Params = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Response:
        """The answer, whatever its status: see :meth:`Response.check`.

        GET and HEAD are tried again while the failure is a passing one and the waiting stays within 30 s. Raises
        :class:`SourceUnavailable` (``retry_after`` set if the server asked for more) or :class:`SourceMisconfigured`.
        """
        address = _address(url)
        patience = PATIENCE.total_seconds() if method in SAFE else 0.0
        for attempt in range(1_000):
            try:
                response = await self._authorised(method, address, params, headers or {}, body)
                if response.status not in PASSING:
                    return response
                failure = _unavailable(response, self._clock)
            except Broken as broken:
                failure = _failure(broken)
            wait = self._wait(failure, attempt)
            if wait > patience:
                raise failure
            patience -= wait
            await self._clock.sleep(wait)
        raise AssertionError("patience ends before that")

    async def _authorised(
        self, method: str, url: URL, params: Params, headers: Mapping[str, str], body: bytes | None
    ) -> Response:
        """With the credential, and once more with a new one after a 401."""
        credential = await self._credential(url)
        response = await self._followed(method, url, params, headers, body, credential)
        if response.status != 401 or credential is None or self._auth is None:
            return response
        if not self._auth.invalidate(credential.generation):
            return response
        return await self._followed(method, url, params, headers, body, await self._credential(url))

    async def _credential(self, url: URL) -> Credential | None:
        return await self._auth.credential() if self._auth is not None and url.origin() == self._origin else None

    async def _followed(
        self,
        method: str,
        url: URL,
        params: Params,
        headers: Mapping[str, str],
        body: bytes | None,
        credential: Credential | None,
    ) -> Response:
        for _ in range(MOST_REDIRECTS + 1):
            response = await self._once(method, url, params, self._own(url, headers, credential), body)
            if response.status not in REDIRECTS:
                return response
            url, params = self._target(method, url, response), None
        raise SourceMisconfigured(f"{url}: more than {MOST_REDIRECTS} redirects")

    def _own(self, url: URL, headers: Mapping[str, str], credential: Credential | None) -> dict[str, str]:
        own = dict(self._headers) if url.origin() == self._origin else {}
        if credential is not None:
            own[credential.name] = credential.value.reveal()
        return {**own, **headers}

    def _target(self, method: str, url: URL, response: Response) -> URL:
        from yarl import URL

        try:
            target = url.join(URL(response.headers.get("location", "")))
            same = target.origin() == url.origin()
        except ValueError:
            raise SourceMisconfigured(f"{url} answered {response.status} without a usable address") from None
        if self._redirects and same and method in SAFE:
            return target
        raise SourceMisconfigured(
            f"{url} answered {response.status}, a redirect to {target.with_query(None)}",
            hint="put the final address into the configuration",
        )

    async def _once(
        self, method: str, url: URL, params: Params, headers: Mapping[str, str], body: bytes | None
    ) -> Response:
        import aiohttp

        from cgsync.http import body as bodies
        from cgsync.http.connector import Crossing

        shown = str(url.with_query(None))  # a query may hold a key
        try:
            with (crossing := Crossing(self._turn)):
                async with self._session.request(
                    method, url, params=params, headers=headers, data=body, allow_redirects=False
                ) as answer:
                    received = await bodies.read(answer, limit=self._caps.received)
            encoding = answer.headers.get("content-encoding", "").strip().lower()
            return Response(
                url=shown,
                status=answer.status,
                headers=answer.headers,
                body=bodies.expand(received, encoding, limit=self._caps.expanded),
            )
        except TooLarge as error:
            raise SourceUnavailable(f"{shown}: {error}", hint="ask for smaller pages, or raise the limit") from None
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise crossing.broken(error, host=shown) from None  # its own text may show headers
        except ValueError as error:
            raise SourceUnavailable(f"{shown}: {error}") from None

    def _wait(self, failure: SourceUnavailable, attempt: int) -> float:
        """Seconds: what the server asked for, else full jitter over 1, 2, 4, …; not less than half a second."""
        asked = failure.retry_after
        return max(0.5, self._random() * 2.0 ** min(attempt, 5) if asked is None else asked.total_seconds())

    async def _turn(self) -> None:
        if self._pace is not None:
            await self._pace.turn()


def _address(url: str) -> URL:
    from yarl import URL

    try:
        address = URL(url)
    except ValueError:
        raise SourceMisconfigured(f"{url.partition('?')[0]!r} is not an address") from None
    if address.scheme not in ("http", "https") or not address.host:
        raise SourceMisconfigured(f"{url.partition('?')[0]!r} is not an address of http or https")
    return address


def _failure(broken: Broken) -> SourceUnavailable:
    if broken.kind in FINAL:
        raise SourceMisconfigured(broken.message) from broken
    return SourceUnavailable(broken.message, retry_after=broken.after)


def _unavailable(response: Response, clock: Clock) -> SourceUnavailable:
    after = limits.retry_after(response.headers, now=clock.now())
    return SourceUnavailable(f"{response.url} answered {response.status}", retry_after=after)
