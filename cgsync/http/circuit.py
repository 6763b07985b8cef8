"""The circuit: a host that failed often in a row is left alone for a while."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta

from cgsync.api import Clock
from cgsync.errors import SourceUnavailable
from cgsync.http.settings import CircuitBreaker


@dataclass(slots=True)
class _Origin:
    failures: int = 0
    closed_at: float = -math.inf


class Circuits:
    """What is known of each origin; shared by sessions, so that it outlives them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._origins: dict[str, _Origin] = {}

    def check(self, origin: str) -> None:
        """Raise :class:`SourceUnavailable` while that origin is left alone."""
        found = self._origins.get(origin)
        if found is not None and (left := found.closed_at - self._clock.monotonic()) > 0:
            words = f"{origin} failed {found.failures} times in a row and is left alone for {math.ceil(left)} s"
            raise SourceUnavailable(words, retry_after=timedelta(seconds=left))

    def failed(self, origin: str, breaker: CircuitBreaker) -> None:
        """Count a passing failure. After a pause, each further one begins the next pause."""
        found = self._origins.setdefault(origin, _Origin())
        found.failures += 1
        if found.failures >= breaker.failures:
            found.closed_at = self._clock.monotonic() + breaker.pause.total_seconds()

    def answered(self, origin: str) -> None:
        """It did its work."""
        self._origins.pop(origin, None)
