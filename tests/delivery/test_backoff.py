"""Full jitter, bounded."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from cgsync.delivery.backoff import full_jitter, half_jitter


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_wait_is_between_nothing_and_fifteen_minutes(failures: int, chance: float) -> None:
    assert timedelta(0) <= full_jitter(failures, lambda: chance) <= timedelta(minutes=15)


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_gap_between_probes_never_shrinks_below_half(failures: int, chance: float) -> None:
    assert timedelta(seconds=0.5) <= half_jitter(failures, lambda: chance) <= timedelta(minutes=15)


def test_the_bound_doubles_with_each_failure() -> None:
    bounds = [full_jitter(n, lambda: 1.0).total_seconds() for n in range(12)]
    assert bounds == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
