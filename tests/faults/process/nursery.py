"""A process in which everything is imported already, and which forks a child for each order: a start in milliseconds.

As a program it reads orders from stdin, one JSON object a line, and answers each with a line. :class:`Nursery` is the
other end. It has one thread only, so that forking is safe, and lets no child outlive it.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import gc
import json
import os
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.faults.process import script, tracing

ROOT = Path(__file__).parents[3]
LINE = 2**20


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
    ``signal`` is sent after ``after`` seconds. ``attached``: the child waits until a tracer has come to it.
    """
    began = time.monotonic()
    acts: dict[str, Callable[[Path], None]] = {"play": script.play, "once": script.once, "run": script.run}
    act, config, output = acts[order["do"]], Path(order["config"]), Path(order["output"])
    if "trace" in order:
        child = _fork(act, config, output, tracer.submit)
        only = tracing.outward() if order["trace"] == "outward" else None
        ended = tracer.watch(child, kill_at=order.get("kill_at"), only=only)
        return {**asdict(ended), "seconds": time.monotonic() - began}
    child = _fork(act, config, output, lambda: None)
    if "signal" in order:
        time.sleep(order["after"])  # the instant is what is tried
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, order["signal"])
    _, status = os.waitpid(child, 0)
    return {"status": os.waitstatus_to_exitcode(status), "seconds": time.monotonic() - began}


def _fork(act: Callable[[Path], None], config: Path, output: Path, first: Callable[[], None]) -> int:
    child = os.fork()
    if child:
        return child
    status = 70
    try:
        _redirect(output)
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


def _redirect(output: Path) -> None:
    """What the child says goes to a file; orders are not for it."""
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    for number in (1, 2):
        os.dup2(file, number)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
