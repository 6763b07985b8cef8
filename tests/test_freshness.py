"""A source is blind when no look succeeds, silent when they find nothing new: never within a limit, always after."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgsync.config import Schedule
from cgsync.drained import Drained
from cgsync.freshness import BUG_HINT, Freshness
from cgsync.health import Condition, Health
from cgsync.ledger import Instant
from cgsync.ledger.freshness import Alarm, Kind
from cgsync.rhythm import Rhythm
from tests.rig import UTC_ZONE

START = datetime(2026, 3, 4, 10, tzinfo=UTC)
SECOND, MINUTE, HOUR, DAY = (timedelta(seconds=n) for n in (1, 60, 3_600, 86_400))
FIVE_MINUTES = Schedule(every=5 * MINUTE, timezone=UTC_ZONE)


def lengths(longest: timedelta) -> st.SearchStrategy[timedelta]:
    return st.integers(1, round(longest / SECOND)).map(lambda seconds: seconds * SECOND)


STEPS = st.lists(st.tuples(lengths(20 * DAY), st.booleans()), min_size=1, max_size=30)


class Desk:
    """A source that is looked at by hand, at times by hand."""

    def __init__(self, wanted: timedelta | str = "off", times: Schedule = FIVE_MINUTES, **options: Any) -> None:
        self.time = timedelta(0)
        self.health = Health(since=START, alarm=options.pop("alarm", None))
        more = {"rhythm": Rhythm(), "known": START, "longest_look": 5 * MINUTE, **options}
        self.freshness = Freshness(wanted, times, name="desk", now=self.now, **more)

    @property
    def now(self) -> Instant:
        return Instant(START + self.time, 1000 + self.time.total_seconds())

    def look(self, after: timedelta = timedelta(0), *, news: bool = False) -> Alarm | None:
        self.time += after
        self.freshness.look(self.now, news=news)
        self.health.succeed(Drained(), self.now.wall)
        return self.alarm()

    def fail(self, after: timedelta, error: str = "connection refused", hint: str = "") -> Alarm | None:
        self.time += after
        self.health.fail(Condition.UNAVAILABLE, self.now.wall, error=error, hint=hint)
        return self.alarm()

    def alarm(self, after: timedelta = timedelta(0)) -> Alarm | None:
        self.time += after
        self.health.alarm = self.freshness.judge(self.health, self.now)
        return self.health.alarm


def kind(alarm: Alarm | None) -> Kind | None:
    return alarm and alarm.kind


# Blind.


def test_a_source_is_blind_once_three_looks_that_were_due_had_their_time_and_none_succeeded() -> None:
    desk = Desk()
    desk.look(HOUR)
    assert desk.fail(20 * MINUTE) is None
    alarm = desk.alarm(SECOND)
    assert alarm == Alarm(
        kind=Kind.BLIND,
        since=START + HOUR,
        words="connection refused",
        hint="`cgsync poll desk` looks now and says what it fails with",
    )
    assert desk.health.outlook is Condition.BLIND
    assert desk.look() is None


def test_a_source_that_never_succeeded_is_blind_since_it_was_to_be_looked_at() -> None:
    desk = Desk()
    assert desk.fail(MINUTE, "no such host", "correct `host:`") is None
    alarm = desk.fail(20 * MINUTE, "no such host", "correct `host:`")
    assert alarm == Alarm(kind=Kind.BLIND, since=START, words="no such host", hint="correct `host:`")


def test_the_words_are_those_of_the_last_failure() -> None:
    desk = Desk()
    desk.fail(HOUR, "no such host")
    alarm = desk.fail(MINUTE, "login refused")
    assert alarm is not None
    assert (alarm.since, alarm.words) == (START, "login refused")


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (Condition.POLLING, "the poll that began at "),
        (Condition.IDLE, "its wait() does not let go"),
        (Condition.STARTING, "it is being opened, and that does not end"),
    ],
)
def test_a_plugin_that_hangs_is_named_by_what_it_hangs_in(condition: Condition, words: str) -> None:
    desk = Desk()
    desk.look(MINUTE)
    desk.health.become(condition, desk.now.wall)
    alarm = desk.alarm(HOUR)
    assert alarm is not None
    assert alarm.words.startswith(words)
    assert (alarm.hint, desk.health.outlook) == (BUG_HINT, Condition.BLIND)


def test_a_poll_that_is_being_tried_again_tells_of_the_failure_and_not_of_itself() -> None:
    desk = Desk()
    desk.fail(HOUR)
    desk.health.become(Condition.POLLING, desk.now.wall)
    alarm = desk.alarm(MINUTE)
    assert alarm is not None
    assert alarm.words == "connection refused"


def test_a_long_import_is_not_blind_as_each_of_its_batches_is_a_look() -> None:
    desk = Desk()
    for _ in range(30):
        desk.time += 10 * MINUTE
        desk.freshness.look(desk.now, news=True)
        desk.health.become(Condition.POLLING, desk.now.wall)
        assert desk.alarm() is None


def test_a_condition_that_tells_what_to_do_stays_beside_the_alarm() -> None:
    desk = Desk()
    desk.health.fail(Condition.MISCONFIGURED, desk.now.wall, error="no such key", hint="set it")
    assert kind(desk.alarm(DAY)) is Kind.BLIND
    assert desk.health.outlook is Condition.MISCONFIGURED


def test_a_source_that_is_let_rest_is_neither_and_has_its_time_again_when_it_goes_on() -> None:
    desk = Desk(HOUR)
    desk.fail(DAY)
    desk.health.rest(desk.now.wall)
    assert desk.alarm(DAY) is None
    desk.freshness.begin(desk.now)
    desk.health.become(Condition.STARTING, desk.now.wall)
    assert desk.alarm(20 * MINUTE) is None
    assert kind(desk.alarm(SECOND)) is Kind.BLIND


def test_time_in_which_nobody_could_look_does_not_count() -> None:
    desk = Desk()
    desk.look()
    desk.time += DAY
    desk.freshness.excuse(DAY)
    assert desk.alarm(20 * MINUTE) is None
    assert kind(desk.alarm(SECOND)) is Kind.BLIND


def test_a_step_of_the_wall_clock_makes_nothing_blind_or_silent() -> None:
    desk = Desk(DAY)
    desk.look(news=True)
    stepped = Instant(START + 365 * DAY, desk.now.mono + 60)
    assert desk.freshness.judge(desk.health, stepped) is None
    desk.freshness.look(stepped, news=False)
    assert desk.freshness.judge(desk.health, stepped) is None


# Silent.


def test_a_source_is_silent_when_looks_succeed_for_longer_than_its_limit_and_nothing_new_comes() -> None:
    desk = Desk(HOUR)
    desk.look(MINUTE, news=True)
    assert desk.look(HOUR) is None
    alarm = desk.look(SECOND)
    assert alarm is not None
    assert (alarm.kind, alarm.since) == (Kind.SILENT, START + MINUTE)
    assert alarm.words == "it can be read, but nothing new comes; `freshness:` allows 1h"
    assert desk.health.outlook is Condition.SILENT
    assert desk.look(SECOND, news=True) is None


def test_where_a_limit_is_declared_a_source_of_which_nothing_ever_came_is_silent_since_it_is_known() -> None:
    desk = Desk(HOUR, known=START - DAY)
    assert desk.alarm() is None, "nobody has looked yet"
    alarm = desk.look()
    assert alarm is not None
    assert alarm.since == START - DAY


def test_a_learned_limit_says_so_and_off_is_never_an_alarm() -> None:
    steady = Rhythm(first=START - 30 * DAY, last=START - 3 * DAY, hours=30, gaps=(DAY,) * 30)
    alarm = Desk("learned", rhythm=steady).look()
    assert alarm is not None
    assert alarm.words == "it can be read, but nothing new comes; 2d would be usual"
    assert Desk("off", rhythm=steady).look(100 * DAY) is None
    assert Desk("learned").look(100 * DAY) is None


def test_a_source_that_cannot_be_seen_is_blind_and_not_silent_and_is_judged_by_what_is_then_found() -> None:
    desk = Desk(HOUR)
    desk.look(news=True)
    assert kind(desk.fail(DAY)) is Kind.BLIND
    assert desk.look(MINUTE, news=True) is None
    desk.fail(DAY)
    assert kind(desk.look(MINUTE)) is Kind.SILENT


def test_a_source_that_fails_for_a_moment_keeps_the_alarm_that_stands() -> None:
    desk = Desk(HOUR)
    desk.look(2 * HOUR)
    assert kind(desk.fail(MINUTE)) is Kind.SILENT
    assert desk.health.outlook is Condition.UNAVAILABLE


@pytest.mark.parametrize("stood", list(Kind))
def test_an_alarm_outlives_a_restart_until_a_look_says_more(stood: Kind) -> None:
    alarm = Alarm(kind=stood, since=START - DAY, words="as it was")
    desk = Desk(HOUR, alarm=alarm, known=START)
    assert desk.alarm() == alarm
    assert desk.look() is None
    blind = Desk(HOUR, alarm=alarm).fail(DAY)
    assert blind is not None
    assert (blind.kind, blind.since) == (Kind.BLIND, START - DAY if stood is Kind.BLIND else START)


# Any course of things.


def judged(steps: list[tuple[timedelta, bool]], wanted: timedelta | str) -> list[tuple[timedelta, bool]]:
    """After each look: for how long nothing new had come by then, and whether that was an alarm."""
    desk, quiet, found = Desk(wanted), timedelta(0), []
    for step, news in steps:
        alarm = kind(desk.look(step, news=news))
        quiet = timedelta(0) if news else quiet + step
        found.append((quiet, alarm is Kind.SILENT))
    return found


@given(STEPS, lengths(30 * DAY))
def test_a_declared_limit_is_an_alarm_after_it_and_never_within(
    steps: list[tuple[timedelta, bool]], limit: timedelta
) -> None:
    assert all(alarm == (quiet > limit) for quiet, alarm in judged(steps, limit))


@given(STEPS, lengths(30 * DAY), lengths(9 * DAY))
def test_a_longer_limit_is_never_more_alarms(
    steps: list[tuple[timedelta, bool]], limit: timedelta, more: timedelta
) -> None:
    pairs = zip(judged(steps, limit), judged(steps, limit + more), strict=True)
    assert all(one or not other for (_, one), (_, other) in pairs)


@given(STEPS, STEPS)
def test_a_learned_limit_is_an_alarm_after_it_and_never_within_and_stays_until_something_comes(
    past: list[tuple[timedelta, bool]], steps: list[tuple[timedelta, bool]]
) -> None:
    desk = Desk("learned")
    for step, _ in past:
        desk.look(step, news=True)
    limit, quiet, alarmed = desk.freshness.limit, timedelta(0), False
    for step, _ in steps:
        quiet += step
        alarm = desk.look(step) is not None
        assert alarm == (limit is not None and quiet > limit)
        assert alarm >= alarmed
        alarmed = alarm
    assert desk.look(SECOND, news=True) is None
