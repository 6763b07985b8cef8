"""Rows of the outbox while a transaction works on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Update, bindparam, select, update

from cgsync.ledger.counters import OPEN, Tally
from cgsync.ledger.schema import activity, payload
from cgsync.ledger.statements import chunks, run_many
from cgsync.model import Due

DROPPED = "dropped"
"""The state of a row whose undelivered version was given up; beside those of :class:`State`, and counted nowhere."""

LIVE, RETRY = "live", "retry"
"""Lanes: a version that was not refused so far, and one that was."""

COLUMNS = [column for column in activity.c if column.name not in {"delivered_at", "answer", "first_at"}]


class Row:
    """One row of ``activity``, to be changed in memory and written once."""

    __slots__ = tuple(column.name for column in COLUMNS)

    seq: int
    key: str
    reference: str
    digest: bytes
    version: int
    state: str
    due: float | None
    doubt: float | None
    queued: float
    attempts: int
    retries: int
    lane: str
    revision: str | None
    owner: str
    owner_record: str
    source: str
    record: str
    position: str
    mapping: str
    stored_at: str
    delivered_version: int | None

    def __init__(self, values: Iterable[object]) -> None:
        for name, value in zip(self.__slots__, values, strict=True):
            setattr(self, name, value)

    def move(self, state: str, tally: Tally) -> None:
        """Go to another state; the gauges follow."""
        self.leave(tally)
        self.state = str(state)
        self.enter(tally)

    def leave(self, tally: Tally) -> None:
        """Take the row out of its gauge: its state or its source is about to change."""
        if self.state in OPEN:
            tally[self.source, self.state] -= 1

    def enter(self, tally: Tally) -> None:
        """Count the row in its gauge."""
        if self.state in OPEN:
            tally[self.source, self.state] += 1

    def wanted(self, body: bytes) -> Due:
        """The desired version, for the sender."""
        return Due(
            key=self.key,
            reference=self.reference,
            version=self.version,
            body=body,
            attempts=self.attempts,
            refused_before=self.lane == RETRY,
        )


def load(conn: Connection, keys: Iterable[str]) -> dict[str, Row]:
    """The rows with these keys, by key."""
    found: dict[str, Row] = {}
    for chunk in chunks(keys):
        for values in conn.execute(select(*COLUMNS).where(activity.c.key.in_(chunk))):
            row = Row(values)
            found[row.key] = row
    return found


def payloads(conn: Connection, seqs: Iterable[int]) -> dict[int, tuple[bytes, bytes]]:
    """Body and record of these rows; what retention took away is not among them."""
    found: dict[int, tuple[bytes, bytes]] = {}
    for chunk in chunks(seqs):
        for seq, body, record in conn.execute(select(payload).where(payload.c.seq.in_(chunk))):
            found[seq] = body, record
    return found


def save(conn: Connection, rows: Iterable[Row], names: Sequence[str]) -> None:
    """Write these columns of the rows."""
    run_many(conn, _update, [{"of_seq": row.seq} | {name: getattr(row, name) for name in names} for row in rows])


def _update(_: Connection) -> Update:
    return update(activity).where(activity.c.seq == bindparam("of_seq"))


def is_due(row: Row, now: float) -> bool:
    """Whether the desired version is to be sent at ``now`` (ledger time)."""
    return row.due is not None and row.due <= now
