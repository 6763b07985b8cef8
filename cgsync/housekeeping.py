"""Chores of a running daemon: each has its interval, and none keeps another from its turn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from cgsync.api import Clock, Log
from cgsync.delivery import first
from cgsync.errors import CgsyncError, LedgerError

SOON = timedelta(minutes=10)
"""When a chore has its first turn, unless its interval is shorter: a clock that starts wrong is set right by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chore:
    """Something to do now and then. ``every`` is asked anew each time, since a reload can change it."""

    name: str
    every: Callable[[], timedelta]
    work: Callable[[], Awaitable[object]]


class Housekeeping:
    """Does chores until it is cancelled. Only trouble of the ledger leaves it; all else is logged, and tried again."""

    def __init__(self, chores: Sequence[Chore], *, clock: Clock, log: Log) -> None:
        self._chores = chores
        self._clock = clock
        self._log = log
        self._asked = {chore.name: asyncio.Event() for chore in chores}

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for chore in self._chores:
                    group.create_task(self._keep(chore), name=f"chore {chore.name}")
        except BaseExceptionGroup as errors:  # one is enough to end the daemon with
            raise errors.exceptions[0] from errors

    def ask(self, name: str) -> None:
        """Let that chore have its turn now."""
        self._asked[name].set()

    async def _keep(self, chore: Chore) -> None:
        asked, pause = self._asked[chore.name], min(chore.every(), SOON)
        while True:
            await first(self._clock.sleep(pause.total_seconds()), asked.wait())
            asked.clear()
            await self._do(chore)
            pause = chore.every()

    async def _do(self, chore: Chore) -> None:
        try:
            await chore.work()
        except LedgerError:
            raise
        except CgsyncError as error:
            self._log.error("chore failed", chore=chore.name, error=error.message, hint=error.hint or None)
        except Exception as error:  # noqa: BLE001 - the root of a task: the next turn may do better
            self._log.error("chore failed", chore=chore.name, error=repr(error), exc_info=error)
