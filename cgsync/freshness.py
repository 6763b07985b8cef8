"""How fresh one source is: when it was last looked at, when something new last came, and when that is an alarm.

Two things are told apart. A source is *blind* when no look at it succeeds for longer than its schedule promises; it is
*silent* when looks succeed, and nothing new comes for longer than its limit, which is declared or learned.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from cgsync.clock import span
from cgsync.config.settings import LEARNED, Wanted
from cgsync.health import Condition, Health
from cgsync.ledger.freshness import Alarm, Kind
from cgsync.ledger.instant import Instant
from cgsync.rhythm import Rhythm
from cgsync.schedule import Times, patience

LOOK_HINT = "`cgsync poll {name}` looks now and says what it fails with"
QUIET_HINT = "see whether anything should have come; another limit, or none, is set by `freshness:`"
BUG_HINT = "this is a bug of the plugin; a restart of the daemon ends it"
STUCK = {
    Condition.STARTING: "it is being opened, and that does not end",
    Condition.POLLING: "the poll that began at {since:%Y-%m-%d %H:%M} does not end",
    Condition.IDLE: "its wait() does not let go, and so it is not polled",
}


def limit(wanted: Wanted, rhythm: Rhythm) -> timedelta | None:
    """For how long nothing new may come; ``None``: for ever, or nobody knows yet."""
    if isinstance(wanted, timedelta):
        return wanted
    return rhythm.limit if wanted == LEARNED else None


class Freshness:
    """Of one source that runs. ``known``: since when it is known at all; ``longest_look``: what one may take.

    Time is measured on the clock that never steps; where that was not running, by wall time.
    """

    def __init__(
        self,
        wanted: Wanted,
        times: Times,
        *,
        name: str,
        rhythm: Rhythm,
        known: datetime,
        longest_look: timedelta,
        now: Instant,
    ) -> None:
        self._wanted = wanted
        self._times = times
        self._name = name
        self._known = known
        self._longest_look = longest_look
        self._newest: Instant | None = None  # in this run of the daemon
        self._quiet = timedelta(0)
        self.rhythm = rhythm
        self.begin(now)

    def begin(self, now: Instant) -> None:
        """From now on it is to be looked at."""
        self._begun = now.wall
        self._looked: datetime | None = None
        self._expect(now)

    def look(self, now: Instant, *, news: bool) -> None:
        """A look has just succeeded; ``news``: it found something new."""
        self._quiet = self._since_news(now)
        if news:
            self.rhythm, self._newest = self.rhythm.arrived(now.wall, self._quiet), now
            self._quiet = timedelta(0)
        self._looked = now.wall
        self._expect(now)

    def excuse(self, slept: timedelta) -> None:
        """Nobody could look for so long."""
        self._late += slept.total_seconds()

    @property
    def limit(self) -> timedelta | None:
        return limit(self._wanted, self.rhythm)

    @property
    def silent_since(self) -> datetime:
        return self.rhythm.last or self._known

    def judge(self, health: Health, now: Instant) -> Alarm | None:
        """The alarm that is due now. Before the first look nothing is known: what stood stands."""
        if health.condition is Condition.PAUSED:
            return None
        if now.mono > self._late:
            return self._blind(health, now.wall)
        if self._looked is None:
            return health.alarm
        return self._silent(self.limit)

    def _silent(self, limit: timedelta | None) -> Alarm | None:
        """Up to the last look, that is: of the time since then nobody knows."""
        if limit is None or self._quiet <= limit:
            return None
        length = span(limit.total_seconds())
        usual = f"{length} would be usual" if self._wanted == LEARNED else f"`freshness:` allows {length}"
        words = f"it can be read, but nothing new comes; {usual}"
        return Alarm(kind=Kind.SILENT, since=self.silent_since, words=words, hint=QUIET_HINT)

    def _blind(self, health: Health, now: datetime) -> Alarm:
        stood = health.alarm if health.alarm and health.alarm.kind is Kind.BLIND else None
        since = self._looked or (stood.since if stood else self._begun)
        stuck = health.condition in STUCK and (not health.error or now - health.since > self._longest_look)
        if stuck:
            words, hint = STUCK[health.condition].format(since=health.since.astimezone()), BUG_HINT
        else:
            words, hint = health.error, health.hint or LOOK_HINT.format(name=self._name)
        return Alarm(kind=Kind.BLIND, since=since, words=words, hint=hint)

    def _expect(self, now: Instant) -> None:
        """Set when the next look is so late that it is blind; one that is being made has its time."""
        self._late = now.mono + patience(self._times, now.wall).total_seconds() + self._longest_look.total_seconds()

    def _since_news(self, now: Instant) -> timedelta:
        if self._newest is not None:
            return timedelta(seconds=now.mono - self._newest.mono)
        return max(now.wall - self.silent_since, timedelta(0))
