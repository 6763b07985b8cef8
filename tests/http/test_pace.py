"""The pace, counted at each turn."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cgsync.http import Pace


async def turns(pace: Pace, clock: Any, *, workers: int, seconds: float, late: float = 0.0) -> list[float]:
    """The times at which ``workers`` got their turns, each busy for a moment in between."""
    times: list[float] = []

    async def work() -> None:
        while True:
            await pace.turn()
            times.append(clock.time + late)
            await clock.sleep(0.05)

    tasks = [asyncio.create_task(work()) for _ in range(workers)]
    await clock.advance(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return times


def busiest(times: list[float], span: float = 10.0) -> int:
    """The most turns in any ``span`` seconds."""
    most = start = 0
    for end, time in enumerate(times):
        while times[start] <= time - span:
            start += 1
        most = max(most, end - start + 1)
    return most


@pytest.mark.parametrize("rate", [1, 3, 10, 25, 100])
async def test_no_ten_seconds_hold_more_than_the_ceiling_and_it_is_used(clock: Any, rate: int) -> None:
    times = await turns(Pace(rate, clock), clock, workers=16, seconds=100)
    assert busiest(times) <= rate * 10
    assert len(times) >= rate * 100 * 0.99


async def test_there_is_no_burst_at_the_start(clock: Any) -> None:
    times = await turns(Pace(10, clock), clock, workers=50, seconds=1)
    assert len(times) == 10
    assert times[1] - times[0] >= 0.1


async def test_a_pause_is_not_made_up_for(clock: Any) -> None:
    pace = Pace(10, clock)
    await turns(pace, clock, workers=4, seconds=5)
    await clock.advance(60)
    assert len(await turns(pace, clock, workers=50, seconds=1)) <= 11


@pytest.mark.parametrize("stall", [0.2, 1.0, 5.0])
async def test_those_who_waited_through_a_stall_do_not_start_at_once(clock: Any, stall: float) -> None:
    """Time passes while nothing runs: all timers ring late and together."""
    pace, times = Pace(10, clock), []

    async def work() -> None:
        while True:
            await pace.turn()
            times.append(clock.time)

    tasks = [asyncio.create_task(work()) for _ in range(8)]
    for _ in range(6):
        await clock.advance(3)
        clock.time += stall
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert busiest(times) <= 100


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rate=st.integers(1, 40), naps=st.lists(st.floats(0, 3), min_size=5, max_size=40))
def test_the_ceiling_holds_whatever_the_workers_do(clock_type: Any, rate: int, naps: list[float]) -> None:
    async def play() -> list[float]:
        clock = clock_type()
        pace, times = Pace(rate, clock), []

        async def work(mine: list[float]) -> None:
            for nap in mine * 20:
                await pace.turn()
                times.append(clock.time)
                await clock.sleep(nap)

        tasks = [asyncio.create_task(work(naps[n:] + naps[:n])) for n in range(6)]
        await clock.advance(40)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return times

    assert busiest(asyncio.run(play())) <= rate * 10


async def test_a_429_halves_it_and_it_comes_back_in_steps(clock: Any) -> None:
    pace = Pace(10, clock)
    pace.throttled()
    assert pace.rate == 5
    await turns(pace, clock, workers=1, seconds=11)
    assert pace.rate == 6
    await turns(pace, clock, workers=1, seconds=45)
    assert pace.rate == 10


async def test_time_without_requests_gains_nothing_back(clock: Any) -> None:
    pace = Pace(10, clock)
    pace.throttled()
    clock.time += 3_600
    await pace.turn()
    assert pace.rate == 6


async def test_it_never_stops_altogether(clock: Any) -> None:
    pace = Pace(10, clock)
    for _ in range(50):
        pace.throttled()
    assert pace.rate == pytest.approx(0.1)


async def test_what_remains_of_a_quota_is_spread_until_its_reset(clock: Any) -> None:
    pace = Pace(10, clock)
    pace.learn(remaining=20, reset=timedelta(seconds=10), limit=1000)
    assert pace.rate == 2
    clock.time += 10
    assert pace.rate == 10


async def test_plenty_of_quota_changes_nothing(clock: Any) -> None:
    pace = Pace(10, clock)
    pace.learn(remaining=900, reset=timedelta(hours=1), limit=1000)
    assert pace.rate == 10


async def test_an_empty_quota_holds_for_a_minute_at_most(clock: Any) -> None:
    pace = Pace(10, clock)
    pace.learn(remaining=0, reset=timedelta(hours=1))
    turn = asyncio.create_task(pace.turn())
    await clock.advance(59)
    assert not turn.done()
    await clock.advance(2)
    assert turn.done()
