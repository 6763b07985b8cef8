"""The rows that are in memory: waiting in order, or busy until their outcome is stored; one of each reference."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable

from cgsync.model import Due

MOST_WAITING = 2_000
MOST_UNSETTLED = 500
"""Outcomes that may wait for a commit: a disk that stalls stops the sending, not the memory."""


class Rows:
    """Two tables by key. What is busy is never handed out again, whoever offers it."""

    def __init__(self, *, most_busy: int, most_waiting: int = MOST_WAITING) -> None:
        self.ready = asyncio.Event()
        """Set while :meth:`take` would return a row."""
        self._waiting: OrderedDict[str, Due] = OrderedDict()
        self._busy: dict[str, Due] = {}
        self._overtaken: set[str] = set()
        self._most_busy = most_busy
        self._most_waiting = most_waiting

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def busy(self) -> int:
        return len(self._busy)

    def offer(self, rows: Iterable[Due]) -> bool:
        """Queue what is newer than what is here. False when some did not fit: the ledger still has them."""
        fits = True
        for row in rows:
            fits &= self._offer(row)
        self._update()
        return fits

    def _offer(self, row: Due) -> bool:
        if (here := self._busy.get(row.key)) is not None:
            if row.version > here.version:
                self._overtaken.add(row.key)
            return True
        here = self._waiting.get(row.key)
        if here is None and len(self._waiting) >= self._most_waiting:
            return False
        if here is None or row.version > here.version:
            self._waiting[row.key] = row
        return True

    def take(self) -> Due | None:
        """The next row, busy from now on; ``None`` when there is none, or too many outcomes are not stored yet."""
        if not self.ready.is_set():
            return None
        key, row = self._waiting.popitem(last=False)
        self._busy[key] = row
        if not self._waiting or len(self._busy) >= self._most_busy:
            self.ready.clear()
        return row

    def give_back(self, row: Due) -> None:
        """It was not sent: first in the queue again."""
        del self._busy[row.key]
        self._waiting[row.key] = row
        self._waiting.move_to_end(row.key, last=False)
        self._update()

    def settled(self, rows: Iterable[Due]) -> bool:
        """Their outcomes are stored. True when a newer version of one was offered meanwhile and left to the ledger."""
        overtaken = False
        for row in rows:
            del self._busy[row.key]
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
