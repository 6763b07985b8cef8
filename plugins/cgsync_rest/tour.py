"""One run over all partitions: one after another, each from its own position; the trouble of one is its own."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from cgsync.api import Batch, Cursor, Json, Later, Problem, SourceError, SourceUnavailable
from cgsync_rest.chunk import Chunk
from cgsync_rest.partitions import Partition
from cgsync_rest.position import Position
from cgsync_rest.stream import NotYet, Stream

MOST_FAILURES = 3
"""Partitions in a row; after that it is the trouble of the whole source."""
LONGEST = 500
"""Characters of a problem's words."""
SOON = timedelta(seconds=1)


class Tour:
    """Goes round once. ``stream`` opens a partition at a position.

    ``alone``: there is only one, the source itself. ``progress`` counts the answers that came.
    """

    def __init__(
        self,
        partitions: Callable[[], Awaitable[Sequence[Partition]]],
        stream: Callable[[Partition, Position], Stream],
        cursor: Cursor,
        *,
        alone: bool,
        progress: Callable[[], int],
    ) -> None:
        self._list = partitions
        self._open = stream
        self._cursor = cursor
        self._alone = alone
        self._progress = progress
        self._waited_at = progress()
        self._queue: deque[Partition] | None = None
        self._partition: Partition | None = None
        self._stream: Stream | None = None
        self._in_a_row = 0
        self._good = 0
        self._error: SourceError | None = None

    async def next(self, until: float) -> Batch | Later | None:
        """The next batch; ``None`` at the end. Raises :class:`Enough` when the rest is for the next run."""
        if self._queue is None:
            self._queue = deque(await self._list())
            if forgotten := self._forgotten(self._queue):
                return Batch(cursor=forgotten)
        while self._stream is not None or self._queue:
            if self._stream is None:
                self._partition = self._queue.popleft()
                self._stream = self._open(self._partition, Position.from_json(self._cursor.get(self._partition.part)))
            if (answer := await self._read(self._stream, until)) is not None:
                return answer
        if self._error is not None and not self._good:
            raise self._error
        return None

    async def _read(self, stream: Stream, until: float) -> Batch | Later | None:
        """``None`` when the partition is through."""
        try:
            chunk = await stream.read(until)
        except NotYet:
            chunk = stream.not_yet()
            return self._batch(chunk) if chunk is not None else Later(after=SOON)
        except SourceUnavailable as error:
            return self._wait(error) or self._failed(stream, error)
        except SourceError as error:
            return self._failed(stream, error)
        if chunk is None:
            self._stream, self._in_a_row, self._good = None, 0, self._good + 1
            return None
        return self._batch(chunk)

    def _batch(self, chunk: Chunk) -> Batch:
        return Batch(
            records=chunk.records, rejects=chunk.rejects, filtered=chunk.filtered, cursor=self._moved(chunk.position)
        )

    def _moved(self, position: Position) -> dict[str, Json]:
        assert self._partition is not None
        return {self._partition.part: position.as_json()}

    def _wait(self, error: SourceUnavailable) -> Later | None:
        """The API wants us to wait: then we go on where we are, as long as there is progress between two waits."""
        if error.retry_after is None or self._progress() == self._waited_at:
            return None
        self._waited_at = self._progress()
        return Later(after=error.retry_after)

    def _failed(self, stream: Stream, error: SourceError) -> Batch | None:
        """Tell it once; it stands in the cursor for as long as it lasts."""
        asked_to_wait = isinstance(error, SourceUnavailable) and error.retry_after is not None
        self._in_a_row += 1
        self._waited_at = self._progress()
        if self._alone or asked_to_wait or self._in_a_row >= MOST_FAILURES:
            raise error
        assert self._partition is not None
        self._stream, self._error = None, error
        reason = error.message[:LONGEST]
        if stream.position.problem == reason:
            return None
        position = replace(stream.position, problem=reason)
        return Batch(cursor=self._moved(position), problems=[Problem(part=self._partition.part, reason=reason)])

    def _forgotten(self, partitions: Sequence[Partition]) -> dict[str, Json]:
        """The parts of partitions that are no more; when there are none at all, something else is wrong."""
        known = {partition.part for partition in partitions}
        return {part: None for part in self._cursor if part not in known} if known else {}
