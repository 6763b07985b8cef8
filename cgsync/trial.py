"""Trying a source without consequences: nothing is stored, sent or settled, and no cursor moves."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from cgsync.api import Batch, Checks, Clock, Cursor, Later, Log, Record, Samples, Source, Unreadable, Window
from cgsync.config import SourceConfig
from cgsync.contract import Contract
from cgsync.errors import CgsyncError, ControlError
from cgsync.hosting import Host
from cgsync.intake import Plan, advanced, check, is_ending, prepare
from cgsync.mapping import compile_mapping
from cgsync.model import MappedRecord, Reject
from cgsync.traffic import Asked, Traffic

if TYPE_CHECKING:
    from cgsync.http import Wrap

PATIENCE = timedelta(minutes=1)
LONGEST = 100
"""Characters of the names of a record's fields that are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A record, what it becomes, and the verdict: ``activity``, ``filtered``, ``invalid`` or ``unreadable``."""

    position: str
    verdict: str
    key: str = ""
    record: Any = None
    activities: Sequence[Any] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a source was asked, what it offered, and why there is no more of it (``error`` and ``hint``)."""

    requests: Sequence[Asked] = ()
    records: Sequence[Tried] = ()
    error: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """What a source offers; not ``whole``: there is more. ``filtered`` are those that it left out itself, by cause."""

    items: Sequence[Record | Unreadable]
    filtered: Mapping[str, int]
    whole: bool


class Trial:
    """One source, ready to be tried. ``wire``: what is put around its HTTP, instead of looking at it.

    ``clock`` is the source's time, if that is not the host's.
    """

    def __init__(
        self,
        source: SourceConfig,
        *,
        uid: str,
        contract: Contract,
        host: Host,
        log: Log,
        window: Window | None = None,
        wire: Wrap | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._log = log
        self._clock = host.clock
        self._traffic = Traffic()
        self._open = partial(
            host.open,
            source.type,
            source.options,
            name=source.name,
            uid=uid,
            log=log,
            window=window,
            wire=wire or self._traffic.watch(),
            clock=clock,
        )
        self._plan = Plan(uid=uid, mapper=compile_mapping(source.mapping), contract=contract)

    async def preview(self, count: int) -> Preview:
        """The first ``count`` records that the source offers, each with what it becomes; a failure is part of it."""
        try:
            items = await self._offered(count)
        except CgsyncError as error:
            return Preview(requests=self._traffic.asked, error=error.message, hint=error.hint)
        return Preview(requests=self._traffic.asked, records=[self.tried(item) for item in items])

    async def _offered(self, count: int) -> Sequence[Record | Unreadable]:
        async with self._opened() as source:
            if isinstance(source, Samples):
                return await source.sample(count)
            answer = await source.fetch({})
        return items_of(answer)[:count] if isinstance(answer, Batch) else []

    async def offered(self, count: int | None) -> Offered:
        """All that the source has from its beginning on, or the first ``count`` of it."""
        items: list[Record | Unreadable] = []
        filtered: Counter[str] = Counter()
        cursor: Cursor = {}
        previous: Batch | None = None
        async with self._opened() as source:
            while isinstance(answer := await self._ready(source, cursor), Batch):
                check(answer, cursor, previous)
                items += items_of(answer)
                filtered.update(answer.filtered)
                cursor, previous = advanced(cursor, answer.cursor), answer
                if count is not None and len(items) >= count:
                    return Offered(items=items[:count], filtered=filtered, whole=False)
        return Offered(items=items, filtered=filtered, whole=True)

    async def _ready(self, source: Source, cursor: Cursor) -> Batch | Later | None:
        """What it has; what is not ready yet is waited for, a minute at most."""
        left = PATIENCE
        while isinstance(answer := await source.fetch(cursor), Later) and answer.after <= left:
            left -= max(answer.after, timedelta(seconds=1))
            await self._clock.sleep(answer.after.total_seconds())
        return answer

    async def online(self) -> str:
        """One real, read-only try, and what was seen, in one line."""
        try:
            async with self._opened() as source:
                if isinstance(source, Checks):
                    return await source.check()
                answer = await source.fetch({})
        except CgsyncError as error:
            if asked := self._traffic.words():
                raise ControlError(f"{error.message}; asked: {asked}", hint=error.hint) from error
            raise
        return "; ".join(filter(None, [_seen(answer), self._traffic.words()]))

    async def dry_run(self, cursor: Cursor, show: Callable[[Tried], None]) -> None:
        """Map and check all that the source has after ``cursor``, one by one."""
        previous: Batch | None = None
        async with self._opened() as source:
            while isinstance(answer := await source.fetch(cursor), Batch):
                check(answer, cursor, previous)
                for item in items_of(answer):
                    show(self.tried(item))
                cursor, previous = advanced(cursor, answer.cursor), answer

    @contextlib.asynccontextmanager
    async def _opened(self) -> AsyncIterator[Source]:
        try:
            async with self._open() as source:
                yield source
        except CgsyncError:
            raise
        except BaseException as error:
            if is_ending():
                raise asyncio.CancelledError from error
            self._log.error("the plugin failed", exc_info=error)
            raise ControlError(f"{type(error).__name__}: {error}", hint="this is a bug of the plugin") from error

    def tried(self, item: Record | Unreadable) -> Tried:
        """What becomes of it."""
        if isinstance(item, Unreadable):
            raw = item.raw.decode("utf-8", "backslashreplace")
            return Tried(position=item.position, verdict="unreadable", record=raw, reasons={"": item.reason})
        seen = Tried(position=item.position, key=item.key, record=item.data, verdict="filtered")
        match prepare(item, self._plan):
            case MappedRecord(activities=activities):
                bodies = [msgspec.json.decode(activity.body) for activity in activities]
                return replace(seen, verdict="activity", activities=bodies)
            case Reject(reasons=reasons, mapped=mapped):
                bodies = [msgspec.json.decode(mapped)] if mapped else []
                return replace(seen, verdict="invalid", reasons=reasons, activities=bodies)
            case None:
                return seen


def items_of(batch: Batch) -> list[Record | Unreadable]:
    """All that the batch holds."""
    return [*batch.records, *batch.rejects]


def _seen(answer: Batch | Later | None) -> str:
    if isinstance(answer, Batch):
        fields = ", ".join(answer.records[0].data) if answer.records else ""
        first = f"; the first has {fields if len(fields) <= LONGEST else f'{fields[:LONGEST]}…'}" if fields else ""
        return f"{len(answer.records)} records, {len(answer.rejects)} unreadable{first}"
    if isinstance(answer, Later):
        return f"something is there, ready in {answer.after.total_seconds():.0f} s"
    return "nothing new"
