"""Everything that is known of one reference, and what is like one of which nothing is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select

from cgsync.ledger import attempts, epoch, forgetting, mappings, rejects
from cgsync.ledger.attempts import Attempt
from cgsync.ledger.instant import Instant, moment
from cgsync.ledger.outbox.due import Ahead, ahead
from cgsync.ledger.outbox.rows import payloads
from cgsync.ledger.reference import key as normalise
from cgsync.ledger.rejects import Rejected
from cgsync.ledger.schema import activity, source
from cgsync.ledger.statements import begins
from cgsync.model import Lane

NEAR = 5
"""References that are named where the one that was asked for is unknown."""
ALIKE = 3
"""Characters at the beginning that make two references look alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One activity: what is wanted of it, from where, how far it came. Sources are named as they are now.

    ``due_in``: seconds until it is sent, ``None`` when it is not. ``in_doubt``: seconds for which an abandoned request
    may still be executed. ``body`` and ``record`` are ``None`` once they were dropped with age. ``mapping`` is what
    made the body, ``None`` where that was not remembered. ``guard`` and ``paused`` are of the source, ``ahead`` only
    where it is due. ``rejects`` are of this reference, and of the record that it came from.
    """

    reference: str
    state: str
    version: int
    source: str
    uid: str
    paused: bool
    removed: bool
    guard: str | None
    record_key: str
    position: str
    mapping_version: str
    mapping: mappings.Known | None
    revision: str | None
    owner: str
    lane: Lane
    first_at: datetime
    stored_at: datetime
    due_in: float | None
    in_doubt: float | None
    ahead: Ahead | None
    attempts: int
    delivered_version: int | None
    delivered_at: datetime | None
    answer: Any
    body: Any
    record: Any
    tries: Sequence[Attempt]
    rejects: Sequence[Rejected]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """What there is of a reference that was never stored.

    ``meant``: known references that were guessed; ``near``: others that are like it, where nothing was guessed right.
    """

    rejects: Sequence[Rejected]
    forgotten_at: datetime | None
    meant: Sequence[str]
    near: Sequence[str]


def explain(conn: Connection, reference: str, now: Instant) -> Explanation | None:
    """What is known of the activity with that reference, however it is written; ``None``: it was never stored."""
    row = conn.execute(select(activity).where(activity.c.key == normalise(reference))).one_or_none()
    return None if row is None else _explained(conn, row, epoch.current(conn, now))


def traces(conn: Connection, reference: str, records: Collection[str], guesses: Collection[str]) -> Traces:
    """What there is of a reference that was never stored.

    ``records``: keys of the records that it may have been made of; ``guesses``: references that may be meant.
    """
    forgotten = forgetting.is_forgotten(conn, reference)
    meant = _meant(conn, [normalise(guess) for guess in guesses])
    return Traces(
        rejects=rejects.about(conn, reference, records),
        forgotten_at=moment(forgotten) if forgotten else None,
        meant=meant,
        near=[] if meant else _near(conn, normalise(reference)),
    )


def _explained(conn: Connection, row: Row[Any], time: epoch.Epoch) -> Explanation:
    body, record = payloads(conn, [row.seq]).get(row.seq, (b"", b""))
    doubt = time.doubt(row.queued, row.doubt, delivered=row.state == "delivered")
    origin = conn.execute(select(source).where(source.c.uid == row.source)).one_or_none()
    return Explanation(
        reference=row.reference,
        state=row.state,
        version=row.version,
        source=origin.name if origin else row.source,
        uid=row.source,
        paused=origin is not None and origin.paused,
        removed=origin is None or origin.removed,
        guard=origin.guard if origin else None,
        record_key=row.record,
        position=row.position,
        mapping_version=row.mapping,
        mapping=mappings.get(conn, row.mapping),
        revision=row.revision[1:] if row.revision else None,
        owner=_name(conn, row.owner),
        lane=Lane(row.lane),
        first_at=moment(row.first_at),
        stored_at=moment(row.stored_at),
        due_in=None if row.due is None else max(0.0, row.due - time.now),
        in_doubt=None if doubt is None else doubt - time.now,
        ahead=ahead(conn, row, time.now) if row.due is not None and row.due <= time.now else None,
        attempts=row.attempts,
        delivered_version=row.delivered_version,
        delivered_at=moment(row.delivered_at) if row.delivered_at else None,
        answer=_json(row.answer),
        body=_json(body),
        record=_json(record),
        tries=attempts.list_attempts(conn, row.key),
        rejects=rejects.about(conn, row.reference, [row.record], row.source),
    )


def _meant(conn: Connection, guesses: Sequence[str]) -> Sequence[str]:
    """The references that are one of these, or begin with it."""
    known = select(activity.c.reference)
    found: dict[str, None] = {}
    for guess in guesses:
        found.update(dict.fromkeys(conn.scalars(known.where(begins(activity.c.key, guess)).limit(NEAR))))
    return list(found)[:NEAR]


def _near(conn: Connection, key: str) -> Sequence[str]:
    """The neighbours in the index: those that begin most like it."""
    known = select(activity.c.key, activity.c.reference)
    after = conn.execute(known.where(activity.c.key > key).order_by(activity.c.key).limit(NEAR)).all()
    before = conn.execute(known.where(activity.c.key < key).order_by(activity.c.key.desc()).limit(NEAR)).all()
    alike = {row.reference: _alike(row.key, key) for row in [*after, *before]}
    return sorted((name for name, same in alike.items() if same >= ALIKE), key=lambda name: (-alike[name], name))[:NEAR]


def _alike(one: str, other: str) -> int:
    """Characters that both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _name(conn: Connection, uid: str) -> str:
    return conn.execute(select(source.c.name).where(source.c.uid == uid)).scalar_one_or_none() or uid


def _json(content: bytes | str | None) -> Any:
    return msgspec.json.decode(content) if content else None
