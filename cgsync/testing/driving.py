"""Driving a source as the core does: fetch, remember the cursor, wait when told to, until there is nothing more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from cgsync.api import Batch, Context, Cursor, Later, Source, SourceType

MOST_WAITS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One batch, and the cursor before and behind it."""

    before: Cursor
    batch: Batch
    behind: Cursor


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """Opens one source as often as a test needs it, always with the same options and the same context."""

    kind: SourceType
    options: Mapping[str, Any]
    context: Context
    most_batches: int = 10_000

    def open(self) -> AbstractAsyncContextManager[Source]:
        return self.kind.open(self.options, self.context)

    async def drain(self, source: Source, cursor: Cursor) -> list[Step]:
        """All batches behind ``cursor``."""
        return [step async for step in self.steps(source, cursor)]

    async def steps(self, source: Source, cursor: Cursor) -> AsyncIterator[Step]:
        waits = 0
        for _ in range(self.most_batches):
            answer = await source.fetch(cursor)
            if answer is None:
                return
            if isinstance(answer, Later):
                waits += 1
                assert waits < MOST_WAITS, "fetch says `Later` again and again, although time passes"
                await self.context.clock.sleep(answer.after.total_seconds())
                continue
            behind = advanced(cursor, answer)
            yield Step(before=cursor, batch=answer, behind=behind)
            cursor = behind
        raise AssertionError(f"there is still more after {self.most_batches} batches")

    async def reopened(self, cursor: Cursor) -> list[Step]:
        """All batches behind ``cursor`` by a source that remembers nothing."""
        async with self.open() as source:
            return await self.drain(source, cursor)


def advanced(cursor: Cursor, batch: Batch) -> Cursor:
    return {part: value for part, value in {**cursor, **batch.cursor}.items() if value is not None}


def keys(steps: Sequence[Step]) -> list[str]:
    return [record.key for step in steps for record in step.batch.records]
