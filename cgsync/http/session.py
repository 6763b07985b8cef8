"""HTTP for sources: paced, bounded, with a credential that never leaves its origin, and errors in the core's words."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from random import random
from typing import TYPE_CHECKING, TypeAlias

from cgsync.api import Clock
from cgsync.clock import SystemClock
from cgsync.errors import SourceMisconfigured, SourceUnavailable
from cgsync.http import limits
from cgsync.http.auth import Auth, Connects, Credential
from cgsync.http.broken import Broken, Kind
from cgsync.http.circuit import Circuits
from cgsync.http.credentials import harmless, overlaid, signed
from cgsync.http.messages import Judge, Request, Response, Verdict, Wire, usual
from cgsync.http.pace import PLENTY, Pace
from cgsync.http.redaction import Redaction
from cgsync.http.settings import PATIENCE, Caps, CircuitBreaker, Line, Retry, Tls, Trace
from cgsync.secrets import Redactor, Secret

if TYPE_CHECKING:
    from yarl import URL

Params: TypeAlias = "Mapping[str, str | int | Sequence[str]] | Sequence[tuple[str, str]] | None"
Wrap: TypeAlias = Callable[[Wire, Redaction], Wire]
"""Puts something around the wire: records it, replays it, looks at what passes."""

MOST_REDIRECTS = 5
REDIRECTS = (301, 302, 303, 307, 308)
SAFE = ("GET", "HEAD", "OPTIONS")
FINAL = (Kind.CERTIFICATE, Kind.LOGIN, Kind.REDIRECT, Kind.PROXY)
"""Nothing that waiting would mend."""


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

    if auth is not None and origin is None:
        raise ValueError("a credential needs the origin that it belongs to")
    clock, redaction = clock or SystemClock(), Redaction(redactor)
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
        yield Http(
            outermost,
            origin=origin,
            auth=auth,
            pace=pace,
            early_limit=early_limit,
            headers=headers or {},
            redirects=redirects,
            retry=retry or Retry(),
            circuit=circuit,
            circuits=circuits or Circuits(clock),
            redaction=redaction,
            clock=clock,
            random=random,
        )


def _concealed(proxy: str | Secret | None, redaction: Redaction) -> str | None:
    from yarl import URL

    text = proxy.reveal() if isinstance(proxy, Secret) else proxy
    if text and (password := _address(text).password):
        redaction.publish(password)
    return str(URL(text)) if text else None


def _wrapped(network: Wire, redaction: Redaction, trace: Trace | None, wrap: Wrap | None, clock: Clock) -> Wire:
    if trace is not None:
        from cgsync.http.trace import Traced

        network = Traced(network, redaction, trace, clock)
    return network if wrap is None else wrap(network, redaction)


class Http:
    """An open session; see :func:`open_http`."""

    def __init__(
        self,
        wire: Wire,
        *,
        origin: str | None,
        auth: Auth | None,
        pace: Pace | None,
        early_limit: float,
        headers: Mapping[str, str],
        redirects: bool,
        retry: Retry,
        circuit: CircuitBreaker | None,
        circuits: Circuits,
        redaction: Redaction,
        clock: Clock,
        random: Callable[[], float],
    ) -> None:
        self._wire = wire
        self._origin = _address(origin).origin() if origin else None
        self._auth = auth
        self._pace = pace
        self._early_limit = early_limit
        self._headers = headers
        self._redirects = redirects
        self._retry = retry
        self._circuit = circuit
        self._circuits = circuits
        self._redaction = redaction
        self._clock = clock
        self._random = random
        self._concealed: Credential | None = None

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
        judge: Judge | None = None,
        repeatable: bool | None = None,
    ) -> Response:
        """The answer, whatever its status: see :meth:`Response.check`.

        ``judge`` says what an answer means, where its status does not. What is ``repeatable`` (by default GET, HEAD
        and OPTIONS) is tried again while the failure is a passing one and the waiting stays within the patience.
        Outside of the session's origin, only ``headers`` that cannot hold a key are sent. Raises
        :class:`SourceUnavailable` (``retry_after`` set if the server asked for more) or :class:`SourceMisconfigured`.
        """
        address = _address(url)
        if params:
            address = address.extend_query(params)
        request = Request(method=method, url=str(address), headers=headers or {}, body=body)
        patience = self._retry.patience.total_seconds() if _repeats(method, repeatable) else 0.0
        for attempt in range(self._retry.attempts):
            result = await self._tried(request, judge)
            if isinstance(result, Response):
                return result
            wait = self._wait(result, attempt)
            if wait > patience or attempt + 1 == self._retry.attempts:
                raise result
            patience -= wait
            await self._clock.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    async def _tried(self, request: Request, judge: Judge | None) -> Response | SourceUnavailable:
        """The answer, or the passing failure that it is; both are told to the circuit."""
        origin = str(_address(request.url).origin())
        if self._circuit is not None:
            self._circuits.check(origin)
        try:
            response = await self._authorised(request, judge)
        except Broken as broken:
            if broken.kind in FINAL:
                raise SourceMisconfigured(broken.message) from broken
            self._failed(origin)
            return SourceUnavailable(broken.message, retry_after=broken.after)
        verdict = self._verdict(response, judge)
        if verdict is Verdict.THROTTLE:
            self._throttled(response)
        if verdict is Verdict.AGAIN:
            self._failed(origin)
        else:
            self._circuits.answered(origin)
        return self._unavailable(response) if verdict in (Verdict.AGAIN, Verdict.THROTTLE) else response

    def _throttled(self, response: Response) -> None:
        """All who share the pace slow down, and hold still for as long as the server asks."""
        if self._pace is not None:
            self._pace.throttled()
            if (after := limits.retry_after(response.headers, now=self._clock.now())) is not None:
                self._pace.learn(remaining=0, reset=after)

    def _failed(self, origin: str) -> None:
        if self._circuit is not None:
            self._circuits.failed(origin, self._circuit)

    def _verdict(self, response: Response, judge: Judge | None) -> Verdict:
        return (judge(response) if judge is not None else None) or usual(response)

    async def _authorised(self, request: Request, judge: Judge | None) -> Response:
        """With the credential, and once more with a new one when that has ended."""
        credential = await self._credential(request)
        response = await self._followed(request, credential)
        if credential is None or self._verdict(response, judge) is not Verdict.REAUTHENTICATE:
            return response
        if self._auth is None or not self._auth.invalidate(credential.generation):
            return response
        return await self._followed(request, await self._credential(request))

    async def _credential(self, request: Request) -> Credential | None:
        if self._auth is None or not self._is_home(request.url):
            return None
        credential = await self._auth.credential()
        if credential is not self._concealed:
            self._conceal(credential)
        return credential

    def _conceal(self, credential: Credential) -> None:
        value = credential.value.reveal()
        self._redaction.conceal(value, name=credential.name)
        self._concealed = credential

    def _is_home(self, url: str) -> bool:
        return self._origin is not None and _address(url).origin() == self._origin

    async def _followed(self, request: Request, credential: Credential | None) -> Response:
        for _ in range(MOST_REDIRECTS + 1):
            response = await self._once(self._own(request, credential))
            if response.status not in REDIRECTS:
                return response
            request = replace(request, url=self._target(request, response))
        raise SourceMisconfigured(f"{response.url}: more than {MOST_REDIRECTS} redirects")

    def _own(self, request: Request, credential: Credential | None) -> Request:
        """With what belongs to the origin, if it goes there."""
        if self._origin is None:
            return replace(request, headers=overlaid(self._headers, request.headers))
        if not self._is_home(request.url):
            return replace(request, headers=harmless(request.headers))
        if credential is not None:
            request = signed(request, credential)
        return replace(request, headers=overlaid(self._headers, request.headers))

    def _target(self, request: Request, response: Response) -> str:
        from yarl import URL

        url = URL(request.url)
        try:
            target = url.join(URL(response.headers.get("location", "")))
            same = target.origin() == url.origin()
        except ValueError:
            raise SourceMisconfigured(f"{response.url} answered {response.status} without a usable address") from None
        if self._redirects and same and request.method in SAFE:
            return str(target)
        raise SourceMisconfigured(
            f"{response.url} answered {response.status}, a redirect to {target.with_query(None).with_user(None)}",
            hint="put the final address into the configuration",
        )

    async def _once(self, request: Request) -> Response:
        self._check_delay()
        self._redaction.notice(request)
        response = await self._wire.exchange(request)
        if self._pace is not None:
            self._learn(self._pace, response)
        return replace(response, redact=self._redaction)

    def _check_delay(self) -> None:
        """Our own ceiling is waited for here; a quota that is used up, by the core."""
        delay = 0.0 if self._pace is None else self._pace.delay
        if delay > PATIENCE.total_seconds():
            words = f"the API's quota is used up: the next request goes out in {delay:.0f} s"
            raise SourceUnavailable(words, retry_after=timedelta(seconds=delay))

    def _learn(self, pace: Pace, response: Response) -> None:
        now = self._clock.now()
        if (found := limits.quota(response.headers, now=now)) is not None:
            pace.learn(remaining=found.remaining, reset=found.reset, limit=found.limit, early=self._early_limit)

    def _unavailable(self, response: Response) -> SourceUnavailable:
        after = limits.retry_after(response.headers, now=self._clock.now())
        return SourceUnavailable(f"{response.url} answered {response.status}: {response.seen()}", retry_after=after)

    def _wait(self, failure: SourceUnavailable, attempt: int) -> float:
        """Seconds: what the server asked for, else the backoff."""
        asked = failure.retry_after
        return self._retry.wait(attempt, self._random()) if asked is None else asked.total_seconds()


def _repeats(method: str, repeatable: bool | None) -> bool:
    return method in SAFE if repeatable is None else repeatable


def _address(url: str) -> URL:
    from yarl import URL

    try:
        address = URL(url)
    except ValueError:
        raise SourceMisconfigured(f"{url.partition('?')[0]!r} is not an address") from None
    if address.scheme not in ("http", "https") or not address.host:
        raise SourceMisconfigured(f"{url.partition('?')[0]!r} is not an address of http or https")
    return address
