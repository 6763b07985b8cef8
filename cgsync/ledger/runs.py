"""Polls that found something or failed: when, and with what counts; by them is told what is usual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, delete, insert, select

from cgsync.ledger.instant import stamp
from cgsync.ledger.schema import run

KEPT = 1000
"""Runs that are kept of each source."""
NOTHING = "{}"
"""The counts of a run that found nothing, and failed."""


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
