"""The one gate that all workers pass: open, closed with a time at which one request may try it, or halted."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum

from cgsync.api import Clock
from cgsync.delivery.backoff import half_jitter
from cgsync.delivery.state import GateWord
from cgsync.delivery.waiting import first

BREAKER_FIRST = timedelta(seconds=5)
BREAKER_LONGEST = timedelta(minutes=5)
PAUSE = timedelta(minutes=15)


class Closing(IntEnum):
    """Why it is closed. A higher one is kept over a lower one."""

    THROTTLED = 1
    BREAKER = 2
    PAUSED = 3
    HALTED = 4

    @property
    def word(self) -> GateWord:
        return _WORDS[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """``probe_at`` is when one request may try, by the monotonic clock; ``failures`` the probes that did not help.

    A halt is never tried: nothing that the other side could answer would end it.
    """

    kind: Closing
    cause: str
    words: str
    hint: str
    since: datetime
    probe_at: float
    failures: int = 0


class Gate:
    """Each probe that fails doubles the gap to the next, but in a pause, which is probed each 15 minutes.

    What the receiver's answers closed and what was halted on our side are apart: neither ends the other.
    """

    def __init__(self, clock: Clock, random: Callable[[], float]) -> None:
        self.closed: Closed | None = None
        """why nobody passes: the first halt, or what the receiver answered"""
        self.answered: Closed | None = None
        """what the receiver's answers closed it for; another one after each that makes the wait a different one"""
        self._halts: dict[str, Closed] = {}
        self._clock = clock
        self._random = random
        self._open = asyncio.Event()
        self._open.set()
        self._news = asyncio.Event()

    def close(
        self,
        kind: Closing,
        cause: str,
        words: str,
        *,
        hint: str = "",
        after: timedelta | None = None,
        probe: bool = False,
    ) -> bool:
        """Close it, or keep it closed after a probe that did not help. True when this is news.

        ``after`` is what was asked for: the gap is no shorter. What was in flight when it closed may say the
        same again, or something lesser: that changes nothing but a longer wait that was asked for.
        """
        old = self.answered
        if old is not None and not probe and kind <= old.kind:
            self._extend(old, kind, after)
            return False
        failures = 0 if old is None or kind > old.kind or not probe else old.failures + 1
        if old is not None and kind < old.kind:
            kind, cause, words, hint = old.kind, old.cause, old.words, old.hint
        news = old is None or (kind, cause) != (old.kind, old.cause)
        earliest = 0.0 if old is None or probe else old.probe_at  # what one was asked for holds when another joins it
        self._set(
            Closed(
                kind=kind,
                cause=cause,
                words=words,
                hint=hint,
                since=self._clock.now() if old is None or news else old.since,
                probe_at=max(earliest, self._clock.monotonic() + self._gap(kind, failures, after).total_seconds()),
                failures=failures,
            )
        )
        return news

    def open(self) -> Closed | None:
        """The receiver does its work; returns what it had closed it for."""
        was = self.answered
        self._set(None)
        return was

    def halt(self, cause: str, words: str, hint: str) -> bool:
        """Let nobody pass, and try nothing, until :meth:`go_on` with the same cause. True when this is news."""
        news = cause not in self._halts
        since = self._clock.now() if news else self._halts[cause].since
        self._halts[cause] = Closed(
            kind=Closing.HALTED, cause=cause, words=words, hint=hint, since=since, probe_at=math.inf
        )
        self._set(self.answered)
        return news

    def go_on(self, cause: str) -> bool:
        """That halt is over; others, and what the receiver closed it for, are not. False when there was none."""
        if self._halts.pop(cause, None) is None:
            return False
        self._set(self.answered)
        return True

    def probe_soon(self, seconds: float = 0.0) -> None:
        """Let the next request try in so many seconds, without waiting for its time."""
        if self.answered is not None:
            self._set(replace(self.answered, probe_at=self._clock.monotonic() + seconds))

    def wait(self) -> float:
        """Seconds until the next probe, infinite while it is halted; 0 when it is open."""
        return 0.0 if self.closed is None else max(0.0, self.closed.probe_at - self._clock.monotonic())

    async def opened(self) -> None:
        """Return when it is open."""
        await self._open.wait()

    async def probe_due(self) -> None:
        """Return when it is closed and the time for a probe has come."""
        while True:
            news, closed = self._news, self.closed
            if closed is None:
                await news.wait()
                continue
            left = closed.probe_at - self._clock.monotonic()
            if left <= 0:
                return
            if math.isinf(left):
                await news.wait()
            else:
                await first(news.wait(), self._clock.sleep(left))

    def _extend(self, old: Closed, kind: Closing, after: timedelta | None) -> None:
        if after is None or kind is not Closing.THROTTLED:
            return
        asked = self._clock.monotonic() + after.total_seconds()
        if asked > old.probe_at:
            self._set(replace(old, probe_at=asked))

    def _gap(self, kind: Closing, failures: int, after: timedelta | None) -> timedelta:
        if kind is Closing.PAUSED:
            return max(PAUSE, after or PAUSE)
        if kind is Closing.BREAKER:
            gap = half_jitter(failures, self._random, first=BREAKER_FIRST, longest=BREAKER_LONGEST)
            return max(gap, after or gap)
        # a server that says "again at once" and then 429 once more is not taken at its word for ever
        own = half_jitter(failures, self._random) if after is None or failures else timedelta(0)
        return max(own, after or own)

    def _set(self, answered: Closed | None) -> None:
        self.answered = answered
        self.closed = next(iter(self._halts.values()), answered)
        if self.closed is None:
            self._open.set()
        else:
            self._open.clear()
        self._news.set()
        self._news = asyncio.Event()


_WORDS: Mapping[Closing, GateWord] = {
    Closing.THROTTLED: "throttled",
    Closing.BREAKER: "breaker",
    Closing.PAUSED: "paused",
    Closing.HALTED: "halted",
}
