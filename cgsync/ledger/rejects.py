"""What did not become an activity at the receiver, and why: refused by the decoder, by our contract, or by the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, delete
from sqlalchemy import func as sql
from sqlalchemy import select as query

from cgsync.ledger import outbox
from cgsync.ledger.instant import moment
from cgsync.ledger.schema import reject
from cgsync.ledger.schema import source as sources
from cgsync.ledger.statements import chunks
from cgsync.model import RejectKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A reject without its content. ``source`` is a name, ``at`` when it was seen last."""

    id: int
    source: str
    kind: RejectKind
    position: str
    reference: str | None
    reasons: Mapping[str, str]
    times: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A reject with all that is known. ``record`` is JSON, or what could not be decoded; ``source`` is a name."""

    id: int
    source: str
    kind: RejectKind
    identity: str
    position: str
    reference: str | None
    reasons: Mapping[str, str]
    record: bytes
    mapped: bytes | None
    mapping_version: str
    times: int
    first_at: datetime
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Rejects of one source that have the same reason but for numbers and what is quoted; ``example`` is the last."""

    source: str
    kind: RejectKind
    cause: str
    count: int
    example: int
    first_at: datetime
    at: datetime


def list_causes(conn: Connection, source: str | None = None, limit: int = 1000) -> list[Cause]:
    """The rejects grouped by cause, the most frequent first; ``source`` is a name."""
    columns = (
        _name().label("name"),
        reject.c.kind,
        reject.c.cause,
        sql.count().label("count"),
        sql.max(reject.c.id).label("example"),
        sql.min(reject.c.first_at).label("first_at"),
        sql.max(reject.c.last_at).label("last_at"),
    )
    statement = _of(query(*columns), source).group_by(reject.c.source, reject.c.kind, reject.c.cause)
    return [
        Cause(
            source=row.name,
            kind=RejectKind(row.kind),
            cause=row.cause,
            count=row[3],
            example=row.example,
            first_at=moment(row.first_at),
            at=moment(row.last_at),
        )
        for row in conn.execute(statement.order_by(sql.count().desc(), reject.c.cause).limit(limit))
    ]


def list_each(conn: Connection, source: str | None = None, limit: int = 1000) -> list[Line]:
    """Each reject, the newest first, without its content; ``source`` is a name."""
    statement = _of(query(reject, _name().label("name")), source).order_by(reject.c.last_at.desc(), reject.c.id.desc())
    return [_line(row) for row in conn.execute(statement.limit(limit))]


def list_of(conn: Connection, key: str) -> list[Line]:
    """The rejects of the activity with that key."""
    statement = _of(query(reject, _name().label("name")), None).where(reject.c.key == key, reject.c.key != "")
    return [_line(row) for row in conn.execute(statement)]


def counts(conn: Connection) -> dict[str, int]:
    """How many there are of each source, by uid."""
    grouped = conn.execute(query(reject.c.source, sql.count()).group_by(reject.c.source))
    return {uid: count for uid, count in grouped}  # noqa: C416 - rows are not pairs to a type checker


def get(conn: Connection, number: int) -> Rejected | None:
    """One reject with all that is known."""
    row = conn.execute(_of(query(reject, _name().label("name")), None).where(reject.c.id == number)).one_or_none()
    return None if row is None else _rejected(row)


def select(conn: Connection, numbers: Sequence[int] = (), source: str | None = None) -> list[Rejected]:
    """These rejects, or without ``numbers`` all (of the source with that name)."""
    statement = _of(query(reject, _name().label("name")), source).order_by(reject.c.id)
    if not numbers:
        return [_rejected(row) for row in conn.execute(statement)]
    return [_rejected(row) for some in chunks(numbers) for row in conn.execute(statement.where(reject.c.id.in_(some)))]


def drop(conn: Connection, numbers: Sequence[int] = (), source: str | None = None) -> int:
    """Give up these rejects, or without ``numbers`` all (of that source); returns how many.

    What the API refused is not tried again until it changes at the source.
    """
    chosen = [one.id for one in select(conn, numbers, source)]
    outbox.leave_refused(conn, keys_of(conn, chosen))
    for chunk in chunks(chosen):
        conn.execute(delete(reject).where(reject.c.id.in_(chunk)))
    return len(chosen)


def keys_of(conn: Connection, numbers: Sequence[int]) -> list[str]:
    """The keys of the activities that were refused with these rejects."""
    found = query(reject.c.key).where(reject.c.key != "")
    return [key for some in chunks(numbers) for key in conn.execute(found.where(reject.c.id.in_(some))).scalars()]


def _name() -> Any:
    return sql.coalesce(sources.c.name, reject.c.source)


def _of(statement: Select[Any], source: str | None) -> Select[Any]:
    """The statement over the rejects of the source with that name, or of all."""
    joined = statement.select_from(reject.outerjoin(sources, sources.c.uid == reject.c.source))
    return joined if source is None else joined.where(_name() == source)


def _line(row: Row[Any]) -> Line:
    return Line(
        id=row.id,
        source=row.name,
        kind=RejectKind(row.kind),
        position=row.position,
        reference=row.reference,
        reasons=msgspec.json.decode(row.reasons),
        times=row.times,
        at=moment(row.last_at),
    )


def _rejected(row: Row[Any]) -> Rejected:
    return Rejected(
        id=row.id,
        source=row.name,
        kind=RejectKind(row.kind),
        identity=row.identity,
        position=row.position,
        reference=row.reference,
        reasons=msgspec.json.decode(row.reasons),
        record=row.record,
        mapped=row.mapped,
        mapping_version=row.mapping,
        times=row.times,
        first_at=moment(row.first_at),
        at=moment(row.last_at),
    )
