"""Storing what was rejected, and taking it away once it passes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Insert, delete
from sqlalchemy import select as query

from cgsync.api import Record
from cgsync.ledger import plain
from cgsync.ledger.instant import Instant
from cgsync.ledger.schema import reject
from cgsync.ledger.statements import chunks, run_many, upsert
from cgsync.model import Reject, RejectKind

UPDATED = ("kind", "cause", "position", "record", "mapped", "reasons", "mapping", "reference", "last_at")
PARTICULAR = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")
"""What differs between two rejects of the same cause: what is quoted, and numbers."""
CAUSE = 500
"""Characters of a cause."""


def replace(conn: Connection, source: str, passed: Sequence[Record], refused: Sequence[Reject], now: Instant) -> None:
    """Take away the rejects of records that now pass or are left out, and store those of records that do not."""
    ours = (reject.c.source == source, reject.c.key == "")
    if passed and conn.execute(query(reject.c.id).where(*ours).limit(1)).first():
        for chunk in chunks(plain.text(record.key) for record in passed):
            conn.execute(delete(reject).where(*ours, reject.c.identity.in_(chunk)))
        unreadable = reject.c.kind == RejectKind.UNREADABLE.value  # what had no key yet was known by its position
        for chunk in chunks(plain.text(record.position) for record in passed):
            conn.execute(delete(reject).where(*ours, unreadable, reject.c.identity.in_(chunk)))
    put(conn, source, [(one, "") for one in refused], now)


def put(conn: Connection, source: str, refused: Sequence[tuple[Reject, str]], now: Instant) -> None:
    """Store rejects, each with the key of the activity that the API refused, or ``""``; the same one counts up."""
    run_many(conn, _put, [_values(source, one, key, now) for one, key in refused])


def close(conn: Connection, keys: Sequence[str]) -> None:
    """Take away the rejects of these activities: they were delivered, replaced, or are sent again."""
    for chunk in chunks(keys):
        conn.execute(delete(reject).where(reject.c.key.in_(chunk), reject.c.key != ""))


def close_all(conn: Connection) -> None:
    """Take away whatever the API refused."""
    conn.execute(delete(reject).where(reject.c.key != ""))


def cause_of(reasons: Mapping[str, str]) -> str:
    """The reasons without what is particular to one record."""
    words = "; ".join(f"{field}: {reason}" if field else reason for field, reason in sorted(reasons.items()))
    return PARTICULAR.sub("…", words)[:CAUSE]


def _values(source: str, one: Reject, key: str, now: Instant) -> Mapping[str, object]:
    return {
        "source": source,
        "identity": plain.text(one.identity),
        "key": key,
        "kind": one.kind.value,
        "cause": plain.text(cause_of(one.reasons)),
        "position": plain.text(one.position),
        "record": one.record,
        "mapped": one.mapped,
        "reasons": plain.data(dict(one.reasons)).decode(),
        "mapping": one.mapping_version,
        "reference": one.reference,
        "times": 1,
        "first_at": now.stamp,
        "last_at": now.stamp,
    }


def _put(conn: Connection) -> Insert:
    return upsert(
        conn,
        reject,
        ["source", "identity", "key"],
        lambda row: {name: row[name] for name in UPDATED} | {"times": reject.c.times + row["times"]},
    )
