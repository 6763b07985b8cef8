"""What the ledger does with batches, in memory: records by key, and how often one was new or changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cgsync.api import Batch, Later, SourceUnavailable
from cgsync.batches import check
from cgsync.testing.driving import Driver, advanced


@dataclass(slots=True)
class Receiver:
    """``cursor`` and ``records`` change together, as in one transaction."""

    cursor: Any = field(default_factory=dict)
    records: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    revisions: dict[str, int | datetime] = field(default_factory=dict)
    changes: int = 0
    failures: list[str] = field(default_factory=list)

    async def poll(self, driver: Driver) -> int:
        """One poll: all that the source has. How many records were new or changed."""
        before, previous = self.changes, None
        async with driver.open() as source:
            while (answer := await source.fetch(self.cursor)) is not None:
                if isinstance(answer, Later):
                    await driver.context.clock.sleep(answer.after.total_seconds())
                    continue
                check(answer, self.cursor, previous)
                self.store(answer)
                previous = answer
        return self.changes - before

    async def poll_until_done(self, driver: Driver, most: int = 12) -> None:
        """As the daemon does: a poll that failed is done again by a source that was opened anew."""
        for _ in range(most):
            try:
                await self.poll(driver)
            except SourceUnavailable as error:
                self.failures.append(str(error))
            else:
                return
        raise AssertionError(f"it fails again and again: {self.failures}")

    def store(self, batch: Batch) -> None:
        for record in batch.records:
            revision = record.revision
            known: Any = self.revisions.get(record.key)
            if known is not None and revision is not None and revision < known:
                continue  # stale
            if revision is not None:
                self.revisions[record.key] = revision
            if self.records.get(record.key) != record.data:
                self.changes += 1
                self.records[record.key] = record.data
        self.cursor = advanced(self.cursor, batch)
