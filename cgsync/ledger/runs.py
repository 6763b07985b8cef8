"""Polls that found something or failed: when, and with what counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, insert, select

from cgsync.ledger.instant import moment, stamp
from cgsync.ledger.schema import run

KEPT = 1000
"""Runs that are kept of each source."""
NOTHING = "{}"
"""The counts of a run that found nothing, and failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One poll."""

    id: int
    source: str
    started: datetime
    finished: datetime
    counts: Mapping[str, int]
    error: str


def record(
    conn: Connection, source: str, started: datetime, finished: datetime, counts: Mapping[str, int], error: str = ""
) -> None:
    """Write a run down, and drop the oldest of that source once there are too many."""
    words = msgspec.json.encode({name: count for name, count in counts.items() if count}).decode()
    values = {"started_at": stamp(started), "finished_at": stamp(finished), "counts": words, "error": error}
    conn.execute(insert(run).values(source=source, **values))
    oldest = select(run.c.id).where(run.c.source == source).order_by(run.c.id.desc()).offset(KEPT).limit(1)
    conn.execute(delete(run).where(run.c.source == source, run.c.id <= oldest.scalar_subquery()))


def sizes(conn: Connection, source: str, limit: int) -> Sequence[int]:
    """How many versions each of the last runs that found something had to send, without those that were held."""
    found = select(run.c.counts).where(run.c.source == source, run.c.counts != NOTHING).order_by(run.c.id.desc())
    return [_size(msgspec.json.decode(words)) for words in conn.execute(found.limit(limit)).scalars()]


def _size(counts: Mapping[str, int]) -> int:
    return counts.get("new", 0) + counts.get("changed", 0) - counts.get("guarded", 0)


def list_runs(conn: Connection, source: str | None = None, limit: int = 20) -> Sequence[Run]:
    """The last runs, newest first; with ``source`` (a uid) those of one."""
    statement = select(run).order_by(run.c.id.desc()).limit(limit)
    if source is not None:
        statement = statement.where(run.c.source == source)
    return [
        Run(
            id=row.id,
            source=row.source,
            started=moment(row.started_at),
            finished=moment(row.finished_at),
            counts=msgspec.json.decode(row.counts, type=dict[str, int]),
            error=row.error,
        )
        for row in conn.execute(statement)
    ]
