"""Whether a file is complete, judged in one look wherever the clock allows it."""

from __future__ import annotations

import os.path
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from cgsync.api import Clock
from cgsync_files.folder import Found, Scan, Stamp
from cgsync_files.settings import Readiness

PATIENCE = timedelta(minutes=1)
"""How long a file that keeps changing may hold back those after it."""
SHORTEST = 0.01
"""Seconds; what is left of a wait may be less than a clock can tell, and would be asked for again and again."""


@dataclass(slots=True)
class Seen:
    """When a file that is not ready was first seen, and since when it has rested; monotonic seconds."""

    first: float
    stamp: Stamp
    rests_since: float


class Gate:
    """Lets files through that are complete. Its memory only speeds things up or holds them back, never loses any."""

    def __init__(self, readiness: Readiness, clock: Clock, *, in_order: bool) -> None:
        self._stable = readiness.stable.total_seconds()
        self._marker = readiness.done_file
        self._clock = clock
        self._in_order = in_order
        self._seen: dict[str, Seen] = {}

    def pass_through(self, candidates: Iterable[Found], scan: Scan) -> tuple[list[Found], timedelta | None]:
        """Those that are ready, and after what time to look again, if there are others."""
        ready: list[Found] = []
        waits: list[float] = []
        now, wall = self._clock.monotonic(), self._clock.now().timestamp()
        seen: dict[str, Seen] = {}
        held = False
        for found in candidates:
            if not self._marked(found, scan):
                continue
            wait = self._wait(found, now, wall, seen)
            if wait > 0:
                waits.append(wait)
                # what was written first is to be read first: an older version must not come after a newer one
                held = held or (self._in_order and now - seen[found.path].first < self._patience)
            elif not held:
                ready.append(found)
        self._seen = seen
        return ready, timedelta(seconds=max(min(waits), SHORTEST)) if waits else None

    @property
    def _patience(self) -> float:
        return max(PATIENCE.total_seconds(), 10 * self._stable)

    def _marked(self, found: Found, scan: Scan) -> bool:
        return self._marker is None or marker_of(found.path, self._marker) in scan.markers

    def _wait(self, found: Found, now: float, wall: float, seen: dict[str, Seen]) -> float:
        """Seconds until the file has rested long enough, by its own times or, where those lie, by ours."""
        old = self._seen.get(found.path)
        if old is None:
            old = Seen(now, found.stamp, now)
        elif old.stamp != found.stamp:
            old = Seen(old.first, found.stamp, now)
        age = wall - found.changed / 1e9
        wait = self._stable - max(age, now - old.rests_since)
        if wait > 0:
            seen[found.path] = old
        return min(wait, self._stable)


def marker_of(path: str, template: str) -> str:
    """The path of the done-file that belongs to ``path``."""
    folder, name = os.path.split(path)
    marker = template.format(name=name, stem=os.path.splitext(name)[0])  # noqa: PTH122 - paths are text here
    return os.path.join(folder, marker)  # noqa: PTH118 - as above
