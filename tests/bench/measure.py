"""Runs a command as a whole process and tells wall time, CPU time and peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one run of a process took."""

    wall: float
    """seconds"""
    cpu: float
    """seconds, user and system"""
    peak: int
    """bytes"""


def run(command: Sequence[str], *, allowed: Sequence[int] = (0,)) -> Cost:
    """Run to the end; an exit status that is not allowed is an error."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in allowed:
        sys.exit(f"{command}: exit {process.returncode}\n{said.decode()}")
    return Cost(wall=time.monotonic() - started, cpu=usage.ru_utime + usage.ru_stime, peak=usage.ru_maxrss * 1024)


def median(costs: Sequence[Cost], what: str) -> float:
    return statistics.median(getattr(cost, what) for cost in costs)


def spread(costs: Sequence[Cost], what: str) -> str:
    """median (min to max)"""
    values = [getattr(cost, what) for cost in costs]
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"
