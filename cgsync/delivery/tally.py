"""What was sent, counted since the start and over the last minute."""

from __future__ import annotations

from collections import Counter, deque

from cgsync.api import Clock
from cgsync.model import Outcome

SPAN = 60
"""Seconds over which the recent rate is taken."""


class Tally:
    """Counts by outcome (``delivered``, ``again``, ``refused``, ``paused``) and PUTs by time."""

    def __init__(self, clock: Clock) -> None:
        self.outcomes: Counter[str] = Counter()
        self.puts = 0
        self._clock = clock
        self._started = clock.monotonic()
        self._marks: deque[tuple[float, int]] = deque([(self._started, 0)])
        """time → PUTs until then"""

    def mark(self) -> None:
        """Note the time, at most once a second: cheaper than to note it for each PUT."""
        now = self._clock.monotonic()
        if now - self._marks[-1][0] >= 1:
            self._marks.append((now, self.puts))
        while len(self._marks) > 1 and self._marks[1][0] <= now - SPAN:
            self._marks.popleft()

    def count(self, outcome: Outcome) -> None:
        """What one row came to."""
        self.outcomes[type(outcome).__name__.lower()] += 1

    @property
    def rate(self) -> float:
        """PUTs a second over the last minute, or since the start if that is less."""
        self.mark()
        since, before = self._marks[0]
        return (self.puts - before) / max(1.0, self._clock.monotonic() - since)
