"""One attempt: past the circuit, with the credential, over redirects, within the quota, and what came of it.

The way down is the order of the methods: :meth:`Attempts.attempt` asks the circuit, ``_authorised`` adds what
:class:`cgsync.http.home.Home` keeps, :func:`cgsync.http.redirects.followed` goes on where the answer says so, and
``_sent`` puts each request on the wire, where :class:`cgsync.http.allowance.Allowance` stands if there is a pace.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from cgsync.api import Clock
from cgsync.errors import SourceMisconfigured, SourceUnavailable
from cgsync.http import limits
from cgsync.http.address import address
from cgsync.http.allowance import Allowance
from cgsync.http.auth import Credential
from cgsync.http.broken import Broken, Kind
from cgsync.http.circuit import Circuits
from cgsync.http.home import Home
from cgsync.http.messages import Judge, Request, Response, Verdict, Wire, judged
from cgsync.http.pace import Pace
from cgsync.http.redaction import Redaction
from cgsync.http.redirects import followed
from cgsync.http.settings import CircuitBreaker

FINAL = (Kind.CERTIFICATE, Kind.LOGIN, Kind.REDIRECT, Kind.PROXY)
"""Nothing that waiting would mend."""


class Attempts:
    """Tries requests, each once; what is shared by sessions (``pace``, ``circuits``) hears of the outcome."""

    def __init__(
        self,
        wire: Wire,
        home: Home,
        *,
        pace: Pace | None,
        early_limit: float,
        redirects: bool,
        circuit: CircuitBreaker | None,
        circuits: Circuits,
        redaction: Redaction,
        clock: Clock,
    ) -> None:
        self._allowance = None if pace is None else Allowance(wire, pace, early=early_limit, clock=clock)
        self._wire = self._allowance or wire
        self._home = home
        self._redirects = redirects
        self._circuit = circuit
        self._circuits = circuits
        self._redaction = redaction
        self._clock = clock

    async def attempt(self, request: Request, judge: Judge | None) -> Response | SourceUnavailable:
        """The answer, or the passing failure that it is. Raises what no further attempt would mend."""
        origin = str(address(request.url).origin())
        if self._circuit is not None:
            self._circuits.check(origin)
        try:
            response = await self._authorised(request, judge)
        except Broken as broken:
            if broken.kind in FINAL:
                raise SourceMisconfigured(broken.message) from broken
            self._failed(origin)
            return SourceUnavailable(broken.message, retry_after=broken.after)
        return self._outcome(response, judged(response, judge), origin)

    async def _authorised(self, request: Request, judge: Judge | None) -> Response:
        """With the credential, and once more with a new one when that has ended."""
        credential = await self._home.credential(request)
        response = await self._followed(request, credential)
        if credential is None or judged(response, judge) is not Verdict.REAUTHENTICATE:
            return response
        if not self._home.renews(credential):
            return response
        return await self._followed(request, await self._home.credential(request))

    async def _followed(self, request: Request, credential: Credential | None) -> Response:
        return await followed(request, partial(self._sent, credential), allowed=self._redirects)

    async def _sent(self, credential: Credential | None, request: Request) -> Response:
        dressed = self._home.dressed(request, credential)
        self._redaction.notice(dressed)
        return replace(await self._wire.exchange(dressed), redact=self._redaction)

    def _outcome(self, response: Response, verdict: Verdict, origin: str) -> Response | SourceUnavailable:
        """Tell the circuit and the pace of it."""
        if verdict is Verdict.AGAIN:
            self._failed(origin)
        else:
            self._circuits.answered(origin)
        if verdict not in (Verdict.AGAIN, Verdict.THROTTLE):
            return response
        after = limits.retry_after(response.headers, now=self._clock.now())
        if verdict is Verdict.THROTTLE and self._allowance is not None:
            self._allowance.throttled(after)
        return SourceUnavailable(f"{response.url} answered {response.status}: {response.seen()}", retry_after=after)

    def _failed(self, origin: str) -> None:
        if self._circuit is not None:
            self._circuits.failed(origin, self._circuit)
