"""Intake: fetch what one source has, map each record, check each activity, commit the batch.

This is one half of the story; ``sender.py`` is the other. A batch is the unit: its activities, its rejects, its
counts, its cursor and the list of what may be settled are stored in one transaction, and only after that returned
does anything else happen with it.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from cgsync.api import Batch, Clock, Cursor, Later, Record, Source
from cgsync.batches import advanced, check
from cgsync.bounds import within
from cgsync.drained import Drained
from cgsync.errors import NoRoom, PluginError
from cgsync.ledger import Instant, Ledger, backfills, checkpoints, guard, outbox
from cgsync.model import Allowance, Due, Intake, Lane, MappedRecord, Reject, Stored
from cgsync.preparation import Plan, prepare, unreadable

if TYPE_CHECKING:
    from sqlalchemy import Connection

SHORTEST_LATER = timedelta(seconds=1)
"""What a source that asks for no time at all, or for less, is given: it is not to keep the daemon busy by that."""
OVERTAKEN = "read anew meanwhile"
"""The cause for which a backfill leaves out what was read by a poll that began later: that is not older."""
SLICE = 0.02
"""Seconds of mapping after which the loop may turn: other sources and the sender are not to wait for us."""


Offer: TypeAlias = "Callable[[Sequence[Due], Collection[str]], None]"
"""Takes rows that were just committed, and the keys of what is held from now on."""


class SourceIntake:
    """Takes in what one source has, batch by batch."""

    def __init__(self, plan: Plan, ledger: Ledger, *, offer: Offer, clock: Clock, time_limit: timedelta) -> None:
        self._plan = plan
        self._ledger = ledger
        self._offer = offer
        self._clock = clock
        self._turn = asyncio.Lock()
        self._first = True  # no run has ended yet
        self._allowance: Allowance | None = None  # of the run under way: one that is cut off goes on where it was
        self._fetches = itertools.count(1)
        self._polled: dict[str, int] | None = None  # while a backfill reads: record → the fetch of a poll that had it
        self.time_limit = time_limit

    async def drain(self, source: Source, *, after: Callable[[Stored], Any]) -> Drained:
        """Fetch, map, check and commit until the source has nothing more; ``after`` runs after each commit."""
        cursor = await self._ledger.read(partial(checkpoints.load, source=self._plan.uid))
        drained = await self._drain(source, cursor, self._take_guarded, after)
        self._allowance, self._first = None, False
        return drained

    async def catch_up(self, source: Source, *, backfill: int, after: Callable[[Stored], Any]) -> Drained:
        """The same for the backfill of that number: it has its own cursor and lane, and nothing is settled."""
        cursor = await self._ledger.read(partial(backfills.cursor, number=backfill))
        self._polled = {}
        try:
            return await self._drain(source, cursor, partial(self._take_again, backfill=backfill), after)
        finally:
            self._polled = None

    async def _drain(
        self,
        source: Source,
        cursor: Cursor,
        take: Callable[[Batch, int], Awaitable[Stored]],
        after: Callable[[Stored], Any],
    ) -> Drained:
        drained = Drained()
        previous: Batch | None = None
        number = next(self._fetches)
        while isinstance(answer := await self.fetch(source, cursor), Batch):
            check(answer, cursor, previous)
            drained.add(stored := await take(answer, number), answer)
            cursor, previous = advanced(cursor, answer.cursor), answer
            await after(stored)
            number = next(self._fetches)
        drained.later = max(answer.after, SHORTEST_LATER) if isinstance(answer, Later) else None
        return drained

    async def fetch(self, source: Source, cursor: Cursor) -> Batch | Later | None:
        if (seen := self._ledger.disk.look()).words:
            raise NoRoom(seen.words, retry_after=SHORTEST_LATER, hint=seen.hint)
        answer = await within(self.time_limit, source.fetch(cursor), "fetch")
        if not isinstance(answer, Batch | Later | None):
            raise PluginError(f"fetch returned {type(answer).__name__}, not a Batch, a Later or None")
        return answer

    async def take(
        self, batch: Batch, *, remapped: bool = False, lane: Lane = Lane.LIVE, allowance: Allowance | None = None
    ) -> Stored:
        """Map and check the batch, commit it, and hand what is new to the sender."""
        async with self._turn:
            return await self._store(await self.map(batch, remapped=remapped, lane=lane, allowance=allowance))

    async def remap(self, read: Callable[[Connection], Batch], *, lane: Lane = Lane.BACKFILL) -> Stored:
        """Map again what ``read`` finds in the ledger; nothing of this source is stored between the two."""
        async with self._turn:
            batch = await self._ledger.read(read)
            if not batch.records:
                return Stored(due=(), counts={})
            return await self._store(await self.map(batch, remapped=True, lane=lane))

    async def _take_guarded(self, batch: Batch, number: int) -> Stored:
        if self._allowance is None:
            new_accounts = self._plan.new_accounts
            limits = partial(guard.allow, source=self._plan.uid, new_accounts=new_accounts, first=self._first)
            self._allowance = await self._ledger.read(limits)
        stored = await self.take(batch, allowance=self._allowance)
        self._allowance = stored.allowance
        if self._polled is not None:
            self._polled.update(dict.fromkeys((record.key for record in batch.records), number))
        return stored

    async def _take_again(self, batch: Batch, number: int, backfill: int) -> Stored:
        async with self._turn:
            batch = self._without_overtaken(batch, number)
            return await self._store(await self.map(batch), partial(backfills.store, number=backfill))

    def _without_overtaken(self, batch: Batch, number: int) -> Batch:
        """Without what a poll brought that began after this batch was asked for: by now this may be older."""
        polled, self._polled = self._polled or {}, {}
        records = [record for record in batch.records if polled.get(record.key, 0) < number]
        if len(records) == len(batch.records):
            return batch
        overtaken = batch.filtered.get(OVERTAKEN, 0) + len(batch.records) - len(records)
        return replace(batch, records=records, filtered={**batch.filtered, OVERTAKEN: overtaken})

    async def _store(self, intake: Intake, store: Callable[..., Stored] = outbox.store) -> Stored:
        stored = await self._ledger.write(partial(store, intake=intake, now=Instant.of(self._clock)))
        self._offer(stored.due, stored.held)
        return stored

    async def map(
        self,
        batch: Batch,
        *,
        remapped: bool = False,
        lane: Lane = Lane.LIVE,
        allowance: Allowance | None = None,
    ) -> Intake:
        """The batch as the ledger takes it. ``remapped``: its records come from there."""
        judge = self._plan.judge()  # before the first record: what changes meanwhile then counts as another
        mapped: list[MappedRecord] = []
        rejects = [unreadable(item) for item in batch.rejects]
        left_out: list[Record] = []
        pause = self._clock.monotonic() + SLICE
        for record in batch.records:
            match prepare(record, self._plan):
                case MappedRecord() as passed:
                    mapped.append(passed)
                case Reject() as refused:
                    rejects.append(refused)
                case None:
                    left_out.append(record)
            if self._clock.monotonic() > pause:
                await asyncio.sleep(0)
                pause = self._clock.monotonic() + SLICE
        return Intake(
            source=self._plan.uid,
            read=len(batch.records),
            mapped=mapped,
            rejects=rejects,
            filtered={"when": len(left_out)} if left_out else {},
            left_out=left_out,
            skipped=batch.filtered,
            cursor=batch.cursor,
            done=batch.done,
            mapping_version=self._plan.mapper.version,
            forgeable_keys=self._plan.forgeable_keys,
            shared=self._plan.shared,
            remapped=remapped,
            lane=lane,
            allowance=allowance,
            basis=judge,
        )
