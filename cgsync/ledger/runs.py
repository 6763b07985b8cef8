"""Polls that found something or failed: when, and with what counts; by them is told what is usual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Delete, Insert, Select, bindparam, delete, insert, literal_column, select

from cgsync.ledger.instant import stamp
from cgsync.ledger.schema import run
from cgsync.ledger.statements import fetch, run_many

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
    run_many(conn, _insert, [{"source": source, **values}])
    run_many(conn, _drop, [{"of": source, "kept": KEPT}])


def sizes(conn: Connection, source: str, limit: int) -> Sequence[int]:
    """How many versions each of the last runs that found something had to send, without those that were held."""
    found = fetch(conn, _counts, {"source": source, "limit": limit})
    return [_size(msgspec.json.decode(words)) for (words,) in found]


def _size(counts: Mapping[str, int]) -> int:
    return counts.get("new", 0) + counts.get("changed", 0) - counts.get("guarded", 0)


def _insert(_: Connection) -> Insert:
    return insert(run)


def _drop(_: Connection) -> Delete:
    same = run.c.source == bindparam("of")
    oldest = select(run.c.id).where(same).order_by(run.c.id.desc()).offset(bindparam("kept")).limit(literal_column("1"))
    return delete(run).where(same, run.c.id <= oldest.scalar_subquery())


def _counts(_: Connection) -> Select[Any]:
    found = select(run.c.counts).where(run.c.source == bindparam("source"), run.c.counts != NOTHING)
    return found.order_by(run.c.id.desc()).limit(bindparam("limit"))
