"""By what records were judged, so that they are judged again when it is another: mapping, lookups, credentials."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection

from cgsync.ledger import epoch, meta
from cgsync.ledger.instant import Instant

CREDENTIALS = "credentials"


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """``judge`` stands for all that makes an activity of a record, ``credentials`` for who we are over there.

    Both are digests. What our side rejects hangs on the judge alone.
    """

    judge: str
    credentials: str

    def __str__(self) -> str:
        """What a reject remembers that the API refused."""
        return f"{self.judge} {self.credentials}"


def note_judge(conn: Connection, uid: str, judge: str, now: Instant) -> Basis:
    """Remember since when this is what the records of that source are judged by; returns what holds now."""
    known, _ = _judge(conn, uid)
    if known != judge:
        value = msgspec.json.encode([judge, epoch.current(conn, now).now])
        meta.put(conn, _name(uid), value.decode())
    return noted(conn, uid)


def note_credentials(conn: Connection, credentials: str) -> None:
    """Remember as whom we send from now on."""
    if meta.get(conn, CREDENTIALS) != credentials:
        meta.put(conn, CREDENTIALS, credentials)


def noted(conn: Connection, uid: str) -> Basis:
    """What the records of that source are judged by, as it was noted last."""
    return Basis(judge=_judge(conn, uid)[0], credentials=meta.get(conn, CREDENTIALS) or "")


def basis_of(conn: Connection, uid: str, queued: float) -> Basis:
    """What a version hangs on that was queued then (ledger time) and refused now; empty: by an older judge."""
    judge, since = _judge(conn, uid)
    return Basis(judge=judge if queued >= since else "", credentials=meta.get(conn, CREDENTIALS) or "")


def _judge(conn: Connection, uid: str) -> tuple[str, float]:
    found = meta.get(conn, _name(uid))
    judge, since = msgspec.json.decode(found) if found else ("", 0.0)
    return judge, since


def _name(uid: str) -> str:
    return f"judge of {uid}"
