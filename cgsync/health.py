"""How a source is: in one word, since when, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cgsync.drained import Drained


class Condition(StrEnum):
    """How a source is, in one word."""

    STARTING = "starting"
    IDLE = "idle"
    POLLING = "polling"
    UNAVAILABLE = "unavailable"
    MISCONFIGURED = "misconfigured"
    HELD = "held"
    PAUSED = "paused"


@dataclass(slots=True, kw_only=True)
class Health:
    """What ``status`` tells of a source. Times are wall time, for people."""

    condition: Condition = Condition.STARTING
    since: datetime
    last_success: datetime | None = None
    error: str = ""
    hint: str = ""
    traceback: str = ""
    problems: dict[str, str] = field(default_factory=dict)
    """part → why it failed, until something is heard of that part again"""
    polls: int = 0

    def become(self, condition: Condition, now: datetime) -> None:
        if condition is not self.condition:
            self.condition, self.since = condition, now

    def rest(self, now: datetime) -> None:
        """It does not run because somebody wants that."""
        self._mend()
        self.become(Condition.PAUSED, now)

    def succeed(self, drained: Drained, now: datetime) -> None:
        """A poll went well, as far as the source as a whole goes."""
        self.polls += 1
        self.last_success = now
        lasting = {part: words for part, words in self.problems.items() if part not in drained.moved}
        self.problems = lasting | drained.problems
        self._mend()
        self.become(Condition.IDLE, now)

    def fail(self, condition: Condition, now: datetime, *, error: str, hint: str, traceback: str = "") -> None:
        self.error, self.hint, self.traceback = error, hint, traceback
        self.become(condition, now)

    def _mend(self) -> None:
        self.error = self.hint = self.traceback = ""
