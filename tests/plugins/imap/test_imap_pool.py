"""Connections are counted over all sources; who waits is served in order, at the cost of who rests longest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from itertools import count

import pytest
from cgsync_imap import pool
from cgsync_imap.errors import Overloaded
from cgsync_imap.pool import GAP, TURN, Pool, Seat
from cgsync_imap.settings import Connections

from cgsync.api import SourceUnavailable
from cgsync.testing import FakeClock

NUMBERS = count()
Sit = Callable[..., Seat]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def sit(clock: FakeClock) -> Sit:
    """A seat in one pool; every one has an account of its own unless that is named."""
    shared, stack = Pool(), ExitStack()

    def made(host: str = "here", username: str = "", *, account: int = 9, hosts: int = 9, all_: int = 9) -> Seat:
        limits = Connections(account=account, host=hosts, all=all_)
        return stack.enter_context(shared.seat(host, username or f"user{next(NUMBERS)}", limits, clock))

    return made


async def take(seat: Seat, *, spare: bool = False) -> None:
    async with seat.taking(spare=spare):
        pass


async def asking(seat: Seat, *, spare: bool = False) -> asyncio.Task[None]:
    """Somebody who waits for a connection, as far as that comes by itself."""
    task = asyncio.create_task(take(seat, spare=spare))
    await turns()
    return task


async def resting(seat: Seat) -> asyncio.Task[bool]:
    """A mailbox that has a connection and listens."""
    await take(seat)
    task = asyncio.create_task(seat.rest(asyncio.Event().wait()))
    await turns()
    return task


async def turns() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_who_comes_too_late_waits_until_one_is_free(sit: Sit) -> None:
    first, second = sit(hosts=1), sit(hosts=1)
    await take(first)
    waiting = await asking(second)
    assert not waiting.done()
    first.release()
    await waiting
    assert (first.held, second.held) == (False, True)


async def test_the_one_that_rests_longest_makes_room(sit: Sit) -> None:
    held = [sit(hosts=2), sit(hosts=2)]
    rests = [await resting(seat) for seat in held]
    waiting = await asking(sit(hosts=2))
    assert [task.done() for task in rests] == [True, False]
    assert await rests[0] is False
    assert not waiting.done()  # it has not hung up yet
    held[0].release()
    await waiting
    assert held[1].held
    rests[1].cancel()


async def test_one_who_is_asked_to_leave_is_not_asked_twice_and_only_one_is_asked(sit: Sit) -> None:
    rests = [await resting(sit(hosts=3)) for _ in range(3)]
    waiting = [await asking(sit(hosts=3)), await asking(sit(hosts=3))]
    assert [task.done() for task in rests] == [True, True, False]
    for task in (*waiting, rests[2]):
        task.cancel()


async def test_who_waits_is_served_in_the_order_of_asking(sit: Sit) -> None:
    busy = sit(hosts=1)
    await take(busy)
    waiting = {seat: await asking(seat) for seat in (sit(hosts=1), sit(hosts=1), sit(hosts=1))}
    for seat, task in waiting.items():
        busy.release()
        await task
        assert [each.done() for each in waiting.values()].count(True) == list(waiting).index(seat) + 1
        busy = seat


async def test_who_hopes_for_a_spare_one_takes_it_from_nobody_and_comes_last(sit: Sit) -> None:
    rested = sit(hosts=1)
    rest = await resting(rested)
    hoping, waiting_seat = await asking(sit(hosts=1), spare=True), sit(hosts=1)
    assert not rest.done()
    waiting = await asking(waiting_seat)
    assert await rest is False
    rested.release()
    await waiting
    assert not hoping.done()
    waiting_seat.release()
    await hoping


@pytest.mark.parametrize(
    ("limits", "names"),
    [
        ({"account": 1}, [("here", "ada"), ("HERE", "ada")]),
        ({"hosts": 1}, [("here", "ada"), ("here", "bob")]),
        ({"all_": 1}, [("here", "ada"), ("there", "bob")]),
    ],
)
async def test_each_limit_holds_for_what_it_is_about(
    sit: Sit, limits: dict[str, int], names: list[tuple[str, str]]
) -> None:
    for host, username in names[:1]:
        await take(sit(host, username, **limits))
    blocked = await asking(sit(*names[1], **limits))
    free = await asking(sit("elsewhere", "cem"))
    assert (blocked.done(), free.done()) == (False, "all_" not in limits)
    for task in (blocked, free):
        task.cancel()


async def test_another_host_is_not_held_up_by_one_that_is_full(sit: Sit) -> None:
    await take(sit("here", hosts=1))
    waiting = await asking(sit("here", hosts=1))
    await take(sit("there", hosts=1))
    waiting.cancel()


async def test_the_lowest_limit_counts_as_long_as_its_source_is_open(clock: FakeClock) -> None:
    pool = Pool()
    generous, mean = (Connections(account=9, host=number, all=9) for number in (2, 1))
    with pool.seat("here", "ada", generous, clock) as first, pool.seat("here", "bob", generous, clock) as second:
        with pool.seat("here", "cem", mean, clock):
            await take(first)
            waiting = await asking(second)
            assert not waiting.done()
        await waiting


async def test_who_gives_up_waiting_leaves_the_place_to_the_next(sit: Sit) -> None:
    busy, second, third = sit(hosts=1), sit(hosts=1), sit(hosts=1)
    await take(busy)
    impatient, patient = await asking(second), await asking(third)
    impatient.cancel()
    await turns()
    busy.release()
    await patient
    assert (second.held, third.held) == (False, True)


async def test_a_connection_that_fails_is_free_again(sit: Sit) -> None:
    seat = sit(hosts=1)
    with pytest.raises(SourceUnavailable, match="no route"):
        async with seat.taking():
            raise SourceUnavailable("no route")
    await take(sit(hosts=1))


async def test_connections_to_one_host_begin_one_after_the_other(sit: Sit, clock: FakeClock) -> None:
    began = []
    for host in ("here", "here", "there", "here"):
        await take(sit(host))
        began.append((host, round(clock.monotonic() - 1000, 3)))
    assert began == [("here", 0), ("here", GAP), ("there", GAP), ("here", 2 * GAP)]


@pytest.mark.parametrize(("kind", "others"), [(Overloaded, False), (SourceUnavailable, True)])
async def test_patience_that_a_server_asks_for_holds_for_whom_it_means(
    sit: Sit, clock: FakeClock, kind: type[SourceUnavailable], others: bool
) -> None:
    with pytest.raises(SourceUnavailable, match="slow down"):
        async with sit("here", "ada").taking():
            raise kind("slow down", retry_after=timedelta(seconds=40))
    with pytest.raises(SourceUnavailable, match="here wants to be left alone") as caught:
        await take(sit("here", "ada"))
    assert caught.value.retry_after == timedelta(seconds=40)
    allowed = []
    for host in ("here", "there"):
        try:
            await take(sit(host, "bob"))
        except SourceUnavailable:
            continue
        allowed.append(host)
    assert allowed == (["here", "there"] if others else ["there"])
    clock.advance(timedelta(seconds=41))
    await take(sit("here", "ada"))


async def test_a_long_read_is_over_only_when_somebody_waits_for_it(sit: Sit, clock: FakeClock) -> None:
    reading = sit("here", hosts=1)
    await take(reading)
    elsewhere = sit("there", hosts=1)
    await take(elsewhere)
    waiting = await asking(sit("here", hosts=1))
    assert not reading.is_over
    clock.advance(timedelta(seconds=TURN))
    assert (reading.is_over, elsewhere.is_over) == (True, False)
    waiting.cancel()
    await turns()
    assert not reading.is_over


async def test_one_who_was_asked_and_went_to_work_at_the_same_time_leaves_before_it_works(sit: Sit) -> None:
    seat = sit(hosts=1)
    rest = await resting(seat)
    waiting = asyncio.create_task(take(sit(hosts=1)))
    rest.cancel()
    await turns()
    assert seat.is_over
    seat.release()
    await waiting


async def test_a_timeout_of_what_is_listened_to_is_not_taken_for_a_request_to_leave(sit: Sit) -> None:
    async def silent() -> None:
        raise TimeoutError("no answer")

    with pytest.raises(TimeoutError, match="no answer"):
        await sit().rest(silent())


async def test_who_waits_in_vain_says_what_is_scarce_and_leaves_the_line(
    sit: Sit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "PATIENCE", 0.01)
    busy, other = sit(hosts=1), sit(hosts=1)
    await take(busy)
    with pytest.raises(SourceUnavailable, match=r"other mailboxes need all connections .*raise `connections:`"):
        await take(other)
    busy.release()
    assert not other.held
    await take(other)
