"""Spans of time that an operator wants to be read again: how far each got, on a cursor of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, bindparam, insert, select, update
from sqlalchemy import func as sql

from cgsync.api import Json, Window
from cgsync.ledger import checkpoints, outbox
from cgsync.ledger.instant import Instant, moment, stamp
from cgsync.ledger.schema import activity, backfill, source
from cgsync.ledger.statements import fetch
from cgsync.model import Intake, Lane, State, Stored


class Progress(StrEnum):
    """Where a backfill is. What is ``running`` goes on after a restart."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """One span of one source. ``source`` is the uid, ``name`` what it is called now; ``counts`` as of its batches."""

    id: int
    source: str
    name: str
    window: Window
    state: Progress
    counts: Mapping[str, int]
    error: str
    started: datetime
    finished: datetime | None


def start(conn: Connection, source: str, window: Window, now: Instant) -> int:
    """Ask for a span of the source with that uid; returns the number of the backfill."""
    values = {"source": source, "since_at": stamp(window.start), "until_at": stamp(window.end)}
    begun = {"state": Progress.RUNNING.value, "counts": "{}", "error": "", "started_at": now.stamp}
    number = conn.execute(insert(backfill).values(**values, **begun)).inserted_primary_key
    assert number is not None
    return int(number[0])


def store(conn: Connection, number: int, intake: Intake, now: Instant) -> Stored:
    """Store a batch of a backfill: in its own lane, with its own cursor, and nothing of it is ever settled."""
    stored = outbox.store(conn, replace(intake, cursor={}, done=(), lane=Lane.BACKFILL), now)
    checkpoints.store(conn, _place(number), intake.cursor, now)
    counts = msgspec.json.decode(_counts(conn, number), type=dict[str, int])
    total = {name: counts.get(name, 0) + stored.counts.get(name, 0) for name in {*counts, *stored.counts}}
    _change(conn, number, counts=msgspec.json.encode(total, order="sorted").decode(), error="")
    return stored


def cursor(conn: Connection, number: int) -> dict[str, Json]:
    """How far it got."""
    return checkpoints.load(conn, _place(number))


def stumble(conn: Connection, number: int, error: str) -> None:
    """Note what keeps it from going on; the next batch strikes that out."""
    _change(conn, number, error=error)


def finish(conn: Connection, number: int, state: Progress, now: Instant, error: str = "") -> None:
    """End it. Its cursor is of no use any more."""
    _change(conn, number, state=state.value, error=error, finished_at=now.stamp)
    checkpoints.reset(conn, _place(number))


def stop(conn: Connection, source: str, now: Instant) -> None:
    """End all that the source with that uid has not finished."""
    while (running := unfinished(conn, source)) is not None:
        finish(conn, running.id, Progress.STOPPED, now)


def unfinished(conn: Connection, source: str) -> Backfill | None:
    """The one that the source with that uid is to work at: of several the first that was asked for."""
    return next((_backfill(found) for found in fetch(conn, _unfinished, {"source": source})), None)


def get(conn: Connection, number: int) -> Backfill | None:
    found = conn.execute(_all().where(backfill.c.id == number)).one_or_none()
    return None if found is None else _backfill(found)


def list_backfills(conn: Connection, limit: int = 100) -> Sequence[Backfill]:
    """The last ones, newest first."""
    return [_backfill(row) for row in conn.execute(_all().order_by(backfill.c.id.desc()).limit(limit))]


def waiting(conn: Connection, source: str) -> int:
    """How much of what was stored by backfills of that source is still to be sent."""
    ours = (activity.c.state == State.PENDING, activity.c.source == source, activity.c.lane == Lane.BACKFILL)
    return conn.execute(select(sql.count()).where(*ours)).scalar_one()


def _place(number: int) -> str:
    """Where its cursor is kept: under a name that no source has, for a part of a source may be called anything."""
    return f"backfill {number}"


def _counts(conn: Connection, number: int) -> str:
    return str(conn.execute(select(backfill.c.counts).where(backfill.c.id == number)).scalar_one())


def _change(conn: Connection, number: int, **values: str) -> None:
    conn.execute(update(backfill).where(backfill.c.id == number).values(**values))


def _all() -> Select[Any]:
    name = sql.coalesce(source.c.name, backfill.c.source).label("name")
    return select(backfill, name).outerjoin(source, source.c.uid == backfill.c.source)


def _unfinished(_: Connection) -> Select[Any]:
    mine = backfill.c.source == bindparam("source")
    return _all().where(mine, backfill.c.state == Progress.RUNNING).order_by(backfill.c.id).limit(1)


def _backfill(row: Row[Any]) -> Backfill:
    return Backfill(
        id=row.id,
        source=row.source,
        name=row.name,
        window=Window(start=moment(row.since_at), end=moment(row.until_at)),
        state=Progress(row.state),
        counts=msgspec.json.decode(row.counts, type=dict[str, int]),
        error=row.error,
        started=moment(row.started_at),
        finished=moment(row.finished_at) if row.finished_at else None,
    )
