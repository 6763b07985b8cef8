"""The record that makes the other side fail each time, while all others pass."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from cgsync.api import Clock
from cgsync.model import Due

ATTEMPTS = 12
SECONDS = 6 * 3600.0
OTHERS = 20
REMEMBERED = 10_000
"""References whose failures are remembered; the oldest are forgotten first, which only lets them try longer."""


@dataclass(frozen=True, slots=True)
class _Failing:
    version: int
    since: float
    passed: int


class Poison:
    """Given up are 12 attempts over 6 hours while 20 others passed. A restart starts the hours anew."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._failing: OrderedDict[str, _Failing] = OrderedDict()
        self._passed = 0

    def passed(self, key: str) -> None:
        """That one was delivered."""
        self._passed += 1
        if self._failing:
            self._failing.pop(key, None)

    def failed(self, due: Due) -> bool:
        """The other side failed over that one. True when it is to be given up."""
        now = self._clock.monotonic()
        seen = self._failing.get(due.key)
        if seen is None or seen.version != due.version:
            self._failing[due.key] = _Failing(due.version, now, self._passed)
            if len(self._failing) > REMEMBERED:
                self._failing.popitem(last=False)
            return False
        enough = due.attempts + 1 >= ATTEMPTS and now - seen.since >= SECONDS
        return enough and self._passed - seen.passed >= OTHERS
