"""What requests led to, written into the rows they were for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection, Update, bindparam, update

from cgsync.ledger import attempts, counters, epoch, verdicts
from cgsync.ledger.attempts import Failed
from cgsync.ledger.basis import basis_of
from cgsync.ledger.counters import OPEN, Tally
from cgsync.ledger.epoch import Epoch
from cgsync.ledger.instant import Instant
from cgsync.ledger.outbox import revision as revisions
from cgsync.ledger.outbox.deliver import as_text, deliver
from cgsync.ledger.outbox.rows import Row, is_due, load, payloads, save
from cgsync.ledger.schema import activity
from cgsync.ledger.statements import run_tuples
from cgsync.model import Again, Delivered, Due, Lane, Refused, Reject, RejectKind, Result, State

DAY = timedelta(days=1)
RETRY_REFUSED = timedelta(days=7)
SETTLED = ("state", "due", "doubt", "failing", "attempts", "retries", "lane")
"""What a settled row can change in."""


def settle(
    conn: Connection,
    results: Sequence[Result],
    now: Instant,
    settle_time: timedelta,
    retry_refused: timedelta = RETRY_REFUSED,
) -> list[Due]:
    """Write outcomes into their rows; newer versions of the same references that are due come back.

    An outcome concerns the version that was sent: a row that wants a newer one by now learns only that a request
    for the older may still be executing. ``settle_time``: how long that can be. ``retry_refused``: for how many
    days what was refused is tried again, once a day.
    """
    time = epoch.current(conn, now)
    unusual = deliver(conn, results, now, time)
    desk = _Desk(conn, unusual, now, time, settle_time, retry_refused)
    for result in unusual:
        desk.settle(result)
    desk.write()
    return desk.newer()


class _Desk:
    """Results on their way into the rows."""

    def __init__(
        self,
        conn: Connection,
        results: Sequence[Result],
        now: Instant,
        time: Epoch,
        settle_time: timedelta,
        retry_refused: timedelta,
    ) -> None:
        self._conn = conn
        self._results = results
        self._now = now
        self._epoch = time
        self._settle_time = settle_time.total_seconds()
        self._retries = retry_refused // DAY
        self._rows = load(conn, dict.fromkeys(result.due.key for result in results))
        self._changed: dict[str, Row] = {}
        self._answered: list[tuple[Row, Result, Delivered]] = []
        self._refused: dict[str, tuple[Row, Refused]] = {}
        self._failed: list[Failed] = []
        self._passed: list[str] = []
        self._tally: Tally = Counter()

    def settle(self, result: Result) -> None:
        """Decide what one result changes."""
        row = self._rows.get(result.due.key)
        if row is None:
            return
        current = row.version == result.due.version and row.state in OPEN
        match result.outcome:
            case Delivered() as delivered:
                self._answered.append((row, result, delivered))
                if current:
                    self._deliver(row)
                return
            case Refused() as refused if current and row.state != State.HELD:
                self._refuse(row, refused)
            case Again() as again:
                self._wait(row, again, result.retry_in.total_seconds(), current=current)
        self._failed.append(Failed(seq=row.seq, version=result.due.version, outcome=result.outcome))

    def _deliver(self, row: Row) -> None:
        if row.state == State.REFUSED:
            self._passed.append(row.key)
        # what was sent before the last stop may still be executing: a newer version has to wait for that too
        row.doubt = self._epoch.doubt(row.queued, row.doubt, delivered=False)
        row.move(State.DELIVERED, self._tally)
        self._tally[row.source, "delivered"] += 1
        row.due, row.failing, row.attempts, row.retries = None, None, 0, 0
        self._changed[row.key] = row

    def _refuse(self, row: Row, refused: Refused) -> None:
        """Refused: the same again once a day, since what it names may be created over there meanwhile."""
        row.retries = row.retries + 1 if row.state == State.REFUSED else 0
        row.due = self._epoch.now + DAY.total_seconds() if row.retries < self._retries else None
        row.doubt = self._epoch.doubt(row.queued, row.doubt, delivered=False)
        row.move(State.REFUSED, self._tally)
        row.failing, row.attempts = None, 0
        self._step_back(row)
        self._refused[row.key] = row, refused
        self._changed[row.key] = row

    def _wait(self, row: Row, again: Again, retry_in: float, *, current: bool) -> None:
        if again.doubt:
            row.doubt = max(row.doubt or 0.0, self._epoch.now + self._settle_time)
            self._changed[row.key] = row
        if current and row.due is not None:
            row.due = self._epoch.now + retry_in
            if again.counted:
                row.attempts += 1
                row.failing = self._epoch.now if row.failing is None else row.failing
            if again.counted or again.doubt:
                self._step_back(row)
            self._changed[row.key] = row
        elif not current and row.due is not None and row.doubt is not None:
            row.due = max(row.due, row.doubt)

    def _step_back(self, row: Row) -> None:
        """It had its turn: what is live goes first from now on. What is caught up on waits behind all others anyway."""
        if row.lane != Lane.BACKFILL:
            row.lane = Lane.RETRY.value

    def write(self) -> None:
        changed = list(self._changed.values())
        save(self._conn, changed, SETTLED)
        self._write_answers()
        verdicts.close(self._conn, self._passed)
        self._write_refusals()
        attempts.record(self._conn, self._failed, self._now)
        counters.add(self._conn, self._tally)
        # daily retries do not count: after a reboot they need not all come at once
        waits = [row.due for row in changed if row.state == State.PENDING and row.due]
        doubts = [row.doubt for row in changed if row.doubt]
        epoch.advance(self._conn, self._epoch, max([self._epoch.now, *waits, *doubts]))

    def _write_answers(self) -> None:
        """Note what was answered, also for a version that was replaced meanwhile; never an older one over a newer."""
        rows = []
        for row, result, delivered in self._answered:
            if row.delivered_version is None or row.delivered_version <= result.due.version:
                row.delivered_version = result.due.version
                rows.append((row.delivered_version, self._now.stamp, as_text(delivered.data), row.seq))
        run_tuples(self._conn, _answer, ("delivered_version", "delivered_at", "answer", "of_seq"), rows)

    def _write_refusals(self) -> None:
        contents = payloads(self._conn, (row.seq for row, _ in self._refused.values()))
        for row, refused in self._refused.values():
            body, record = contents.get(row.seq, (None, b""))
            basis = basis_of(self._conn, row.source, row.queued)
            refusal = _rejected(row, refused, record, body), row.key
            verdicts.put(self._conn, row.source, [refusal], self._now, str(basis))

    def newer(self) -> list[Due]:
        """The rows that want a newer version than was sent, and may have it at once."""
        sent: dict[str, int] = {}
        for result in self._results:
            sent[result.due.key] = max(result.due.version, sent.get(result.due.key, 0))
        wanting = [row for key, row in self._rows.items() if row.version > sent[key] and is_due(row, self._epoch.now)]
        bodies = payloads(self._conn, (row.seq for row in wanting))
        return [row.wanted(bodies[row.seq][0], self._epoch.now) for row in wanting if row.seq in bodies]


def _answer(_: Connection) -> Update:
    return update(activity).where(activity.c.seq == bindparam("of_seq"))


def _rejected(row: Row, refused: Refused, record: bytes, body: bytes | None) -> Reject:
    return Reject(
        kind=RejectKind.REFUSED,
        identity=row.record,
        position=row.position,
        record=record,
        reasons=refused.reasons or {"": f"status {refused.status}"},
        mapping_version=row.mapping,
        mapped=body,
        reference=row.reference,
        revision=revisions.decode(row.revision),
    )
