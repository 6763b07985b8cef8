"""What is to be sent now, and when the next is."""

from __future__ import annotations

from sqlalchemy import Connection, select
from sqlalchemy import func as sql

from cgsync.ledger import counters, epoch
from cgsync.ledger.instant import Instant
from cgsync.ledger.outbox.rows import RETRY
from cgsync.ledger.schema import activity, payload
from cgsync.model import Due, Lane, State


def due(conn: Connection, now: Instant, limit: int) -> list[Due]:
    """The versions that are due, the longest waiting first; what is in flight is among them."""
    row = activity.c
    statement = (
        select(row.seq, row.key, row.reference, row.version, row.attempts, row.lane, row.source, payload.c.body)
        .join(payload, payload.c.seq == activity.c.seq)
        .where(activity.c.due.is_not(None), activity.c.due <= epoch.current(conn, now).now)
        .order_by(activity.c.due, activity.c.seq)
        .limit(limit)
    )
    return [
        Due(
            key=key,
            reference=reference,
            version=version,
            body=body,
            seq=seq,
            source=source,
            lane=Lane(lane),
            attempts=attempts,
            refused_before=lane == RETRY,
        )
        for seq, key, reference, version, attempts, lane, source, body in conn.execute(statement)
    ]


def next_due(conn: Connection, now: Instant) -> float | None:
    """Seconds until the next version is due, 0 when one is; ``None`` when nothing waits for a time."""
    earliest = conn.execute(select(sql.min(activity.c.due)).where(activity.c.due.is_not(None))).scalar_one()
    return None if earliest is None else max(0.0, earliest - epoch.current(conn, now).now)


def pending_count(conn: Connection) -> int:
    """How many versions wait to be sent, without counting rows."""
    return counters.total(conn, State.PENDING)
