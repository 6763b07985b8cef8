"""The ledger's own time: boot time that goes on where the last boot ended.

Boot time starts over with each boot, and the rows hold instants of it. Instead of rewriting a million rows after a
reboot, the new boot's time is shifted so far that everything that was waiting is due: nobody knows how long the
machine was off. The same table remembers what an unclean stop leaves in doubt.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection, case, insert, select, update
from sqlalchemy import func as sql

from cgsync.ledger.instant import Instant
from cgsync.ledger.schema import activity, epoch
from cgsync.model import State

AHEAD = 60.0
CURRENT = "SELECT shift, horizon, unclean_from, unclean_until FROM epoch"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """``now`` in ledger time, and the window that the last unclean stop opened."""

    now: float
    horizon: float
    unclean_from: float
    unclean_until: float

    def doubt(self, queued: float, doubt: float | None, *, delivered: bool) -> float | None:
        """Until when a request for a row may still be executing over there, or ``None`` when none can be.

        A row that was delivered without doubt before the stop had nothing in flight at it.
        """
        until = doubt if doubt is not None and doubt > self.now else None
        stopped = self.unclean_until > self.now and queued <= self.unclean_from
        if stopped and (not delivered or doubt is not None):
            return max(until or 0.0, self.unclean_until)
        return until


def boot_id() -> str:
    """Which boot of the kernel this is."""
    return BOOT_ID.read_text().strip()


def current(conn: Connection, now: Instant) -> Epoch:
    """``now`` as the rows have it."""
    shift, horizon, start, end = conn.exec_driver_sql(CURRENT).one()
    return Epoch(now=now.mono + shift, horizon=horizon, unclean_from=start, unclean_until=end)


def advance(conn: Connection, time: Epoch, until: float) -> None:
    """Remember that a row was queued at ``until``, or waits for it."""
    if until > time.horizon:  # some way ahead, so that this is not written with every commit
        conn.execute(update(epoch).values(horizon=until + AHEAD))


def begin(conn: Connection, now: Instant, boot: str, *, clean: bool, settle_time: timedelta) -> None:
    """Start to work at ``now``: go on in the same boot's time, or shift a new boot's time behind all that waits.

    After an unclean stop, and after a reboot, whatever was not delivered counts as in doubt for ``settle_time``.
    """
    row = conn.execute(select(epoch)).one_or_none()
    if row is None:
        shift = -now.mono
        values = {"boot_id": boot, "shift": shift, "horizon": 0.0, "unclean_from": -1.0, "unclean_until": -1.0}
        conn.execute(insert(epoch).values(id=1, **values))
        return
    same_boot = row.boot_id == boot
    shift = row.shift if same_boot else row.horizon - now.mono
    start = now.mono + shift
    until = start + settle_time.total_seconds()
    if not same_boot:
        _renew_doubts(conn, until)
    if not clean:
        _doubt_older(conn, until)
    if not (same_boot and clean):
        values = {"shift": shift, "unclean_from": start, "unclean_until": until}
        conn.execute(update(epoch).values(boot_id=boot, horizon=max(row.horizon, until) + AHEAD, **values))


def _doubt_older(conn: Connection, until: float) -> None:
    """Let a version wait whose predecessor was never settled: it may have been on its way at the stop."""
    row = activity.c
    waiting = (row.state == State.PENDING.value, row.due.is_not(None))
    unsettled = (row.version > 1, sql.coalesce(row.delivered_version, 0) < row.version - 1)
    sooner = case((row.due < until, until), else_=row.due)
    conn.execute(update(activity).where(*waiting, *unsettled).values(due=sooner, doubt=until))


def _renew_doubts(conn: Connection, until: float) -> None:
    """Let what waits for an abandoned request wait its full time again: nobody knows how much of it is over."""
    waits = case((activity.c.due >= activity.c.doubt, until), else_=activity.c.due)
    conn.execute(update(activity).where(activity.c.doubt.is_not(None)).values(due=waits, doubt=until))
