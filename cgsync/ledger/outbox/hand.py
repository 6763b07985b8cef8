"""What an operator does to the outbox by hand: hold, release, send again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select, update
from sqlalchemy import func as sql

from cgsync.ledger import counters, epoch, verdicts
from cgsync.ledger.counters import Tally
from cgsync.ledger.instant import Instant
from cgsync.ledger.outbox.rows import DROPPED, Row, load, payloads, save
from cgsync.ledger.reference import key as normalise
from cgsync.ledger.schema import activity, payload
from cgsync.ledger.statements import chunks
from cgsync.model import Due, Lane, State

MOVED = ("state", "due", "failing", "attempts", "retries", "lane")


@dataclass(frozen=True, slots=True, kw_only=True)
class Requeued:
    """``queued`` rows are sent again; ``without_body`` have lost their body and are only when next read."""

    queued: int
    without_body: int


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


def retry(conn: Connection, keys: Sequence[str], now: Instant) -> Sequence[Due]:
    """Let what was refused be tried once more, as it is, and then daily as before; what will be sent comes back.

    It stays refused, with its reject, until it is delivered.
    """
    time = epoch.current(conn, now)
    rows = [row for row in load(conn, keys).values() if row.state == State.REFUSED]
    for row in rows:
        row.due = time.doubt(row.queued, row.doubt, delivered=False) or time.now
        row.retries = 0
    save(conn, rows, ("due", "retries"))
    epoch.advance(conn, time, max([time.now, *(row.due or 0.0 for row in rows)]))
    bodies = payloads(conn, (row.seq for row in rows))
    return [row.wanted(bodies[row.seq][0], time.now) for row in rows if row.seq in bodies]


def leave_refused(conn: Connection, keys: Sequence[str]) -> None:
    """Do not try these again until they change at their source."""
    for chunk in chunks(keys):
        refused = activity.c.key.in_(chunk), activity.c.state == State.REFUSED.value
        conn.execute(update(activity).where(*refused).values(due=None))


def requeue(conn: Connection) -> Requeued:
    """Send everything again that was ever wanted: for another receiver, or when it is unknown what it has.

    It needs no clock: what is not to wait for an abandoned request was due long ago.
    """
    again = {
        "due": sql.coalesce(activity.c.doubt, 0.0),
        "failing": None,
        "attempts": 0,
        "retries": 0,
        "lane": Lane.BACKFILL.value,
    }
    sendable = select(payload.c.seq).where(payload.c.seq == activity.c.seq, sql.length(payload.c.body) > 0).exists()
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
        row.failing, row.attempts, row.retries = None, 0, 0
    written = _written(conn, rows, tally)
    epoch.advance(conn, time, max([time.now, *(row.due or 0.0 for row in rows)]))
    return written


def _written(conn: Connection, rows: Sequence[Row], tally: Tally) -> int:
    save(conn, rows, MOVED)
    counters.add(conn, tally)
    return len(rows)
