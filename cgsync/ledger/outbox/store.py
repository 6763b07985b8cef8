"""The one commit of a batch: activities, rejects, cursor, what may be settled, counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Insert, Update, bindparam, insert, select, update
from sqlalchemy import func as sql

from cgsync.api import Record
from cgsync.ledger import (
    accounts,
    checkpoints,
    counters,
    epoch,
    forgetting,
    guard,
    plain,
    retention,
    settlements,
    verdicts,
)
from cgsync.ledger.counters import OPEN, Tally
from cgsync.ledger.instant import Instant
from cgsync.ledger.outbox import revision as revisions
from cgsync.ledger.outbox.ownership import conflict
from cgsync.ledger.outbox.rows import COLUMNS, DROPPED, Row, load, save
from cgsync.ledger.reference import key as normalise
from cgsync.ledger.schema import activity, payload
from cgsync.ledger.statements import run_tuples, upsert
from cgsync.model import LANES, Activity, Due, Intake, Lane, MappedRecord, Reject, RejectKind, State, Stored

REPLACED = (
    *(
        "reference",
        "digest",
        "version",
        "state",
        "due",
        "doubt",
        "queued",
        "failing",
        "attempts",
        "retries",
        "lane",
        "revision",
    ),
    *("owner", "owner_record", "source", "record", "position", "mapping", "stored_at"),
)
"""What a newer version changes in its row."""


def store(conn: Connection, intake: Intake, now: Instant) -> Stored:
    """Store a mapped batch; what is to be sent comes back, with counts for the log line.

    A record is stored with all its activities, or rejected with its reasons. An activity is ``unchanged`` when it
    equals the desired body of its row, whatever became of that; ``stale`` when its row has a later revision; else
    it is a new version, which replaces the one that waited (``superseded``).
    """
    batch = Placement(conn, intake, now)
    for mapped in intake.mapped:
        batch.take(mapped)
    due = batch.write()
    verdicts.close(conn, batch.replaced_refused)
    verdicts.replace(conn, intake.source, [*batch.passed, *intake.left_out], batch.to_keep(), now, intake.basis)
    checkpoints.store(conn, intake.source, intake.cursor, now)
    settlements.store(conn, intake.source, intake.done, now)
    counts = _counts(intake, batch)
    batch.tally.update(_tally(intake.source, counts))
    counters.add(conn, batch.tally)
    held = [key for key, (row, *_) in batch.written.items() if row.state == State.HELD]
    return Stored(due=due, counts=counts, held=held, allowance=batch.allowance)


class Placement:
    """A batch on its way into the rows: all of it is decided in memory, then written at once."""

    def __init__(self, conn: Connection, intake: Intake, now: Instant) -> None:
        self._conn = conn
        self._intake = intake
        self._now = now
        self._stamp = now.stamp
        self._epoch = epoch.current(conn, now)
        self._forgotten = forgetting.recognised(conn, intake)
        self.keys = {one.reference: normalise(one.reference) for mapped in intake.mapped for one in mapped.activities}
        self.rows = load(conn, dict.fromkeys(self.keys.values()))
        self.written: dict[str, tuple[Row, Activity, Record]] = {}
        self._advanced: dict[str, tuple[Row, Record]] = {}
        self.allowance = intake.allowance
        self.guarded = 0
        self.tally: Tally = Counter()
        self.fates: Counter[str] = Counter()
        self.passed: list[Record] = []
        self.rejects: list[Reject] = list(intake.rejects)
        self.replaced_refused: list[str] = []

    def take(self, mapped: MappedRecord) -> None:
        """Decide what becomes of one record."""
        if self._forgotten and mapped.record.key in self._forgotten:
            self.passed.append(mapped.record)
            self.fates["forgotten_again"] += len(mapped.activities)
            return
        keys = [self.keys[one.reference] for one in mapped.activities]
        if problem := conflict(self._conn, self._intake, mapped, keys, self.rows):
            self.rejects.append(_conflicting(mapped, problem, self._intake.mapping_version))
            return
        self.passed.append(mapped.record)
        revision = revisions.encode(mapped.record.revision)
        for key, desired in zip(keys, mapped.activities, strict=True):
            self.fates[self._place(key, desired, mapped.record, revision)] += 1

    def to_keep(self) -> Sequence[Reject]:
        """The rejects, without those of somebody who was forgotten."""
        return [one for one in self.rejects if one.identity not in self._forgotten] if self._forgotten else self.rejects

    def _place(self, key: str, desired: Activity, record: Record, revision: str | None) -> str:
        """Put one activity into its row; returns what it turned out to be."""
        row = self.rows.get(key)
        if row is None:
            self.rows[key] = row = self._fresh(key, desired, record)
        elif revision and self._is_stale(row, record, revision):
            return "stale"
        elif row.digest == desired.digest and row.state != DROPPED:
            return "unchanged"
        else:
            self._leave(row)
        fate = "changed" if row.version else "new"
        self._become(row, desired, record, revision)
        self.written[key] = row, desired, record
        return fate

    def _is_stale(self, row: Row, record: Record, revision: str) -> bool:
        """Whether the row has a later revision; if not, this one is the latest, also when nothing else changed."""
        if row.source != self._intake.source:
            return False
        if revisions.older(revision, row.revision):
            return True
        if revision != row.revision:
            row.revision = revision
            self._advanced[row.key] = row, record
        return False

    def _fresh(self, key: str, desired: Activity, record: Record) -> Row:
        nothing: list[Any] = [None] * len(COLUMNS)
        row = Row(*nothing)
        row.key, row.reference, row.version, row.state = key, desired.reference, 0, ""
        row.queued = self._epoch.now
        row.owner, row.owner_record = self._intake.source, plain.text(record.key)
        return row

    def _leave(self, row: Row) -> None:
        """Give up the version that the row holds, unless it is done with."""
        row.leave(self.tally)
        if row.state in OPEN:
            self.tally[row.source, "superseded"] += 1
        if row.state == State.REFUSED:
            self.replaced_refused.append(row.key)

    def _become(self, row: Row, desired: Activity, record: Record, revision: str | None) -> None:
        """Make the row want ``desired``: at once, or when an abandoned request cannot come after it any more."""
        doubt = None
        if row.version:  # of a new reference nothing was ever sent
            doubt = self._epoch.doubt(row.queued, row.doubt, delivered=row.state == State.DELIVERED)
        same_source = row.source == self._intake.source
        row.revision = revision or (row.revision if same_source else None)
        row.lane = self._lane(row)
        row.state = str(State.HELD if row.state == State.HELD else State.PENDING)
        row.due = None if row.state == State.HELD else doubt or self._epoch.now
        row.doubt, row.queued = doubt, self._epoch.now
        row.version += 1
        row.failing, row.attempts, row.retries = None, 0, 0
        row.reference, row.digest = desired.reference, desired.digest
        row.source, row.record, row.position = self._intake.source, plain.text(record.key), plain.text(record.position)
        row.mapping, row.stored_at = self._intake.mapping_version, self._stamp
        row.enter(self.tally)

    def _lane(self, row: Row) -> str:
        """The lane of the batch; what is caught up on does not take a change that waits out of a better one."""
        if row.state != State.PENDING:
            return self._intake.lane.value
        return min(self._intake.lane, Lane(row.lane), key=LANES.index).value

    def write(self) -> Sequence[Due]:
        """Write the rows; what is to be sent, at once or later, in the order in which it came."""
        self._hold_back()
        entries = list(self.written.values())
        known = [row for row, *_ in entries if row.seq]
        self._insert([row for row, *_ in entries if not row.seq])
        save(self._conn, known, REPLACED)
        self.tally.update(retention.regain(self._conn, [row.seq for row in known]))
        contents = [(row.seq, desired.body, plain.data(record.data)) for row, desired, record in entries]
        run_tuples(self._conn, _put_payload, ("seq", "body", "record"), contents)
        advanced = [each for key, each in self._advanced.items() if key not in self.written]
        save(self._conn, [row for row, _ in advanced], ("revision",))
        newest = [(plain.data(record.data), row.seq) for row, record in advanced]
        run_tuples(self._conn, _update_record, ("record", "of_seq"), newest)
        if entries:
            epoch.advance(self._conn, self._epoch, max(row.due or row.queued for row, *_ in entries))
        now = self._epoch.now
        return [row.wanted(desired.body, now) for row, desired, _ in entries if row.due is not None]

    def _hold_back(self) -> None:
        """Remember the accounts of what is stored; hold what the run may not send unasked."""
        source = self._intake.source
        wanted = [(row, desired.account) for row, desired, _ in self.written.values()]
        fresh = accounts.learn(self._conn, (account for _, account in wanted), source, self._now)
        if self.allowance is not None:
            before = self.tally[source, State.HELD.value]
            self.allowance = guard.hold_back(self._conn, source, self.allowance, wanted, fresh, self.tally)
            self.guarded = self.tally[source, State.HELD.value] - before

    def _insert(self, fresh: Sequence[Row]) -> None:
        # the numbers are ours to give: nobody else writes while this transaction runs
        last = self._conn.execute(select(sql.max(activity.c.seq))).scalar_one() if fresh else 0
        for seq, row in enumerate(fresh, (last or 0) + 1):
            row.seq = seq
        names = Row.__struct_fields__
        values = attrgetter(*names, "stored_at")
        run_tuples(self._conn, _insert, (*names, "first_at"), [values(row) for row in fresh])


def _conflicting(mapped: MappedRecord, problem: str, mapping_version: str) -> Reject:
    record = mapped.record
    return Reject(
        kind=RejectKind.INVALID,
        identity=record.key,
        position=record.position,
        record=plain.data(record.data),
        reasons={"reference": problem},
        mapping_version=mapping_version,
        mapped=mapped.activities[0].body,
        reference=mapped.activities[0].reference,
        revision=record.revision,
    )


def _counts(intake: Intake, batch: Placement) -> dict[str, int]:
    """What the batch was and became; nothing is said of what did not occur."""
    kinds = Counter(reject.kind for reject in intake.rejects)
    superseded = sum(count for (_, name), count in batch.tally.items() if name == "superseded")
    counts = {
        "remapped" if intake.remapped else "read": intake.read,
        "mapped": len(batch.passed),
        "filtered": sum(intake.filtered.values()),
        "invalid": kinds[RejectKind.INVALID],
        "unreadable": kinds[RejectKind.UNREADABLE],
        "conflict": len(batch.rejects) - len(intake.rejects),
        "skipped": sum(intake.skipped.values()),
        "activities": sum(batch.fates.values()),
        "superseded": superseded,
        "guarded": batch.guarded,
        **batch.fates,
    }
    return {name: count for name, count in counts.items() if count}


def _tally(source: str, counts: Mapping[str, int]) -> Tally:
    """The counts as counters; what was superseded is counted already, with the source that it came from."""
    return Counter({(source, name): count for name, count in counts.items() if name != "superseded"})


def _insert(_: Connection) -> Insert:
    return insert(activity)


def _update_record(_: Connection) -> Update:
    """What was not mapped may have changed; another mapping may want it."""
    return update(payload).where(payload.c.seq == bindparam("of_seq"))


def _put_payload(conn: Connection) -> Insert:
    return upsert(conn, payload, ["seq"], lambda row: {"body": row["body"], "record": row["record"]})
