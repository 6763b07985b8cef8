"""What the API allows: a wire that learns its quota from each answer, and sends nothing while that is used up."""

from __future__ import annotations

from datetime import timedelta

from cgsync.api import Clock
from cgsync.errors import SourceUnavailable
from cgsync.http import limits
from cgsync.http.messages import Request, Response, Wire
from cgsync.http.pace import Pace
from cgsync.http.settings import PATIENCE


class Allowance:
    """Teaches the pace, which may be shared. ``early``: the share of the quota below which it slows down."""

    def __init__(self, wire: Wire, pace: Pace, *, early: float, clock: Clock) -> None:
        self._wire = wire
        self._pace = pace
        self._early = early
        self._clock = clock

    async def exchange(self, request: Request) -> Response:
        self._check()
        response = await self._wire.exchange(request)
        if (found := limits.quota(response.headers, now=self._clock.now())) is not None:
            self._pace.learn(remaining=found.remaining, reset=found.reset, limit=found.limit, early=self._early)
        return response

    def _check(self) -> None:
        """Our own ceiling is waited for at the door; a quota that is used up, by the core."""
        delay = self._pace.delay
        if delay > PATIENCE.total_seconds():
            words = f"the API's quota is used up: the next request goes out in {delay:.0f} s"
            raise SourceUnavailable(words, retry_after=timedelta(seconds=delay))

    def throttled(self, after: timedelta | None) -> None:
        """All who share the pace slow down, and hold still for as long as the server asks."""
        self._pace.throttled()
        if after is not None:
            self._pace.learn(remaining=0, reset=after)
