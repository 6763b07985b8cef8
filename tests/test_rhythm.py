"""What is usual for a source is learned from when something new came of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgsync.rhythm import ENOUGH_HOURS, ENOUGH_TIME, KEPT, LEAST, LONG, TIMES, Rhythm, is_news

MONDAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MINUTES = st.integers(1, 90 * 24 * 60).map(lambda minutes: timedelta(minutes=minutes))
GAPS = st.lists(MINUTES, max_size=60)


def came(*gaps: timedelta, start: datetime = MONDAY) -> Rhythm:
    """Something came at the start, and then after each of these gaps."""
    rhythm, at = Rhythm().arrived(start, DAY), start
    for gap in gaps:
        at += gap
        rhythm = rhythm.arrived(at, gap)
    return rhythm


def office(weeks: int) -> list[timedelta]:
    """A mailbox with mail each hour from 8 to 17, Monday to Friday; it ends on a Friday evening."""
    days = [[HOUR] * 9 + [15 * HOUR]] * 4 + [[HOUR] * 9 + [63 * HOUR]]
    return [gap for _ in range(weeks) for day in days for gap in day][:-1]


def test_nothing_is_learned_from_a_few_arrivals_or_in_a_few_days() -> None:
    assert Rhythm().limit is None
    assert came(*[DAY] * (ENOUGH_HOURS - 2), ENOUGH_TIME).limit == TIMES * ENOUGH_TIME
    assert came(*[DAY] * (ENOUGH_HOURS - 3), ENOUGH_TIME).limit is None
    assert came(*[HOUR] * 13 * 24).limit is None
    assert came(*[HOUR] * 14 * 24).limit == LEAST


def test_a_first_import_is_one_arrival_however_many_batches_it_has() -> None:
    assert came(*[timedelta(seconds=1)] * 500, ENOUGH_TIME).limit is None


def test_what_comes_all_the_time_is_learned_too() -> None:
    assert came(*[timedelta(minutes=20)] * 14 * 24 * 3).limit == LEAST


@pytest.mark.parametrize(
    ("gap", "limit"), [(5 * HOUR, LEAST), (DAY, 2 * DAY), (7 * DAY, 14 * DAY), (30 * DAY, 60 * DAY)]
)
def test_a_steady_source_may_be_silent_for_twice_as_long_as_usual_and_a_day_in_any_case(
    gap: timedelta, limit: timedelta
) -> None:
    assert came(*[gap] * 100).limit == limit


@pytest.mark.parametrize("start", [MONDAY, MONDAY + 2 * DAY, MONDAY + 4 * DAY])
def test_a_weekend_and_easter_are_no_alarm_for_the_mailbox_of_an_office(start: datetime) -> None:
    """Whatever day it is first read on; Easter is from Thursday evening to Tuesday morning."""
    skipped = round((start - MONDAY) / DAY) * 10
    for weeks in (3, 4, 8, 20):
        limit = came(*office(weeks)[skipped:], start=start).limit
        assert limit is not None
        assert 111 * HOUR < limit < 6 * DAY


def test_one_outage_teaches_no_more_than_the_limit_that_it_broke_and_is_forgotten_in_time() -> None:
    usual = [DAY] * 30
    assert came(*usual, 21 * DAY).limit == 4 * DAY
    assert came(*usual, 21 * DAY, *[DAY] * KEPT).limit == 2 * DAY


def test_who_comes_weekly_and_no_longer_daily_is_an_alarm_twice_and_then_usual() -> None:
    rhythm, at, alarms = came(*[DAY] * 30), MONDAY + 30 * DAY, 0
    for _ in range(10):
        assert rhythm.limit is not None
        alarms += rhythm.limit < 7 * DAY
        at += 7 * DAY
        rhythm = rhythm.arrived(at, 7 * DAY)
    assert (alarms, rhythm.limit) == (2, 14 * DAY)


@given(GAPS)
def test_no_gap_that_is_remembered_is_an_alarm_and_no_alarm_comes_within_a_day(gaps: list[timedelta]) -> None:
    rhythm = came(*gaps)
    assert all(gap >= LONG for gap in rhythm.gaps)
    assert len(rhythm.gaps) <= KEPT
    if rhythm.limit is not None:
        assert rhythm.limit >= max(LEAST, *(TIMES * gap for gap in (LONG, *rhythm.gaps)))


@given(GAPS, MINUTES.map(lambda gap: max(gap, LONG)), MINUTES)
def test_a_longer_gap_never_makes_the_limit_shorter_and_none_more_than_doubles_it(
    gaps: list[timedelta], gap: timedelta, longer: timedelta
) -> None:
    before, one, other = came(*gaps), came(*gaps, gap), came(*gaps, gap + longer)
    if one.limit is not None and other.limit is not None:
        assert one.limit <= other.limit
    if before.limit is not None and other.limit is not None:
        assert other.limit <= TIMES * before.limit


def test_news_are_what_is_new_or_changed() -> None:
    assert is_news({"read": 2, "new": 1})
    assert is_news({"read": 2, "changed": 1})
    assert not is_news({"read": 9, "unchanged": 5, "filtered": 1, "invalid": 1, "stale": 2, "new": 0})
