"""What is stored and still to be settled at its source: archived, flagged, deleted, answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Delete, Insert, Select, bindparam, delete, insert, select, update

from cgsync.api import Json
from cgsync.ledger.instant import Instant, moment
from cgsync.ledger.schema import settlement
from cgsync.ledger.statements import fetch, run_many

LIMIT = 500
"""Items that are settled in one call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """One item of ``Batch.done``, and what kept it from being settled so far."""

    id: int
    source: str
    value: Json
    attempts: int
    error: str
    stored_at: datetime


def store(conn: Connection, source: str, items: Sequence[Json], now: Instant) -> None:
    """Remember what is to be settled."""
    if items:
        common = {"source": source, "attempts": 0, "error": "", "stored_at": now.stamp}
        run_many(conn, _insert, [{**common, "value": msgspec.json.encode(item).decode()} for item in items])


def pending(conn: Connection, source: str | None = None, limit: int = LIMIT) -> Sequence[Settlement]:
    """What is still to be settled, in the order in which it was stored."""
    rows = fetch(conn, _all if source is None else _of, {"source": source, "limit": limit})
    return [
        Settlement(
            id=row.id,
            source=row.source,
            value=msgspec.json.decode(row.value),
            attempts=row.attempts,
            error=row.error,
            stored_at=moment(row.stored_at),
        )
        for row in rows
    ]


def finish(conn: Connection, ids: Sequence[int]) -> None:
    """Strike out what is settled."""
    run_many(conn, _delete, [{"of": number} for number in ids])


def fail(conn: Connection, ids: Sequence[int], error: str) -> None:
    """Note why these could not be settled; they stay."""
    failed = {"attempts": settlement.c.attempts + 1, "error": error}
    conn.execute(update(settlement).where(settlement.c.id.in_(ids)).values(failed))


def _all(_: Connection) -> Select[Any]:
    return select(settlement).order_by(settlement.c.id).limit(bindparam("limit"))


def _of(conn: Connection) -> Select[Any]:
    return _all(conn).where(settlement.c.source == bindparam("source"))


def _insert(_: Connection) -> Insert:
    return insert(settlement)


def _delete(_: Connection) -> Delete:
    return delete(settlement).where(settlement.c.id == bindparam("of"))
