"""What did not become an activity at the receiver, and why: refused by the decoder, by our contract, or by the API."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, false, or_, update
from sqlalchemy import func as sql
from sqlalchemy import select as query

from cgsync.ledger import outbox, plain
from cgsync.ledger.instant import Instant, moment
from cgsync.ledger.outbox import revision as revisions
from cgsync.ledger.reference import key as normalise
from cgsync.ledger.schema import reject
from cgsync.ledger.schema import source as sources
from cgsync.ledger.statements import begins, chunks
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
    revision: int | datetime | None
    times: int
    first_at: datetime
    at: datetime
    dropped_at: datetime | None
    dropped_why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which rejects are meant. Without anything: all that were not dropped.

    ``numbers`` are these, dropped or not; ``like`` is the number of one that stands for all of the same cause;
    ``source`` is a name; ``dropped`` asks for those that an operator gave up, instead of the others.
    """

    numbers: Sequence[int] = ()
    like: int | None = None
    source: str | None = None
    kind: RejectKind | None = None
    dropped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A reject that is meant, without its content: its source by uid and name, its cause in words."""

    number: int
    uid: str
    source: str
    kind: RejectKind
    cause: str


EVERY = Choice()
MOST_ABOUT = 10
"""Rejects that are told of one reference."""
LINE = tuple(reject.c[name] for name in ("id", "kind", "position", "reference", "reasons", "times", "last_at"))


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


def list_causes(conn: Connection, choice: Choice = EVERY, limit: int = 1000) -> list[Cause]:
    """The rejects grouped by cause, the most frequent first."""
    columns = (
        _name().label("name"),
        reject.c.kind,
        reject.c.cause,
        sql.count().label("count"),
        sql.max(reject.c.id).label("example"),
        sql.min(reject.c.first_at).label("first_at"),
        sql.max(reject.c.last_at).label("last_at"),
    )
    statement = _of(query(*columns), choice).group_by(reject.c.source, reject.c.kind, reject.c.cause)
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


def list_each(conn: Connection, choice: Choice = EVERY, limit: int = 1000) -> list[Line]:
    """Each reject, the newest first, without its content."""
    statement = _of(query(*LINE, _name().label("name")), choice)
    newest = statement.order_by(reject.c.last_at.desc(), reject.c.id.desc())
    return [_line(row) for row in conn.execute(newest.limit(limit))]


def about(conn: Connection, reference: str, records: Collection[str], source: str | None = None) -> list[Rejected]:
    """The rejects of that reference, and of the records with these keys, newest first.

    Of one source, by its uid; or of all, and then the first part of a record's key is enough. Also those that were
    given up, and those that only came to be mapped to that reference.
    """
    mapped = b'"reference":' + msgspec.json.encode(plain.text(reference))
    own = (reject.c.key == normalise(reference)) & (reject.c.key != "")
    named = (reject.c.reference == plain.text(reference)) | (sql.instr(reject.c.mapped, mapped) > 0)
    mine = _of_records(source, {plain.text(record) for record in records}) & (reject.c.key == "")
    statement = _joined(query(reject, _name().label("name"))).where(own | named | mine)
    newest = statement.order_by(reject.c.last_at.desc(), reject.c.id.desc()).limit(MOST_ABOUT)
    return [_rejected(row) for row in conn.execute(newest)]


def _of_records(source: str | None, records: Collection[str]) -> ColumnElement[bool]:
    if source is None:
        return or_(false(), *(begins(reject.c.identity, record) for record in records))
    return reject.c.identity.in_(records) & (reject.c.source == source)


def counts(conn: Connection) -> dict[str, int]:
    """How many there are of each source, by uid, without those that were dropped."""
    mine = query(reject.c.source, sql.count()).where(reject.c.dropped_at.is_(None))
    grouped = conn.execute(mine.group_by(reject.c.source))
    return {uid: count for uid, count in grouped}  # noqa: C416 - rows are not pairs to a type checker


def get(conn: Connection, number: int) -> Rejected | None:
    """One reject with all that is known."""
    row = conn.execute(_joined(query(reject, _name().label("name"))).where(reject.c.id == number)).one_or_none()
    return None if row is None else _rejected(row)


def load(conn: Connection, numbers: Sequence[int]) -> list[Rejected]:
    """These rejects with all that is known."""
    statement = _joined(query(reject, _name().label("name"))).order_by(reject.c.id)
    return [_rejected(row) for some in chunks(numbers) for row in conn.execute(statement.where(reject.c.id.in_(some)))]


def chosen(conn: Connection, choice: Choice = EVERY) -> list[Chosen]:
    """The rejects that are meant, by number, without their content."""
    columns = (reject.c.id, reject.c.source, _name().label("name"), reject.c.kind, reject.c.cause)
    statement = _of(query(*columns), choice).order_by(reject.c.id)
    return [
        Chosen(number=row.id, uid=row.source, source=row.name, kind=RejectKind(row.kind), cause=row.cause)
        for row in conn.execute(statement)
    ]


def drop(conn: Connection, now: Instant, reason: str, choice: Choice = EVERY) -> int:
    """Give up the rejects that are meant, for that reason; returns how many.

    They stay, out of sight, as long as their records are the same. What the API refused is not tried again until it
    changes at the source.
    """
    numbers = [one.number for one in chosen(conn, choice)]
    for chunk in chunks(numbers):
        mine = reject.c.id.in_(chunk)
        keys = conn.execute(query(reject.c.key).where(mine, reject.c.key != "")).scalars().all()
        outbox.leave_refused(conn, keys)
        conn.execute(update(reject).where(mine).values(dropped_at=now.stamp, dropped_why=plain.text(reason)))
    return len(numbers)


def _name() -> Any:
    return sql.coalesce(sources.c.name, reject.c.source)


def _joined(statement: Select[Any]) -> Select[Any]:
    """The statement over rejects and the sources that they came from."""
    return statement.select_from(reject.outerjoin(sources, sources.c.uid == reject.c.source))


def _of(statement: Select[Any], choice: Choice) -> Select[Any]:
    """The statement over the rejects that are meant."""
    found = _joined(statement)
    if choice.numbers:
        return found.where(reject.c.id.in_(choice.numbers))
    found = found.where(reject.c.dropped_at.is_not(None) if choice.dropped else reject.c.dropped_at.is_(None))
    if choice.like is not None:
        one = reject.alias()
        same = (reject.c[name] == one.c[name] for name in ("source", "kind", "cause"))
        found = found.where(query(one.c.id).where(one.c.id == choice.like, *same).exists())
    if choice.source is not None:
        found = found.where(_name() == choice.source)
    return found if choice.kind is None else found.where(reject.c.kind == choice.kind.value)


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
        revision=revisions.decode(row.revision),
        times=row.times,
        first_at=moment(row.first_at),
        at=moment(row.last_at),
        dropped_at=moment(row.dropped_at) if row.dropped_at else None,
        dropped_why=row.dropped_why or "",
    )
