"""One source as a task: when it fetches, what each sort of trouble means, and that it settles what is stored."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cgsync.api import Batch, Later, Problem
from cgsync.errors import LedgerError, SourceMisconfigured, SourceUnavailable
from cgsync.health import Condition
from cgsync.ledger import Instant, freshness
from cgsync.ledger.freshness import Alarm, Kind
from cgsync.poller import Poller
from tests.hand import breathe
from tests.rig import Rig, Script, Settling, Waiting, batch, eventually, record, running

FIVE_MINUTES = 300.0


async def becomes(poller: Poller, condition: Condition) -> None:
    await eventually(lambda: poller.health.condition is condition)


async def polled(poller: Poller, times: int) -> None:
    await eventually(lambda: poller.health.polls == times and poller.health.condition is Condition.IDLE)
    await breathe()


class Stop(BaseException):
    """What nobody expects of a plugin."""


# When it fetches.


async def test_it_polls_at_once_and_then_at_each_bell(desk: Rig) -> None:
    poller = desk.poller(source := Script(batch("1"), batch("2")))
    async with running(poller):
        await polled(poller, 1)
        await desk.clock.advance(FIVE_MINUTES - 1)
        assert len(source.cursors) == 3
        await desk.clock.advance(1)
        await polled(poller, 2)
        assert source.opened == 1, "a source stays open between polls"
    assert await desk.cursor() == {"p": "2"}


async def test_it_comes_back_after_the_time_that_a_source_asked_for(desk: Rig) -> None:
    poller = desk.poller(source := Script(Later(after=timedelta(seconds=7)), batch("1")))
    async with running(poller):
        await polled(poller, 1)
        await desk.clock.advance(6.9)
        assert source.did == ["fetch"]
        await desk.clock.advance(0.1)
        await polled(poller, 2)
    assert await desk.cursor() == {"p": "1"}


async def test_news_wake_it_before_the_bell(desk: Rig) -> None:
    poller = desk.poller(source := Waiting(None, batch("1")))
    async with running(poller):
        await polled(poller, 1)
        source.news.set()
        await polled(poller, 2)
    assert await desk.cursor() == {"p": "1"}
    assert desk.clock.time == 1000.0


async def test_a_wait_is_cancelled_and_has_ended_before_the_next_fetch(desk: Rig) -> None:
    poller = desk.poller(source := Waiting())
    async with running(poller):
        await polled(poller, 1)
        await desk.clock.advance(FIVE_MINUTES)
        await polled(poller, 2)
        assert source.did == ["fetch", "wait", "cancelled", "fetch", "wait"]


async def test_the_schedule_goes_on_while_a_source_waits_for_news_and_no_news_put_it_off(desk: Rig) -> None:
    poller = desk.poller(source := Waiting())
    async with running(poller):
        await polled(poller, 1)
        await desk.clock.advance(FIVE_MINUTES - 1)
        source.news.set()
        await polled(poller, 2)
        for polls in range(3, 6):
            await desk.clock.advance(1 if polls == 3 else FIVE_MINUTES)
            await polled(poller, polls)


# How fresh it is.


def alarm(desk: Rig, poller: Poller) -> Alarm | None:
    return desk.freshness.judge(poller.health, Instant.of(desk.clock))


async def test_each_poll_that_succeeds_is_a_look_and_what_is_new_in_it_is_remembered(desk: Rig) -> None:
    desk.freshness = desk.freshness_of(timedelta(minutes=5))
    poller = desk.poller(Script(batch("1"), None, batch("1", at="2"), None))
    async with running(poller):
        await polled(poller, 1)
        first = desk.clock.now()
        kept = await desk.ledger.read(partial(freshness.load, uid="desk"))
        assert (kept.rhythm.last, kept.rhythm.hours) == (first, 1)
        await desk.clock.advance(FIVE_MINUTES)
        await polled(poller, 2)
        assert alarm(desk, poller) is None
        await desk.clock.advance(FIVE_MINUTES)
        await polled(poller, 3)
        silent = alarm(desk, poller)
        assert silent is not None
        assert (silent.kind, silent.since) == (Kind.SILENT, first)


async def test_a_source_that_fails_again_and_again_is_blind_and_says_why(desk: Rig) -> None:
    poller = desk.poller(Script(*[SourceUnavailable("no route to host")] * 99))
    async with running(poller):
        await becomes(poller, Condition.UNAVAILABLE)
        for _ in range(16):
            await desk.clock.advance(60)
            await becomes(poller, Condition.UNAVAILABLE)
        blind = alarm(desk, poller)
        assert blind is not None
        assert (blind.kind, blind.words) == (Kind.BLIND, "no route to host")


class Deaf(Waiting):
    """Whose wait() does not end when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.hangs = asyncio.Event()

    async def wait(self) -> None:
        while not self.hangs.is_set():
            with suppress(asyncio.CancelledError):
                await self.hangs.wait()


