"""The real clock: durations go on while the machine is suspended, and a step of the wall clock does not touch them."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from cgsync.clock import SystemClock, span
from tests import needs

UNSHARE = needs.program("unshare", "util-linux")
LOOK = "from cgsync.clock import SystemClock; print(SystemClock().monotonic())"


def in_a_time_namespace(*offsets: str) -> float:
    """What the clock says in a process whose kernel clocks are that far ahead of ours."""
    rights = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    command = ["unshare", *rights, "--time", *offsets, "--fork", sys.executable, "-c", LOOK]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.stderr.startswith("unshare: "):
        pytest.skip(f"no time namespace can be made here: {done.stderr.strip()}")
    done.check_returncode()
    return float(done.stdout)


@UNSHARE
@pytest.mark.parametrize(("suspended", "ahead"), [(0, 0), (3_600, 3_600)])
def test_time_in_which_the_machine_was_suspended_counts(suspended: int, ahead: int) -> None:
    """While it is suspended the boot clock goes on and the monotonic clock of the kernel stands still."""
    before = SystemClock().monotonic()
    seen = in_a_time_namespace("--boottime", str(suspended))
    assert before <= seen - ahead <= SystemClock().monotonic()


@UNSHARE
def test_it_is_not_the_clock_that_stands_still_during_a_suspend() -> None:
    seen = in_a_time_namespace("--monotonic", "3600")
    assert abs(seen - SystemClock().monotonic()) < 600


def test_its_wall_time_has_a_zone() -> None:
    assert abs(SystemClock().now().timestamp() - time.time()) < 60


async def test_a_sleep_ends_when_its_time_is_over() -> None:
    clock = SystemClock()
    before = clock.monotonic()
    await clock.sleep(0.05)
    assert clock.monotonic() - before >= 0.05


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (0, "0s"), (59.6, "1m"), (61, "1m 1s"), (86_387.9, "23h 59m"), (90_061, "1d 1h"), (86_401, "1d 1s")],
)
def test_a_span_shows_its_two_largest_units(seconds: float | None, words: str) -> None:
    assert span(seconds) == words
