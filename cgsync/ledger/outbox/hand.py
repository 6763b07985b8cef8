"""What an operator does to the outbox by hand: look, hold, release, send again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select, update
from sqlalchemy import func as sql

from cgsync.ledger import counters, epoch, verdicts
from cgsync.ledger.counters import Tally
from cgsync.ledger.instant import Instant, moment
from cgsync.ledger.outbox.rows import DROPPED, LIVE, Row, load, save
from cgsync.ledger.reference import key as normalise
from cgsync.ledger.schema import activity, payload, source
from cgsync.ledger.statements import chunks
from cgsync.model import State

MOVED = ("state", "due", "attempts", "retries", "lane")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One row. ``due_in``: seconds until it is sent, ``None`` when it is not."""

    reference: str
    source: str
    state: str
    version: int
    attempts: int
    due_in: float | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Requeued:
    """``queued`` rows are sent again; ``without_body`` have lost their body and are only when next read."""

    queued: int
    without_body: int


def list_rows(
    conn: Connection, now: Instant, state: str | None = None, source: str | None = None, limit: int = 1000
) -> Sequence[Listed]:
    """What is not delivered, or what is in ``state``; ``source`` is a name."""
    return [
        Listed(
            reference=row.reference,
            source=row.name,
            state=row.state,
            version=row.version,
            attempts=row.attempts,
            due_in=None if row.due is None else max(0.0, row.due - epoch.current(conn, now).now),
            at=moment(row.stored_at),
        )
        for row in conn.execute(_listing(state, source).limit(limit))
    ]


def hold(conn: Connection, references: Sequence[str]) -> int:
    """Keep these from being sent until they are released; returns how many were waiting."""
    tally: Tally = Counter()
    rows = [row for row in _rows(conn, references) if row.state in {State.PENDING, State.REFUSED}]
    verdicts.close(conn, [row.key for row in rows if row.state == State.REFUSED])
    for row in rows:
        row.move(State.HELD, tally)
        row.due = None
    return _written(conn, rows, tally)


def release(conn: Connection, references: Sequence[str], now: Instant) -> int:
    """Let what was held be sent; returns how many were held."""
    return _send(conn, [row for row in _rows(conn, references) if row.state == State.HELD], now)


def retry(conn: Connection, keys: Sequence[str], now: Instant) -> int:
    """Send what was refused once more, as it is; returns how many were refused."""
    rows = [row for row in load(conn, keys).values() if row.state == State.REFUSED]
    verdicts.close(conn, [row.key for row in rows])
    return _send(conn, rows, now)


def leave_refused(conn: Connection, keys: Sequence[str]) -> None:
    """Do not try these again until they change at their source."""
    for chunk in chunks(keys):
        refused = activity.c.key.in_(chunk), activity.c.state == State.REFUSED.value
        conn.execute(update(activity).where(*refused).values(due=None))


def requeue(conn: Connection) -> Requeued:
    """Send everything again that was ever wanted: for another receiver, or when it is unknown what it has.

    It needs no clock: what is not to wait for an abandoned request was due long ago.
    """
    again = {"due": sql.coalesce(activity.c.doubt, 0.0), "attempts": 0, "retries": 0, "lane": LIVE}
    sendable = select(payload.c.seq).where(payload.c.seq == activity.c.seq).exists()
    tally: Tally = Counter()
    for state in (State.DELIVERED.value, State.REFUSED.value):
        found = (activity.c.state == state, sendable)
        for uid, count in conn.execute(
            select(activity.c.source, sql.count()).where(*found).group_by(activity.c.source)
        ):
            tally[uid, State.PENDING.value] += count
            if state == State.DELIVERED:
                tally[uid, "requeued"] += count
            else:
                tally[uid, state] -= count
        conn.execute(update(activity).where(*found).values(state=State.PENDING.value, **again))
    conn.execute(update(activity).values(delivered_version=None, delivered_at=None, answer=None))
    conn.execute(update(activity).where(activity.c.state == State.PENDING.value).values(again))
    # without its body it can only be sent when it is next read: then it must not look unchanged
    lost = conn.execute(update(activity).where(activity.c.state == State.DELIVERED.value).values(digest=b"")).rowcount
    verdicts.close_all(conn)
    counters.add(conn, tally)
    return Requeued(queued=counters.total(conn, State.PENDING), without_body=lost)


def drop_source(conn: Connection, uid: str) -> int:
    """Give up every version of that source that is not delivered; the rows stay, as what was sent."""
    mine = activity.c.source == uid
    undone = activity.c.state.in_(counters.OPEN)
    tally: Tally = Counter()
    counts = conn.execute(select(activity.c.state, sql.count()).where(mine, undone).group_by(activity.c.state))
    for state, count in counts:
        tally[uid, state] -= count
        tally[uid, "dropped"] += count
    conn.execute(update(activity).where(mine, undone).values(state=DROPPED, due=None))
    counters.add(conn, tally)
    return tally[uid, "dropped"]


def _rows(conn: Connection, references: Sequence[str]) -> Sequence[Row]:
    return list(load(conn, [normalise(reference) for reference in references]).values())


def _send(conn: Connection, rows: Sequence[Row], now: Instant) -> int:
    """Make the rows pending: due at once, or when an abandoned request of an older version cannot come any more."""
    time = epoch.current(conn, now)
    tally: Tally = Counter()
    for row in rows:
        row.move(State.PENDING, tally)
        row.due = time.doubt(row.queued, row.doubt, delivered=False) or time.now
        row.attempts = row.retries = 0
    written = _written(conn, rows, tally)
    epoch.advance(conn, time, max([time.now, *(row.due or 0.0 for row in rows)]))
    return written


def _written(conn: Connection, rows: Sequence[Row], tally: Tally) -> int:
    save(conn, rows, MOVED)
    counters.add(conn, tally)
    return len(rows)


def _listing(state: str | None, name: str | None) -> Select[Any]:
    wanted = activity.c.state == state if state else activity.c.state != State.DELIVERED.value
    statement = (
        select(activity, sql.coalesce(source.c.name, activity.c.source).label("name"))
        .outerjoin(source, source.c.uid == activity.c.source)
        .where(wanted)
        .order_by(activity.c.seq)
    )
    return statement if name is None else statement.where(source.c.name == name)
