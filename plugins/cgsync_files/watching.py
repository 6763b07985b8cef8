"""The kernel's word that something happened in the folder. Only a wake-up: what counts is the scan."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from types import TracebackType

from cgsync.api import Log

STEP_MS = 20
GATHER_MS = 100


class Watch:
    """Rings when something changes in a folder. Where the kernel cannot tell (a share), it never does."""

    def __init__(self, path: Path, log: Log, *, recursive: bool) -> None:
        self._path = path
        self._log = log
        self._recursive = recursive
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Watch:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def watched(self) -> None:
        """Be watching from now on, if that is possible; called before each scan, so that nothing falls between."""
        self._changed.clear()
        if (self._task is None or self._task.done()) and self._path.is_dir():
            self._task = asyncio.create_task(self._watch())
            await asyncio.sleep(0)  # the watch is set up before the task first waits

    async def changed(self) -> None:
        await self._changed.wait()

    async def _watch(self) -> None:
        import watchfiles  # 30 ms that a source which is only checked need not pay

        try:
            changes = watchfiles.awatch(
                self._path, watch_filter=None, debounce=GATHER_MS, step=STEP_MS, recursive=self._recursive
            )
            async for _ in changes:
                self._changed.set()
        except (OSError, RuntimeError) as error:
            self._log.debug("no wake-up from the file system; the schedule goes on", reason=str(error))
        except ExceptionGroup:  # something happened to a name that is not UTF-8; the next scan sees it and watches anew
            self._changed.set()
