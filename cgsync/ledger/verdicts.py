"""Storing what was rejected, and taking it away once it passes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnCollection,
    ColumnElement,
    Connection,
    Insert,
    Select,
    bindparam,
    case,
    delete,
    literal_column,
    null,
)
from sqlalchemy import select as query

from cgsync.api import Record
from cgsync.ledger import plain
from cgsync.ledger.instant import Instant
from cgsync.ledger.outbox import revision as revisions
from cgsync.ledger.schema import reject
from cgsync.ledger.statements import chunks, fetch, run_many, upsert
from cgsync.model import Reject, RejectKind

UPDATED = (
    *("kind", "cause", "position", "record", "mapped", "reasons", "mapping", "basis"),
    *("revision", "reference", "last_at"),
)
PARTICULAR = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")
"""What differs between two rejects of the same cause: what is quoted, and numbers."""
CAUSE = 500
"""Characters of a cause."""


def replace(
    conn: Connection,
    source: str,
    passed: Sequence[Record],
    refused: Sequence[Reject],
    now: Instant,
    basis: str = "",
) -> None:
    """Take away the rejects of records that now pass or are left out, and store those of records that do not.

    A reject stays when it is of a later revision than the record. ``basis``: all that the records were judged by.
    """
    ours = (reject.c.source == source, reject.c.key == "")
    if fetch(conn, _any, {"source": source}):
        _take_away(conn, ours, passed)
        refused = _latest(conn, ours, refused)
    put(conn, source, [(one, "") for one in refused], now, basis)


def put(conn: Connection, source: str, refused: Sequence[tuple[Reject, str]], now: Instant, basis: str = "") -> None:
    """Store rejects, each with the key of the activity that the API refused, or ``""``; the same one counts up.

    One that was dropped stays so while its record is the same.
    """
    run_many(conn, _put, [_values(source, one, key, now, basis) for one, key in refused])


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


def _take_away(conn: Connection, ours: Sequence[ColumnElement[bool]], passed: Sequence[Record]) -> None:
    known = _revisions(conn, ours, [record.key for record in passed])
    over = [
        plain.text(record.key)
        for record in passed
        if not revisions.older(revisions.encode(record.revision), known.get(plain.text(record.key)))
    ]
    for chunk in chunks(over):
        conn.execute(delete(reject).where(*ours, reject.c.identity.in_(chunk)))
    unreadable = reject.c.kind == RejectKind.UNREADABLE.value  # what had no key yet was known by its position
    for chunk in chunks(plain.text(record.position) for record in passed):
        conn.execute(delete(reject).where(*ours, unreadable, reject.c.identity.in_(chunk)))


def _latest(conn: Connection, ours: Sequence[ColumnElement[bool]], refused: Sequence[Reject]) -> Sequence[Reject]:
    """Those that are not of an earlier revision than what is stored already."""
    known = _revisions(conn, ours, [one.identity for one in refused if one.revision is not None])
    return [
        one
        for one in refused
        if not revisions.older(revisions.encode(one.revision), known.get(plain.text(one.identity)))
    ]


def _revisions(conn: Connection, ours: Sequence[ColumnElement[bool]], identities: Sequence[str]) -> dict[str, str]:
    """The revisions of the rejects with these identities, where they have one."""
    found: dict[str, str] = {}
    wanted = query(reject.c.identity, reject.c.revision).where(*ours, reject.c.revision.is_not(None))
    for chunk in chunks(map(plain.text, identities)):
        found |= {row.identity: row.revision for row in conn.execute(wanted.where(reject.c.identity.in_(chunk)))}
    return found


def _values(source: str, one: Reject, key: str, now: Instant, basis: str) -> Mapping[str, object]:
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
        "basis": basis,
        "revision": revisions.encode(one.revision),
        "reference": one.reference,
        "times": 1,
        "first_at": now.stamp,
        "last_at": now.stamp,
    }


def _any(_: Connection) -> Select[Any]:
    return query(reject.c.id).where(reject.c.source == bindparam("source"), reject.c.key == "").limit(1)


def _put(conn: Connection) -> Insert:
    return upsert(conn, reject, ["source", "identity", "key"], _again)


def _again(row: ColumnCollection[str, Any]) -> Mapping[str, Any]:
    """What the same reject becomes; without parameters of its own, of which the compiled text would know nothing."""
    same = reject.c.record == row["record"]
    dropped = {name: case((same, reject.c[name]), else_=null()) for name in ("dropped_at", "dropped_why")}
    # the version that the API refuses once more was judged when it was first refused, or tried again since
    basis = case((reject.c.key != literal_column("''"), reject.c.basis), else_=row["basis"])
    changed = {name: row[name] for name in UPDATED}
    return changed | dropped | {"basis": basis, "times": reject.c.times + row["times"]}
