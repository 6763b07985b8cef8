"""Results that were looked up: kept for so long, and so many."""

from __future__ import annotations

from collections import OrderedDict
from datetime import timedelta
from typing import Any

from cgsync.api import Clock


class Cache:
    """The most lately used results. What is held may be ``None``: that there is nothing is a result too."""

    def __init__(self, clock: Clock, *, time: timedelta, size: int) -> None:
        self._clock = clock
        self._time = time.total_seconds()
        self._size = size
        self._held: OrderedDict[Any, tuple[float, Any]] = OrderedDict()

    def __contains__(self, key: Any) -> bool:
        return key in self._held and self._held[key][0] > self._clock.monotonic()

    def get(self, key: Any) -> Any:
        self._held.move_to_end(key)
        return self._held[key][1]

    def put(self, key: Any, value: Any) -> None:
        self._held[key] = (self._clock.monotonic() + self._time, value)
        self._held.move_to_end(key)
        while len(self._held) > self._size:
            self._held.popitem(last=False)
