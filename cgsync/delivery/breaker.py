"""The breaker and the brake: when single failures are no longer a matter of single records."""

from __future__ import annotations

from collections import deque

IN_A_ROW = 5
BREADTH = 3
REFUSED_IN_A_ROW = 20
LAST = 50


class Breaker:
    """Trips on 5 failures in a row over at least 3 references: one bad record alone never stops the others."""

    def __init__(self) -> None:
        self.in_a_row = 0
        self._keys: set[str] = set()

    def failed(self, key: str) -> bool:
        """Count a passing failure. True when the other side, not the record, is to blame."""
        self.in_a_row += 1
        if len(self._keys) < BREADTH:
            self._keys.add(key)
        return self.in_a_row >= IN_A_ROW and len(self._keys) >= BREADTH

    def answered(self) -> None:
        """The other side did its work, whatever it thought of the record."""
        if self.in_a_row:
            self.in_a_row = 0
            self._keys.clear()


class Brake:
    """Trips when 20 different references were refused in a row, or over half of the last 50: the mapping is wrong."""

    def __init__(self) -> None:
        self._in_a_row: set[str] = set()
        self._last: deque[bool] = deque(maxlen=LAST)
        self._refused = 0

    def accepted(self) -> None:
        """A 2xx."""
        if self._in_a_row:
            self._in_a_row.clear()
        self._push(refused=False)

    def refused(self, key: str) -> bool:
        """A record was refused. True when it is time to stop; a reference counts once."""
        if key in self._in_a_row:
            return False
        self._in_a_row.add(key)
        self._push(refused=True)
        return len(self._in_a_row) >= REFUSED_IN_A_ROW or self._refused > LAST // 2

    def reset(self) -> None:
        """Start counting afresh: a human has looked, or a probe has passed."""
        self._in_a_row.clear()
        self._last.clear()
        self._refused = 0

    def _push(self, *, refused: bool) -> None:
        if len(self._last) == LAST:
            self._refused -= self._last[0]
        self._last.append(refused)
        self._refused += refused
