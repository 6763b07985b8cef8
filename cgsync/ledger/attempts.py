"""The last few requests for an activity that were not answered by a 2xx."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Delete, Insert, bindparam, delete, insert, literal_column, select

from cgsync.ledger.instant import Instant, moment
from cgsync.ledger.schema import activity, attempt
from cgsync.ledger.statements import run_many
from cgsync.model import Again, Outcome, Paused, Refused

KEPT = 5
REASON = 2000
"""Characters kept of a reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request and its outcome: ``again``, ``refused`` or ``paused``."""

    version: int
    at: datetime
    outcome: str
    status: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A request that is to be written down."""

    seq: int
    version: int
    outcome: Outcome


def record(conn: Connection, failed: Sequence[Failed], now: Instant) -> None:
    """Write requests down, and keep the last few of each activity."""
    if not failed:
        return
    rows = [{"seq": one.seq, "version": one.version, "at": now.stamp} | _told(one.outcome) for one in failed]
    run_many(conn, _insert, rows)
    run_many(conn, _drop, [{"of": seq, "kept": KEPT} for seq in {each.seq for each in failed}])


def list_attempts(conn: Connection, key: str) -> Sequence[Attempt]:
    """The last failed requests for the activity with that key, newest first."""
    statement = select(attempt).join(activity, activity.c.seq == attempt.c.seq).where(activity.c.key == key)
    return [
        Attempt(version=row.version, at=moment(row.at), outcome=row.outcome, status=row.status, reason=row.reason)
        for row in conn.execute(statement.order_by(attempt.c.id.desc()))
    ]


def _insert(_: Connection) -> Insert:
    return insert(attempt)


def _drop(_: Connection) -> Delete:
    same, last = attempt.c.seq == bindparam("of"), attempt.c.id.desc()
    oldest = select(attempt.c.id).where(same).order_by(last).offset(bindparam("kept")).limit(literal_column("1"))
    return delete(attempt).where(same, attempt.c.id <= oldest.scalar_subquery())


def _told(outcome: Outcome) -> dict[str, object]:
    match outcome:
        case Refused(status=status, reasons=reasons):
            words = "; ".join(f"{field}: {reason}" if field else reason for field, reason in reasons.items())
            return {"outcome": "refused", "status": status, "reason": words[:REASON]}
        case Again(status=status, reason=reason):
            return {"outcome": "again", "status": status, "reason": reason[:REASON]}
        case Paused(status=status, reason=reason):
            return {"outcome": "paused", "status": status, "reason": reason[:REASON]}
    raise AssertionError(f"{outcome} was answered by a 2xx")
