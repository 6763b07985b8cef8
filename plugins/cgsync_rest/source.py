"""The open source: what it is asked for by the core, and what it keeps in memory between two questions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

from cgsync.api import Batch, Context, Cursor, Later, Record
from cgsync.formats import Workers, decode_settings
from cgsync.http import http_arguments
from cgsync_rest.client import Client, Enough, origin_of
from cgsync_rest.looking import first_records, newest_records, summary
from cgsync_rest.parents import Parents, listed
from cgsync_rest.partitions import Partition
from cgsync_rest.plan import Plan
from cgsync_rest.position import Position
from cgsync_rest.rendering import is_template
from cgsync_rest.rules import Rules
from cgsync_rest.stream import Stream
from cgsync_rest.tour import Tour

LONGEST = timedelta(seconds=20)
"""After that a fetch says how far it came, although it found nothing to store yet."""


@asynccontextmanager
async def opened(options: Mapping[str, Any], context: Context) -> AsyncIterator[RestSource]:
    """The source. Raises :class:`SourceMisconfigured` for options that do not go together; nothing is asked yet."""
    origin = origin_of(options["url"])
    plan, rules = Plan.of(options, context), Rules.of(options.get("errors", ()), context.template)
    fixed = {name: text for name, text in options.get("headers", {}).items() if not is_template(text)}
    arguments = http_arguments({**options, "headers": fixed}, origin=origin, context=context)
    async with AsyncExitStack() as stack:
        client = Client(
            http=await stack.enter_async_context(context.http(**arguments)),
            workers=await stack.enter_async_context(Workers()),
            decoding=decode_settings(options.get("decode", {}), limits=options.get("limits", {})),
            rules=rules,
            log=context.log,
            graphql="graphql" in options.get("body", {}),
            most=options.get("max_requests"),
        )
        yield RestSource(plan, client, context, options)


class RestSource:
    """Reads an API run after run. All that it remembers beside the cursor is a cache: the run under way."""

    def __init__(self, plan: Plan, client: Client, context: Context, options: Mapping[str, Any]) -> None:
        self._plan = plan
        self._client = client
        self._context = context
        self._for_each: Mapping[str, Any] = options.get("for_each", {})
        parent = self._for_each.get("parent")
        self._parents = Parents.of(parent, context.template, options["url"]) if parent else None
        self._most_records: int | None = options.get("max_records")
        self._records = 0
        self._tour: Tour | None = None
        self._before: Cursor = {}
        self._behind: Cursor = {}
        self._batch: Batch | None = None

    async def fetch(self, cursor: Cursor) -> Batch | Later | None:
        """What comes after ``cursor``: at most 500 records of one partition."""
        if self._batch is not None and cursor == self._before != self._behind:
            return self._batch  # asked again, since it could not be stored
        if cursor != self._behind:
            self._forget()  # somebody starts from another place than where we stopped
        try:
            return await self._fetch(cursor)
        except Enough:
            self._rest()
            return None
        except BaseException:
            self._forget()
            raise

    async def _fetch(self, cursor: Cursor) -> Batch | Later | None:
        if self._most_records is not None and self._records >= self._most_records:
            self._rest()
            return None
        if self._tour is None:
            self._tour = Tour(
                self._partitions,
                self._stream,
                cursor,
                alone=not self._for_each,
                progress=lambda: self._client.answers,
            )
        answer = await self._tour.next(self._context.clock.monotonic() + LONGEST.total_seconds())
        self._before = self._behind = cursor
        self._batch = None
        if isinstance(answer, Batch):
            self._records += len(answer.records)
            self._batch, self._behind = answer, advanced(cursor, answer)
        elif answer is None:
            self._forget()
            self._rest()
        return answer

    def _rest(self) -> None:
        """The run is over; the next question begins another one, or goes on where a limit stopped us."""
        self._records = self._client.requests = 0
        self._batch = None

    def _forget(self) -> None:
        """Drop what is in memory; what counts is in the cursor."""
        self._tour = self._batch = None

    async def check(self) -> str:
        """One request (two with a parent), and what was seen."""
        self._client.requests = 0
        return await summary(self._plan, self._client, await self._first_partition(), self._context.clock)

    async def sample(self, n: int) -> Sequence[Record]:
        """The newest ``n`` records where the API can be asked for them, else the first that it gives."""
        self._client.requests = 0
        partition = await self._first_partition()
        if partition is None:
            return []
        open_at = partial(self._stream, partition)
        if not self._plan.asks_by_time:
            return await first_records(open_at(Position()), n)
        return await newest_records(open_at, n, self._context.clock.now())

    async def _first_partition(self) -> Partition | None:
        if self._parents is None:
            return next(iter(await self._partitions()))
        now = self._context.clock.now().isoformat()
        async with aclosing(self._parents.partitions(self._client, now)) as found:
            return await anext(found, None)

    async def _partitions(self) -> Sequence[Partition]:
        if self._parents is None:
            return listed(self._for_each["values"]) if self._for_each else [Partition()]
        now = self._context.clock.now().isoformat()
        found = {each.part: each async for each in self._parents.partitions(self._client, now)}
        return list(found.values())

    def _stream(self, partition: Partition, position: Position) -> Stream:
        clock, log = self._context.clock, self._context.log
        return Stream(self._plan, self._client, partition, position, clock=clock, log=log)


def advanced(cursor: Cursor, batch: Batch) -> Cursor:
    """The cursor once the batch is stored."""
    return {part: value for part, value in {**cursor, **batch.cursor}.items() if value is not None}
