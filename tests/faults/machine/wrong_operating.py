"""Wrong programs whose fault lies in what an operator orders: backfills, the guard, pauses, forgetting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any, TypeAlias

import pytest

from cgsync import intake
from cgsync.engine import Engine
from cgsync.ledger import Instant, Ledger, backfills, checkpoints, epoch, forgetting, guard, sending, sources
from cgsync.model import Lane
from cgsync.sender import Sender
from cgsync.sending import Sending

Mutant: TypeAlias = Callable[[pytest.MonkeyPatch], None]

# the package has a function of the same name
storing: Any = import_module("cgsync.ledger.outbox.store")


def backfill_moves_the_live_cursor(patch: pytest.MonkeyPatch) -> None:
    store = backfills.store

    def mutant(conn: Any, number: int, intake: Any, now: Instant) -> Any:
        stored = store(conn, number, intake, now)
        checkpoints.store(conn, intake.source, intake.cursor, now)
        return stored

    patch.setattr(backfills, "store", mutant)


def backfill_starts_over(patch: pytest.MonkeyPatch) -> None:
    """What it had read before a restart is read again."""
    patch.setattr(backfills, "cursor", lambda *_, **__: {})


def backfill_in_the_live_lane(patch: pytest.MonkeyPatch) -> None:
    store = backfills.outbox.store
    patch.setattr(backfills.outbox, "store", lambda conn, taken, now: store(conn, replace(taken, lane=Lane.LIVE), now))


def backfill_overtakes_a_newer_revision(patch: pytest.MonkeyPatch) -> None:
    is_stale = storing.Placement._is_stale

    def mutant(self: Any, row: Any, record: Any, revision: str) -> bool:
        return self._intake.lane is not Lane.BACKFILL and is_stale(self, row, record, revision)

    patch.setattr(storing.Placement, "_is_stale", mutant)


def backfill_brings_back_what_was_overtaken(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(intake.SourceIntake, "_without_overtaken", lambda _, batch, __: batch)


def guard_counts_each_batch_anew(patch: pytest.MonkeyPatch) -> None:
    hold_back = guard.hold_back

    def mutant(conn: Any, source: str, allowance: Any, *more: Any) -> Any:
        return hold_back(conn, source, replace(allowance, versions=0, accounts=0), *more)

    patch.setattr(guard, "hold_back", mutant)


def guard_forgets_at_a_restart(patch: pytest.MonkeyPatch) -> None:
    """A run that was held and cut off goes on as if nothing had been."""
    allow = guard.allow
    patch.setattr(guard, "allow", lambda *args, first, **more: allow(*args, first=False, **more))


def held_is_sent(patch: pytest.MonkeyPatch) -> None:
    """What is held stays in the memory of the sender."""
    patch.setattr(Sender, "withdraw", lambda *_: ())


def held_by_the_guard_is_sent(patch: pytest.MonkeyPatch) -> None:
    """What a run may not send leaves in the memory of the sender what it replaced."""
    patch.setattr(Sending, "offer", lambda self, rows, _: self.sender.offer(rows))


def pause_of_a_source_not_persisted(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sources, "pause", lambda *_, **__: None)


def pause_of_the_sending_not_persisted(patch: pytest.MonkeyPatch) -> None:
    """Whoever is told of the pause takes it from memory, which ends with the process."""
    begin = epoch.begin

    def mutant(conn: Any, *args: Any, **more: Any) -> None:
        sending.resume(conn)
        begin(conn, *args, **more)

    patch.setattr(epoch, "begin", mutant)


def forgotten_is_brought_back(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(forgetting, "recognised", lambda *_: ())


def forgotten_is_not_balanced(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(forgetting.counters, "OPEN", ())


def bytes_of_the_forgotten_stay(patch: pytest.MonkeyPatch) -> None:
    """What was deleted stays in the log."""

    async def mutant(_: Any) -> None: ...

    patch.setattr(Ledger, "scour", mutant)


def remap_counted_as_read(patch: pytest.MonkeyPatch) -> None:
    counts = storing._counts
    patch.setattr(storing, "_counts", lambda taken, batch: counts(replace(taken, remapped=False), batch))


def reloads_while_it_stops(patch: pytest.MonkeyPatch) -> None:
    """What a reload starts then is ended by nobody."""
    stop = Engine.stop

    async def mutant(self: Engine) -> None:
        self._stopping = True
        await stop(self)

    patch.setattr(Engine, "stop", mutant)


OPERATING = (
    backfill_moves_the_live_cursor,
    backfill_starts_over,
    backfill_in_the_live_lane,
    backfill_overtakes_a_newer_revision,
    backfill_brings_back_what_was_overtaken,
    guard_counts_each_batch_anew,
    guard_forgets_at_a_restart,
    held_is_sent,
    held_by_the_guard_is_sent,
    pause_of_a_source_not_persisted,
    pause_of_the_sending_not_persisted,
    forgotten_is_brought_back,
    forgotten_is_not_balanced,
    bytes_of_the_forgotten_stay,
    remap_counted_as_read,
    reloads_while_it_stops,
)
