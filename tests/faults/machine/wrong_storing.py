"""Wrong programs whose fault lies in what is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import Any, TypeAlias

import pytest

from cgsync import intake
from cgsync.errors import UnknownCommit
from cgsync.ledger import Instant, attempts, checkpoints, counters, epoch, outbox, settlements
from cgsync.ledger.outbox import rows
from cgsync.ledger.writer import Writer
from cgsync.model import Again, Delivered, Lane, Refused, Result
from cgsync.state import lock

Mutant: TypeAlias = Callable[[pytest.MonkeyPatch], None]

# the package has functions of the same names
due: Any = import_module("cgsync.ledger.outbox.due")
settle: Any = import_module("cgsync.ledger.outbox.settle")
storing: Any = import_module("cgsync.ledger.outbox.store")


def cursor_before_rows(patch: pytest.MonkeyPatch) -> None:
    take = intake.SourceIntake.take

    async def mutant(self: Any, batch: Any, **options: Any) -> Any:
        early = partial(checkpoints.store, source=self._plan.uid, changes=batch.cursor, now=Instant.of(self._clock))
        await self._ledger.write(early)
        return await take(self, batch, **options)

    patch.setattr(intake.SourceIntake, "take", mutant)


def acknowledged_before_commit(patch: pytest.MonkeyPatch) -> None:
    fetch = intake.SourceIntake.fetch

    async def mutant(self: Any, source: Any, cursor: Any) -> Any:
        batch = await fetch(self, source, cursor)
        if isinstance(batch, intake.Batch) and batch.done:
            await source.settle(batch.done)
        return batch

    patch.setattr(intake.SourceIntake, "fetch", mutant)


def digest_of_what_was_seen(patch: pytest.MonkeyPatch) -> None:
    """What was seen is remembered outside the transaction: what was seen and not stored is never stored."""
    place, seen = storing.Placement._place, dict[tuple[str, str], bytes]()

    def mutant(self: Any, key: str, desired: Any, record: Any, revision: Any) -> Any:
        spot = (_file(self._conn), key)
        if seen.get(spot) == desired.digest and key in self.rows:
            return "unchanged"
        seen[spot] = desired.digest
        return place(self, key, desired, record, revision)

    patch.setattr(storing.Placement, "_place", mutant)


def digest_of_what_was_ever_seen(patch: pytest.MonkeyPatch) -> None:
    """A→B→A ends at B."""
    place, seen = storing.Placement._place, set[tuple[str, str, bytes]]()

    def mutant(self: Any, key: str, desired: Any, record: Any, revision: Any) -> Any:
        spot = (_file(self._conn), key, desired.digest)
        if spot in seen:
            return "unchanged"
        fate = place(self, key, desired, record, revision)
        seen.add(spot)
        return fate

    patch.setattr(storing.Placement, "_place", mutant)


def digest_against_a_row_that_is_not_clean(patch: pytest.MonkeyPatch) -> None:
    """Compared with what was delivered, while something newer waits."""
    place, delivered = storing.Placement._place, dict[tuple[str, str], bytes]()

    def mutant(self: Any, key: str, desired: Any, record: Any, revision: Any) -> Any:
        row, spot = self.rows.get(key), (_file(self._conn), key)
        if row is not None and row.state == "delivered":
            delivered[spot] = row.digest
        if row is not None and delivered.get(spot) == desired.digest:
            return "unchanged"
        return place(self, key, desired, record, revision)

    patch.setattr(storing.Placement, "_place", mutant)


def mark_without_compare_and_set(patch: pytest.MonkeyPatch) -> None:
    def mutant(self: Any, result: Result) -> None:
        row = self._rows.get(result.due.key)
        if row is not None and isinstance(result.outcome, Delivered):
            result = replace(result, due=replace(result.due, version=row.version))
        settle_one(self, result)

    settle_one = settle._Desk.settle
    patch.setattr(settle._Desk, "settle", mutant)


def refusal_without_compare_and_set(patch: pytest.MonkeyPatch) -> None:
    def mutant(self: Any, result: Result) -> None:
        row = self._rows.get(result.due.key)
        if row is not None and isinstance(result.outcome, Refused):
            result = replace(result, due=replace(result.due, version=row.version))
        settle_one(self, result)

    settle_one = settle._Desk.settle
    patch.setattr(settle._Desk, "settle", mutant)


def no_wait_after_a_timeout(patch: pytest.MonkeyPatch) -> None:
    wait = settle._Desk._wait

    def mutant(self: Any, row: Any, again: Again, retry_in: float, *, current: bool) -> None:
        wait(self, row, replace(again, doubt=False), retry_in, current=current)

    patch.setattr(settle._Desk, "_wait", mutant)


def doubt_not_persisted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(settle, "SETTLED", tuple(name for name in settle.SETTLED if name != "doubt"))


def unclean_stop_not_noticed(patch: pytest.MonkeyPatch) -> None:
    begin = epoch.begin
    patch.setattr(epoch, "begin", lambda *args, clean, **more: begin(*args, clean=True, **more))


def doubts_forgotten_at_a_reboot(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(epoch, "_renew_doubts", lambda *_: None)


def newer_version_sent_despite_doubt(patch: pytest.MonkeyPatch) -> None:
    wanted = rows.Row.wanted
    patch.setattr(rows.Row, "wanted", lambda *args: replace(wanted(*args), wait=0.0))


def older_revision_wins(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(storing.revisions, "older", lambda *_: False)


def retry_that_regresses(patch: pytest.MonkeyPatch) -> None:
    """What is read from the ledger is what was read from it the last time."""
    due_now, known = due.due, dict[tuple[str, str], Any]()

    def mutant(conn: Any, now: Any, limit: int) -> list[Any]:
        found = []
        for row in due_now(conn, now, limit):
            found.append(known.get((_file(conn), row.key), row))
            known[_file(conn), row.key] = row
        return found

    patch.setattr(outbox, "due", mutant)


def lane_never_read(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(due, "LANES", [lane for lane in due.LANES if lane is not Lane.RETRY])


def sent_without_a_key(patch: pytest.MonkeyPatch) -> None:
    prepare = intake.prepare

    def mutant(record: Any, plan: Any, *more: Any) -> Any:
        return (
            prepare(replace(record, key="ghost", data={**record.data, "id": "ghost"}), plan, *more)
            if not record.key
            else prepare(record, plan, *more)
        )

    patch.setattr(intake, "prepare", mutant)


def failed_commit_taken_for_a_success(patch: pytest.MonkeyPatch) -> None:
    transact = Writer._transact

    def mutant(self: Any, conn: Any, group: Any) -> Any:
        error = transact(self, conn, group)
        return None if isinstance(error, UnknownCommit) else error

    patch.setattr(Writer, "_transact", mutant)


def superseded_not_counted(patch: pytest.MonkeyPatch) -> None:
    add = counters.add

    def mutant(conn: Any, tally: Mapping[tuple[str, str], int]) -> None:
        add(conn, type(tally)({spot: count for spot, count in tally.items() if spot[1] != "superseded"}))  # type: ignore[call-arg]  # a Counter is made of a mapping

    patch.setattr(counters, "add", mutant)


def no_lock(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lock, "_taken", lambda _: True)


def attempts_never_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(attempts, "KEPT", 1_000)


def settling_given_up(patch: pytest.MonkeyPatch) -> None:
    """What could not be settled once is never settled."""
    fail = settlements.fail

    def mutant(conn: Any, ids: Sequence[int], error: str) -> None:
        fail(conn, ids, error)
        settlements.finish(conn, ids)

    patch.setattr(settlements, "fail", mutant)


def _file(conn: Any) -> str:
    """Which ledger it is: what a mutant remembers is of one example alone."""
    return str(conn.exec_driver_sql("PRAGMA database_list").one()[2])


STORING = (
    cursor_before_rows,
    acknowledged_before_commit,
    digest_of_what_was_seen,
    digest_of_what_was_ever_seen,
    digest_against_a_row_that_is_not_clean,
    mark_without_compare_and_set,
    refusal_without_compare_and_set,
    no_wait_after_a_timeout,
    doubt_not_persisted,
    unclean_stop_not_noticed,
    doubts_forgotten_at_a_reboot,
    newer_version_sent_despite_doubt,
    older_revision_wins,
    retry_that_regresses,
    lane_never_read,
    sent_without_a_key,
    failed_commit_taken_for_a_success,
    superseded_not_counted,
    no_lock,
    attempts_never_forgotten,
    settling_given_up,
)
