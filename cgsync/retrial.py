"""Rejects that are mapped again: at an operator's word, or by themselves once something else would judge them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from cgsync.api import MAX_RECORDS, Batch, Clock, Log, Record
from cgsync.intake import Offer, SourceIntake
from cgsync.ledger import Instant, Ledger, basis, retrials
from cgsync.model import Lane
from cgsync.preparation import NO_KEY, Plan

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Retrial:
    """Gives the rejects of one source another try. ``offer`` takes rows that are to be sent."""

    def __init__(
        self,
        plan: Plan,
        intake: SourceIntake,
        ledger: Ledger,
        *,
        offer: Offer,
        clock: Clock,
        log: Log,
    ) -> None:
        self._plan = plan
        self._intake = intake
        self._ledger = ledger
        self._offer = offer
        self._clock = clock
        self._log = log

    async def run(self) -> Counter[str]:
        """Try whatever was judged by another mapping, other lookups or other credentials; counts of what came of it."""
        today = await self._today()
        total: Counter[str] = Counter()
        outdated = partial(retrials.outdated, uid=self._plan.uid, basis=today, limit=MAX_RECORDS)
        while numbers := await self._ledger.read(outdated):
            total.update(await self._chunk(numbers, today))
        if total:
            self._log.info("tried rejects again", **total)
        return total

    async def again(self, numbers: Sequence[int]) -> Counter[str]:
        """Map the records of these rejects again; send once more what the API refused and what is still the same."""
        today = await self._today()
        total: Counter[str] = Counter()
        for some in _chunks(numbers):
            total.update(await self._chunk(some, today))
        return total

    async def _today(self) -> basis.Basis:
        judge = self._plan.judge()
        noted = await self._ledger.read(partial(basis.noted, uid=self._plan.uid))
        if noted.judge == judge:
            return noted
        note = partial(basis.note_judge, uid=self._plan.uid, judge=judge, now=Instant.of(self._clock))
        return await self._ledger.write(note)

    async def _chunk(self, numbers: Sequence[int], today: basis.Basis) -> Counter[str]:
        stored = await self._intake.remap(partial(_batch, numbers=numbers), lane=Lane.RETRY)
        now = Instant.of(self._clock)
        due = await self._ledger.write(partial(retrials.again, numbers=numbers, basis=today, now=now))
        self._offer(due, ())
        return Counter(stored.counts) + Counter(requeued=len(due))


def _batch(conn: Connection, numbers: Sequence[int]) -> Batch:
    """The records of these rejects; one without a key would go by its position for ever."""
    found = retrials.contents(conn, numbers)
    return Batch(
        records=[
            Record(
                key=one.identity,
                data=msgspec.json.decode(one.record),
                position=one.position,
                revision=one.revision,
            )
            for one in found
            if one.record and NO_KEY not in one.reasons.values()
        ]
    )


def _chunks(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    return (numbers[start : start + MAX_RECORDS] for start in range(0, len(numbers), MAX_RECORDS))
