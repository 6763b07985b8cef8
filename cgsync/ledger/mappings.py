"""The expressions of each mapping that was ever at work, so that a body can be explained long after an edit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection, select

from cgsync.ledger.instant import Instant, moment
from cgsync.ledger.schema import mapping
from cgsync.ledger.statements import upsert


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A version of a mapping: field → template or constant, and when it was first at work."""

    version: str
    expressions: Mapping[str, str]
    first_at: datetime


def keep(conn: Connection, version: str, expressions: Mapping[str, str], now: Instant) -> None:
    """Remember what that version is made of; one that is known already stays as it is."""
    put = upsert(conn, mapping, ["version"], lambda row: {"version": row["version"]})
    text = msgspec.json.encode(dict(expressions)).decode()
    conn.execute(put.values(version=version, expressions=text, first_at=now.stamp))


def get(conn: Connection, version: str) -> Known | None:
    """That version; ``None`` when it was never at work since versions are remembered."""
    row = conn.execute(select(mapping).where(mapping.c.version == version)).one_or_none()
    if row is None:
        return None
    expressions = msgspec.json.decode(row.expressions, type=dict[str, str])
    return Known(version=row.version, expressions=expressions, first_at=moment(row.first_at))