async def test_a_wait_that_does_not_let_go_makes_a_source_blind_that_would_look_idle(desk: Rig) -> None:
    poller = desk.poller(source := Deaf())
    async with running(poller):
        await polled(poller, 1)
        await desk.clock.advance(3 * FIVE_MINUTES + 31)
        assert poller.health.condition is Condition.IDLE
        blind = alarm(desk, poller)
        assert blind is not None
        assert "wait() does not let go" in blind.words
        source.hangs.set()


async def test_a_fetch_that_never_returns_makes_a_source_blind_that_would_look_busy(desk: Rig) -> None:
    hangs = asyncio.Event()
    poller = desk.poller(Script(lambda _: hangs.wait()))
    async with running(poller):
        await becomes(poller, Condition.POLLING)
        await desk.clock.advance(3 * FIVE_MINUTES + 31)
        blind = alarm(desk, poller)
        assert blind is not None
        assert blind.words.startswith("the poll that began at ")


# What trouble means.


async def test_an_unavailable_source_is_left_alone_for_as_long_as_it_asked_and_opened_anew(desk: Rig) -> None:
    trouble = SourceUnavailable("busy", retry_after=timedelta(seconds=90), hint="have patience")
    poller = desk.poller(source := Script(trouble, batch("1")))
    async with running(poller):
        await desk.waits_for(90)
        assert (poller.health.condition, poller.health.error) == (Condition.UNAVAILABLE, "busy")
        assert poller.health.hint == "have patience"
        assert source.open_now == 0, "it is closed meanwhile"
        await desk.clock.advance(89.9)
        assert source.opened == 1
        await desk.clock.advance(0.1)
        await polled(poller, 1)
        assert (source.opened, poller.health.error) == (2, "")
    *_, failed = await desk.runs()
    assert failed.error == "busy"


@pytest.mark.parametrize("after", [None, timedelta(0), timedelta(seconds=-1)])
async def test_without_a_time_the_gaps_grow(desk: Rig, after: timedelta | None) -> None:
    source = Script(*(SourceUnavailable("away", retry_after=after) for _ in range(4)))
    poller = desk.poller(source, random=lambda: 0.0)
    async with running(poller):
        for gap in (1.0, 2.0, 4.0, 8.0):
            await desk.waits_for(gap)
            await desk.clock.advance(gap)
        await polled(poller, 1)
    assert desk.clock.time == 1015.0


async def test_after_a_success_the_gaps_start_anew(desk: Rig) -> None:
    away = SourceUnavailable("away")
    source = Script(away, away, batch("1"), None, away, None)
    poller = desk.poller(source, random=lambda: 0.0)
    async with running(poller):
        for gap in (1.0, 2.0):
            await desk.waits_for(gap)
            await desk.clock.advance(gap)
        await polled(poller, 1)
        desk.clock.naps.clear()
        await desk.clock.advance(FIVE_MINUTES)
        await desk.waits_for(1.0)


async def test_a_misconfigured_source_is_shown_with_its_hint_and_tried_with_growing_gaps(desk: Rig) -> None:
    trouble = SourceMisconfigured("the folder is gone", hint="mkdir /srv/drop")
    poller = desk.poller(Script(trouble, trouble, batch("1")), random=lambda: 0.0)
    async with running(poller):
        for gap in (1.0, 2.0):
            await desk.waits_for(gap)
            assert poller.health.condition is Condition.MISCONFIGURED
            assert (poller.health.error, poller.health.hint) == ("the folder is gone", "mkdir /srv/drop")
            await desk.clock.advance(gap)
        await polled(poller, 1)
    assert (poller.health.error, poller.health.hint) == ("", "")


BUGS = [
    RuntimeError("a bug"), SystemExit(3), KeyboardInterrupt(), Stop("no"), asyncio.CancelledError(),
    ZeroDivisionError(),     ExceptionGroup("several", [SourceUnavailable("away")]), TimeoutError(), RecursionError(),
]  # fmt: skip


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: type(bug).__name__)
async def test_a_bug_of_a_plugin_holds_its_source_with_a_traceback(desk: Rig, bug: BaseException) -> None:
    poller = desk.poller(source := Script(batch("1"), bug))
    async with running(poller) as task:
        await asyncio.wait_for(asyncio.shield(task), 10)
    assert poller.health.condition is Condition.HELD
    assert poller.health.error.startswith(type(bug).__name__)
    assert "in fetch" in poller.health.traceback
    assert "held until a reload" in poller.health.hint
    assert [line.event for line in desk.log.lines if line.level == "error"] == ["source held"]
    assert source.open_now == 0
    assert await desk.cursor() == {"p": "1"}, "what came before the bug is stored"


