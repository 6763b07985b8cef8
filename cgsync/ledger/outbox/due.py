"""What is to be sent now, and when the next is: one queue for each lane and source, read from its front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, select
from sqlalchemy import func as sql

from cgsync.ledger import counters, epoch
from cgsync.ledger.instant import Instant
from cgsync.ledger.schema import activity, payload
from cgsync.ledger.statements import fetch
from cgsync.model import LANES, Due, Lane, State

MOST_AHEAD = 10_000
"""So far are the rows before one counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """How many rows go before one: of its own source and lane, and of better lanes; counted up to a limit."""

    own: int
    better: int


def due(conn: Connection, now: Instant, limit: int) -> list[Due]:
    """The versions that are due, lane by lane; what is in flight is among them.

    Of each source in a lane come as many as of any other while it has some, the longest waiting first.
    """
    at = epoch.current(conn, now).now
    found: list[Due] = []
    for lane in LANES:
        if left := limit - len(found):
            found += _share(conn, lane, at, left)
    return found


def next_due(conn: Connection, now: Instant) -> float | None:
    """Seconds until the next version falls due that is not due yet; ``None`` when nothing waits for a time."""
    at = epoch.current(conn, now).now
    queues = [(lane, source) for lane in LANES for source in _sources(conn, lane)]
    later = [fetch(conn, _later, {"lane": lane.value, "source": source, "at": at}) for lane, source in queues]
    return min((due - at for [(due,)] in later if due is not None), default=None)


def pending_count(conn: Connection) -> int:
    """How many versions wait to be sent, without counting rows."""
    return counters.total(conn, State.PENDING)


def ahead(conn: Connection, row: Row[Any], now: float) -> Ahead:
    """What goes before a row that is due; ``now`` in ledger time."""
    at = activity.c
    before = (at.due < row.due) | ((at.due == row.due) & (at.seq < row.seq))
    mine = _count(conn, Lane(row.lane), row.source, row.due, before)
    better = 0
    for lane in LANES[: LANES.index(Lane(row.lane))]:
        better += sum(_count(conn, lane, source, now) for source in _sources(conn, lane))
    return Ahead(own=mine, better=min(better, MOST_AHEAD))


def _count(conn: Connection, lane: Lane, source: str, until: float, *more: ColumnElement[bool]) -> int:
    """The rows of that queue that are due by then, as far as anybody wants to know."""
    at = activity.c
    queue = (at.lane == lane.value, at.source == source, at.due.is_not(None), at.due <= until)
    some = select(at.seq).where(*queue, *more).limit(MOST_AHEAD).subquery()
    return conn.execute(select(sql.count()).select_from(some)).scalar_one()


def _share(conn: Connection, lane: Lane, at: float, limit: int) -> list[Due]:
    """The front rows of that lane, in equal shares; what one source does not need is shared by the others."""
    fronts = {source: list[Due]() for source in _sources(conn, lane)}
    hungry, left = list(fronts), limit
    while hungry and left > 0:
        share = max(1, left // len(hungry))
        more = {source: _front(conn, lane, source, at, share, skip=len(fronts[source])) for source in hungry}
        for source, rows in more.items():
            fronts[source] += rows
            left -= len(rows)
        hungry = [source for source, rows in more.items() if len(rows) == share]
    return [row for front in fronts.values() for row in front][:limit]


def _front(conn: Connection, lane: Lane, source: str, at: float, limit: int, *, skip: int) -> list[Due]:
    values = {"lane": lane.value, "source": source, "at": at, "most": limit, "skip": skip}
    return [
        Due(
            key=key,
            reference=reference,
            version=version,
            body=body,
            seq=seq,
            source=source,
            lane=lane,
            attempts=attempts,
            failing_for=0.0 if failing is None else at - failing,
            refused_before=state == State.REFUSED,
        )
        for seq, key, reference, version, state, attempts, failing, body in fetch(conn, _queue, values)
    ]


def _sources(conn: Connection, lane: Lane) -> Sequence[str]:
    """The sources that have something to send in that lane, now or later.

    One step in the index for each of them: to look at the rows for it would take as long as the queue is.
    """
    return [source for (source,) in fetch(conn, _next_sources, {"lane": lane.value}) if source is not None]


def _next_sources(_: Connection) -> Select[Any]:
    here = activity.c.lane == bindparam("lane"), activity.c.due.is_not(None)
    first = select(sql.min(activity.c.source).label("source")).where(*here)
    found = first.cte("found", recursive=True)
    after = first.where(activity.c.source > found.c.source).scalar_subquery()
    found = found.union_all(select(after).where(found.c.source.is_not(None)))
    return select(found.c.source)


def _queue(_: Connection) -> Select[Any]:
    row = activity.c
    stands = (row.state, row.attempts, row.failing)
    return (
        select(row.seq, row.key, row.reference, row.version, *stands, payload.c.body)
        .join(payload, payload.c.seq == row.seq)
        .where(*_in_queue(), row.due <= bindparam("at"))
        .order_by(row.due, row.seq)
        .limit(bindparam("most"))
        .offset(bindparam("skip"))
    )


def _later(_: Connection) -> Select[Any]:
    return select(sql.min(activity.c.due)).where(*_in_queue(), activity.c.due > bindparam("at"))


def _in_queue() -> Sequence[Any]:
    return activity.c.lane == bindparam("lane"), activity.c.source == bindparam("source"), activity.c.due.is_not(None)
