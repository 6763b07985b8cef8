"""Budgets: one pace for all who name it, also after the rate was changed."""

from __future__ import annotations

import pytest

from cgsync.errors import SourceMisconfigured
from cgsync.http.budgets import Budgets
from cgsync.testing import FakeClock


async def turns(budgets: Budgets, clock: FakeClock, count: int) -> float:
    """Seconds that so many turns take."""
    start = clock.monotonic()
    for _ in range(count):
        await budgets.pace("desk").turn()
    return clock.monotonic() - start


async def test_all_who_name_one_share_its_pace() -> None:
    clock = FakeClock()
    budgets = Budgets({"desk": 2.0}, clock)
    first, second = budgets.pace("desk"), budgets.pace("desk")
    start = clock.monotonic()
    for _ in range(5):
        await first.turn()
        await second.turn()
    assert clock.monotonic() - start >= 4.5


async def test_a_changed_rate_takes_effect_on_who_holds_it() -> None:
    clock = FakeClock()
    budgets = Budgets({"desk": 1.0}, clock)
    held = budgets.pace("desk")
    await held.turn()
    budgets.declare({"desk": 10.0, "other": 1.0})
    assert budgets.pace("desk") is held
    await held.turn()
    assert await turns(budgets, clock, 10) == pytest.approx(1.0, rel=0.02)


async def test_what_a_429_slowed_down_stays_slow() -> None:
    clock = FakeClock()
    budgets = Budgets({"desk": 8.0}, clock)
    budgets.pace("desk").throttled()
    budgets.declare({"desk": 100.0})
    assert budgets.pace("desk").rate == 4.0
    budgets.declare({"desk": 2.0})
    assert budgets.pace("desk").rate == 2.0


def test_one_that_is_not_declared_is_named_with_those_that_are() -> None:
    budgets = Budgets({"desk": 1.0, "shop": 1.0}, FakeClock())
    budgets.declare({"shop": 1.0})
    with pytest.raises(SourceMisconfigured) as caught:
        budgets.pace("desk")
    assert (caught.value.message, caught.value.hint) == (
        "there is no budget 'desk'",
        "declare it under budgets: (there: shop)",
    )
