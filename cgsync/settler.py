"""What a source may archive, flag, delete or answer once it is stored: done, and tried again until that works."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

from cgsync.api import Clock, Log, Settles, Source
from cgsync.bounds import within
from cgsync.delivery import backoff
from cgsync.errors import SourceError
from cgsync.ledger import Ledger, settlements
from cgsync.ledger.settlements import Settlement


class Settler:
    """Settles for one source. ``due`` is the moment, on the monotonic clock, before which it is not tried again."""

    def __init__(
        self,
        ledger: Ledger,
        *,
        uid: str,
        time_limit: timedelta,
        clock: Clock,
        random: Callable[[], float],
        log: Log,
    ) -> None:
        self._ledger = ledger
        self._uid = uid
        self._time_limit = time_limit
        self._clock = clock
        self._random = random
        self._log = log
        self.failures = 0
        self.due = 0.0

    async def settle(self, source: Source) -> None:
        """Settle what is stored. A failure is tried again later and keeps nobody from fetching."""
        if not isinstance(source, Settles) or self._clock.monotonic() < self.due:
            return
        while items := await self._ledger.read(partial(settlements.pending, source=self._uid)):
            settled = source.settle([item.value for item in items])
            try:
                await within(self._time_limit, settled, "settle")
            except SourceError as error:
                await self._put_off(items, error)
                return
            await self._ledger.write(partial(settlements.finish, ids=[item.id for item in items]))
        self.failures = 0

    async def _put_off(self, items: Sequence[Settlement], error: SourceError) -> None:
        await self._ledger.write(partial(settlements.fail, ids=[item.id for item in items], error=str(error)))
        self.failures += 1
        gap = backoff.half_jitter(self.failures, self._random)
        self.due = self._clock.monotonic() + gap.total_seconds()
        self._log.warning("could not settle", error=str(error), again_in=f"{gap.total_seconds():.0f}s")
