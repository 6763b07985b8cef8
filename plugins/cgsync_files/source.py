"""The open source: what it does in a thread, and what wakes it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from types import TracebackType
from typing import TypeVar

from cgsync.api import Batch, Context, Cursor, Json, Later, Record
from cgsync_files.drop import Drop
from cgsync_files.looking import first_records, summary
from cgsync_files.moving import put_away
from cgsync_files.settings import Settings
from cgsync_files.watching import Watch

T = TypeVar("T")


class FilesSource:
    """The source over one folder; an async context manager of itself."""

    def __init__(self, settings: Settings, context: Context) -> None:
        self._settings = settings
        self._clock = context.clock
        self._drop = Drop(settings, context.clock, context.log, window=context.window)
        self._watch = Watch(settings.path, context.log, recursive=settings.depth > 0)
        self._turn = threading.Lock()
        self._calls = 0

    async def __aenter__(self) -> FilesSource:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._watch.__aexit__(kind, error, trace)
        await self._in_turn(lambda _: self._drop.forget())

    async def fetch(self, cursor: Cursor) -> Batch | Later | None:
        """Records after ``cursor``; at most 500, from as many files as that takes."""
        await self._watch.watched()
        return await self._in_turn(lambda wanted: self._drop.fetch(cursor, wanted=wanted))

    async def settle(self, done: Sequence[Json]) -> None:
        """Move or delete the files whose records are stored."""
        await self._in_turn(lambda _: self._put_away(done))

    def _put_away(self, done: Sequence[Json]) -> None:
        for item in done:
            if isinstance(item, Mapping):
                put_away(self._drop.folder, item)

    async def wait(self) -> None:
        """Return when something happened in the folder since the last fetch began."""
        await self._watch.changed()

    async def check(self) -> str:
        """What lies in the folder, and what the newest file looks like."""
        return await self._in_turn(lambda _: summary(self._drop.folder, self._settings, self._clock))

    async def sample(self, n: int) -> Sequence[Record]:
        """The first ``n`` records of the newest file."""
        return await self._in_turn(lambda _: list(islice(first_records(self._drop.folder, self._settings), n)))

    async def _in_turn(self, work: Callable[[Callable[[], bool]], T]) -> T:
        """Work in a thread, after what an abandoned call may still be doing there."""
        self._calls += 1
        call = self._calls

        def alone() -> T:
            with self._turn:
                return work(lambda: self._calls == call)

        return await asyncio.to_thread(alone)
