"""Where each source stands: one value per part of its cursor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Insert, Select, bindparam, delete, select
from sqlalchemy import func as sql

from cgsync.api import Cursor, Json
from cgsync.ledger.instant import Instant, moment
from cgsync.ledger.schema import checkpoint
from cgsync.ledger.schema import source as sources
from cgsync.ledger.statements import fetch, run_many, upsert


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One part of a cursor. ``source`` is the uid, ``name`` what it is called now."""

    source: str
    name: str
    part: str
    value: Json
    stored_at: datetime


def load(conn: Connection, source: str) -> dict[str, Json]:
    """The cursor of the source with that uid."""
    return {part: msgspec.json.decode(value) for part, value in fetch(conn, _parts, {"source": source})}


def store(conn: Connection, source: str, changes: Cursor, now: Instant) -> None:
    """Take over the parts in ``changes``; a part that is ``None`` is forgotten."""
    gone = [part for part, value in changes.items() if value is None]
    kept = [
        {"source": source, "part": part, "value": msgspec.json.encode(value).decode(), "stored_at": now.stamp}
        for part, value in changes.items()
        if value is not None
    ]
    if gone:
        conn.execute(delete(checkpoint).where(checkpoint.c.source == source, checkpoint.c.part.in_(gone)))
    run_many(conn, _put, kept)


def set_part(conn: Connection, source: str, part: str, value: Json, now: Instant) -> None:
    """Set one part by hand; ``None`` forgets it."""
    store(conn, source, {part: value}, now)


def reset(conn: Connection, source: str, part: str | None = None) -> int:
    """Forget one part, or all; the next poll starts there anew. Returns how many there were."""
    statement = delete(checkpoint).where(checkpoint.c.source == source)
    if part is not None:
        statement = statement.where(checkpoint.c.part == part)
    return conn.execute(statement).rowcount


def list_parts(conn: Connection, source: str | None = None) -> Sequence[Checkpoint]:
    """Every part, by source and part; with ``source`` (a uid) those of one."""
    name = sql.coalesce(sources.c.name, checkpoint.c.source).label("name")
    statement = (
        select(checkpoint, name)
        .outerjoin(sources, sources.c.uid == checkpoint.c.source)
        .order_by(checkpoint.c.source, checkpoint.c.part)
    )
    if source is not None:
        statement = statement.where(checkpoint.c.source == source)
    return [
        Checkpoint(
            source=row.source,
            name=row.name,
            part=row.part,
            value=msgspec.json.decode(row.value),
            stored_at=moment(row.stored_at),
        )
        for row in conn.execute(statement)
    ]


def _parts(_: Connection) -> Select[Any]:
    return select(checkpoint.c.part, checkpoint.c.value).where(checkpoint.c.source == bindparam("source"))


def _put(conn: Connection) -> Insert:
    new = ("value", "stored_at")
    return upsert(conn, checkpoint, ["source", "part"], lambda row: {name: row[name] for name in new})
