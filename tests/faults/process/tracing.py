"""Watches every system call of a child and of its threads, and kills it in front of the one that was asked for.

A tracee that is killed while it stands at the entry of a call does not make that call: the kernel looks for a fatal
signal right after the stop. So a kill at point N leaves exactly N - 1 calls done, over all threads, in the order in
which the kernel saw them.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import signal
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

TRACEME: Final = 0
SYSCALL: Final = 24
SET_OPTIONS: Final = 0x4200
SYSCALL_INFO: Final = 0x420E
WALL: Final = 0x40000000
# SYSGOOD marks stops of calls, CLONE brings the threads along, EXITKILL leaves no orphans
OPTIONS: Final = 0x1 | 0x8 | 0x100000
ENTRY: Final = 1

OUTWARD: Final = {
    "x86_64": {
        "write": 1, "pwrite64": 18, "writev": 20, "connect": 42, "sendto": 44, "recvfrom": 45, "sendmsg": 46,
        "flock": 73, "fsync": 74, "fdatasync": 75, "ftruncate": 77, "rename": 82, "mkdir": 83, "link": 86,
        "unlink": 87, "mkdirat": 258, "unlinkat": 263, "renameat": 264, "linkat": 265, "renameat2": 316,
    },
    "aarch64": {
        "flock": 32, "mkdirat": 34, "unlinkat": 35, "linkat": 37, "renameat": 38, "ftruncate": 46, "write": 64,
        "writev": 66, "pwrite64": 68, "fsync": 82, "fdatasync": 83, "connect": 203, "sendto": 206, "recvfrom": 207,
        "sendmsg": 211, "renameat2": 276,
    },
}  # fmt: skip
"""Calls by which a process changes or asks something outside of itself: between two of them the world rests."""


class Info(ctypes.Structure):
    """struct ptrace_syscall_info, as far as it is read here."""

    _fields_ = (
        ("op", ctypes.c_uint8),
        ("pad", ctypes.c_uint8 * 3),
        ("arch", ctypes.c_uint32),
        ("instruction", ctypes.c_uint64),
        ("stack", ctypes.c_uint64),
        ("number", ctypes.c_uint64),
        ("rest", ctypes.c_uint64 * 8),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """``points``: calls that were counted. ``status``: exit status, negative for a signal. ``call``: killed before."""

    points: int
    status: int
    call: int | None = None


def outward() -> Collection[int]:
    """The numbers of :data:`OUTWARD` on this machine."""
    return frozenset(OUTWARD[platform.machine()].values())


class Tracer:
    """Traces one child at a time; the caller has a single thread and no other children."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        self._libc.ptrace.restype = ctypes.c_long
        self._info = Info()

    def submit(self) -> None:
        """In the child: let the parent trace us, and wait for it."""
        self._ptrace(TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)

    def watch(self, child: int, *, kill_at: int | None, only: Collection[int] | None) -> Ended:
        """Let the child run; kill it at the entry of its ``kill_at``-th call, counting those in ``only`` or all."""
        os.waitpid(child, WALL)
        self._ptrace(SET_OPTIONS, child, OPTIONS)
        self._go_on(child, 0)
        points, struck, ended = 0, None, 0
        while True:
            try:
                task, status = os.waitpid(-1, WALL)
            except ChildProcessError:
                return Ended(points=points, status=ended, call=struck)
            if not os.WIFSTOPPED(status):
                ended = os.waitstatus_to_exitcode(status) if task == child else ended
                continue
            if (number := self._entered(task, status)) is not None and (only is None or number in only):
                points += 1
                if points == kill_at:
                    struck = number
                    os.kill(child, signal.SIGKILL)
                    continue
            if struck is None:
                self._go_on(task, _signal_to_pass(status))

    def _entered(self, task: int, status: int) -> int | None:
        """The number of the call in front of which the task stands, if it does."""
        if os.WSTOPSIG(status) != signal.SIGTRAP | 0x80:
            return None
        size = ctypes.sizeof(self._info)
        if self._libc.ptrace(SYSCALL_INFO, task, size, ctypes.addressof(self._info)) < 0 or self._info.op != ENTRY:
            return None
        number: int = self._info.number
        return number

    def _go_on(self, task: int, number: int) -> None:
        try:
            self._ptrace(SYSCALL, task, number)
        except ProcessLookupError:
            return  # it is gone meanwhile; the next wait tells

    def _ptrace(self, request: int, task: int, data: int = 0) -> None:
        if self._libc.ptrace(request, task, 0, data) < 0:
            number = ctypes.get_errno()
            raise OSError(number, f"ptrace {request}: {errno.errorcode.get(number, number)}")


def _signal_to_pass(status: int) -> int:
    """A signal that is on its way to the task; a stop of the tracer's own making is none."""
    number = os.WSTOPSIG(status)
    own = number == signal.SIGTRAP | 0x80 or status >> 16 or number in (signal.SIGSTOP, signal.SIGTRAP)
    return 0 if own else number