@pytest.mark.parametrize("bug", [*BUGS, SystemExit("again")], ids=lambda bug: type(bug).__name__)
async def test_a_bug_in_wait_or_in_settle_or_at_opening_holds_it_too(desk: Rig, bug: BaseException) -> None:
    class Bad(Settling):
        async def wait(self) -> None:
            raise bug

    for source in (Bad(), Settling(batch("1", done=["a"]), troubles=[bug])):
        await asyncio.wait_for(desk.poller(source).run(), 10)

    @asynccontextmanager
    async def open_it() -> AsyncIterator[Any]:
        raise bug
        yield

    poller = desk.poller(open_it)
    await asyncio.wait_for(poller.run(), 10)
    assert poller.health.condition is Condition.HELD
    assert [line.event for line in desk.log.lines if line.level == "error"] == ["source held"] * 3


FLOOD = [record(str(n)) for n in range(501)]


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([Batch(records=[record("1")])] * 2, "the same batch twice in a row"),
        ([Batch(cursor={})], "without records that moves no part of the cursor"),
        ([Batch(records=FLOOD, cursor={"p": 1})], "returned 501 records, at most 500 are allowed"),
        ([Batch(cursor={"p": "x" * 70_000})], "part 'p' of the cursor takes 70002 bytes, at most 65536 are allowed"),
        ([Batch(cursor={"p": datetime(2026, 1, 1)})], "part 'p' of the cursor is not JSON"),  # noqa: DTZ001 - as good as any
        (["batch"], "fetch returned str"),
    ],
)
async def test_a_batch_that_breaks_the_contract_holds_the_source_with_words(desk: Rig, steps: Any, words: str) -> None:
    poller = desk.poller(Script(*steps))
    await asyncio.wait_for(poller.run(), 10)
    assert poller.health.condition is Condition.HELD
    assert words in poller.health.error


async def test_a_source_that_is_held_keeps_no_other_from_going_on(desk: Rig, tmp_path: Path) -> None:
    bad, good = desk.poller(Script(SystemExit())), desk.poller(Script(batch("1")))
    async with running(bad), running(good):
        await becomes(bad, Condition.HELD)
        await polled(good, 1)


async def test_a_fetch_that_takes_too_long_counts_as_unavailable(desk: Rig) -> None:
    async def forever(cursor: Any) -> None:
        await asyncio.Event().wait()

    desk.time_limit = timedelta(milliseconds=10)
    poller = desk.poller(Script(forever, batch("1")), random=lambda: 0.0)
    async with running(poller):
        await desk.waits_for(1.0)
        assert "fetch took longer than 0.01 s" in poller.health.error
        await desk.clock.advance(1.0)
        await polled(poller, 1)


async def test_an_opening_that_takes_too_long_counts_as_unavailable(desk: Rig) -> None:
    @asynccontextmanager
    async def never() -> AsyncIterator[Any]:
        await asyncio.Event().wait()
        yield

    desk.time_limit = timedelta(milliseconds=10)
    poller = desk.poller(never, random=lambda: 0.0)
    async with running(poller):
        await desk.waits_for(1.0)
        assert "open took longer" in poller.health.error


async def test_what_a_plugins_context_manager_swallows_is_judged_all_the_same(desk: Rig) -> None:
    @asynccontextmanager
    async def deaf() -> AsyncIterator[Any]:
        with suppress(Exception):
            yield Script(SourceUnavailable("away"))

    poller = desk.poller(deaf, random=lambda: 0.0)
    async with running(poller):
        await desk.waits_for(1.0)
        assert poller.health.error == "away"


async def test_a_cancel_that_a_plugin_makes_something_else_of_ends_the_poller_all_the_same(desk: Rig) -> None:
    async def stubborn(cursor: Any) -> Any:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return batch("1")

    async def turned(cursor: Any) -> Any:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise SourceUnavailable("closed", retry_after=timedelta(hours=1)) from None

    async def raised(cursor: Any) -> Any:
        try:
            await asyncio.Event().wait()
        finally:
            raise RuntimeError("in the way out")

    for step in (stubborn, turned, raised):
        poller = desk.poller(source := Script(step))
        task = asyncio.create_task(poller.run())
        await eventually(lambda source=source: source.did == ["fetch"])
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, 10)
        assert poller.health.condition is Condition.POLLING


async def test_trouble_of_the_ledger_is_not_the_plugins(desk: Rig) -> None:
    poller = desk.poller(Script(batch("1")))
    desk.ledger.close()
    with pytest.raises(LedgerError):
        await asyncio.wait_for(poller.run(), 10)


