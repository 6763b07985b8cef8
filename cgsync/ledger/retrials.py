"""Rejects that are tried again: by an operator, or because what they were judged by is another now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, or_, update
from sqlalchemy import select as query

from cgsync.ledger import outbox
from cgsync.ledger.basis import Basis
from cgsync.ledger.instant import Instant
from cgsync.ledger.rejects import Rejected, load
from cgsync.ledger.schema import reject
from cgsync.ledger.statements import chunks, fetch
from cgsync.model import Due, RejectKind


def outdated(conn: Connection, uid: str, basis: Basis, limit: int) -> Sequence[int]:
    """The numbers of the rejects of that source that were judged by something else, the oldest first.

    What was dropped is not among them, and neither is what could not even be read.
    """
    values = {"uid": uid, "ours": basis.judge, "theirs": str(basis), "limit": limit}
    return [number for (number,) in fetch(conn, _outdated, values)]


def contents(conn: Connection, numbers: Sequence[int]) -> Sequence[Rejected]:
    """These rejects that could be read, each record once.

    What was rejected by us is newer than what of the same record the API refused before.
    """
    found = [one for one in load(conn, numbers) if one.kind is not RejectKind.UNREADABLE]
    found.sort(key=lambda one: one.kind is not RejectKind.REFUSED)
    return list({one.identity: one for one in found}.values())


def again(conn: Connection, numbers: Sequence[int], basis: Basis, now: Instant) -> Sequence[Due]:
    """Note that these were judged again; let the API see once more what it refused and what is still the same.

    What will be sent comes back. What was dropped is open again.
    """
    undropped = {"dropped_at": None, "dropped_why": None}
    keys: list[str] = []
    for chunk in chunks(numbers):
        mine = reject.c.id.in_(chunk)
        keys += conn.execute(query(reject.c.key).where(mine, reject.c.key != "", ~_is_invalid_now())).scalars()
        conn.execute(update(reject).where(mine, reject.c.key == "").values(basis=basis.judge, **undropped))
        conn.execute(update(reject).where(mine, reject.c.key != "").values(basis=str(basis), **undropped))
    return outbox.retry(conn, keys, now)


def _outdated(_: Connection) -> Select[Any]:
    another = or_(
        and_(reject.c.key == "", reject.c.basis != bindparam("ours")),
        and_(reject.c.key != "", reject.c.basis != bindparam("theirs")),
    )
    is_open = (reject.c.dropped_at.is_(None), reject.c.kind != RejectKind.UNREADABLE.value)
    found = query(reject.c.id).where(reject.c.source == bindparam("uid"), another, *is_open)
    return found.order_by(reject.c.id).limit(bindparam("limit"))


def _is_invalid_now() -> ColumnElement[bool]:
    """Whether the record of a refused activity is one that today's mapping rejects."""
    other = reject.alias()
    same = (other.c.source == reject.c.source, other.c.identity == reject.c.identity, other.c.key == "")
    return query(other.c.id).where(*same).exists()
