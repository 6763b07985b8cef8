"""Intake: fetch what one source has, map each record, check each activity, commit the batch.

This is one half of the story; ``sender.py`` is the other. A batch is the unit: its activities, its rejects, its
counts, its cursor and the list of what may be settled are stored in one transaction, and only after that returned
does anything else happen with it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from cgsync.api import (
    MAX_CURSOR_PART,
    MAX_RAW,
    MAX_RECORDS,
    Batch,
    Clock,
    Cursor,
    Json,
    Later,
    Record,
    Source,
    Unreadable,
)
from cgsync.contract import Contract
from cgsync.errors import NoRoom, PluginError, RecordError, SourceUnavailable
from cgsync.ledger import Instant, Ledger, backfills, checkpoints, guard, outbox, plain
from cgsync.mapping import Mapper, activity
from cgsync.model import Allowance, Due, Intake, Lane, MappedRecord, Reject, RejectKind, Stored

if TYPE_CHECKING:
    from sqlalchemy import Connection

T = TypeVar("T")

SHORTEST_LATER = timedelta(seconds=1)
"""What a source that asks for no time at all, or for less, is given: it is not to keep the daemon busy by that."""
OVERTAKEN = "read anew meanwhile"
"""The cause for which a backfill leaves out what was read by a poll that began later: that is not older."""
NO_KEY = "the record has no key, so it could never be recognised again"
SLICE = 0.02
"""Seconds of mapping after which the loop may turn: other sources and the sender are not to wait for us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How the records of one source become activities."""

    uid: str
    mapper: Mapper
    contract: Contract
    shared: bool = False
    forgeable_keys: bool = False
    new_accounts: int | None = None
    """so many may one run make before the rest of it is held; ``None``: what is usual"""

    def judge(self) -> str:
        """A digest of all that decides what becomes of a record."""
        return f"{self.mapper.judge()}-{self.contract.digest}-{int(self.shared)}"


@dataclass(slots=True, kw_only=True)
class Drained:
    """What one poll took in. ``later`` is set when the source has something that is not ready yet."""

    counts: dict[str, int] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    """part → why it failed"""
    moved: set[str] = field(default_factory=set)
    """parts whose cursor changed, so that an older problem of theirs is over"""
    batches: int = 0
    later: timedelta | None = None
    held: str = ""
    """why the rest of it is held until an operator releases it"""

    def add(self, stored: Stored, batch: Batch) -> None:
        self.batches += 1
        self.held = stored.allowance.held if stored.allowance else ""
        self.moved |= batch.cursor.keys()
        self.problems |= {problem.part: problem.reason for problem in batch.problems}
        self._count(stored.counts)

    def follow(self, before: Drained) -> None:
        """Take over what an earlier poll of the same run took in."""
        self.batches += before.batches
        self.moved |= before.moved
        self.problems = before.problems | self.problems
        self._count(before.counts)

    def _count(self, counts: Mapping[str, int]) -> None:
        for name, count in counts.items():
            self.counts[name] = self.counts.get(name, 0) + count


class SourceIntake:
    """Takes in what one source has, batch by batch."""

    def __init__(
        self, plan: Plan, ledger: Ledger, *, offer: Callable[[Sequence[Due]], None], clock: Clock, time_limit: timedelta
    ) -> None:
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

    async def drain(self, source: Source, *, settle: Callable[[], Any]) -> Drained:
        """Fetch, map, check and commit until the source has nothing more; ``settle`` runs after each commit."""
        cursor = await self._ledger.read(partial(checkpoints.load, source=self._plan.uid))
        drained = await self._drain(source, cursor, self._take_guarded, settle)
        self._allowance, self._first = None, False
        return drained

    async def catch_up(self, source: Source, *, backfill: int, progress: Callable[[], Any]) -> Drained:
        """The same for the backfill of that number: it has its own cursor and lane, and nothing is settled."""
        cursor = await self._ledger.read(partial(backfills.cursor, number=backfill))
        self._polled = {}
        try:
            return await self._drain(source, cursor, partial(self._take_again, backfill=backfill), progress)
        finally:
            self._polled = None

    async def _drain(
        self, source: Source, cursor: Cursor, take: Callable[[Batch, int], Awaitable[Stored]], after: Callable[[], Any]
    ) -> Drained:
        drained = Drained()
        previous: Batch | None = None
        number = next(self._fetches)
        while isinstance(answer := await self.fetch(source, cursor), Batch):
            check(answer, cursor, previous)
            drained.add(await take(answer, number), answer)
            cursor, previous = advanced(cursor, answer.cursor), answer
            await after()
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
        self._offer(stored.due)
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


async def within(limit: timedelta, work: Awaitable[T], what: str) -> T:
    """The result of ``work``; raises :class:`SourceUnavailable` when it took longer than ``limit``."""
    timer = asyncio.timeout(limit.total_seconds())
    try:
        async with timer:
            result = await work
    except TimeoutError:
        if not timer.expired():  # the plugin's own, which it should have translated
            raise
        raise SourceUnavailable(f"{what} took longer than {limit.total_seconds():g} s and was cut off") from None
    if is_ending():  # the plugin swallowed that
        raise asyncio.CancelledError
    return result


def is_ending() -> bool:
    """Whether the task we are in was told to end; if not, a CancelledError is an error like any other."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def prepare(record: Record, plan: Plan) -> MappedRecord | Reject | None:
    """One record as its activities, as a reject, or ``None`` when the mapping leaves it out."""
    if not record.key:
        return invalid(record, {"": NO_KEY}, plan)
    if not is_comparable(record.revision):
        return invalid(record, {"": "its revision is a time without a zone"}, plan)
    body: Any = None
    try:
        activities = []
        for body in plan.mapper.map(record, plan.uid):
            if problems := plan.contract.problems(body):
                return invalid(record, problems, plan, body)
            activities.append(activity(body))
    except RecordError as error:
        return invalid(record, error.reasons, plan, body)
    return MappedRecord(record=record, activities=activities) if activities else None


