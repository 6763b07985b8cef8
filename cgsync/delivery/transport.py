"""The wire as the sender sees it: one PUT, one answer. The one small seam behind which another client could stand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from typing import Protocol, TypeAlias

from cgsync.delivery.answer import Answer
from cgsync.http import Tokens

Admit: TypeAlias = Callable[[], Awaitable[None]]
"""Awaited when token and connection are at hand and the next thing is the first byte; raises to send nothing."""


class Transport(Protocol):
    """What the sender sends through."""

    async def put(self, body: bytes, admit: Admit) -> Answer:
        """Send this body once; raises :class:`cgsync.delivery.Broken` when there is no answer.

        ``admit`` is awaited right before the first byte, when token and connection are at hand; what it raises is
        passed on, and nothing was sent.
        """

    async def check(self) -> str:
        """Log in, send nothing; returns what was seen in words, raises :class:`cgsync.delivery.Broken`."""

    def renew(self, generation: int) -> None:
        """The token of that generation got a 401: use another one from now on."""

    @property
    def generation(self) -> int:
        """How many tokens were issued to us."""


def open_transport(
    url: str,
    tokens: Tokens,
    *,
    connections: int,
    timeout: timedelta = timedelta(seconds=30),
    connect_timeout: timedelta = timedelta(seconds=10),
    ca_file: Path | None = None,
    user_agent: str = "cgsync",
) -> AbstractAsyncContextManager[Transport]:
    """A transport to ``url``. ``timeout`` counts from the first byte sent to the last one received."""
    from cgsync.delivery import wire  # aiohttp costs a quarter of a second: not for commands that need no network

    return wire.open_wire(
        url,
        tokens,
        connections=connections,
        timeout=timeout,
        connect_timeout=connect_timeout,
        ca_file=ca_file,
        user_agent=user_agent,
    )
