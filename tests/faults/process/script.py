"""What a child plays: the real engine over the real files source, to the end of a small script; or the real commands.

The script: what lies in the drop folder is stored and delivered; then a second export, which lies aside, is renamed
in and delivered too; then a clean stop. Played again after any death, it goes on where that left it.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cgsync import cli, config
from cgsync.api import Clock
from cgsync.engine import Engine
from cgsync.hosting import Host
from cgsync.ledger import Ledger, outbox
from cgsync.secrets import Redactor
from tests.plant import Log

SPEED = 600.0
"""Two minutes, for which an abandoned request may be executed, are 0.2 s."""
BEGAN = datetime(2026, 3, 4, 10, tzinfo=UTC)
ASIDE = "aside"
SOURCE = "orders"
SUSPENDED = 0.02
"""Share of the looks at the clock before which the machine slept for up to a day."""


class RushingClock:
    """Boot time, :data:`SPEED` times as fast; the same for every process on this machine."""

    def now(self) -> datetime:
        return BEGAN + timedelta(seconds=self.monotonic() % 10_000_000)

    def monotonic(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME) * SPEED

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / SPEED)


class SteppingClock(RushingClock):
    """The wall clock is another one at each look, by up to ten years; now and then the machine was suspended."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._slept = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self._random.choice((-1, 1)) * self._random.expovariate(1e-7))

    def monotonic(self) -> float:
        if self._random.random() < SUSPENDED:
            self._slept += self._random.uniform(1, 100_000)
        return super().monotonic() + self._slept


def play(path: Path) -> None:
    """Play the script to its end with the configuration in ``path``."""
    asyncio.run(_play(path, RushingClock()))


def step(path: Path) -> None:
    """Play the script while the clock is stepped and the machine is suspended."""
    asyncio.run(_play(path, SteppingClock(time.monotonic_ns())))


async def _play(path: Path, clock: Clock) -> None:
    async with engine_at(path, clock) as engine:
        await _deliver(engine)
        aside = path.parent / ASIDE
        for file in sorted(aside.iterdir()):
            file.rename(path.parent / "drop" / file.name)
        await _deliver(engine)


async def _deliver(engine: Engine) -> None:
    drained = await engine.sources.drain(SOURCE)
    assert not drained.problems, drained.problems
    while await engine.ledger.read(outbox.pending_count):
        await engine.sender.idle()
        await engine.host.clock.sleep(10)


@asynccontextmanager
async def engine_at(path: Path, clock: Clock) -> AsyncIterator[Engine]:
    """The engine as the daemon assembles it, on that clock."""
    loaded, log = config.load(path), Log()
    ledger = Ledger.open(loaded.state_dir, receiver=loaded.receiver.identity, clock=clock)
    clean = False
    try:
        host = Host(clock=clock, log=log, redactor=Redactor(), state_dir=loaded.state_dir)
        engine = Engine(loaded, ledger, host, random=lambda: 0.5, log=log)
        try:
            await engine.assemble()
            engine.start(polling=False)
            yield engine
        finally:
            await engine.stop()
        clean = True
    finally:
        ledger.close(clean=clean)


def once(path: Path) -> None:
    """`cgsync run --once`, as it is typed."""
    sys.argv = ["cgsync", "-c", str(path), "run", "--once"]
    cli.main()


def run(path: Path) -> None:
    """`cgsync run`, as it is typed."""
    sys.argv = ["cgsync", "-c", str(path), "run"]
    cli.main()
