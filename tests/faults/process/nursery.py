"""A process in which everything is imported already, and which forks a child for each order: a start in milliseconds.

As a program it reads orders from stdin, one JSON object a line, and answers each with a line. :class:`Nursery` is the
other end. It has one thread only, so that forking is safe, and lets no child outlive it.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.faults.process import script, tracing

ROOT = Path(__file__).parents[3]
LINE = 2**20
LATE_IMPORTS = ("cgsync.cli.run", "cgsync.cli.session", "cgsync.cli.progress", "cgsync.daemon", "cgsync.once")
PATIENCE = 4.0
"""Seconds after which a run with an injected fault is told to end: it may wait for better times for good."""
LONGEST_END = 60.0
"""Seconds that systemd gives it."""


class Nursery:
    """A running nursery; one order at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, **order: Any) -> dict[str, Any]:
        """Give an order, wait for its answer. ``do``: what the child plays; see :func:`serve`."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(order).encode() + b"\n")
        answer = await stdout.readline()
        assert answer, "the nursery is gone; its stderr says why"
        reply: dict[str, Any] = json.loads(answer)
        return reply


@asynccontextmanager
async def nursery(rehearsal: Path) -> AsyncIterator[Nursery]:
    """A nursery that has played the script once, on the site whose configuration is given."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.process.nursery", str(rehearsal), cwd=ROOT, stdin=-1, stdout=-1, limit=LINE
    )
    try:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
        yield Nursery(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


def serve(rehearsal: Path) -> None:
    """Carry out orders until stdin ends. Whatever the script imports late is imported by playing it here first."""
    for verb in LATE_IMPORTS:
        importlib.import_module(verb)
    script.play(rehearsal)
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join(10)  # watchfiles ends its own a moment after its loop
    assert threading.active_count() == 1, f"a fork would copy their locks: {threading.enumerate()}"
    gc.collect()
    gc.freeze()
    tracer = tracing.Tracer()
    print("ready", flush=True)
    for line in sys.stdin.buffer:
        print(json.dumps(carry(tracer, json.loads(line))), flush=True)


def carry(tracer: tracing.Tracer, order: Mapping[str, Any]) -> dict[str, Any]:
    """Carry out one order: ``do`` it as a child that writes to the file ``output``.

    ``trace``: "all" or "outward" calls are counted, and the child is killed in front of the one of number ``kill_at``.
    ``signal`` is sent after ``after`` seconds. ``strace``: arguments with which strace comes to it before it begins.
    """
    began = time.monotonic()
    acts: dict[str, Callable[[Path], None]] = {
        "play": script.play,
        "step": script.step,
        "once": script.once,
        "run": script.run,
    }
    act, config, output = acts[order["do"]], Path(order["config"]), Path(order["output"])
    if "trace" in order:
        child = _fork(act, config, output, tracer.submit)
        only = tracing.outward() if order["trace"] == "outward" else None
        ended = tracer.watch(child, kill_at=order.get("kill_at"), only=only)
        return {**asdict(ended), "seconds": time.monotonic() - began}
    child = _fork(act, config, output, _await_tracer if "strace" in order else lambda: None)
    if "strace" in order:
        return {"status": _under_strace(child, order["strace"]), "seconds": time.monotonic() - began}
    status = _wait(child, order["after"]) if "signal" in order else None
    if status is None and "signal" in order:
        os.kill(child, order["signal"])
    return {"status": _end(child) if status is None else status, "seconds": time.monotonic() - began}


def _under_strace(child: int, arguments: Sequence[str]) -> int:
    command = ["strace", "-f", "-qq", "-o", os.devnull, *arguments, "-p", str(child)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as strace:
        status = _wait(child, PATIENCE)
        if status is None:
            os.kill(child, signal.SIGTERM)
            status = _end(child)
        strace.wait()
    return status


def _end(child: int) -> int:
    """The status of a child that is to end; it is killed when it does not within what systemd gives it."""
    status = _wait(child, LONGEST_END)
    if status is None:
        os.kill(child, signal.SIGKILL)
        _, ended = os.waitpid(child, 0)
        status = os.waitstatus_to_exitcode(ended)
    return status


def _wait(child: int, seconds: float) -> int | None:
    """Its exit status, negative for a signal; ``None`` when it still runs after so many seconds."""
    end = time.monotonic() + seconds
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        if (left := end - time.monotonic()) <= 0:
            return None
        time.sleep(min(0.005, left))


def _await_tracer() -> None:
    # where the open fails it is there already, and that open is what it was told to fail
    with contextlib.suppress(OSError), Path("/proc/self/status").open() as status:
        while "TracerPid:\t0\n" in status.read():
            time.sleep(0.001)
            status.seek(0)


def _fork(act: Callable[[Path], None], config: Path, output: Path, first: Callable[[], None]) -> int:
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)  # here, where no fault is injected
    child = os.fork()
    if child:
        os.close(file)
        return child
    status = 70
    try:
        _redirect(file)
        faulthandler.enable()
        first()
        act(config)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _redirect(file: int) -> None:
    """What the child says goes to the file; orders are not for it."""
    os.dup2(file, 0)
    for number in (1, 2):
        os.dup2(file, number)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
