"""Looking at the outbox: what is in it, one row whole, and the rows in a state one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, select
from sqlalchemy import func as sql

from cgsync.ledger import attempts, epoch
from cgsync.ledger.attempts import Attempt
from cgsync.ledger.instant import Instant, moment
from cgsync.ledger.outbox.rows import payloads
from cgsync.ledger.reference import key as normalise
from cgsync.ledger.schema import activity, source
from cgsync.ledger.statements import chunks
from cgsync.model import Lane, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One row; ``source`` is a name. ``due_in``: seconds until it is sent, ``None`` when it is not."""

    reference: str
    source: str
    state: str
    lane: Lane
    version: int
    attempts: int
    due_in: float | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One row with what is wanted at the receiver; ``body`` is ``None`` once it was dropped with age.

    ``guard``: why a run of its source is held. ``last_failure`` is of a version that was not delivered since.
    """

    row: Listed
    record: str
    position: str
    delivered_version: int | None
    guard: str | None
    last_failure: Attempt | None
    body: Any


def list_rows(
    conn: Connection, now: Instant, state: str | None = None, source: str | None = None, limit: int = 1000
) -> Sequence[Listed]:
    """What is not delivered, or what is in ``state``; ``source`` is a name."""
    wanted = activity.c.state == state if state else activity.c.state != State.DELIVERED.value
    statement = _rows().where(wanted).order_by(activity.c.seq).limit(limit)
    if source is not None:
        statement = statement.where(_name() == source)
    time = epoch.current(conn, now).now
    return [_listed(row, time) for row in conn.execute(statement)]


def show(conn: Connection, now: Instant, reference: str) -> Wanted | None:
    """The row of that reference, however it is written; ``None``: it was never stored."""
    row = conn.execute(_rows().where(activity.c.key == normalise(reference))).one_or_none()
    if row is None:
        return None
    body, _ = payloads(conn, [row.seq]).get(row.seq, (b"", b""))
    return Wanted(
        row=_listed(row, epoch.current(conn, now).now),
        record=row.record,
        position=row.position,
        delivered_version=row.delivered_version,
        guard=row.guard,
        last_failure=_last_failure(conn, row),
        body=msgspec.json.decode(body) if body else None,
    )


def states(conn: Connection, references: Sequence[str]) -> dict[str, str]:
    """The state of each of these references; those that were never stored are left out."""
    keys = {normalise(reference): reference for reference in references}
    found = select(activity.c.key, activity.c.state)
    return {
        keys[key]: state for some in chunks(keys) for key, state in conn.execute(found.where(activity.c.key.in_(some)))
    }


def walk(conn: Connection, uid: str, state: State, after: int, limit: int) -> Sequence[tuple[int, str]]:
    """Number and key of the next rows of that source in that state; ``after`` is the last number, 0 at first."""
    row = activity.c
    found = select(row.seq, row.key).where(row.state == state.value, row.source == uid, row.seq > after)
    return [(seq, key) for seq, key in conn.execute(found.order_by(row.seq).limit(limit))]


def _last_failure(conn: Connection, row: Row[Any]) -> Attempt | None:
    tried = attempts.list_attempts(conn, row.key)
    return next((one for one in tried if one.version > (row.delivered_version or 0)), None)


def _rows() -> Select[Any]:
    return select(activity, _name().label("name"), source.c.guard).outerjoin(source, source.c.uid == activity.c.source)


def _name() -> Any:
    return sql.coalesce(source.c.name, activity.c.source)


def _listed(row: Row[Any], time: float) -> Listed:
    return Listed(
        reference=row.reference,
        source=row.name,
        state=row.state,
        lane=Lane(row.lane),
        version=row.version,
        attempts=row.attempts,
        due_in=None if row.due is None else max(0.0, row.due - time),
        at=moment(row.stored_at),
    )
