"""Records that the ledger has kept: what activities were made of, and what was rejected, to be mapped again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, select
from sqlalchemy import func as sql

from cgsync.api import Record
from cgsync.ledger.outbox import revision as revisions
from cgsync.ledger.outbox.rows import DROPPED
from cgsync.ledger.schema import activity, payload, reject
from cgsync.model import RejectKind

SPAN = 5_000
"""Rows of the ledger that are looked at in one go, of whatever source."""
SOME = 500
"""Records that come back from one go at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Some records of a source, each once. ``next``: the number to go on after, ``None`` at the end.

    ``rows``: key of each activity → key of the record it was made of. ``lost`` activities have lost their record with
    age, and can only be mapped again when it is next read.
    """

    records: Sequence[Record]
    rows: Mapping[str, str]
    lost: int
    next: int | None


def newest(conn: Connection) -> int:
    """The number of the newest activity: what comes later is mapped by today's mapping anyway."""
    return conn.execute(select(sql.max(activity.c.seq))).scalar_one() or 0


def of_activities(conn: Connection, uid: str, after: int, until: int) -> Kept:
    """The records of that source's activities behind number ``after``.

    A record that was rejected later is not among them: what was kept of it here is older than what stands there.
    """
    end = min(after + SPAN, until)
    found = conn.execute(_activities(uid, after, end)).all()
    full = len(found) == SOME
    reached = found[-1].seq if full else end
    kept = [row for row in found if row.content]
    return Kept(
        records=list({row.record: _record(row.record, row) for row in kept}.values()),
        rows={row.key: row.record for row in kept},
        lost=len(found) - len(kept),
        next=reached if reached < until else None,
    )


def of_rejects(conn: Connection, uid: str, after: int) -> Kept:
    """The records of that source which our side rejected, behind that number; what was dropped is not among them.

    One without a key goes by its position, and has none here either.
    """
    columns = (reject.c.id, reject.c.identity, reject.c.position, reject.c.revision, reject.c.record.label("content"))
    mine = (reject.c.source == uid, reject.c.key == "", reject.c.kind == RejectKind.INVALID.value)
    statement = select(*columns).where(*mine, reject.c.dropped_at.is_(None), reject.c.id > after)
    found = conn.execute(statement.order_by(reject.c.id).limit(SOME)).all()
    kept = [row for row in found if row.content]
    return Kept(
        records=[_record(row.identity if row.identity != row.position else "", row) for row in kept],
        rows={},
        lost=len(found) - len(kept),
        next=found[-1].id if len(found) == SOME else None,
    )


def _activities(uid: str, after: int, end: int) -> Select[Any]:
    row = activity.c
    newer = select(reject.c.id).where(reject.c.source == uid, reject.c.identity == row.record, reject.c.key == "")
    return (
        select(row.seq, row.key, row.record, row.position, row.revision, payload.c.record.label("content"))
        .outerjoin(payload, payload.c.seq == row.seq)
        .where(row.seq > after, row.seq <= end, row.source == uid, row.state != DROPPED, ~newer.exists())
        .order_by(row.seq)
        .limit(SOME)
    )


def _record(key: str, row: Any) -> Record:
    return Record(
        key=key,
        data=msgspec.json.decode(row.content),
        position=row.position,
        revision=revisions.decode(row.revision),
    )
