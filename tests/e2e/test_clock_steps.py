"""The wall clock of the real daemon is stepped while it runs: nothing is lost, late or sent twice, no token wasted."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import needs
from tests.e2e.installation import Site, environment, eventually, orders

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)
pytestmark = needs.given(LIBRARY, "libfaketime: apt-get install faketime")
SOON = 30.0
"""Seconds within which a record is delivered that was dropped right after a step; the source is polled each second."""


class Clock:
    """The wall clock of one process, through Debian's libfaketime; its other clocks are the machine's."""

    def __init__(self, folder: Path) -> None:
        self._offset = folder / "offset"
        self.step(0)

    def step(self, seconds: int) -> None:
        """Be that far from the machine's wall clock from now on."""
        aside = self._offset.with_suffix(".part")
        aside.write_text(f"{seconds:+d}\n")
        aside.rename(self._offset)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._offset),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
        }


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path)


def daemon(site: Site, clock: Clock) -> None:
    with site.log.open("a") as log:
        command = [sys.executable, "-m", "cgsync", "-c", str(site.config), "run"]
        process = subprocess.Popen(command, stderr=log, stdout=log, text=True, env=environment() | clock.environment)
    site.processes.append(process)
    eventually(lambda: "running" in site.said())


def delivered_soon(site: Site, number: int) -> None:
    site.put(f"{number}.csv", orders(1, start=number))
    eventually(lambda: f"order-{number}" in site.sandbox.activities, within=SOON)
    eventually(lambda: site.said().count("took in") == number)  # with the time of the daemon's own clock


def hours(site: Site) -> list[str]:
    """The hours that the daemon's own clock showed in its log, each once, in their order."""
    return list(dict.fromkeys(re.findall(r"^(\d{4}-\d\d-\d\d[T ]\d\d)", site.said(), re.MULTILINE)))


def test_records_that_come_around_steps_of_the_clock_are_each_delivered_once_and_soon(site: Site, clock: Clock) -> None:
    daemon(site, clock)
    delivered_soon(site, 1)
    for number, step in enumerate((3_600, -86_400, 0), 2):
        clock.step(step)
        delivered_soon(site, number)
    assert [each["reference"] for each in site.sandbox.log()] == [f"order-{number}" for number in (1, 2, 3, 4)]
    assert site.sandbox.stats["tokens"] == 1
    assert len(hours(site)) >= 3, "the daemon saw the steps"
    assert site.processes[-1].poll() is None
    site.balances()
