"""Everything that is known of one reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select

from cgsync.ledger import attempts, epoch, rejects
from cgsync.ledger.attempts import Attempt
from cgsync.ledger.instant import Instant, moment
from cgsync.ledger.outbox.rows import payloads
from cgsync.ledger.reference import key as normalise
from cgsync.ledger.rejects import Line
from cgsync.ledger.schema import activity, source


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One activity: what is wanted of it, from where, how far it came. Sources are named as they are now.

    ``due_in``: seconds until it is sent, ``None`` when it is not. ``in_doubt``: seconds for which an abandoned request
    may still be executed. ``body`` and ``record`` are ``None`` once they were dropped with age.
    """

    reference: str
    state: str
    version: int
    source: str
    record_key: str
    position: str
    mapping_version: str
    revision: str | None
    owner: str
    first_at: datetime
    stored_at: datetime
    due_in: float | None
    in_doubt: float | None
    attempts: int
    delivered_version: int | None
    delivered_at: datetime | None
    answer: Any
    body: Any
    record: Any
    tries: Sequence[Attempt]
    rejects: Sequence[Line]


def explain(conn: Connection, reference: str, now: Instant) -> Explanation | None:
    """What is known of the activity with that reference, however it is written; ``None``: it was never stored."""
    key = normalise(reference)
    row = conn.execute(select(activity).where(activity.c.key == key)).one_or_none()
    return None if row is None else _explained(conn, row, epoch.current(conn, now))


def _explained(conn: Connection, row: Row[Any], time: epoch.Epoch) -> Explanation:
    body, record = payloads(conn, [row.seq]).get(row.seq, (b"", b""))
    doubt = time.doubt(row.queued, row.doubt, delivered=row.state == "delivered")
    return Explanation(
        reference=row.reference,
        state=row.state,
        version=row.version,
        source=_name(conn, row.source),
        record_key=row.record,
        position=row.position,
        mapping_version=row.mapping,
        revision=row.revision[1:] if row.revision else None,
        owner=_name(conn, row.owner),
        first_at=moment(row.first_at),
        stored_at=moment(row.stored_at),
        due_in=None if row.due is None else max(0.0, row.due - time.now),
        in_doubt=None if doubt is None else doubt - time.now,
        attempts=row.attempts,
        delivered_version=row.delivered_version,
        delivered_at=moment(row.delivered_at) if row.delivered_at else None,
        answer=_json(row.answer),
        body=_json(body),
        record=_json(record),
        tries=attempts.list_attempts(conn, row.key),
        rejects=rejects.list_of(conn, row.key),
    )


def _name(conn: Connection, uid: str) -> str:
    return conn.execute(select(source.c.name).where(source.c.uid == uid)).scalar_one_or_none() or uid


def _json(content: bytes | str | None) -> Any:
    return msgspec.json.decode(content) if content else None
