"""Programs that are wrong in one place each: the machine must notice every one of them.

A mutant replaces one function of the product by one that does nearly the same. Each names the invariants by which it
may be found; to be found by another is as good, so that they are for the reader alone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from importlib import import_module
from typing import Any, TypeAlias

import pytest

from cgsync import intake
from cgsync.delivery import breaker, classify, courier, crew, gate, rows, steering
from cgsync.errors import LedgerError, UnknownCommit
from cgsync.http import ClientCredentials
from cgsync.ledger import Instant, attempts, checkpoints, counters, epoch, lock, outbox, settlements
from cgsync.ledger.writer import Writer
from cgsync.model import Again, Delivered, Lane, Refused, Result
from cgsync.sender import Sender

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


def two_in_flight(patch: pytest.MonkeyPatch) -> None:
    offer = rows.Rows.offer

    def mutant(self: Any, offered: Any) -> bool:
        offered = list(offered)
        for row in offered:
            if (busy := self._busy.get(row.key)) is not None and row.version > busy.version:
                del self._busy[row.key]
        return offer(self, offered)

    def settled(self: Any, done: Any) -> bool:
        for row in done:
            self._busy.pop(row.key, None)
        self._update()
        return True

    patch.setattr(rows.Rows, "offer", mutant)
    patch.setattr(rows.Rows, "settled", settled)


def gate_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(gate.Gate, "close", lambda *_, **__: False)


def gate_opened_by_any_success(patch: pytest.MonkeyPatch) -> None:
    passed = steering.Steering._passed
    patch.setattr(steering.Steering, "_passed", lambda self, row, *, probe: passed(self, row, probe=True))


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
    patch.setattr(storing, "is_due", lambda *_: True)


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


def every_worker_refreshes(patch: pytest.MonkeyPatch) -> None:
    async def mutant(self: Any) -> Any:
        task = asyncio.create_task(self._fetch())
        task.add_done_callback(self._fetched)
        return await task

    patch.setattr(ClientCredentials, "_refreshed", mutant)


def good_token_dropped(patch: pytest.MonkeyPatch) -> None:
    """A late 401 for an old token takes the new one away."""

    def mutant(self: Any, generation: int) -> bool:
        self._token = None
        return True

    patch.setattr(ClientCredentials, "invalidate", mutant)


def pause_burns_attempts(patch: pytest.MonkeyPatch) -> None:
    """A 429 counts against the row."""
    real = classify

    def mutant(answer: Any, *, now: Any) -> Any:
        outcome = real(answer, now=now)
        return replace(outcome, counted=True) if isinstance(outcome, Again) else outcome

    patch.setattr(courier, "classify", mutant)


def failure_taken_for_refusal(patch: pytest.MonkeyPatch) -> None:
    real = classify

    def mutant(answer: Any, *, now: Any) -> Any:
        outcome = real(answer, now=now)
        if isinstance(outcome, Again) and (outcome.status or 0) >= 500:
            return Refused(status=outcome.status or 0, reasons={"": "no"})
        return outcome

    patch.setattr(courier, "classify", mutant)


def portal_taken_for_the_api(patch: pytest.MonkeyPatch) -> None:
    """Whatever comes with a 200 is a success."""
    real = classify

    def mutant(answer: Any, *, now: Any) -> Any:
        outcome = real(answer, now=now)
        if isinstance(outcome, Again) and outcome.status == 200:
            return Delivered(status=200)
        return outcome

    patch.setattr(courier, "classify", mutant)


def backoff_without_bound(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(steering, "full_jitter", lambda *_, **__: timedelta(hours=2))


def retry_after_ignored(patch: pytest.MonkeyPatch) -> None:
    retry_in = steering.Steering._retry_in

    def mutant(self: Any, row: Any, outcome: Any) -> timedelta:
        return retry_in(self, row, replace(outcome, after=None) if isinstance(outcome, Again) else outcome)

    patch.setattr(steering.Steering, "_retry_in", mutant)


def breaker_without_breadth(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(breaker, "BREADTH", 1)


def brake_on_the_first_refusal(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(breaker.Brake, "refused", lambda *_: True)


def failed_commit_taken_for_a_success(patch: pytest.MonkeyPatch) -> None:
    transact = Writer._transact

    def mutant(self: Any, conn: Any, group: Any) -> Any:
        error = transact(self, conn, group)
        return None if isinstance(error, UnknownCommit) else error

    patch.setattr(Writer, "_transact", mutant)


def sent_on_without_a_disk(patch: pytest.MonkeyPatch) -> None:
    settle_all = Sender._settle

    async def mutant(self: Any) -> None:
        with contextlib.suppress(LedgerError):
            await settle_all(self)

    patch.setattr(Sender, "_settle", mutant)


def stopped_without_waiting(patch: pytest.MonkeyPatch) -> None:
    """What is on the wire is cut off, and the stop is called clean."""

    def mutant(self: Any) -> None:
        for worker in self._workers:
            worker.stopping = True
            worker.task.cancel()

    patch.setattr(crew.Crew, "stop", mutant)


def never_stops(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(crew.Crew, "stop", lambda _: None)


def never_probes(patch: pytest.MonkeyPatch) -> None:
    async def mutant(self: Any) -> None:
        await asyncio.get_running_loop().create_future()

    patch.setattr(gate.Gate, "probe_due", mutant)


def superseded_not_counted(patch: pytest.MonkeyPatch) -> None:
    add = counters.add

    def mutant(conn: Any, tally: Mapping[tuple[str, str], int]) -> None:
        add(conn, type(tally)({spot: count for spot, count in tally.items() if spot[1] != "superseded"}))  # type: ignore[call-arg]

    patch.setattr(counters, "add", mutant)


def no_lock(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lock, "_taken", lambda _: True)


def attempts_never_forgotten(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(attempts, "KEPT", 1_000)


def secret_shown(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ClientCredentials, "_masked", lambda _, words: words)


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


MUTANTS: Mapping[str, Mutant] = {
    each.__name__: each
    for each in (
        cursor_before_rows,
        acknowledged_before_commit,
        digest_of_what_was_seen,
        digest_of_what_was_ever_seen,
        digest_against_a_row_that_is_not_clean,
        mark_without_compare_and_set,
        refusal_without_compare_and_set,
        two_in_flight,
        gate_ignored,
        gate_opened_by_any_success,
        no_wait_after_a_timeout,
        doubt_not_persisted,
        unclean_stop_not_noticed,
        doubts_forgotten_at_a_reboot,
        newer_version_sent_despite_doubt,
        older_revision_wins,
        retry_that_regresses,
        lane_never_read,
        sent_without_a_key,
        every_worker_refreshes,
        good_token_dropped,
        pause_burns_attempts,
        failure_taken_for_refusal,
        portal_taken_for_the_api,
        backoff_without_bound,
        retry_after_ignored,
        breaker_without_breadth,
        brake_on_the_first_refusal,
        failed_commit_taken_for_a_success,
        sent_on_without_a_disk,
        stopped_without_waiting,
        never_stops,
        never_probes,
        superseded_not_counted,
        no_lock,
        attempts_never_forgotten,
        secret_shown,
        settling_given_up,
    )
}
