"""The story of one partition: window after window, page after page, and the cursor only over what is stored.

``read`` gives one chunk after another. A chunk's position is stored together with its records, so it may say no more
than what they make true:

* ``at`` moves when a window is complete, to the highest value that was seen, but never past the server's own time
  when the window began: what changed after that, or is dated ahead, is read again.
* With an API that sorts, ``run.reached`` follows within the window. When order turns out not to hold, it is dropped.
* ``run.next`` is the next page where its token outlives us; a page number never does.
* The next request starts at the position, not behind it, less the lookback. What was stored before is left out.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from cgsync.api import MAX_RECORDS, Clock, Log, Record, SourceUnavailable, Unreadable
from cgsync_rest.client import Client
from cgsync_rest.drafts import Draft, Drafting
from cgsync_rest.lookups import SLICE
from cgsync_rest.loopguard import digest
from cgsync_rest.page import Page
from cgsync_rest.partitions import Partition
from cgsync_rest.paths import one
from cgsync_rest.plan import Plan
from cgsync_rest.position import Position
from cgsync_rest.rules import Expired
from cgsync_rest.seen import Seen
from cgsync_rest.spans import Spans
from cgsync_rest.turns import Turn
from cgsync_rest.walk import Span, Walk

MOST_RESETS = 3
"""So often in one run a token may expire before that is an error."""
SKEW = timedelta(days=1)
"""A server whose clock is ahead of ours by more than that is not believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """At most 500 records, and the position behind them."""

    records: Sequence[Record] = ()
    rejects: Sequence[Unreadable] = ()
    filtered: Mapping[str, int] = field(default_factory=dict)
    position: Position


