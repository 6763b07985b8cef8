"""The rows that are in memory: waiting in order, or busy until their outcome is stored; one of each reference."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from cgsync.delivery.queues import Queues
from cgsync.model import Due

MOST_WAITING = 2_000
MOST_UNSETTLED = 500
"""Outcomes that may wait for a commit: a disk that stalls stops the sending, not the memory."""


class Rows:
    """What waits, and what is busy: that is never handed out again, whoever offers it."""

    def __init__(self, *, most_busy: int, most_waiting: int = MOST_WAITING) -> None:
        self.ready = asyncio.Event()
        """Set while :meth:`take` would return a row."""
        self._waiting = Queues()
        self._busy: dict[str, Due] = {}
        self._overtaken: set[str] = set()
        self._withdrawn: set[str] = set()
        self._most_busy = most_busy
        self._most_waiting = most_waiting

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def busy(self) -> int:
        return len(self._busy)

    def offer(self, rows: Iterable[Due]) -> bool:
        """Queue what is newer than what is here. False when some did not fit: the ledger still has them.

        When it is full, the newest row of the longest queue in the lowest lane gives way.
        """
        fits = True
        for row in rows:
            if (busy := self._busy.get(row.key)) is not None:
                self._withdrawn.discard(row.key)
                if row.version > busy.version:
                    self._overtaken.add(row.key)
            elif (here := self._waiting.get(row.key)) is None or row.version > here.version:
                self._waiting.put(row)
                if len(self._waiting) > self._most_waiting:
                    self._waiting.shed()
                    fits = False
        self._update()
        return fits

    def take(self) -> Due | None:
        """The next row, busy from now on; ``None`` when there is none, or too many outcomes are not stored yet."""
        if not self.ready.is_set():
            return None
        row = self._waiting.take()
        self._busy[row.key] = row
        if not self._waiting or len(self._busy) >= self._most_busy:
            self.ready.clear()
        return row

    def give_back(self, row: Due) -> None:
        """It was not sent: first of its source again, unless it was withdrawn meanwhile."""
        del self._busy[row.key]
        if row.key in self._withdrawn:
            self._withdrawn.remove(row.key)
        else:
            self._waiting.put(row, first=True)
        self._update()

    def withdraw(self, keys: Iterable[str]) -> Sequence[str]:
        """These are not to be sent any more; returns those which are busy: they are, unless :meth:`wanted` is asked."""
        busy = []
        for key in keys:
            if key in self._busy:
                self._withdrawn.add(key)
                busy.append(key)
            self._waiting.remove(key)
        self._update()
        return busy

    def wanted(self, row: Due) -> bool:
        """False when it was withdrawn while it was busy."""
        return row.key not in self._withdrawn

    def settled(self, rows: Iterable[Due]) -> bool:
        """Their outcomes are stored. True when a newer version of one was offered meanwhile and left to the ledger."""
        overtaken = False
        for row in rows:
            del self._busy[row.key]
            self._withdrawn.discard(row.key)
            if row.key in self._overtaken:
                self._overtaken.remove(row.key)
                overtaken = True
        self._update()
        return overtaken

    def _update(self) -> None:
        if self._waiting and len(self._busy) < self._most_busy:
            self.ready.set()
        else:
            self.ready.clear()
