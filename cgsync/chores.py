"""What a daemon does beside reading and sending, each in its own interval."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta

from cgsync import memory
from cgsync.api import Clock, Log
from cgsync.config import Config
from cgsync.custody import Custody
from cgsync.errors import SourceError
from cgsync.housekeeping import Chore
from cgsync.ledger import Ledger
from cgsync.retention import Retention
from cgsync.running import Running
from cgsync.watch import EVERY, Watch

REJECTS = "rejects"
RETENTION = "retention"
RETRIALS = "retrials"
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


def chores(
    ledger: Ledger,
    sources: Mapping[str, Running],
    custody: Custody,
    watch: Watch,
    *,
    config: Callable[[], Config],
    clock: Clock,
    log: Log,
) -> Sequence[Chore]:
    """All of them. ``config`` is asked anew each time, since a reload can change it."""
    retention = Retention(ledger, terms=lambda: config().retention, clock=clock, log=log)
    return [
        Chore(name="memory", every=lambda: MINUTE, work=memory.collect),
        Chore(name="disk", every=lambda: SECOND, work=custody.look),
        Chore(name="watch", every=lambda: EVERY, work=watch.look),
        Chore(name="backup", every=lambda: MINUTE, work=custody.back_up_when_due),
        Chore(name=RETRIALS, every=lambda: MINUTE, work=lambda: _retry_rejects(sources)),
        Chore(name=REJECTS, every=lambda: MINUTE, work=lambda: retention.trim(_reject_limits(sources))),
        Chore(name=RETENTION, every=lambda: HOUR, work=retention.sweep),
    ]


async def _retry_rejects(sources: Mapping[str, Running]) -> None:
    """Also of sources that are polled once a day: what was mended is to be seen soon."""
    for source in [each for each in sources.values() if not each.paused]:
        with contextlib.suppress(SourceError):  # a table that cannot be read: the next poll says so
            await source.retrial.run()


def _reject_limits(sources: Mapping[str, Running]) -> Mapping[str, int]:
    return {each.uid: each.config.limits.rejects for each in sources.values()}
