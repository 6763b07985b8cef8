"""The story of one partition: window after window, page after page, and the cursor only over what is stored.

``read`` gives one chunk after another: the :class:`cgsync_rest.reader.Reader` asks for a page, of which the drafter
makes drafts; they are :class:`cgsync_rest.pending.Pending` until what belongs to them is looked up; those that are new
are gathered into a :class:`cgsync_rest.chunk.Chunk`, and :class:`cgsync_rest.progress.Progress` says which position
goes with that.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from cgsync.api import Clock, Log, SourceUnavailable
from cgsync_rest.chunk import Chunk, Gathering
from cgsync_rest.client import Client
from cgsync_rest.partitions import Partition
from cgsync_rest.pending import Pending
from cgsync_rest.plan import Plan
from cgsync_rest.position import Position
from cgsync_rest.progress import Progress
from cgsync_rest.reader import Reader
from cgsync_rest.rules import Expired
from cgsync_rest.turns import Turn
from cgsync_rest.walk import Walk

MOST_RESETS = 3
"""So often in one run a token may expire before that is an error."""


class NotYet(Exception):
    """It takes longer; what was read so far is kept in memory."""


class Stream:
    """Reads one partition once, from its position to the end."""

    def __init__(
        self, plan: Plan, client: Client, partition: Partition, position: Position, *, clock: Clock, log: Log
    ) -> None:
        self._drafter = plan.drafter
        self._partition = partition
        self._clock = clock
        self._log = log
        self._progress = Progress(plan, position)
        self._spans = self._progress.spans
        self._reader = Reader(plan, client, partition, self._spans, clock)
        self._pending = Pending(plan.look_ups, client, partition, clock)
        self._gathering = Gathering()
        self._walk = self._progress.resume()
        self._resets = 0

    @property
    def position(self) -> Position:
        """What was handed over last."""
        return self._progress.position

    async def read(self, until: float) -> Chunk | None:
        """The next chunk; ``None`` at the end. Raises :class:`NotYet` when that takes longer than ``until``."""
        while True:
            if self._walk is None:
                self._walk = self._progress.begin(self._clock.now())
            if self._walk is None:
                return None
            if (chunk := await self._step(self._walk, until)) is not None:
                return chunk
            if self._clock.monotonic() >= until and self._is_under_way():
                raise NotYet

    def _is_under_way(self) -> bool:
        """Whether there is more to do than to say that the window is through."""
        return bool(self._pending or (self._walk and self._walk.turn))

    async def _step(self, walk: Walk, until: float) -> Chunk | None:
        """What is left of a page, or the next page, or the end of the window."""
        if not self._pending:
            if walk.turn is None:
                return self._complete(walk)
            await self._page(walk, walk.turn)
        if not self._pending:
            return None
        await self._pending.prepare(until)
        self._gather(walk)
        return self._chunk(walk)

    # a page becomes drafts

    async def _page(self, walk: Walk, turn: Turn) -> None:
        try:
            page = await self._reader.ask(walk, turn)
        except Expired as expired:
            self._reset(walk, turn, expired)
            return
        drafting = await asyncio.to_thread(self._drafter.draft, page, walk, self._partition)
        if self._is_out_of_order(walk):
            self._walk = self._progress.begin_anew(self._clock.now())
            return
        self._pending.add(drafting.drafts)
        self._gathering.add_losses(page.answer.rejects, drafting.filtered)
        walk.begun = drafting.drafts[0].value if drafting.drafts else None
        walk.following = self._reader.after(walk, turn, page)
        if not drafting.drafts:
            walk.turn = walk.following

    def _reset(self, walk: Walk, turn: Turn, expired: Expired) -> None:
        """Start the window again; an opaque position that is refused at once starts from the beginning."""
        self._resets += 1
        if self._resets > MOST_RESETS:
            raise SourceUnavailable(f"{expired}: it expired {self._resets} times") from expired
        self._log.info("the token of a page expired: the window is read again", reason=str(expired)[:200])
        if turn.number == 1 and self._spans.is_opaque:
            self._progress.position = replace(self.position, at=None)
            self._walk = self._progress.begin_anew(self._clock.now())
        else:
            self._walk = self._progress.repeat(walk)

    def _is_out_of_order(self, walk: Walk) -> bool:
        """Whether an API that was said to sort does not, and we began where something may lie before.

        From then on only a complete window counts.
        """
        if walk.sorted or not self._spans.ordered:
            return False
        self._spans.trusted = False
        self._log.warning("the records are not sorted as `order: asc` says", part=self._partition.part)
        return walk.partway

    # drafts become a chunk, and move the position

    def _gather(self, walk: Walk) -> None:
        """What is ready and was not stored before."""
        ready = self._pending.ready
        while ready and not self._gathering.is_full:
            draft = ready.popleft()
            content = self._drafter.content(draft)
            if not draft.left_out and self._progress.is_new(draft, content):
                self._gathering.add(draft)
            self._spans.store(walk, draft.value, self._clock.now())
        if not self._pending:
            self._reader.turn_over(walk)

    def _chunk(self, walk: Walk) -> Chunk | None:
        """``None`` where there is nothing to store and the way goes on."""
        if not self._gathering:
            return None
        walk.batches += 1
        if walk.turn is None and not self._pending:
            return self._complete(walk)
        return self._told(self._progress.stored(walk))

    def _complete(self, walk: Walk) -> Chunk | None:
        """The window is through: the position moves. ``None`` where that changes nothing."""
        position = self._progress.behind(walk)
        self._walk = None
        return self._told(position) if self._gathering or position != self.position else None

    def not_yet(self) -> Chunk | None:
        """How far it came by now, where that lasts although there was nothing to store."""
        walk = self._walk
        if walk is None or walk.turn is None or not walk.turn.keeps or self._pending:
            return None
        walk.batches += 1
        return self._told(self._progress.within(walk))

    def _told(self, position: Position) -> Chunk:
        self._progress.position = position
        return self._gathering.chunk(position)
