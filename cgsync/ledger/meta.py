"""What the ledger knows about itself: its receiver, who wrote it, whether it was left in order."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, insert, select

from cgsync.ledger.schema import meta
from cgsync.ledger.statements import fetch


def get(conn: Connection, name: str) -> str | None:
    return next((value for (value,) in fetch(conn, _value, {"name": name})), None)


def put(conn: Connection, name: str, value: str) -> None:
    forget(conn, name)
    conn.execute(insert(meta).values(name=name, value=value))


def forget(conn: Connection, name: str) -> bool:
    """Remove it; whether it was there."""
    return conn.execute(delete(meta).where(meta.c.name == name)).rowcount > 0


def _value(_: Connection) -> Select[Any]:
    return select(meta.c.value).where(meta.c.name == bindparam("name"))