async def test_a_part_that_failed_is_shown_until_it_works_again(desk: Rig) -> None:
    failed = batch("1", problems=[Problem(part="b.csv", reason="gone")])
    poller = desk.poller(Script(failed, None, batch("2"), None, Batch(cursor={"b.csv": 7})))
    async with running(poller):
        await polled(poller, 1)
        assert poller.health.problems == {"b.csv": "gone"}
        assert "b.csv" in desk.log.text
        await desk.clock.advance(FIVE_MINUTES)
        await polled(poller, 2)
        assert poller.health.problems == {"b.csv": "gone"}, "nothing was heard of that part since"
        await desk.clock.advance(FIVE_MINUTES)
        await polled(poller, 3)
        assert poller.health.problems == {}


async def test_a_source_that_wakes_it_for_nothing_is_slowed_down(desk: Rig) -> None:
    class Wolf(Script):
        async def wait(self) -> None:
            self.did.append("wait")

    source = Wolf()
    async with running(desk.poller(source)):
        await desk.waits_for(1.0)
        assert source.did.count("wait") == 4


# What is settled.


async def test_what_is_done_is_settled_after_it_is_stored(desk: Rig) -> None:
    stored: list[Any] = []

    class Looking(Settling):
        async def settle(self, done: Any) -> None:
            stored.append((await desk.cursor(), list(done)))

    poller = desk.poller(Looking(batch("1", done=["a", "b"]), batch("2", done=["c"])))
    async with running(poller):
        await polled(poller, 1)
    assert stored == [({"p": "1"}, ["a", "b"]), ({"p": "2"}, ["c"])]
    assert await desk.unsettled() == []


async def test_a_failed_settle_stops_no_fetch_and_is_tried_again_with_growing_gaps(desk: Rig) -> None:
    troubles = [SourceUnavailable("read-only"), SourceMisconfigured("still")]
    source = Settling(batch("1", done=["a"]), batch("2", done=["b"]), troubles=troubles)
    poller = desk.poller(source, random=lambda: 0.0)
    async with running(poller):
        await polled(poller, 1)
        assert (await desk.cursor(), await desk.unsettled()) == ({"p": "2"}, ["a", "b"])
        await desk.clock.advance(1.0)
        await eventually(lambda: len(source.troubles) == 0)
        await desk.waits_for(2.0)
        await desk.clock.advance(2.0)
        await desk.all_settled()
    assert source.settled == ["a", "b"]
    assert poller.health.polls == 1, "settling again is not another poll"
    assert source.did.count("fetch") == 3


async def test_what_is_left_to_settle_is_settled_at_the_next_start(desk: Rig) -> None:
    broken = desk.poller(Settling(batch("1", done=["a"]), troubles=[SourceUnavailable("read-only")] * 9))
    async with running(broken):
        await polled(broken, 1)
    poller = desk.poller(source := Settling())
    async with running(poller):
        await polled(poller, 1)
    assert source.did == ["settle", "fetch"]
    assert source.settled == ["a"]


# A single run.


async def test_a_single_run_waits_for_what_is_not_ready_yet_and_counts_all_of_it(desk: Rig) -> None:
    source = Script(batch("1"), Later(after=timedelta(seconds=20)), batch("2", "3"), None)
    task = asyncio.create_task(desk.poller(source).drain_once())
    await desk.waits_for(20)
    await desk.clock.advance(20)
    drained = await asyncio.wait_for(task, 10)
    assert (drained.counts["read"], drained.batches, drained.later) == (3, 2, None)
    assert source.open_now == 0


async def test_a_single_run_waits_a_minute_and_no_longer(desk: Rig) -> None:
    drained = await desk.poller(Script(Later(after=timedelta(seconds=61)))).drain_once()
    assert drained.later == timedelta(seconds=61)

    task = asyncio.create_task(desk.poller(Script(*[Later(after=timedelta(seconds=25))] * 9)).drain_once())
    for _ in range(2):
        await desk.waits_for(25)
        desk.clock.naps.clear()
        await desk.clock.advance(25)
        await eventually(lambda: desk.clock.naps or task.done())
    assert (await asyncio.wait_for(task, 10)).later == timedelta(seconds=25)


async def test_a_run_that_found_nothing_is_not_written_down(desk: Rig) -> None:
    poller = desk.poller(Script(batch("1"), None, None))
    async with running(poller):
        for polls in (1, 2):
            await polled(poller, polls)
            await desk.clock.advance(FIVE_MINUTES)
    [run] = await desk.runs()
    assert msgspec.json.decode(run.counts)["read"] == 1
