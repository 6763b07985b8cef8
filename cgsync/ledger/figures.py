"""What the ledger has to say in numbers, for metrics: taken on a connection of its own, since some of it is counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select
from sqlalchemy import func as sql

from cgsync.ledger import books, counters, epoch, sources
from cgsync.ledger.books import Equation
from cgsync.ledger.instant import Instant
from cgsync.ledger.schema import activity, reject


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """``names``: uid → name of each source. All else is by uid.

    ``counters`` is uid → name → value; ``lanes`` (uid, lane) → versions that wait; ``rejects`` (uid, kind) → how many
    are open; ``overdue`` is for how many seconds the longest waiting version has been due, ``None`` when nothing is.
    """

    names: Mapping[str, str]
    counters: Mapping[str, Mapping[str, int]]
    equations: Sequence[Equation]
    lanes: Mapping[tuple[str, str], int]
    rejects: Mapping[tuple[str, str], int]
    overdue: float | None


def take(conn: Connection, now: Instant) -> Figures:
    """Count; it takes about a second for some million versions that wait."""
    lane = select(activity.c.source, activity.c.lane, sql.count(), sql.min(activity.c.due))
    queues = conn.execute(lane.where(activity.c.due.is_not(None)).group_by(activity.c.lane, activity.c.source)).all()
    kind = select(reject.c.source, reject.c.kind, sql.count()).where(reject.c.dropped_at.is_(None))
    kinds = conn.execute(kind.group_by(reject.c.source, reject.c.kind)).all()
    at = epoch.current(conn, now).now
    late = [at - due for *_, due in queues if due <= at]
    return Figures(
        names={each.uid: each.name for each in sources.list_sources(conn)},
        counters=counters.by_source(conn),
        equations=books.audit(conn).equations,
        lanes={(uid, name): count for uid, name, count, _ in queues},
        rejects={(uid, name): count for uid, name, count in kinds},
        overdue=max(late, default=None),
    )
