"""The accounts that were ever wanted: what is not among them would be made new at the receiver."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Insert, Select, insert, select

from cgsync.ledger.instant import Instant
from cgsync.ledger.reference import key as normalise
from cgsync.ledger.schema import account
from cgsync.ledger.statements import THESE, find, run_tuples

COLUMNS = ("key", "name", "source", "first_at")


def unknown(conn: Connection, names: Iterable[str]) -> dict[str, str]:
    """Those of the names that no activity had so far: how the receiver may compare them → how they are written.

    Two names that differ in case, accents or trailing blanks only are one account.
    """
    wanted: dict[str, str] = {}
    for name in dict.fromkeys(names):
        if name:
            wanted.setdefault(normalise(name), name)
    known = {key for (key,) in find(conn, _with_keys, wanted)}
    return {key: name for key, name in wanted.items() if key not in known}


def learn(conn: Connection, names: Iterable[str], source: str, now: Instant) -> set[str]:
    """Remember these names, which activities of that source have; returns those that are new, as they are written."""
    fresh = unknown(conn, names)
    run_tuples(conn, _insert, COLUMNS, [(key, name, source, now.stamp) for key, name in fresh.items()])
    return set(fresh.values())


def _with_keys(_: Connection) -> Select[Any]:
    return select(account.c.key).where(account.c.key.in_([THESE]))


def _insert(_: Connection) -> Insert:
    return insert(account)
