"""Which stretch is asked for next, and what a stretch that was read through makes true."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from cgsync.api import Json, Window
from cgsync_rest.incremental import Incremental
from cgsync_rest.scales import Scale, before
from cgsync_rest.walk import Span, Walk

MARGIN = timedelta(days=1)


class Spans:
    """The windows of one run, one behind the other. Without ``incremental`` there is one: everything."""

    def __init__(self, incremental: Incremental | None, window: Window | None) -> None:
        self._incremental = incremental
        self._window = window
        self._reached: Any = None
        self._done = False
        self.scale: Scale | None = incremental.scale if incremental else None
        self.is_opaque = incremental is not None and incremental.scale is None
        self.ascending = incremental is not None and incremental.order == "asc"
        self.trusted = True
        self.remembers = incremental is not None

    @property
    def ordered(self) -> bool:
        """Whether the API sorts, as far as we were told and have seen."""
        return self.ascending and self.trusted

    def next(self, at: Json, now: datetime) -> Span | None:
        """The next window behind the position; ``None`` when the last one was read."""
        if self._done:
            return None
        if self._incremental is None or self.is_opaque:
            self._done = True
            return Span(since=self._token(at))
        since = self._reached if self._reached is not None else self._from(at, now)
        return self._bounded(since) if self._window is not None else self._open(since, now)

    def resume(self, span: Span) -> None:
        """A run goes on within that window."""
        self._done = span.last or (self._window is not None and span.end >= self._window.end)

    def begin_anew(self) -> None:
        """From the first window of this run, once more."""
        self._reached, self._done = None, False

    def since(self, at: Json) -> Any:
        """Where the next run starts: at the position, less the lookback. ``None``: there is no position yet."""
        value = self.read(at)
        if value is None or self._incremental is None or self.scale is None:
            return None
        return before(value, self._incremental.lookback)

    def horizon(self, at: Json) -> Any:
        """What lies before it is not read again: requests may name whole days only."""
        since = self.since(at)
        return before(since, MARGIN) if isinstance(since, datetime) else since

    def _token(self, at: Json) -> Json:
        return at if at is not None or self._incremental is None else self._incremental.start

    def _from(self, at: Json, now: datetime) -> Any:
        assert self._incremental is not None
        if self._window is not None:
            return self.read(at) or self._window.start
        since = self.since(at)
        return self._incremental.first(now) if since is None else since

    def _open(self, since: Any, now: datetime) -> Span:
        step = self._incremental.step if self._incremental else None
        if step is None or since is None:
            self._done = True
            return Span(since=since, end=None if step is None else now)
        end = min(since + step, now) if now > since else since + step
        self._done = end >= now
        return Span(since=since, end=end, last=self._done)

    def _bounded(self, since: Any) -> Span | None:
        """Within the span of a backfill."""
        assert self._window is not None
        assert self._incremental is not None
        limit, step = self._window.end, self._incremental.step
        if since >= limit:
            return None
        end = limit if step is None else min(since + step, limit)
        self._done = end >= limit
        return Span(since=since, end=end, last=False)

    def is_behind(self, walk: Walk) -> bool:
        """Whether no page can hold anything more of the span, since the API sorts."""
        incremental, value = self._incremental, walk.previous
        if incremental is None or value is None or not walk.sorted:
            return False
        if incremental.stop_at_seen:
            return walk.span.since is not None and bool(value < walk.span.since)
        return self._window is not None and self.ascending and bool(value >= walk.span.end)

    def store(self, walk: Walk, value: Any, now: datetime) -> None:
        if self.scale is not None:
            walk.store(value, self.scale, now)

    def complete(self, at: Json, walk: Walk) -> Json:
        """The position after that window. It never goes backwards."""
        self._reached = walk.span.end
        if self.is_opaque:
            return walk.token
        if self.scale is None:
            return None
        values = [value for value in (self.read(at), walk.highest, self._end(walk)) if value is not None]
        return self.scale.as_json(max(values)) if values else None

    def _end(self, walk: Walk) -> Any:
        """The end of a window that lies in the past, as the server counts."""
        span = walk.span
        if span.end is None or span.last or (walk.date is not None and span.end > walk.date):
            return None if self._window is None else span.end
        return span.end

    def read(self, value: Json) -> Any:
        """A value of its JSON; what an operator set is read as ``start`` is. ``None`` for what cannot be read."""
        if value is None or self.scale is None:
            return value
        try:
            return self.scale.start(str(value), datetime.now(UTC))
        except ValueError:
            return None

    def write(self, value: Any) -> Json:
        return value if value is None or self.scale is None else self.scale.as_json(value)
