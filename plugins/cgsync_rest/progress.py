"""How far a partition is read: the walks that this takes, and what the cursor may say of them.

A position is stored together with the records before it, so it may say no more than what they make true:

* ``at`` moves when a window is complete, to the highest value that was seen, but never past the server's own time
  when the window began: what changed after that, or is dated ahead, is read again.
* With an API that sorts, ``run.reached`` follows within the window. When order turns out not to hold, it is dropped.
* ``run.next`` is the next page where its token outlives us; a page number never does.
* The next request starts at the position, not behind it, less the lookback. What was stored before is left out.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from cgsync.api import Json
from cgsync_rest.drafts import Draft
from cgsync_rest.loopguard import digest
from cgsync_rest.plan import Plan
from cgsync_rest.position import Position
from cgsync_rest.seen import Seen
from cgsync_rest.spans import Spans
from cgsync_rest.walk import Walk


class Progress:
    """``position`` is what was handed over last; ``spans`` are the windows of this run."""

    def __init__(self, plan: Plan, position: Position) -> None:
        self.position = position
        self.spans = Spans(plan.incremental, plan.window)
        self._plan = plan
        self._seen = Seen.from_json(position.seen, read=self.spans.read, write=self.spans.write)

    # walks

    def resume(self) -> Walk | None:
        """The walk that was interrupted, where it can go on."""
        if self.position.run is None:
            return None
        walk = Walk.from_json(self.position.run, self._plan.shape, self.spans.read, self._plan.pager.first())
        if walk is not None:
            self.spans.resume(walk.span)
        return walk

    def begin(self, now: datetime) -> Walk | None:
        """A walk through the next window; ``None`` when the last one was read."""
        span = self.spans.next(self.position.at, now)
        return None if span is None else Walk(span=span, turn=self._plan.pager.first(), token=self.position.at)

    def begin_anew(self, now: datetime) -> Walk | None:
        """A walk through the first window of this run, once more."""
        self.spans.begin_anew()
        return self.begin(now)

    def repeat(self, walk: Walk) -> Walk:
        """The same window from its first page."""
        first, at = self._plan.pager.first(), self.position.at
        return Walk(span=walk.span, turn=first, date=walk.date, batches=walk.batches, token=at)

    # records

    def is_new(self, draft: Draft, content: bytes) -> bool:
        """Whether that very version, or that very reject, was not stored lately; from now on it was."""
        if not self.spans.remembers:
            return True
        told = digest(content.decode() + draft.reason)
        name = draft.key or content.decode()
        if self._seen.holds(name, told):
            return False
        self._seen.put(name, told, draft.value)
        return True

    # positions

    def within(self, walk: Walk) -> Position:
        """In the middle of the window, where nothing new was stored."""
        return replace(
            self.position, run=walk.as_json(self._plan.shape, self.spans.scale, ascending=self.spans.ordered)
        )

    def stored(self, walk: Walk) -> Position:
        """In the middle of the window, behind records."""
        return replace(self.within(walk), seen=self._memory(self.position.at), problem="")

    def behind(self, walk: Walk) -> Position:
        """The window is through: ``at`` moves."""
        at = self.spans.complete(self.position.at, walk)
        runs = self.position.runs + 1 if self._plan.incremental is None and walk.batches else self.position.runs
        return replace(self.position, at=at, run=None, seen=self._memory(at), runs=runs, problem="")

    def _memory(self, at: Json) -> Json:
        if not self.spans.remembers:
            return None
        self._seen.forget_below(self.spans.horizon(at))
        return self._seen.as_json() or None
