"""How long to wait after the n-th failure: full jitter, so that what failed together does not come back together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

FIRST = timedelta(seconds=1)
LONGEST = timedelta(minutes=15)


def full_jitter(
    failures: int, random: Callable[[], float], *, first: timedelta = FIRST, longest: timedelta = LONGEST
) -> timedelta:
    """Anything between nothing and ``first`` doubled ``failures`` times, at most ``longest``. ``random`` in [0, 1)."""
    return random() * min(first * 2.0 ** min(failures, 30), longest)


def half_jitter(
    failures: int, random: Callable[[], float], *, first: timedelta = FIRST, longest: timedelta = LONGEST
) -> timedelta:
    """The upper half of that: for gaps between probes, which may not shrink to nothing."""
    return (1 + random()) / 2 * min(first * 2.0 ** min(failures, 30), longest)
