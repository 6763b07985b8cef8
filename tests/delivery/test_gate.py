"""The gate: who may close it, when a probe may try, what opens it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from cgsync.delivery import Closing, Gate
from tests.hand import breathe


def gate_of(clock: Any) -> Gate:
    return Gate(clock, lambda: 1.0)


async def test_an_open_gate_lets_pass_at_once(clock: Any) -> None:
    await asyncio.wait_for(gate_of(clock).opened(), 1)


async def test_a_429_holds_everyone_for_as_long_as_it_asked(clock: Any) -> None:
    gate = gate_of(clock)
    assert gate.close(Closing.THROTTLED, "throttled", "429", after=timedelta(seconds=30))
    probe = asyncio.create_task(gate.probe_due())
    await clock.advance(29)
    assert not probe.done()
    await clock.advance(2)
    assert probe.done()
    assert gate.closed is not None
    gate.open()
    await asyncio.wait_for(gate.opened(), 1)


async def test_a_longer_wait_that_is_asked_for_later_counts(clock: Any) -> None:
    gate = gate_of(clock)
    gate.close(Closing.THROTTLED, "throttled", "429", after=timedelta(seconds=5))
    assert not gate.close(Closing.THROTTLED, "throttled", "429", after=timedelta(seconds=60))
    assert not gate.close(Closing.THROTTLED, "throttled", "429", after=timedelta(seconds=1))
    assert gate.wait() == 60


async def test_again_at_once_is_not_believed_for_ever(clock: Any) -> None:
    """Retry-After: 0, time after time."""
    gate = gate_of(clock)
    gate.close(Closing.THROTTLED, "throttled", "429", after=timedelta(0))
    waits = [gate.wait()]
    for _ in range(4):
        gate.close(Closing.THROTTLED, "throttled", "429", after=timedelta(0), probe=True)
        waits.append(gate.wait())
    assert waits == [0, 2, 4, 8, 16]


async def test_without_a_wait_that_was_asked_for_the_gaps_after_a_429_grow(clock: Any) -> None:
    gate = gate_of(clock)
    gate.close(Closing.THROTTLED, "throttled", "429")
    waits = [gate.wait()]
    for _ in range(12):
        gate.close(Closing.THROTTLED, "throttled", "429", probe=True)
        waits.append(gate.wait())
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == 900


async def test_a_pause_is_probed_each_fifteen_minutes_however_often_that_fails(clock: Any) -> None:
    gate = gate_of(clock)
    gate.close(Closing.PAUSED, "forbidden", "403", after=timedelta(minutes=15))
    gaps = [gate.wait()]
    for _ in range(3):
        gate.close(Closing.PAUSED, "forbidden", "403", after=timedelta(minutes=15), probe=True)
        gaps.append(gate.wait())
    gate.close(Closing.BREAKER, "unavailable", "503", probe=True)
    gaps.append(gate.wait())
    assert gaps == [900] * 5


async def test_what_was_in_flight_changes_nothing(clock: Any) -> None:
    gate = gate_of(clock)
    gate.close(Closing.PAUSED, "forbidden", "403")
    before = gate.closed
    assert not gate.close(Closing.PAUSED, "forbidden", "403")
    assert not gate.close(Closing.BREAKER, "unavailable", "500")
    assert gate.closed == before


async def test_what_a_429_asked_for_holds_when_the_breaker_opens_meanwhile(clock: Any) -> None:
    gate = Gate(clock, random=lambda: 0.5)
    gate.close(Closing.THROTTLED, "throttled", "slow down", after=timedelta(hours=1))
    gate.close(Closing.BREAKER, "unavailable", "500")
    assert gate.wait() == 3600
    gate.close(Closing.PAUSED, "forbidden", "403")
    assert gate.wait() == 3600


async def test_a_pause_outranks_the_breaker(clock: Any) -> None:
    gate = gate_of(clock)
    gate.close(Closing.BREAKER, "unavailable", "500")
    assert gate.close(Closing.PAUSED, "auth", "401")
    assert gate.closed is not None
    assert gate.closed.cause == "auth"


async def test_a_probe_that_meets_something_lesser_leaves_the_pause(clock: Any) -> None:
    gate = gate_of(clock)
    gate.close(Closing.PAUSED, "auth", "401")
    gate.close(Closing.THROTTLED, "throttled", "429", after=timedelta(seconds=7), probe=True)
    assert gate.closed is not None
    assert gate.closed.cause == "auth"
    assert gate.wait() == 900


async def test_resume_asks_for_a_probe_now(clock: Any) -> None:
    gate = gate_of(clock)
    gate.close(Closing.PAUSED, "auth", "401")
    probe = asyncio.create_task(gate.probe_due())
    await breathe()
    assert not probe.done()
    gate.probe_soon()
    await breathe()
    assert probe.done()


async def test_nobody_probes_an_open_gate(clock: Any) -> None:
    gate = gate_of(clock)
    gate.close(Closing.BREAKER, "unavailable", "500")
    probe = asyncio.create_task(gate.probe_due())
    await breathe()
    gate.open()
    await clock.advance(10_000)
    assert not probe.done()
    probe.cancel()


# Halts


async def test_a_halt_lets_nobody_pass_and_nobody_probe(clock: Any) -> None:
    gate = gate_of(clock)
    assert gate.halt("operator", "paused by hand", "`resume`")
    assert not gate.halt("operator", "paused by hand", "`resume`")
    passing, probing = asyncio.create_task(gate.opened()), asyncio.create_task(gate.probe_due())
    gate.probe_soon()
    await clock.advance(100_000)
    assert not passing.done()
    assert not probing.done()
    assert gate.closed is not None
    assert (gate.closed.kind.word, gate.closed.cause) == ("halted", "operator")
    assert gate.go_on("operator")
    await breathe()
    assert passing.done()
    assert not probing.done()
    probing.cancel()


async def test_a_halt_ends_by_its_own_cause_alone(clock: Any) -> None:
    gate = gate_of(clock)
    gate.halt("operator", "paused by hand", "")
    gate.halt("disk", "the disk is full", "")
    assert gate.go_on("operator")
    assert not gate.go_on("operator")
    assert gate.closed is not None
    assert gate.closed.words == "the disk is full"
    gate.go_on("disk")
    assert gate.closed is None


async def test_what_the_receiver_closed_stays_closed_behind_a_halt(clock: Any) -> None:
    gate = gate_of(clock)
    gate.halt("operator", "", "")
    assert gate.close(Closing.PAUSED, "auth", "401")  # of what was in flight
    assert gate.closed is not None
    assert gate.closed.cause == "operator"
    gate.go_on("operator")
    assert gate.closed.cause == "auth"
    assert gate.wait() == 900


async def test_an_answer_does_not_end_a_halt(clock: Any) -> None:
    gate = gate_of(clock)
    gate.close(Closing.PAUSED, "auth", "401")
    gate.halt("operator", "", "")
    assert gate.open() is not None
    assert gate.closed is not None
    gate.go_on("operator")
    assert gate.closed is None
