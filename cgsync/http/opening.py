"""Opens a session: its wire, and all that a request passes on the way there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from random import random
from typing import TypeAlias

from cgsync.api import Clock
from cgsync.clock import SystemClock
from cgsync.http.address import address
from cgsync.http.attempts import Attempts
from cgsync.http.auth import Auth, Connects
from cgsync.http.circuit import Circuits
from cgsync.http.home import Home
from cgsync.http.messages import Wire
from cgsync.http.pace import PLENTY, Pace
from cgsync.http.redaction import Redaction
from cgsync.http.session import Http
from cgsync.http.settings import Caps, CircuitBreaker, Line, Retry, Tls, Trace
from cgsync.secrets import Redactor, Secret

Wrap: TypeAlias = Callable[[Wire, Redaction], Wire]
"""Puts something around the wire: records it, replays it, looks at what passes."""


@asynccontextmanager
async def open_http(
    *,
    origin: str | None = None,
    auth: Auth | None = None,
    pace: Pace | None = None,
    early_limit: float = PLENTY,
    headers: Mapping[str, str] | None = None,
    timeout: timedelta = timedelta(seconds=60),
    connect_timeout: timedelta = timedelta(seconds=10),
    read_timeout: timedelta | None = None,
    caps: Caps | None = None,
    connections: int = 8,
    tls: Tls | None = None,
    proxy: str | Secret | None = None,
    user_agent: str = "cgsync",
    redirects: bool = False,
    retry: Retry | None = None,
    circuit: CircuitBreaker | None = None,
    circuits: Circuits | None = None,
    trace: Trace | None = None,
    wire: Wrap | None = None,
    redactor: Redactor | None = None,
    clock: Clock | None = None,
    random: Callable[[], float] = random,
) -> AsyncIterator[Http]:
    """A session. ``auth`` and ``headers`` go to ``origin`` (the scheme, host and port of that URL) and nowhere else.

    ``timeout`` is for one answer, from the first byte sent to the last one received; ``read_timeout`` for the time
    between two pieces of it. ``redirects``: follow them, for GET, within the origin of the request. ``pace`` and
    ``circuits`` may be shared by sessions. ``early_limit``: the share of the API's own quota below which we slow down.
    Everything passes ``wire``, token requests too. Cookies are not kept.
    """
    from cgsync.http.network import at_once, open_network  # a quarter of a second that others do not pay

    clock, redaction = clock or SystemClock(), Redaction(redactor)
    home = Home(origin, auth=auth, headers=headers or {}, redaction=redaction)
    line = Line(
        timeout=timeout,
        connect_timeout=connect_timeout,
        read_timeout=read_timeout,
        caps=caps or Caps(),
        connections=connections,
        tls=tls or Tls(),
        proxy=_concealed(proxy, redaction),
        user_agent=user_agent,
    )
    async with AsyncExitStack() as stack:
        admit = pace.turn if pace is not None else at_once
        network: Wire = await stack.enter_async_context(open_network(line, admit=admit))
        outermost = _wrapped(network, redaction, trace, wire, clock)
        if isinstance(auth, Connects):
            auth.connect(outermost, redaction)
            stack.push_async_callback(auth.aclose)
        attempts = Attempts(
            outermost,
            home,
            pace=pace,
            early_limit=early_limit,
            redirects=redirects,
            circuit=circuit,
            circuits=circuits or Circuits(clock),
            redaction=redaction,
            clock=clock,
        )
        yield Http(attempts, retry=retry or Retry(), clock=clock, random=random)


def _concealed(proxy: str | Secret | None, redaction: Redaction) -> str | None:
    from yarl import URL

    text = proxy.reveal() if isinstance(proxy, Secret) else proxy
    if text and (password := address(text).password):
        redaction.publish(password)
    return str(URL(text)) if text else None


def _wrapped(network: Wire, redaction: Redaction, trace: Trace | None, wrap: Wrap | None, clock: Clock) -> Wire:
    if trace is not None:
        from cgsync.http.trace import Traced

        network = Traced(network, redaction, trace, clock)
    return network if wrap is None else wrap(network, redaction)
