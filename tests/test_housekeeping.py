"""Chores: each in its interval and at once when asked, and only trouble of the ledger ends them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from cgsync.errors import CgsyncError, LedgerError
from cgsync.housekeeping import Chore, Housekeeping
from cgsync.testing import MemoryLog
from tests.hand import HandClock, breathe


class Work:
    """Counts its turns; a trouble that was put in is raised by the next one."""

    def __init__(self, every: timedelta = timedelta(minutes=1)) -> None:
        self.every = every
        self.turns = 0
        self.trouble: Exception | None = None

    async def __call__(self) -> None:
        self.turns += 1
        if self.trouble is not None:
            raise self.trouble


class House:
    """Chores at work, with time in the hand of the test."""

    def __init__(self, **works: Work) -> None:
        self.clock, self.log = HandClock(), MemoryLog()
        chores = [Chore(name=name, every=lambda work=work: work.every, work=work) for name, work in works.items()]  # type: ignore[misc]
        self.keeping = Housekeeping(chores, clock=self.clock, log=self.log)


@asynccontextmanager
async def kept(**works: Work) -> AsyncIterator[tuple[House, asyncio.Task[None]]]:
    house = House(**works)
    task = asyncio.create_task(house.keeping.run())
    await breathe()
    try:
        yield house, task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_each_chore_has_its_own_interval() -> None:
    often, seldom = Work(timedelta(seconds=1)), Work(timedelta(seconds=30))
    async with kept(often=often, seldom=seldom) as (house, _):
        await house.clock.advance(60)
        assert (often.turns, seldom.turns) == (60, 2)


async def test_the_first_turn_of_a_rare_one_comes_soon_but_not_at_once() -> None:
    daily = Work(timedelta(days=1))
    async with kept(daily=daily) as (house, _):
        await house.clock.advance(599)
        assert daily.turns == 0
        await house.clock.advance(2)
        assert daily.turns == 1
        await house.clock.advance(86_000)
        assert daily.turns == 1


async def test_a_chore_that_is_asked_for_has_its_turn_now_and_the_others_do_not() -> None:
    asked, other = Work(), Work()
    async with kept(asked=asked, other=other) as (house, _):
        house.keeping.ask("asked")
        await breathe()
        assert (asked.turns, other.turns) == (1, 0)


async def test_an_interval_that_is_changed_meanwhile_holds_from_the_next_turn_on() -> None:
    work = Work(timedelta(seconds=10))
    async with kept(work=work) as (house, _):
        work.every = timedelta(seconds=1)
        await house.clock.advance(15)
        assert work.turns == 6


@pytest.mark.parametrize("trouble", [CgsyncError("no disk", hint="make room"), ZeroDivisionError("a bug")])
async def test_a_chore_that_fails_is_logged_and_has_its_next_turn(trouble: Exception) -> None:
    work, other = Work(), Work()
    work.trouble = trouble
    async with kept(work=work, other=other) as (house, task):
        await house.clock.advance(60)
        work.trouble = None
        await house.clock.advance(60)
        assert (work.turns, other.turns, task.done()) == (2, 2, False)
        [line] = house.log.lines
        assert (line.level, line.values["chore"]) == ("error", "work")
        assert str(trouble.args[0]) in str(line.values["error"])


async def test_trouble_of_the_ledger_ends_all_chores() -> None:
    work = Work()
    work.trouble = LedgerError("the disk is gone")
    async with kept(work=work, other=Work()) as (house, task):
        await house.clock.advance(60)
        with pytest.raises(LedgerError, match="the disk is gone"):
            await task
