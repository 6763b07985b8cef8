"""What the ledger knows about itself: its receiver, who wrote it, whether it was left in order."""

from __future__ import annotations

from sqlalchemy import Connection, delete, insert, select

from cgsync.ledger.schema import meta


def get(conn: Connection, name: str) -> str | None:
    return conn.execute(select(meta.c.value).where(meta.c.name == name)).scalar_one_or_none()


def put(conn: Connection, name: str, value: str) -> None:
    forget(conn, name)
    conn.execute(insert(meta).values(name=name, value=value))


def forget(conn: Connection, name: str) -> bool:
    """Remove it; whether it was there."""
    return conn.execute(delete(meta).where(meta.c.name == name)).rowcount > 0
