"""When a source is due, on a clock that the test moves."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from cgsync.config import Schedule
from cgsync.schedule import LOOK_AGAIN, Bell, patience
from tests.hand import HandClock, breathe


def schedule(**times: Any) -> Schedule:
    return Schedule(**{"timezone": ZoneInfo("UTC"), **times})


def at(hour: int, minute: int, second: int = 0) -> datetime:
    return datetime(2026, 3, 4, hour, minute, second, tzinfo=UTC)


class Rings:
    """Waits for a bell again and again, and notes when it rang."""

    def __init__(self, clock: HandClock, times: Schedule, random: float = 0.0) -> None:
        self.bell = Bell(times, clock=clock, random=lambda: random)
        self.rang: list[datetime] = []
        self.clock = clock
        self.task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        while True:
            await self.bell.ring()
            self.rang.append(self.clock.now())


@pytest.fixture
async def listen():
    started: list[Rings] = []

    def begin(*args: Any, **options: Any) -> Rings:
        started.append(Rings(*args, **options))
        return started[-1]

    yield begin
    for each in started:
        each.task.cancel()
    await asyncio.gather(*(each.task for each in started), return_exceptions=True)


async def test_an_interval_rings_every_so_often(listen) -> None:
    clock = HandClock(at(10, 0))
    rings = listen(clock, schedule(every=timedelta(minutes=5)))
    await clock.advance(15 * 60)
    assert rings.rang == [at(10, 5), at(10, 10), at(10, 15)]


async def test_an_interval_does_not_heed_the_wall_clock(listen) -> None:
    clock = HandClock(at(10, 0))
    rings = listen(clock, schedule(every=timedelta(minutes=5)))
    await breathe()
    clock.wall -= timedelta(days=1)
    await clock.advance(5 * 60)
    assert len(rings.rang) == 1


async def test_an_interval_counts_from_the_last_ring_not_from_the_end_of_the_poll() -> None:
    clock = HandClock()
    bell = Bell(schedule(every=timedelta(minutes=5)), clock=clock, random=float)
    await clock.advance(60)  # a poll that takes a minute
    ringing = asyncio.create_task(bell.ring())
    await clock.advance(4 * 60 - 1)
    assert not ringing.done()
    await clock.advance(1)
    await asyncio.wait_for(ringing, 1)


async def test_rings_that_nobody_waited_for_are_not_made_up_for() -> None:
    clock = HandClock()
    bell = Bell(schedule(every=timedelta(minutes=5)), clock=clock, random=float)
    await clock.advance(3600)  # a poll that takes an hour
    first = asyncio.create_task(bell.ring())
    await clock.advance(0)
    await asyncio.wait_for(first, 1)
    second = asyncio.create_task(bell.ring())
    await clock.advance(299)
    assert not second.done()
    await clock.advance(1)
    await asyncio.wait_for(second, 1)


async def test_jitter_puts_a_ring_off_by_a_part_of_itself(listen) -> None:
    clock = HandClock(at(10, 0))
    rings = listen(clock, schedule(every=timedelta(minutes=5), jitter=timedelta(minutes=1)), random=0.5)
    await clock.advance(11 * 60)
    assert rings.rang == [at(10, 5, 30), at(10, 11)]


async def test_cron_rings_at_its_times_in_its_zone(listen) -> None:
    clock = HandClock(at(6, 0))
    rings = listen(clock, schedule(cron="30 8 * * *", timezone=ZoneInfo("Europe/Berlin")))
    await clock.advance(2 * 3600)
    assert rings.rang == [at(7, 30)]


async def test_cron_rings_once_a_time_even_when_the_poll_is_over_in_that_very_instant(listen) -> None:
    clock = HandClock(at(10, 0))
    rings = listen(clock, schedule(cron="*/5 * * * *"))
    await clock.advance(10 * 60)
    assert rings.rang == [at(10, 5), at(10, 10)]


async def test_cron_with_jitter_rings_once_a_time(listen) -> None:
    clock = HandClock(at(10, 0))
    rings = listen(clock, schedule(cron="*/5 * * * *", jitter=timedelta(minutes=2)), random=0.5)
    await clock.advance(12 * 60)
    assert rings.rang == [at(10, 6), at(10, 11)]


async def test_cron_notices_a_wall_clock_that_was_set_forward(listen) -> None:
    clock = HandClock(at(10, 1))
    rings = listen(clock, schedule(cron="0 12 * * *"))
    await breathe()
    clock.wall = at(12, 3)
    await clock.advance(LOOK_AGAIN)
    assert rings.rang == [at(12, 3, int(LOOK_AGAIN))]


async def test_cron_is_not_blind_after_the_wall_clock_was_set_back(listen) -> None:
    clock = HandClock(at(10, 1))
    rings = listen(clock, schedule(cron="*/5 * * * *"))
    await breathe()
    clock.wall = at(7, 1)
    await clock.advance(5 * 60)
    assert rings.rang == [at(7, 5)]


async def test_cron_skips_the_hour_that_a_summer_time_leaves_out(listen) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    clock = HandClock(datetime(2026, 3, 29, 0, 30, tzinfo=UTC))
    rings = listen(clock, schedule(cron="30 * * * *", timezone=berlin))
    await clock.advance(2 * 3600)
    assert [moment.astimezone(berlin).hour for moment in rings.rang] == [3, 4]


async def test_a_cron_that_never_fires_says_so() -> None:
    bell = Bell(schedule(cron="0 0 30 2 *"), clock=HandClock(), random=float)
    with pytest.raises(ValueError, match="never fires"):
        await bell.ring()


@pytest.mark.parametrize(
    ("times", "longest"),
    [
        ({"every": timedelta(minutes=5)}, timedelta(minutes=15)),
        ({"every": timedelta(minutes=5), "jitter": timedelta(minutes=1)}, timedelta(minutes=16)),
        ({"every": timedelta(hours=20)}, timedelta(hours=44)),
        ({"every": timedelta(days=7)}, timedelta(days=8)),
        ({"cron": "*/10 8-18 * * *"}, timedelta(minutes=30)),
        ({"cron": "0 3 * * *"}, timedelta(hours=17 + 24)),
        ({"cron": "30 8-18 * * mon-fri", "timezone": ZoneInfo("Europe/Berlin")}, timedelta(hours=2, minutes=30)),
        ({"cron": "0 0 29 2 *", "timezone": ZoneInfo("UTC")}, datetime(2028, 3, 1, tzinfo=UTC) - at(10, 0)),
    ],
)
def test_three_looks_may_fail_in_a_row_or_one_for_a_day(times: dict[str, Any], longest: timedelta) -> None:
    assert patience(schedule(**times), at(10, 0)) == longest


def test_a_night_and_a_weekend_without_a_look_are_as_promised() -> None:
    office = schedule(cron="*/10 8-18 * * mon-fri")
    assert patience(office, datetime(2026, 3, 6, 18, 50, tzinfo=UTC)) == timedelta(days=2, hours=13, minutes=30)


def test_what_never_fires_again_promises_nothing() -> None:
    assert patience(schedule(cron="0 0 30 2 *"), at(10, 0)) == timedelta.max
