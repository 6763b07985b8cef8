"""Whether an operator wants the sending to rest; what they said holds over restarts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from cgsync.ledger import meta
from cgsync.ledger.instant import Instant, moment

PAUSED = "sending_paused"


def pause(conn: Connection, now: Instant) -> None:
    """Let it rest; when it does already, since then."""
    if meta.get(conn, PAUSED) is None:
        meta.put(conn, PAUSED, now.stamp)


def resume(conn: Connection) -> None:
    meta.forget(conn, PAUSED)


def paused_since(conn: Connection) -> datetime | None:
    """When it was paused; ``None`` when it is not."""
    stamp = meta.get(conn, PAUSED)
    return None if stamp is None else moment(stamp)