def is_comparable(revision: int | datetime | None) -> bool:
    """Whether it can be told from other revisions which is the later; a time without a zone can be any."""
    return not isinstance(revision, datetime) or revision.tzinfo is not None


def invalid(record: Record, reasons: dict[str, str], plan: Plan, body: Any = None) -> Reject:
    return Reject(
        kind=RejectKind.INVALID,
        identity=record.key or record.position,
        position=record.position,
        record=plain.data(record.data),
        reasons=reasons,
        mapping_version=plan.mapper.version,
        mapped=plain.data(body) if body else None,
        revision=record.revision if is_comparable(record.revision) else None,
    )


def unreadable(item: Unreadable) -> Reject:
    return Reject(
        kind=RejectKind.UNREADABLE,
        identity=item.position,
        position=item.position,
        record=item.raw[:MAX_RAW],
        reasons={"": item.reason},
        mapping_version="",
    )


def advanced(cursor: Cursor, changes: Cursor) -> Cursor:
    """The cursor after ``changes``; a part that became ``None`` is forgotten."""
    return {part: value for part, value in {**cursor, **changes}.items() if value is not None}


def check(batch: Batch, cursor: Cursor, previous: Batch | None) -> None:
    """Raise :class:`PluginError` for what would loop for ever or could never be stored."""
    if len(batch.records) > MAX_RECORDS:
        raise PluginError(f"fetch returned {len(batch.records)} records, at most {MAX_RECORDS} are allowed")
    if batch == previous:
        raise PluginError("fetch returned the same batch twice in a row")
    moved = any(cursor.get(part) != value for part, value in batch.cursor.items())
    if not moved and not batch.records and not batch.rejects:
        raise PluginError("fetch returned a batch without records that moves no part of the cursor")
    for part, value in batch.cursor.items():
        _check_json(value, f"part {part!r} of the cursor")
    for item in batch.done:
        _check_json(item, "an item of done")


def _check_json(value: Json, what: str) -> None:
    try:
        # json, since msgspec makes text of times, bytes and sets without a word, which would not come back as such
        size = len(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode())
    except (TypeError, ValueError) as error:
        raise PluginError(f"{what} is not JSON: {error}") from None
    if size > MAX_CURSOR_PART:
        raise PluginError(f"{what} takes {size} bytes, at most {MAX_CURSOR_PART} are allowed")
