"""How often something new comes of a source, learned from when it came: for how long it is usually quiet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

LEAST = timedelta(days=1)
"""No silence that is shorter is worth an alarm, unless a limit is declared."""
TIMES = 2
"""So many times the longest gap is more than usual."""
LONG = LEAST / TIMES
"""A shorter gap cannot matter beside ``LEAST``, and is not remembered."""
KEPT = 40
"""Long gaps that are remembered: they cover 20 days at the least, so there are always two weekends among them."""
ENOUGH_HOURS = 10
ENOUGH_TIME = timedelta(days=14)
"""Less says nothing about what is usual: it may hold no weekend as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """``first`` and ``last``: wall times at which something new came. ``hours``: in so many different ones it did.

    ``gaps``: the last of those that are long, the oldest first.
    """

    first: datetime | None = None
    last: datetime | None = None
    hours: int = 0
    gaps: tuple[timedelta, ...] = ()

    @property
    def limit(self) -> timedelta | None:
        """For how long nothing new may come before that is no longer usual; ``None`` while nobody knows."""
        if self.first is None or self.last is None:
            return None
        if self.hours < ENOUGH_HOURS or self.last - self.first < ENOUGH_TIME:
            return None
        return max(LEAST, TIMES * max(self.gaps, default=LONG))

    def arrived(self, at: datetime, gap: timedelta) -> Rhythm:
        """With something new that came at ``at``, so long after what came before.

        A silence that was an alarm teaches no more than the limit that it broke: one outage cannot spoil what was
        learned, and who comes less often from now on is understood after a few times, as the limit doubles.
        """
        if self.last is None:
            return Rhythm(first=at, last=at, hours=1)
        taught = min(gap, self.limit or gap)
        gaps = (*self.gaps, taught)[-KEPT:] if taught >= LONG else self.gaps
        return replace(self, last=at, hours=self.hours + (_hour(at) != _hour(self.last)), gaps=gaps)


def is_news(counts: Mapping[str, int]) -> bool:
    """Whether something new was taken in; what was known already, left out or rejected is read again and again."""
    return bool(counts.get("new") or counts.get("changed"))


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
