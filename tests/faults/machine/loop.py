"""A loop whose time is the world's: it runs what can run, and jumps from one timer to the next, never waiting."""

from __future__ import annotations

import asyncio
import threading
from asyncio.base_events import BaseEventLoop
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

MOST_TURNS, MOST_TIMERS = 5_000, 2_000
"""Turns between two timers, and timers that ring in one drive: whoever needs more goes round in circles."""
ASIDE = "cgsync-aside"
LATE = 1e-6
"""Seconds that a timer rings late, as they all do: never before its time, whatever the rounding."""


class Hot(AssertionError):
    """Something runs in circles without time passing."""


class WorldLoop(BaseEventLoop):
    """Deterministic: no selector, no threads, no real time."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._until = self.now
        self._turns = self._timers = 0
        self.errors: list[BaseException] = []
        super().__init__()
        self._selector = self  # what the base class asks for events
        self.set_exception_handler(self._note)

    def time(self) -> float:
        return self.now

    def drive(self, seconds: float) -> None:
        """Let so much time pass, with each timer at its own time."""
        self._until, self._turns, self._timers = self.now + seconds, 0, 0
        self.run_forever()
        self.now = max(self.now, self._until)

    def jump(self, seconds: float) -> None:
        """Time passes and nothing runs meanwhile: a suspended machine."""
        self.now += seconds
        self.drive(0.0)

    def select(self, timeout: float | None) -> Sequence[Any]:
        """Nothing is ready: go to the next timer, or end the drive."""
        self._turns += 1
        if timeout is None or timeout > 0:
            _wait_for_what_is_aside()
        if self._turns > MOST_TURNS or self._timers > MOST_TIMERS:
            self.stop()
            self.errors.append(Hot(f"still busy after {self._turns} turns and {self._timers} timers"))
        elif self._ready:
            return ()
        elif timeout is None or timeout > 0:
            when = self._scheduled[0].when() if self._scheduled else None
            if when is None or when > self._until:
                self.stop()
            else:
                self.now = max(self.now, when + LATE)
                self._turns = 0
                self._timers += 1
        return ()

    def _process_events(self, event_list: Any) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """There is no other thread to be woken from."""

    def _note(self, _: Any, context: dict[str, Any]) -> None:
        error = context.get("exception") or RuntimeError(context["message"])
        if not isinstance(error, asyncio.CancelledError):
            self.errors.append(error)


def _wait_for_what_is_aside() -> None:
    """Long work has a thread of its own; here no time passes meanwhile."""
    for thread in threading.enumerate():
        if thread.name == ASIDE:
            thread.join()


class WorldClock:
    """The clock of a machine: monotonic since its boot, with a wall clock that may be set. A ``cgsync.api.Clock``."""

    def __init__(self, loop: WorldLoop) -> None:
        self._loop = loop
        self._booted = 0.0
        self._wall = datetime(2026, 3, 4, 10, 0, tzinfo=UTC) - timedelta(seconds=loop.now)

    def now(self) -> datetime:
        return self._wall + timedelta(seconds=self._loop.now)

    def monotonic(self) -> float:
        return self._loop.now - self._booted

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(seconds, LATE) if seconds > 0 else 0)  # less would be lost in rounding

    def step(self, seconds: float) -> None:
        """Somebody sets the wall clock."""
        self._wall += timedelta(seconds=seconds)

    def reboot(self) -> None:
        """The monotonic clock starts over."""
        self._booted = self._loop.now - 5.0
