"""OAuth2 client credentials: one token for all who ask, renewed before it ends, one refresh at a time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from cgsync.api import Clock
from cgsync.http import limits
from cgsync.http.auth import Credential
from cgsync.http.broken import Broken, Kind, TooLarge, translate
from cgsync.secrets import MASK, Redactor, Secret

LIFETIME = 3600.0
"""Seconds, where the reply names none."""
MARGIN = 60.0
"""Seconds before its end from which on a token is renewed; a tenth of its life when that is shorter."""
KEPT = 30.0
"""Seconds for which a token that still holds is used on after a renewal failed."""
REPLY = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    credential: Credential
    renew_at: float
    ends_at: float


class ClientCredentials:
    """A source of bearer tokens; an :class:`cgsync.http.Auth`.

    ``credential()`` raises :class:`Broken` of kind LOGIN when the endpoint refuses us, LOGIN_BUSY, LOGIN_DOWN, or of
    what broke on the way. Whoever waits for the same refresh gets the same error. Never ``sent``: no request of the
    caller's own has left.
    """

    def __init__(
        self,
        token_url: str,
        client_id: str,
        client_secret: Secret,
        *,
        clock: Clock,
        redactor: Redactor | None = None,
        ca_file: Path | None = None,
        timeout: timedelta = timedelta(seconds=30),
        user_agent: str = "cgsync",
    ) -> None:
        self.url = token_url
        self._id = client_id
        self._secret = client_secret
        self._clock = clock
        self._redactor = redactor or Redactor()
        self._ca_file = ca_file
        self._timeout = timeout
        self._user_agent = user_agent
        self._token: _Token | None = None
        self._refresh: asyncio.Task[_Token] | None = None
        self.generation = 0
        """How many tokens were issued to us."""

    async def credential(self) -> Credential:
        token, now = self._token, self._clock.monotonic()
        if token is not None and now < token.renew_at:
            return token.credential
        try:
            return (await self._refreshed()).credential
        except Broken:
            if token is None or now >= token.ends_at or self._token is not token:
                raise
            self._token = _Token(credential=token.credential, renew_at=now + KEPT, ends_at=token.ends_at)
            return token.credential

    def invalidate(self, generation: int) -> bool:
        """Drop the token of that generation, if it is still ours. A later one is left alone."""
        if self._token is not None and self._token.credential.generation == generation:
            self._token = None
        return True

    async def aclose(self) -> None:
        """End a refresh that nobody waits for any more."""
        if self._refresh is not None:
            self._refresh.cancel()
            await asyncio.gather(self._refresh, return_exceptions=True)

    async def _refreshed(self) -> _Token:
        if self._refresh is None:
            self._refresh = asyncio.create_task(self._fetch())
            self._refresh.add_done_callback(self._fetched)
        return await asyncio.shield(self._refresh)  # one who gives up must not take it from the others

    def _fetched(self, task: asyncio.Task[_Token]) -> None:
        self._refresh = None
        if not task.cancelled() and task.exception() is None:
            self._token = task.result()

    async def _fetch(self) -> _Token:
        asked_at = self._clock.monotonic()
        status, headers, body = await self._post()
        reply = _decode(body)
        if not 200 <= status < 300:
            raise self._refusal(status, headers, reply)
        return self._issue(reply, asked_at)

    def _issue(self, reply: dict[str, Any], asked_at: float) -> _Token:
        value = reply.get("access_token")
        if not isinstance(value, str) or not value or not value.isprintable():
            raise Broken(Kind.LOGIN_DOWN, f"{self.url}: the answer holds no access_token")
        self._redactor.add(value)
        self.generation += 1
        life = _seconds(reply.get("expires_in"))
        return _Token(
            credential=Credential(value=Secret(f"Bearer {value}"), generation=self.generation),
            renew_at=asked_at + life - min(MARGIN, life / 10),
            ends_at=asked_at + life,
        )

    async def _post(self) -> tuple[int, limits.Headers, bytes]:
        import aiohttp  # a quarter of a second: not for commands that need no network

        from cgsync.http import body, connector

        form = {
            "grant_type": "client_credentials",
            "client_id": self._id,
            "client_secret": self._secret.reveal(),
        }
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": self._user_agent}
        pool = aiohttp.TCPConnector(ssl=connector.tls(self._ca_file), force_close=True)
        timeout = aiohttp.ClientTimeout(total=self._timeout.total_seconds())
        try:
            async with (
                aiohttp.ClientSession(connector=pool, timeout=timeout, auto_decompress=False) as session,
                session.post(self.url, data=form, headers=headers, allow_redirects=False) as response,
            ):
                return response.status, response.headers, await body.read(response, limit=REPLY)
        except TooLarge as error:
            raise Broken(Kind.LOGIN_DOWN, f"{self.url}: {error}") from None
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise translate(error, host=self.url, sent=False) from None  # its text may show the form

    def _refusal(self, status: int, headers: limits.Headers, reply: dict[str, Any]) -> Broken:
        words = " ".join(str(reply[key]) for key in ("error", "error_description", "message") if reply.get(key))
        text = f"{self.url} answered {status}: {self._masked(words) or 'no reason given'}"
        after = limits.retry_after(headers, now=self._clock.now())
        if status == 429:
            return Broken(Kind.LOGIN_BUSY, text, after=after)
        if status in (408, 425) or status >= 500:
            return Broken(Kind.LOGIN_DOWN, text, after=after)
        return Broken(Kind.REDIRECT if status < 400 else Kind.LOGIN, text)

    def _masked(self, words: str) -> str:
        return self._redactor(words[:500].replace(self._secret.reveal(), MASK))


def _decode(body: bytes) -> dict[str, Any]:
    try:
        reply = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return reply if isinstance(reply, dict) else {}


def _seconds(value: object) -> float:
    try:
        seconds = float(value)  # type: ignore[arg-type]  # some servers send it as text
    except (TypeError, ValueError):
        return LIFETIME
    return seconds if 0 < seconds < 1e9 else LIFETIME
