"""Drafts on their way from a page to a chunk: what belongs to them is looked up, then they are ready."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from cgsync.api import MAX_RECORDS, Clock
from cgsync_rest.client import Client
from cgsync_rest.drafts import Draft
from cgsync_rest.lookups import SLICE, LookUp
from cgsync_rest.partitions import Partition


class Pending:
    """Of one page. It is true while there are some; ``ready`` are those that may be handed over."""

    def __init__(self, look_ups: Sequence[LookUp], client: Client, partition: Partition, clock: Clock) -> None:
        self._look_ups = look_ups
        self._client = client
        self._partition = partition
        self._clock = clock
        self._drafts: deque[Draft] = deque()
        self.ready: deque[Draft] = deque()

    def __bool__(self) -> bool:
        return bool(self._drafts or self.ready)

    def add(self, drafts: Iterable[Draft]) -> None:
        self._drafts.extend(drafts)

    async def prepare(self, until: float) -> None:
        """Look up what belongs to the next ones, for as long as there is time."""
        while self._drafts and len(self.ready) < MAX_RECORDS:
            size = SLICE if self._look_ups else MAX_RECORDS - len(self.ready)
            some = [self._drafts.popleft() for _ in range(min(size, len(self._drafts)))]
            await self._look_up(some)
            self.ready.extend(some)
            if self._clock.monotonic() >= until:
                return

    async def _look_up(self, some: list[Draft]) -> None:
        try:
            for look_up in self._look_ups:
                await look_up.add(some, self._client, self._partition.variables())
        except BaseException:
            self._drafts.extendleft(reversed(some))
            raise
