"""The ledger's counters: changed in the transaction of what they count, so that nobody has to count rows."""

from __future__ import annotations

from collections import Counter
from typing import TypeAlias

from sqlalchemy import Connection, Insert, select
from sqlalchemy import func as sql

from cgsync.ledger.schema import counter
from cgsync.ledger.statements import run_many, upsert
from cgsync.model import State

Tally: TypeAlias = "Counter[tuple[str, str]]"
"""(uid of the source, name) → how much more; negative where something became less."""

OPEN = (State.PENDING.value, State.HELD.value, State.REFUSED.value)
"""States in which a version is not done with. Each has a counter that goes up and down with the rows in it."""


def add(conn: Connection, tally: Tally) -> None:
    """Add what a transaction counted."""
    rows = [{"source": uid, "name": name, "value": value} for (uid, name), value in tally.items() if value]
    run_many(conn, _add, rows)


def by_source(conn: Connection) -> dict[str, dict[str, int]]:
    """Every counter: uid → name → value."""
    found: dict[str, dict[str, int]] = {}
    for row in conn.execute(select(counter).order_by(counter.c.source, counter.c.name)):
        found.setdefault(row.source, {})[row.name] = row.value
    return found


def total(conn: Connection, name: str) -> int:
    """One counter over all sources."""
    return int(
        conn.execute(select(sql.coalesce(sql.sum(counter.c.value), 0)).where(counter.c.name == name)).scalar_one()
    )


def _add(conn: Connection) -> Insert:
    return upsert(conn, counter, ["source", "name"], lambda row: {"value": counter.c.value + row["value"]})
