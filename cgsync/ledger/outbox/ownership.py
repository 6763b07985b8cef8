"""Whose reference it is: the source's that first used it, or the record's where strangers choose the keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, select

from cgsync.ledger import plain
from cgsync.ledger.outbox.rows import Row
from cgsync.ledger.schema import source
from cgsync.model import Activity, Intake, MappedRecord

WORD = "reference_conflict"


def conflict(
    conn: Connection, intake: Intake, mapped: MappedRecord, keys: Sequence[str], rows: Mapping[str, Row]
) -> str | None:
    """Why this record may not write its references, or ``None`` when it may."""
    if len(keys) > 1 and (twice := [key for key, times in Counter(keys).items() if times > 1]):
        return f"{WORD}: two activities of this record have the same reference {twice[0]!r}"
    if intake.shared:
        return None
    for key, activity in zip(keys, mapped.activities, strict=True):
        row = rows.get(key)
        if row is not None and (problem := _claim(conn, intake, plain.text(mapped.record.key), activity, row)):
            return f"{WORD}: {problem}"
    return None


def _claim(conn: Connection, intake: Intake, record: str, activity: Activity, row: Row) -> str | None:
    if row.owner != intake.source:
        name = conn.execute(select(source.c.name).where(source.c.uid == row.owner)).scalar_one_or_none()
        if name is None:  # dropped: what it owned is free
            row.owner, row.owner_record = intake.source, record
            return None
        return (
            f"{activity.reference!r} belongs to the source {name}, which used it first; "
            "`shared: true` beside `activity:` lets both write it"
        )
    if record in {row.owner_record, row.record} and not (intake.forgeable_keys and record != row.owner_record):
        return None
    if intake.forgeable_keys:
        return (
            f"{activity.reference!r} belongs to the record {row.owner_record!r}; "
            "`shared: true` beside `activity:` lets several records write it"
        )
    if activity.reference != row.reference:
        return (
            f"{activity.reference!r} and {row.reference!r} of the record {row.record!r} differ in case, accents or "
            "trailing blanks only, and may be one and the same to the receiver"
        )
    return None
