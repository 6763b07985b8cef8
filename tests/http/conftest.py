"""Time in the hand of the test."""

from __future__ import annotations

import pytest

from tests.hand import HandClock


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def clock_type() -> type[HandClock]:
    return HandClock
