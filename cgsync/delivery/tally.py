"""What was sent, counted since the start and over the last minute."""

from __future__ import annotations

from collections import Counter, deque

from cgsync.api import Clock
from cgsync.model import Outcome

SPAN = 60
"""Seconds over which the recent rate is taken."""


class Tally:
    """Counts by outcome (``delivered``, ``again``, ``refused``, ``paused``) and PUTs by second."""

    def __init__(self, clock: Clock) -> None:
        self.outcomes: Counter[str] = Counter()
        self.puts = 0
        self._clock = clock
        self._started = clock.monotonic()
        self._seconds: deque[tuple[int, int]] = deque()
        """second → PUTs before it"""

    def put(self) -> None:
        """One PUT has left."""
        second = int(self._clock.monotonic())
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append((second, self.puts))
            while self._seconds[0][0] < second - SPAN:
                self._seconds.popleft()
        self.puts += 1

    def count(self, outcome: Outcome) -> None:
        """What one row came to."""
        self.outcomes[type(outcome).__name__.lower()] += 1

    @property
    def rate(self) -> float:
        """PUTs a second over the last minute, or since the start if that is less."""
        now = self._clock.monotonic()
        before = next((puts for second, puts in self._seconds if second >= now - SPAN), self.puts)
        return (self.puts - before) / max(1.0, min(SPAN, now - self._started))
