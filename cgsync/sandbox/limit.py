"""A rate limit as APIs have it: a bucket of one second's worth, and headers that say how full it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from cgsync.sandbox.reply import Reply


class RateLimit:
    """``per_second`` calls are let through on average; ``now`` is a clock that never steps."""

    def __init__(self, per_second: float, *, now: Callable[[], float]) -> None:
        self._rate = per_second
        self._room = max(1.0, per_second)
        self._left = self._room
        self._now, self._seen = now, now()

    def refusal(self) -> Reply | None:
        """``None`` when the call may pass, else the 429 with its ``Retry-After``."""
        now = self._now()
        self._left = min(self._room, self._left + (now - self._seen) * self._rate)
        self._seen = now
        if self._left >= 1:
            self._left -= 1
            return None
        seconds = math.ceil((1 - self._left) / self._rate)
        return Reply.of(429, {"message": "Too Many Attempts."}, {"Retry-After": str(seconds), **self.headers()})

    def headers(self) -> Mapping[str, str]:
        """``X-RateLimit-*`` as they stand now."""
        return {"X-RateLimit-Limit": str(int(self._room)), "X-RateLimit-Remaining": str(int(self._left))}
