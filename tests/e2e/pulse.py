"""How long a daemon's loop is held: its page of health is asked again and again, and answers when the loop turns."""

from __future__ import annotations

import http.client
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

PAUSE = 0.01
"""Seconds between an answer and the next question."""
LONGEST = 0.2
"""Seconds that a question may wait: nothing holds the loop for more than 0.1, and it may come behind two things."""


class Pulse:
    """Watches as long as its block runs; ``pid`` is that of a daemon whose web page listens on ``port``.

    Counted is the processor time of the daemon's main thread, in which the loop turns, while one question waits for
    its answer: a machine that is busy with other things makes it no longer.
    """

    def __init__(self, pid: int, port: int) -> None:
        self._clock = Path(f"/proc/{pid}/task/{pid}/schedstat")
        self._port = port
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.beats = 0
        self.longest = 0.0
        """seconds of processor time"""
        self.slowest = 0.0
        """seconds by the wall clock, whatever else the machine does"""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        page = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        page.connect()
        while not self._over.wait(PAUSE):
            before, started = self._worked(), time.monotonic()
            page.request("GET", "/healthz")
            page.getresponse().read()
            self.longest = max(self.longest, self._worked() - before)
            self.slowest = max(self.slowest, time.monotonic() - started)
            self.beats += 1
        page.close()

    def _worked(self) -> float:
        return int(self._clock.read_text().split()[0]) / 1e9
