"""What is stored is settled, and what could not be settled is remembered until it is."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any

from cgsync.api import SourceUnavailable
from cgsync.ledger import settlements
from cgsync.settler import Settler
from tests.rig import Rig, Script, Settling, batch


def settler(desk: Rig) -> Settler:
    return Settler(
        desk.ledger, uid="desk", time_limit=desk.time_limit, clock=desk.clock, random=lambda: 0.0, log=desk.log
    )


async def store(desk: Rig, *done: str) -> None:
    await desk.intake().take(batch("1", done=list(done)))


async def test_what_was_stored_is_settled_once(desk: Rig) -> None:
    await store(desk, "a", "b")
    source = Settling()
    for _ in range(2):
        await settler(desk).settle(source)
    assert (source.settled, await desk.unsettled()) == (["a", "b"], [])


async def test_why_it_could_not_be_settled_is_remembered(desk: Rig) -> None:
    await store(desk, "a")
    await settler(desk).settle(Settling(troubles=[SourceUnavailable("read-only")]))
    [item] = await desk.ledger.read(partial(settlements.pending, source="desk"))
    assert (item.attempts, item.error) == (1, "read-only")


async def test_it_is_left_alone_until_it_is_due_and_the_gaps_grow(desk: Rig) -> None:
    await store(desk, "a")
    ours, source = settler(desk), Settling(troubles=[SourceUnavailable("read-only")] * 2)
    for gap in (1.0, 2.0):
        for _ in range(3):
            await ours.settle(source)
        assert ours.due == desk.clock.monotonic() + gap
        await desk.clock.advance(gap)
    await ours.settle(source)
    assert (source.did, source.settled, ours.failures) == (["settle"] * 3, ["a"], 0)


async def test_what_takes_too_long_is_tried_again_later(desk: Rig) -> None:
    class Slow(Settling):
        async def settle(self, done: Any) -> None:
            await asyncio.Event().wait()

    await store(desk, "a")
    desk.time_limit = timedelta(milliseconds=10)
    ours = settler(desk)
    await ours.settle(Slow())
    assert (ours.failures, await desk.unsettled()) == (1, ["a"])


async def test_a_source_that_does_not_settle_keeps_its_list(desk: Rig) -> None:
    await store(desk, "a")
    await settler(desk).settle(Script())
    assert await desk.unsettled() == ["a"]
