"""Turns the pages of a walk: asks for one, and says which one comes behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from cgsync.api import Clock, Json
from cgsync_rest.client import Client
from cgsync_rest.page import Page
from cgsync_rest.partitions import Partition
from cgsync_rest.paths import one
from cgsync_rest.plan import Plan
from cgsync_rest.request import Asked
from cgsync_rest.spans import Spans
from cgsync_rest.turns import Turn
from cgsync_rest.walk import Span, Walk

SKEW = timedelta(days=1)
"""A server whose clock is ahead of ours by more than that is not believed."""


class Reader:
    """Reads for one partition."""

    def __init__(self, plan: Plan, client: Client, partition: Partition, spans: Spans, clock: Clock) -> None:
        self._plan = plan
        self._client = client
        self._partition = partition
        self._spans = spans
        self._clock = clock
        self._last: Any = None

    async def ask(self, walk: Walk, turn: Turn) -> Page:
        """The page; the walk learns of it. Raises :class:`cgsync_rest.rules.Expired`, or an error of the source."""
        variables = self._variables(walk.span, turn)
        asked = self._asked(walk.span, turn, variables)
        walk.guard.ask(turn, asked)
        answer = await self._client.answer(asked, resumed=walk.resumed and turn.lasting)
        nodes = [] if answer.passed_over else self._plan.drafter.selection.nodes(answer.document)
        page = Page(answer=answer, nodes=nodes, variables=variables)
        walk.guard.read(turn, asked, page)
        self._learn(walk, page)
        return page

    def _learn(self, walk: Walk, page: Page) -> None:
        now = self._clock.now()
        walk.resumed = False
        walk.pages += 1
        walk.date = walk.date or min(page.answer.date or now, now + SKEW)
        walk.token = self._token(page, walk)
        self._last = page.last_record

    def _token(self, page: Page, walk: Walk) -> Json:
        """The token to start from next time, of an opaque position."""
        incremental = self._plan.incremental
        if incremental is None or incremental.token is None:
            return None
        found: Json = one(incremental.token, page.answer.document)
        return walk.token if found in (None, "") else found

    def after(self, walk: Walk, turn: Turn, page: Page) -> Turn | None:
        """The turn of the next page; ``None`` behind the last one of the walk."""
        plan = self._plan
        known = {**page.variables, "response": page.answer.variables(), "last_record": page.last_record}
        if plan.stops.end(max(turn.number, walk.pages), page, plan.pager, known) or self._spans.is_behind(walk):
            return None
        following = plan.pager.after(turn, page)
        return following.without(plan.secret) if following is not None and plan.secret else following

    def turn_over(self, walk: Walk) -> None:
        """To the next page. Under numbers of pages lists shift: an API that sorts is asked from what was reached.

        Otherwise a record that changes meanwhile leaves its page, and one that moves up into the gap is on no page.
        """
        walk.turn = walk.following
        if walk.turn is None or walk.turn.lasting or walk.reached is None or not (self._spans.ordered and walk.sorted):
            return
        first, span = self._plan.pager.first(), replace(walk.span, since=walk.reached)
        begun = replace(walk.span, since=walk.begun)
        if walk.begun is not None and self._request(begun, first) != self._request(span, first):  # not all of one time
            walk.span, walk.turn, walk.previous = span, first, None
            walk.guard.begin_anew()

    def _request(self, span: Span, turn: Turn) -> bytes:
        """What tells that request from others."""
        return self._asked(span, turn, self._variables(span, turn)).fingerprint()

    def _asked(self, span: Span, turn: Turn, variables: Mapping[str, Any]) -> Asked:
        _, addition = self._plan.position(span)
        return self._plan.form.fill(variables, addition, turn.addition)

    def _variables(self, span: Span, turn: Turn) -> Mapping[str, Any]:
        where, _ = self._plan.position(span)
        more = {"page": turn.number, "last_record": self._last, "now": self._clock.now().isoformat()}
        return {**self._partition.variables(), **where, **more, "response": None}
