"""How a test starts cgsync as a process of its own: as everybody does, or as the child of one that has imported it.

To import it takes longer than most commands. So one process for each worker of pytest imports everything once, and
forks for each start. The child is a process like any other: it is killed, waited for and read from as one. What is
about the start itself is tested by what starts an interpreter: the demo, the units of systemd, the campaigns of faults.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any, Protocol, TypeAlias

ROOT = Path(__file__).parents[2]
Output: TypeAlias = "IO[Any] | int"


class Process(Protocol):
    """What tests do with one."""

    pid: int

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


class Launch(Protocol):
    """Starts cgsync with these arguments, and nothing on its stdin."""

    def __call__(
        self, arguments: Sequence[str], *, env: Mapping[str, str], stdout: Output, stderr: Output
    ) -> Process: ...


def interpreted(arguments: Sequence[str], *, env: Mapping[str, str], stdout: Output, stderr: Output) -> Process:
    """As everybody does."""
    command = [sys.executable, "-m", "cgsync", *arguments]
    return subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr)


def forked(arguments: Sequence[str], *, env: Mapping[str, str], stdout: Output, stderr: Output) -> Process:
    """Without the imports. What changes the interpreter itself needs one of its own."""
    if about_the_interpreter(env) != USUAL:
        return interpreted(arguments, env=env, stdout=stdout, stderr=stderr)
    return nursery().start(arguments, env=env, stdout=stdout, stderr=stderr)


def about_the_interpreter(env: Mapping[str, str]) -> Mapping[str, str]:
    set_anyway = {"PYTHONWARNINGS": "error", "PYTHONUNBUFFERED": "1"}
    return {name: value for name, value in env.items() if name.startswith(("PYTHON", "LD_", "TZ"))} | set_anyway


USUAL = about_the_interpreter(os.environ)


@cache
def nursery() -> Nursery:
    return Nursery()


class Nursery:
    """The other end: gives orders, one at a time."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "tests.e2e.forking", str(theirs.fileno())]
        env = {**os.environ, **USUAL}
        self._server = subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
        )
        theirs.close()
        atexit.register(self._close)

    def start(self, arguments: Sequence[str], *, env: Mapping[str, str], stdout: Output, stderr: Output) -> Child:
        ended, theirs = os.pipe()
        order = json.dumps({"arguments": list(arguments), "env": dict(env), "cwd": str(Path.cwd())}).encode()
        with self._turn:
            socket.send_fds(self._orders, [order], [theirs, _number(stdout), _number(stderr)])
            os.close(theirs)
            answer = self._orders.recv(16)
        assert answer, "the nursery is gone; its stderr says why"
        return Child(int(answer), ended)

    def _close(self) -> None:
        self._orders.close()
        self._server.wait(10)


def _number(output: Output) -> int:
    return output if isinstance(output, int) else output.fileno()


class Child:
    """A process that is another one's child. ``ended`` is a pipe in which its exit status will be."""

    def __init__(self, pid: int, ended: int) -> None:
        self.pid = pid
        self._ended = ended
        self._status: int | None = None

    def poll(self) -> int | None:
        return self._status if self._status is not None else self._read(0)

    def wait(self, timeout: float | None = None) -> int:
        status = self._status if self._status is not None else self._read(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        return status

    def _read(self, timeout: float | None) -> int | None:
        if select.select([self._ended], [], [], timeout)[0]:
            self._status = int(os.read(self._ended, 16))
            os.close(self._ended)
        return self._status

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)
