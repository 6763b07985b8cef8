"""Rows of the outbox while a transaction works on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, Select, Update, bindparam, select, update

from cgsync.ledger.counters import OPEN, Tally
from cgsync.ledger.schema import activity, payload
from cgsync.ledger.statements import THESE, chunks, find, run_tuples
from cgsync.model import Due, Lane, State

DROPPED = "dropped"
"""The state of a row whose undelivered version was given up; beside those of :class:`State`, and counted nowhere."""

COLUMNS = [column for column in activity.c if column.name not in {"delivered_at", "answer", "first_at"}]
KEY = [column.name for column in COLUMNS].index("key")


class Row(Struct):
    """One row of ``activity``, to be changed in memory and written once. Its fields are :data:`COLUMNS`."""

    seq: int
    key: str
    reference: str
    digest: bytes
    version: int
    state: str
    due: float | None
    doubt: float | None
    queued: float
    failing: float | None
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

    def wanted(self, body: bytes, now: float) -> Due:
        """The desired version of a row that has a time, for the sender; ``now`` in ledger time."""
        return Due(
            key=self.key,
            reference=self.reference,
            version=self.version,
            body=body,
            seq=self.seq,
            source=self.source,
            lane=Lane(self.lane),
            attempts=self.attempts,
            failing_for=0.0 if self.failing is None else now - self.failing,
            wait=max(0.0, (self.due or now) - now),
            refused_before=self.state == State.REFUSED,
        )


def load(conn: Connection, keys: Iterable[str]) -> dict[str, Row]:
    """The rows with these keys, by key."""
    return {values[KEY]: Row(*values) for values in find(conn, _with_keys, keys)}


def payloads(conn: Connection, seqs: Iterable[int]) -> dict[int, tuple[bytes, bytes]]:
    """Body and record of these rows; what retention took away is not among them."""
    found: dict[int, tuple[bytes, bytes]] = {}
    for chunk in chunks(seqs):
        for seq, body, record in conn.execute(select(payload).where(payload.c.seq.in_(chunk))):
            found[seq] = body, record
    return found


def save(conn: Connection, rows: Iterable[Row], names: Sequence[str]) -> None:
    """Write these columns of the rows."""
    values = attrgetter(*names, "seq")
    run_tuples(conn, _update, (*names, "of_seq"), [values(row) for row in rows])


def _with_keys(_: Connection) -> Select[Any]:
    return select(*COLUMNS).where(activity.c.key.in_([THESE]))


def _update(_: Connection) -> Update:
    return update(activity).where(activity.c.seq == bindparam("of_seq"))


def is_due(row: Row, now: float) -> bool:
    """Whether the desired version is to be sent at ``now`` (ledger time)."""
    return row.due is not None and row.due <= now
