"""What is not kept for ever: bodies and records of what is long done with, and old rejects.

What a row has lost stays empty; the row itself and its digest stay, so nothing is sent again for that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, delete, literal_column, select, update
from sqlalchemy import func as sql

from cgsync.ledger import counters, meta
from cgsync.ledger.counters import Tally
from cgsync.ledger.instant import stamp
from cgsync.ledger.outbox.rows import DROPPED
from cgsync.ledger.schema import activity, payload, reject
from cgsync.ledger.statements import THESE, chunks, find
from cgsync.model import State

WITHOUT_BODY = "without_body"
"""The counter of the rows that can be sent again only when they are next read."""
PLACE = "retention"
DONE = (State.DELIVERED.value, DROPPED)
CHUNK = 1000
"""Rows of one step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What was done with before these times may go."""

    bodies: datetime
    records: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step: the row that the walk came to (``None``: it is at the end), and the rows that can lose something."""

    last: int | None
    rows: Sequence[int] = field(default_factory=list)


def place(conn: Connection) -> int:
    """The row up to which the walk came last time."""
    return int(meta.get(conn, PLACE) or 0)


def remember(conn: Connection, last: int) -> None:
    """Go on there next time."""
    if place(conn) != last:
        meta.put(conn, PLACE, str(last))


def walk(conn: Connection, after: int, terms: Terms, limit: int = CHUNK) -> Step:
    """Look at the next rows that have anything kept."""
    looked = (
        select(payload.c.seq, _expired(terms).label("expired"))
        .join(activity, activity.c.seq == payload.c.seq)
        .where(payload.c.seq > after)
        .order_by(payload.c.seq)
        .limit(limit)
    )
    rows = conn.execute(looked).all()
    last = rows[-1].seq if len(rows) == limit else None
    return Step(last=last, rows=[row.seq for row in rows if row.expired])


def take_away(conn: Connection, rows: Sequence[int], terms: Terms) -> Counter[str]:
    """Empty what these rows need no longer, if that is still so; returns how many ``bodies`` and ``records`` went."""
    taken: Counter[str] = Counter()
    for chunk in chunks(rows):
        mine = payload.c.seq.in_(chunk)
        bodies = conn.execute(_losing(mine, payload.c.body, terms.bodies)).all()
        records = conn.execute(_losing(mine, payload.c.record, terms.records)).all()
        for name, losers in (("body", bodies), ("record", records)):
            gone = payload.c.seq.in_([row.seq for row in losers])
            conn.execute(update(payload).where(gone).values({name: b""}))
        conn.execute(delete(payload).where(mine, ~_kept(payload.c.body), ~_kept(payload.c.record)))
        counters.add(conn, _tally(bodies, 1))
        taken.update(bodies=len(bodies), records=len(records))
    return taken


def regain(conn: Connection, rows: Sequence[int]) -> Tally:
    """What a new body for these rows changes in the count of those that have none."""
    return _tally(find(conn, _without_body, rows), -1)


def without_body(conn: Connection) -> int:
    """How many rows can be sent again only when they are next read."""
    return counters.total(conn, WITHOUT_BODY)


def expire_rejects(conn: Connection, before: datetime) -> int:
    """Delete the next of the rejects that were last seen before that; returns how many."""
    old = select(reject.c.id).where(reject.c.last_at < stamp(before)).order_by(reject.c.last_at).limit(CHUNK)
    return conn.execute(delete(reject).where(reject.c.id.in_(old))).rowcount


def trim_rejects(conn: Connection, uid: str, most: int) -> int:
    """Delete the next of the rejects of that source that are too many, dropped ones and then the oldest first."""
    mine = reject.c.source == uid
    surplus = conn.execute(select(sql.count()).select_from(reject).where(mine)).scalar_one() - most
    if surplus <= 0:
        return 0
    first = (reject.c.dropped_at.is_(None), reject.c.last_at, reject.c.id)
    oldest = select(reject.c.id).where(mine).order_by(*first).limit(min(surplus, CHUNK))
    return conn.execute(delete(reject).where(reject.c.id.in_(oldest))).rowcount


def _done_at() -> ColumnElement[Any]:
    """When a row was done with: delivered, or given up."""
    return case((activity.c.state == State.DELIVERED.value, activity.c.delivered_at), else_=activity.c.stored_at)


def _without_body(_: Connection) -> Select[Any]:
    kept = select(payload.c.seq).where(payload.c.seq == activity.c.seq, _kept(payload.c.body)).exists()
    return select(activity.c.source).where(activity.c.seq.in_([THESE]), ~kept)


def _kept(content: ColumnElement[Any]) -> ColumnElement[bool]:
    return sql.length(content) > literal_column("0")  # which the database knows without reading the content


def _expired(terms: Terms) -> ColumnElement[bool]:
    body = _kept(payload.c.body) & (_done_at() <= stamp(terms.bodies))
    record = _kept(payload.c.record) & (_done_at() <= stamp(terms.records))
    return activity.c.state.in_(DONE) & (body | record)


def _losing(mine: ColumnElement[bool], content: ColumnElement[Any], before: datetime) -> Any:
    return (
        select(payload.c.seq, activity.c.source)
        .join(activity, activity.c.seq == payload.c.seq)
        .where(mine, _kept(content), activity.c.state.in_(DONE), _done_at() <= stamp(before))
    )


def _tally(rows: Iterable[Any], sign: int) -> Tally:
    return Counter({(uid, WITHOUT_BODY): sign * count for uid, count in Counter(row.source for row in rows).items()})
