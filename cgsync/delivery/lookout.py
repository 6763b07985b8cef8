"""When to look into the ledger: it may hold rows that are due and not in memory."""

from __future__ import annotations

import math
from collections.abc import Iterable

from cgsync.api import Clock
from cgsync.model import Again, Paused, Result

LOW = 250
"""Rows waiting in memory below which more are read from the ledger, if it has more."""
LOOK = 60.0
"""Seconds: the ledger is looked at that often in any case, and the sender looks that far ahead."""
SHORTEST = 0.1
"""Seconds between two looks for what falls due."""
BUSY = 1.0
"""The same while enough rows wait in memory: what falls due may come before all of them."""
LATE = 0.01
"""Seconds after which a row that falls due is looked for, so that it surely is."""


class Lookout:
    """Knows what the last look left behind, and when the next row falls due."""

    def __init__(self, clock: Clock) -> None:
        self.more = True
        """the ledger may hold rows that are due and not in memory"""
        self._clock = clock
        self._looked_at = -math.inf
        self._next_due = math.inf
        """when the next of those falls due that were not, by the monotonic clock"""

    @property
    def ahead(self) -> float:
        """Seconds until the next row falls due; infinite when none is known of."""
        return self._next_due - self._clock.monotonic()

    def wants(self, waiting: int) -> bool:
        """Whether to look now, with so many rows waiting in memory."""
        return (self.more and waiting < LOW) or self.wait(waiting) <= 0

    def wait(self, waiting: int) -> float:
        """Seconds until it is time to look for what has fallen due."""
        soonest = self._looked_at + (SHORTEST if waiting < LOW else BUSY)
        return min(self._looked_at + LOOK, max(self._next_due + LATE, soonest)) - self._clock.monotonic()

    def looking(self) -> None:
        """A look begins: whatever is noted from now on is news to it."""
        self.more = False
        self._looked_at, self._next_due = self._clock.monotonic(), math.inf

    def looked(self, ahead: float | None, *, more: bool) -> None:
        """What that look found: seconds until the next row falls due, and whether there is more that is due."""
        self.more |= more
        if ahead is not None:
            self._next_due = min(self._next_due, self._looked_at + ahead)

    def expect(self, result: Result) -> None:
        """The ledger will hand out that row again."""
        if isinstance(result.outcome, Paused):
            self.more = True
        elif isinstance(result.outcome, Again):
            self.await_these([result.retry_in.total_seconds()])

    def await_these(self, waits: Iterable[float]) -> None:
        """The ledger has rows that fall due after so many seconds."""
        for seconds in waits:
            self._next_due = min(self._next_due, self._clock.monotonic() + seconds)
