"""Decoding away from the loop: in a thread what is small and plain, in a process that can be killed all else."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from cgsync.formats import remote
from cgsync.formats.bodies import Body, decode_body
from cgsync.formats.framing import Job
from cgsync.formats.mail.model import Mail, MailOptions
from cgsync.formats.options import BodyOptions
from cgsync.formats.process import Process
from cgsync.formats.records import Malformed

TIME = timedelta(minutes=2)
IDLE = timedelta(seconds=60)
MEMORY = 1024 * 1024 * 1024


class Workers:
    """At most ``count`` processes, each started when there is something to do and ended after ``idle`` without.

    ``time``: for one job; beyond it the process is killed. ``memory``: bytes of address space of one process. What
    does not fit into either is :class:`Malformed`, and the next job gets a fresh process.
    """

    def __init__(self, *, count: int = 2, time: timedelta = TIME, idle: timedelta = IDLE, memory: int = MEMORY) -> None:
        self._time = time
        self._idle = idle
        self._memory = memory
        self._turns = asyncio.Semaphore(count)
        # for each process one thread that talks to it, and one in which another is let go
        self._threads = ThreadPoolExecutor(2 * count, thread_name_prefix="formats")
        self._busy: set[Process] = set()
        self._resting: dict[Process, asyncio.TimerHandle] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._busy:
            process.kill()
        for process in list(self._resting):
            self._let_go(process)
        await asyncio.to_thread(self._threads.shutdown)

    async def decode(self, body: bytes, options: BodyOptions, *, content_type: str = "", name: str = "") -> Body:
        """As :func:`decode_body`, without holding the loop. A death or a time-out is :class:`Malformed`."""
        if not remote.risky(body, options):
            return await asyncio.to_thread(decode_body, body, options, content_type=content_type, name=name)
        job = remote.described(options, content_type, name)
        return remote.body_of(await self.run(remote.FUNCTION, body, job))

    async def mail(self, raw: bytes, options: MailOptions) -> Mail:
        """One message as it came, always read in a process. What is no message, or kills it, is :class:`Malformed`."""
        return Mail(**await self.run(remote.MAIL, raw, msgspec.to_builtins(options)))

    async def save_attachments(self, raw: bytes, folder: Path, files: Mapping[str, str]) -> None:
        """Write some of a message's attachments: ``files`` has their paths in ``folder`` by their sha256.

        What is written is on the disk when this returns; what is there already stays as it is. The folder is made, but
        not what is above it. Raises ``OSError`` where the system refuses, and :class:`Malformed` as :meth:`mail` does.
        """
        job = {"folder": str(folder), "files": files}
        if trouble := await self.run(remote.SAVE, raw, job):
            raise OSError(trouble)

    async def run(self, function: str, payload: bytes, options: Mapping[str, Any]) -> Any:
        """What ``module:function`` returns for ``(payload, options)``, in a process; all of it is JSON-like.

        Raises :class:`Malformed` where the function does, and with the reason when it raised anything else, took too
        long, or its process died. Raises :class:`SourceUnavailable` where no process can be started.
        """
        job = Job(function=function, options=options, seconds=self._time.total_seconds())
        async with self._turns:
            process = self._rested() or Process(memory=self._memory)
            self._busy.add(process)
            try:
                async with asyncio.timeout(job.seconds):
                    return await asyncio.get_running_loop().run_in_executor(self._threads, process.run, job, payload)
            except TimeoutError:
                raise Malformed(f"decoding it takes longer than {job.seconds:g} seconds", raw=payload) from None
            finally:
                self._busy.discard(process)
                self._after(process)

    def _rested(self) -> Process | None:
        while self._resting:
            process, timer = self._resting.popitem()
            timer.cancel()
            if process.alive():
                process.resting = False
                return process
            self._threads.submit(process.end)
        return None

    def _after(self, process: Process) -> None:
        if process.resting:
            loop = asyncio.get_running_loop()
            self._resting[process] = loop.call_later(self._idle.total_seconds(), self._let_go, process)
        else:
            process.kill()

    def _let_go(self, process: Process) -> None:
        self._resting.pop(process).cancel()
        self._threads.submit(process.end)
