"""Tokens that end: one for all who ask, renewed before its end, one renewal at a time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

from cgsync.api import Clock
from cgsync.http.auth import Credential
from cgsync.http.broken import Broken, Kind
from cgsync.http.messages import Request, Response, Wire
from cgsync.http.redaction import Redaction

LIFETIME = 3600.0
"""Seconds, where the reply names none."""
MARGIN = 60.0
"""Seconds before its end from which on a token is renewed; a tenth of its life when that is shorter."""
KEPT = 30.0
"""Seconds for which a token that still holds is used on after a renewal failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """What an issuer has handed out; ``lifetime`` in seconds."""

    credential: Credential
    lifetime: float = LIFETIME


class Issuer(Protocol):
    """Who hands out tokens."""

    @property
    def url(self) -> str:
        """Where it is asked, for a person."""

    async def issue(self, wire: Wire, redaction: Redaction, generation: int) -> Issued:
        """A new one. Raises :class:`Broken` of kind LOGIN when it refuses us, LOGIN_BUSY, LOGIN_DOWN, or as the wire.

        ``redaction`` is told what nobody may see.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    credential: Credential
    renew_at: float
    ends_at: float


class Tokens:
    """The tokens of one issuer; an :class:`cgsync.http.Auth`.

    ``credential()`` raises what the issuer raises. Whoever waits for the same renewal gets the same error. Never
    ``sent``: no request of the caller's own has left. Without a ``wire``, the session that it is used in lends its own.
    """

    def __init__(
        self, issuer: Issuer, *, clock: Clock, wire: Wire | None = None, redaction: Redaction | None = None
    ) -> None:
        self._issuer = issuer
        self._clock = clock
        self._wire = wire or _Unconnected()
        self._redaction = redaction or Redaction()
        self._token: _Token | None = None
        self._renewal: asyncio.Task[_Token] | None = None
        self.generation = 0
        """How many tokens were issued to us."""

    @property
    def url(self) -> str:
        """Who issues them, for a person."""
        return self._issuer.url

    def connect(self, wire: Wire, redaction: Redaction) -> None:
        self._wire, self._redaction = wire, redaction

    async def credential(self) -> Credential:
        token, now = self._token, self._clock.monotonic()
        if token is not None and now < token.renew_at:
            return token.credential
        try:
            return (await self._renewed()).credential
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
        """End a renewal that nobody waits for any more."""
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.gather(self._renewal, return_exceptions=True)

    async def _renewed(self) -> _Token:
        if self._renewal is None:
            self._renewal = asyncio.create_task(self._renew())
            self._renewal.add_done_callback(self._ended)
        return await asyncio.shield(self._renewal)  # one who gives up must not take it from the others

    def _ended(self, task: asyncio.Task[_Token]) -> None:
        self._renewal = None
        if not task.cancelled() and task.exception() is None:
            self._token = task.result()

    async def _renew(self) -> _Token:
        asked_at = self._clock.monotonic()
        issued = await self._issuer.issue(self._wire, self._redaction, self.generation + 1)
        self.generation += 1
        return _Token(
            credential=issued.credential,
            renew_at=asked_at + issued.lifetime - min(MARGIN, issued.lifetime / 10),
            ends_at=asked_at + issued.lifetime,
        )


class _Unconnected:
    async def exchange(self, request: Request) -> Response:  # noqa: ARG002 - there is nobody to ask
        raise Broken(Kind.LOGIN_DOWN, "tokens are asked for outside of a session")