class Stream:
    """Reads one partition once, from its position to the end."""

    def __init__(
        self, plan: Plan, client: Client, partition: Partition, position: Position, *, clock: Clock, log: Log
    ) -> None:
        self._plan = plan
        self._client = client
        self._partition = partition
        self._position = position
        self._clock = clock
        self._log = log
        self._spans = Spans(plan.incremental, plan.window)
        self._seen = Seen.from_json(position.seen, self._spans.read)
        self._walk = self._resumed()
        if self._walk is not None:
            self._spans.resume(self._walk.span)
        self._drafts: deque[Draft] = deque()
        self._ready: deque[Draft] = deque()
        self._rejects: list[Unreadable] = []
        self._filtered: dict[str, int] = {}
        self._next: Turn | None = None
        self._last: Any = None
        self._begun: Any = None
        self._resets = 0
        self._trusted = True

    async def read(self, until: float) -> Chunk | None:
        """The next chunk; ``None`` at the end. Raises :class:`NotYet` when that takes longer than ``until``."""
        while True:
            if self._walk is None:
                self._walk = self._begin()
            if self._walk is None:
                return None
            if (chunk := await self._step(self._walk, until)) is not None:
                return chunk
            if self._clock.monotonic() >= until and self._is_under_way():
                raise NotYet

    async def _step(self, walk: Walk, until: float) -> Chunk | None:
        """What is left of a page, or the next page, or the end of the window."""
        if not self._drafts and not self._ready:
            if walk.turn is None:
                return self._complete(walk)
            await self._page(walk, walk.turn)
        if not self._drafts and not self._ready:
            return None
        await self._prepare(until)
        return self._hand()

    def _is_under_way(self) -> bool:
        """Whether there is more to do than to say that the window is through."""
        return bool(self._drafts or self._ready or (self._walk and self._walk.turn))

    @property
    def position(self) -> Position:
        """What was handed over last."""
        return self._position

    # pages

    def _resumed(self) -> Walk | None:
        """The walk that was interrupted, where it can go on."""
        if self._position.run is None:
            return None
        return Walk.from_json(self._position.run, self._plan.shape, self._spans.read, self._plan.pager.first())

    def _begin(self) -> Walk | None:
        span = self._spans.next(self._position.at, self._clock.now())
        return None if span is None else Walk(span=span, turn=self._plan.pager.first(), token=self._position.at)

    async def look(self) -> tuple[Turn, Page, Turn | None]:
        """The first page, where it is, and where the next one would be."""
        walk = self._begin()
        assert walk is not None
        assert walk.turn is not None
        variables = self._variables(walk.span, walk.turn)
        page = await self._asked(walk, walk.turn, variables)
        known = {**variables, "response": page.answer.variables(), "last_record": page.last_record}
        return walk.turn, page, self._after(walk, walk.turn, page, known)

    async def _page(self, walk: Walk, turn: Turn) -> None:
        variables = self._variables(walk.span, turn)
        try:
            page = await self._asked(walk, turn, variables)
        except Expired as expired:
            self._reset(walk, turn, expired)
            return
        walk.resumed = False
        walk.pages += 1
        drafting = await asyncio.to_thread(self._plan.drafter.draft, page, walk, self._partition)
        self._take(walk, turn, page, drafting, {**variables, "response": page.answer.variables()})

    async def _asked(self, walk: Walk, turn: Turn, variables: Mapping[str, Any]) -> Page:
        _, addition = self._plan.position(walk.span)
        asked = self._plan.form.fill(variables, addition, turn.addition)
        walk.guard.ask(turn, asked)
        answer = await self._client.answer(asked, resumed=walk.resumed and turn.lasting)
        nodes = [] if answer.passed_over else self._plan.drafter.selection.nodes(answer.document)
        page = Page(answer=answer, nodes=nodes)
        walk.guard.read(turn, asked, page)
        return page

    def _take(self, walk: Walk, turn: Turn, page: Page, drafting: Drafting, variables: Mapping[str, Any]) -> None:
        now = self._clock.now()
        walk.date = walk.date or min(page.answer.date or now, now + SKEW)
        walk.token = self._token(page, walk)
        self._last = page.last_record
        if self._is_out_of_order(walk):
            self._start_over()
            return
        self._begun = drafting.drafts[0].value if drafting.drafts else None
        self._drafts.extend(drafting.drafts)
        self._rejects.extend(page.answer.rejects)
        for cause, count in drafting.filtered.items():
            self._filtered[cause] = self._filtered.get(cause, 0) + count
        self._next = self._after(walk, turn, page, {**variables, "last_record": page.last_record})
        if not drafting.drafts:
            walk.turn = self._next

    def _after(self, walk: Walk, turn: Turn, page: Page, variables: Mapping[str, Any]) -> Turn | None:
        plan = self._plan
        if plan.stops.end(max(turn.number, walk.pages), page, plan.pager, variables) or self._spans.is_behind(walk):
            return None
        following = plan.pager.after(turn, page)
        return following.without(plan.secret) if following is not None and plan.secret else following

    def _variables(self, span: Span, turn: Turn) -> Mapping[str, Any]:
        where, _ = self._plan.position(span)
        more = {"page": turn.number, "last_record": self._last, "now": self._clock.now().isoformat()}
        return {**self._partition.variables(), **where, **more, "response": None}

    def _token(self, page: Page, walk: Walk) -> Any:
        """The token to start from next time, of an opaque position."""
        incremental = self._plan.incremental
        if incremental is None or incremental.token is None:
            return None
        found = one(incremental.token, page.answer.document)
        return walk.token if found in (None, "") else found

    def _reset(self, walk: Walk, turn: Turn, expired: Expired) -> None:
        """Start the window again; an opaque position that is refused at once starts from the beginning."""
        self._resets += 1
        if self._resets > MOST_RESETS:
            raise SourceUnavailable(f"{expired}: it expired {self._resets} times") from expired
        self._log.info("the token of a page expired: the window is read again", reason=str(expired)[:200])
        if turn.number == 1 and self._spans.is_opaque:
            self._position = replace(self._position, at=None)
            self._start_over()
        else:
            self._walk = Walk(span=walk.span, turn=self._plan.pager.first(), date=walk.date, batches=walk.batches)
            self._walk.token = self._position.at

    def _start_over(self) -> None:
        self._spans = Spans(self._plan.incremental, self._plan.window)
        self._walk = self._begin()

    def _is_out_of_order(self, walk: Walk) -> bool:
        """Whether an API that was said to sort does not, and we began where something may lie before.

        From then on only a complete window counts.
        """
        if walk.sorted or not self._spans.ascending or not self._trusted:
            return False
        self._trusted = False
        self._log.warning("the records are not sorted as `order: asc` says", part=self._partition.part)
        return walk.partway

    # records

    async def _prepare(self, until: float) -> None:
        """Look up what belongs to the next records, for as long as there is time."""
        while self._drafts and len(self._ready) < MAX_RECORDS:
            size = SLICE if self._plan.look_ups else MAX_RECORDS - len(self._ready)
            some = [self._drafts.popleft() for _ in range(min(size, len(self._drafts)))]
            try:
                for look_up in self._plan.look_ups:
                    await look_up.add(some, self._client, self._partition.variables())
            except BaseException:
                self._drafts.extendleft(reversed(some))
                raise
            self._ready.extend(some)
            if self._clock.monotonic() >= until:
                return

    def _hand(self) -> Chunk | None:
        """What is ready and was not stored before, with the position behind it."""
        walk = self._walk
        assert walk is not None
        records: list[Record] = []
        while self._ready and len(records) < MAX_RECORDS and len(self._rejects) < MAX_RECORDS:
            draft = self._ready.popleft()
            content = self._plan.drafter.content(draft)
            if not draft.left_out and self._is_new(draft, content):
                if draft.reason:
                    self._rejects.append(draft.unreadable())
                else:
                    records.append(draft.record())
            self._spans.store(walk, draft.value, self._clock.now())
        if not self._drafts and not self._ready:
            self._turn_over(walk)
        return self._chunk(walk, records)

    def _turn_over(self, walk: Walk) -> None:
        """To the next page. Under numbers of pages lists shift: an API that sorts is asked from what was reached.

        Otherwise a record that changes meanwhile leaves its page, and one that moves up into the gap is on no page.
        """
        walk.turn = self._next
        if walk.turn is None or walk.turn.lasting or walk.reached is None or not self._is_sorted(walk):
            return
        first, span = self._plan.pager.first(), replace(walk.span, since=walk.reached)
        begun = replace(walk.span, since=self._begun)
        if self._begun is not None and self._request(begun, first) != self._request(span, first):  # not all of one time
            walk.span, walk.turn, walk.previous = span, first, None
            walk.guard.begin_anew()

    def _is_sorted(self, walk: Walk) -> bool:
        return self._spans.ascending and self._trusted and walk.sorted

    def _request(self, span: Span, turn: Turn) -> bytes:
        """What tells that request from others."""
        _, addition = self._plan.position(span)
        return self._plan.form.fill(self._variables(span, turn), addition, turn.addition).fingerprint()

    def _is_new(self, draft: Draft, content: bytes) -> bool:
        """Whether that very version, or that very reject, was not stored lately."""
        if not self._spans.remembers:
            return True
        told = digest(content.decode() + draft.reason)
        name = draft.key or content.decode()
        if self._seen.holds(name, told):
            return False
        self._seen.put(name, told, draft.value)
        return True

    def _chunk(self, walk: Walk, records: Sequence[Record]) -> Chunk | None:
        """``None`` where there is nothing to store and the way goes on."""
        if not records and not self._rejects:
            return None
        walk.batches += 1
        if walk.turn is None and not self._drafts and not self._ready:
            return self._complete(walk, records)
        run = walk.as_json(self._plan.shape, self._spans.scale, ascending=self._spans.ascending and self._trusted)
        return self._told(records, replace(self._position, run=run, seen=self._memory(self._position.at), problem=""))

    def _complete(self, walk: Walk, records: Sequence[Record] = ()) -> Chunk | None:
        """The window is through: the position moves. ``None`` where that changes nothing."""
        at = self._spans.complete(self._position.at, walk)
        runs = self._position.runs + 1 if self._plan.incremental is None and walk.batches else self._position.runs
        position = replace(self._position, at=at, run=None, seen=self._memory(at), runs=runs, problem="")
        self._walk = None
        if not records and not self._rejects and position == self._position:
            return None
        return self._told(records, position)

    def _memory(self, at: Any) -> Any:
        if not self._spans.remembers:
            return None
        self._seen.forget_below(self._spans.horizon(at))
        return self._seen.as_json(self._spans.write) or None

    def _told(self, records: Sequence[Record], position: Position) -> Chunk:
        rejects, filtered = self._rejects, self._filtered
        self._rejects, self._filtered, self._position = [], {}, position
        return Chunk(records=records, rejects=rejects, filtered=filtered, position=position)

    def not_yet(self) -> Chunk | None:
        """How far it came by now, where that lasts although there was nothing to store."""
        walk = self._walk
        if walk is None or walk.turn is None or not walk.turn.keeps or self._drafts or self._ready:
            return None
        walk.batches += 1
        run = walk.as_json(self._plan.shape, self._spans.scale, ascending=self._spans.ascending and self._trusted)
        return self._told((), replace(self._position, run=run))


class NotYet(Exception):
    """It takes longer; what was read so far is kept in memory."""
