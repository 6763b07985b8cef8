"""The record that makes the other side fail each time, while all others pass."""

from __future__ import annotations

from collections import OrderedDict

from cgsync.model import Due

ATTEMPTS = 12
SECONDS = 6 * 3600.0
OTHERS = 20
REMEMBERED = 10_000
"""References for which it is remembered what passed since; the oldest are forgotten first, so they try longer."""


class Poison:
    """Given up are 12 attempts over 6 hours while 20 others passed.

    Attempts and hours are the ledger's, so that a restart changes nothing; the others are counted since the start.
    """

    def __init__(self) -> None:
        self._before: OrderedDict[tuple[str, int], int] = OrderedDict()
        """key and version → how many had passed when its failure was first seen here"""
        self._passed = 0

    def passed(self, due: Due) -> None:
        """That one was delivered."""
        self._passed += 1
        if self._before:
            self._before.pop((due.key, due.version), None)

    def failed(self, due: Due) -> bool:
        """The other side failed over that one. True when it is to be given up."""
        before = self._before.setdefault((due.key, due.version), self._passed)
        if len(self._before) > REMEMBERED:
            self._before.popitem(last=False)
        enough = due.attempts + 1 >= ATTEMPTS and due.failing_for >= SECONDS
        return enough and self._passed - before >= OTHERS
