"""The workers of a sender: hired together, ended together, and never cancelled while something is on the wire."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from cgsync.delivery.gate import Closed


class Withdrawn(Exception):
    """Before its first byte the gate closed, the row was taken back, or the sender was stopped: it goes unsent."""


class Worker:
    """One that sends. While it has nothing ``on_wire`` it may be cancelled. ``probes``: the one for a closed gate.

    ``tries`` is what was closed when its request went on the wire: nothing else can be opened by its answer.
    """

    __slots__ = ("on_wire", "probes", "stopping", "task", "tries")

    def __init__(self, *, probes: bool = False) -> None:
        self.probes = probes
        self.on_wire = False
        self.tries: Closed | None = None
        self.stopping = False
        self.task: asyncio.Task[None]


class Crew:
    """All workers. ``bell`` is rung by each that ends; what one raises is kept as the ``failure`` of all."""

    def __init__(self, bell: Callable[[], None]) -> None:
        self.failure: BaseException | None = None
        self._bell = bell
        self._workers: set[Worker] = set()

    def __len__(self) -> int:
        return len(self._workers)

    @property
    def on_wire(self) -> int:
        return sum(worker.on_wire for worker in self._workers)

    def hire(self, worker: Worker, work: Callable[[Worker], Coroutine[Any, Any, None]]) -> None:
        """Let it work until it ends by itself or by :meth:`stop`."""
        worker.task = asyncio.create_task(work(worker))
        worker.task.add_done_callback(partial(self._gone, worker))
        self._workers.add(worker)

    def stop(self) -> None:
        """Nothing new goes on the wire; who has something there ends with its answer."""
        for worker in self._workers:
            worker.stopping = True
            if not worker.on_wire:
                worker.task.cancel()

    async def dismiss(self) -> None:
        """End them all, whatever they have on the wire."""
        tasks = [worker.task for worker in self._workers]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _gone(self, worker: Worker, task: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failure = self.failure or error  # a bug
        self._bell()
