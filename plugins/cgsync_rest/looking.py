"""Trying the source without consequences: what one request shows, and the first records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from cgsync.api import Clock, Record
from cgsync_rest.client import Client
from cgsync_rest.page import Page
from cgsync_rest.pagers import shown
from cgsync_rest.partitions import Partition
from cgsync_rest.plan import Plan
from cgsync_rest.position import Position
from cgsync_rest.progress import Progress
from cgsync_rest.reader import Reader
from cgsync_rest.stream import Stream
from cgsync_rest.turns import Turn

RECENT = (timedelta(days=1), timedelta(days=30))
FIELDS = 8
"""Names that a line about a record shows."""


async def summary(plan: Plan, client: Client, partition: Partition | None, clock: Clock) -> str:
    """Status, count, the first record's fields, and the way to the next page, in one line."""
    if partition is None:
        return "the parent request lists nothing, so there is nothing to ask for"
    turn, page, following = await first_page(plan, client, partition, clock)
    records = list(plan.drafter.selection.records(page.nodes))
    words = [f"{shown(page.answer.url)} answered {page.answer.status}", counted(len(records))]
    if partition.value is not None:
        words.append(f"for {partition.part}")
    if records:
        words.append(f"the first one has {named(records[0])}")
    words.append(f"next page: {told(turn, following)}")
    return ", ".join(words)


async def first_page(plan: Plan, client: Client, partition: Partition, clock: Clock) -> tuple[Turn, Page, Turn | None]:
    """Where it is, the page itself, and where the next one would be."""
    progress = Progress(plan, Position())
    walk = progress.begin(clock.now())
    assert walk is not None
    assert walk.turn is not None
    reader = Reader(plan, client, partition, progress.spans, clock)
    page = await reader.ask(walk, walk.turn)
    return walk.turn, page, reader.after(walk, walk.turn, page)


def counted(count: int) -> str:
    return "1 record" if count == 1 else f"{count} records"


def named(record: Mapping[str, Any]) -> str:
    names = [name if name.isprintable() else repr(name) for name in record]
    more = f" and {len(names) - FIELDS} more" if len(names) > FIELDS else ""
    return ", ".join(names[:FIELDS]) + more


def told(turn: Turn, following: Turn | None) -> str:
    """How the next page would be asked for."""
    if following is None:
        return "none"
    addition = following.addition
    if addition.url is not None:
        return f"by its address ({shown(addition.url)})"
    params = [f"{name}={value}" for name, value in addition.params.items() if turn.addition.params.get(name) != value]
    others = [*addition.fields, *addition.headers]
    return f"by {', '.join([*params, *others])[:100]}"


async def newest_records(open_at: Callable[[Position], Stream], n: int, now: datetime) -> Sequence[Record]:
    """Up to ``n`` of the last day, else of the last month, else the first ones that there are."""
    for distance in RECENT:
        if found := await first_records(open_at(Position(at=(now - distance).isoformat())), n):
            return found
    return await first_records(open_at(Position()), n)


async def first_records(stream: Stream, n: int) -> Sequence[Record]:
    records: list[Record] = []
    while len(records) < n and (chunk := await stream.read(float("inf"))) is not None:
        records.extend(chunk.records)
    return records[:n]
