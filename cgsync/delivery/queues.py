"""The rows that wait in memory: lane before lane, the sources of a lane in turn, each source's rows in order."""

from __future__ import annotations

from collections import OrderedDict

from cgsync.model import LANES, Due


class Queues:
    """A queue for each lane and source, and one table by key over all of them. Nothing here takes long."""

    def __init__(self) -> None:
        self._rows: dict[str, Due] = {}
        self._lanes = {lane: OrderedDict[str, OrderedDict[str, Due]]() for lane in LANES}
        """In each lane the source whose turn it is comes first; none is there with an empty queue."""

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: str) -> Due | None:
        return self._rows.get(key)

    def put(self, row: Due, *, first: bool = False) -> None:
        """Queue it, last or first of its source; in the place of its older version where that waits there too."""
        here = self._rows.get(row.key)
        if here is not None and (here.lane != row.lane or here.source != row.source):
            self.remove(row.key)
        self._rows[row.key] = row
        sources = self._lanes[row.lane]
        if (queue := sources.get(row.source)) is None:
            queue = sources[row.source] = OrderedDict()
        queue[row.key] = row
        if first:
            queue.move_to_end(row.key, last=False)

    def remove(self, key: str) -> Due | None:
        """Take it out, wherever it stands."""
        row = self._rows.pop(key, None)
        if row is not None:
            sources = self._lanes[row.lane]
            del sources[row.source][key]
            if not sources[row.source]:
                del sources[row.source]
        return row

    def take(self) -> Due:
        """The next row; there must be one."""
        sources = next(filter(None, self._lanes.values()))
        source, queue = next(iter(sources.items()))
        key, row = queue.popitem(last=False)
        del self._rows[key]
        if not queue:
            del sources[source]
        elif len(sources) > 1:
            sources.move_to_end(source)
        return row

    def shed(self) -> None:
        """Let the newest row of the longest queue in the lowest lane go; there must be one."""
        sources = next(filter(None, reversed(self._lanes.values())))
        longest = max(sources, key=lambda source: len(sources[source])) if len(sources) > 1 else next(iter(sources))
        key, _ = sources[longest].popitem()
        del self._rows[key]
        if not sources[longest]:
            del sources[longest]
