"""How a source is: in one word, since when, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cgsync.drained import Drained
from cgsync.ledger.freshness import Alarm, Kind


class Condition(StrEnum):
    """How a source is, in one word."""

    STARTING = "starting"
    IDLE = "idle"
    POLLING = "polling"
    UNAVAILABLE = "unavailable"
    MISCONFIGURED = "misconfigured"
    HELD = "held"
    PAUSED = "paused"
    BLIND = Kind.BLIND.value
    SILENT = Kind.SILENT.value


FINE = frozenset({Condition.STARTING, Condition.IDLE, Condition.POLLING})
OVERRULED = {Kind.SILENT: FINE, Kind.BLIND: FINE | {Condition.UNAVAILABLE}}
"""alarm → the conditions beside which it is the better word; the others say what to do"""


@dataclass(slots=True, kw_only=True)
class Health:
    """What ``status`` tells of a source. Times are wall time, for people.

    ``condition`` is where its task stands; people are shown the :attr:`outlook`.
    """

    condition: Condition = Condition.STARTING
    since: datetime
    last_success: datetime | None = None
    error: str = ""
    hint: str = ""
    traceback: str = ""
    problems: dict[str, str] = field(default_factory=dict)
    """part → why it failed, until something is heard of that part again"""
    polls: int = 0
    alarm: Alarm | None = None
    """what its freshness says, until that is over"""

    @property
    def outlook(self) -> Condition:
        """The condition, or the alarm beside which it would be no more than half the truth."""
        alarming = self.alarm is not None and self.condition in OVERRULED[self.alarm.kind]
        return Condition(self.alarm.kind) if self.alarm and alarming else self.condition

    @property
    def outlook_since(self) -> datetime:
        return self.since if self.alarm is None or self.outlook is self.condition else self.alarm.since

    @property
    def words(self) -> str:
        """What is wrong, for the outlook."""
        return self.error if self.alarm is None or self.outlook is self.condition else self.alarm.words

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
