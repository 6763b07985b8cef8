"""What storing a batch would change; nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from cgsync.ledger.instant import Instant
from cgsync.ledger.outbox.rows import payloads
from cgsync.ledger.outbox.store import Placement
from cgsync.model import Activity, Intake, Reject, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A version that would be made. ``key`` is the normalised reference, ``position`` that of the record.

    ``before`` is the body that is wanted so far: ``None`` of a new activity, empty when it was dropped with age.
    ``own``: the row was made of this very record so far. ``held``: it would not be sent before it is released.
    """

    key: str
    activity: Activity
    position: str
    before: bytes | None
    own: bool
    held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """All that a batch would change. ``wanted``: key of each record that passes → keys of its activities."""

    changes: Sequence[Change]
    rejects: Sequence[Reject]
    wanted: Mapping[str, Sequence[str]]


def foresee(conn: Connection, intake: Intake, now: Instant) -> Foreseen:
    """What :func:`store` would make of the batch, by the same decisions."""
    placement = Placement(conn, intake, now)
    made_of = {key: (row.source, row.record) for key, row in placement.rows.items()}
    for mapped in intake.mapped:
        placement.take(mapped)
    passed = {record.key for record in placement.passed}
    bodies = payloads(conn, [row.seq for row, *_ in placement.written.values() if row.seq])
    changes = [
        Change(
            key=key,
            activity=desired,
            position=record.position,
            before=bodies.get(row.seq, (b"", b""))[0] if row.seq else None,
            own=made_of.get(key) == (intake.source, record.key),
            held=row.state == State.HELD,
        )
        for key, (row, desired, record) in placement.written.items()
    ]
    return Foreseen(
        changes=changes,
        rejects=placement.rejects,
        wanted={
            mapped.record.key: [placement.keys[one.reference] for one in mapped.activities]
            for mapped in intake.mapped
            if mapped.record.key in passed
        },
    )
