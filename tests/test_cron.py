"""Cron expressions mean what crontab(5) says."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from cgsync import cron

ZONE = ZoneInfo("Europe/Berlin")


def fires(expression: str, start: datetime, count: int) -> list[str]:
    trigger, moment, seen = cron.trigger(expression, ZONE), start, []
    for _ in range(count):
        moment = trigger.get_next_fire_time(moment, moment)
        seen.append(moment.strftime("%a %d %H:%M"))
        moment = moment.replace(second=1)
    return seen


SUNDAY = datetime(2026, 11, 22, 12, 0, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("weekday", "days"),
    [
        ("1-5", ["Mon", "Tue", "Wed", "Thu", "Fri"]),
        ("0", ["Sun", "Sun"]),
        ("7", ["Sun", "Sun"]),
        ("5-7", ["Fri", "Sat", "Sun"]),
        ("sun-tue", ["Mon", "Tue", "Sun"]),
        ("fri-mon", ["Mon", "Fri", "Sat", "Sun"]),
        ("*/2", ["Tue", "Thu", "Sat", "Sun"]),
        ("mon,4", ["Mon", "Thu", "Mon"]),
    ],
)
def test_weekdays_count_from_sunday(weekday: str, days: list[str]) -> None:
    assert [fire[:3] for fire in fires(f"0 8 * * {weekday}", SUNDAY, len(days))] == days


def test_day_of_month_or_weekday_is_enough_when_both_are_given() -> None:
    assert fires("0 0 13 * fri", datetime(2026, 11, 9, 12, 0, tzinfo=ZONE), 3) == [
        "Fri 13 00:00", "Fri 20 00:00", "Fri 27 00:00",
    ]  # fmt: skip
    assert fires("0 0 25 * fri", SUNDAY, 2) == ["Wed 25 00:00", "Fri 27 00:00"]


def test_an_hour_that_a_clock_change_skips_fires_at_the_next_one_that_exists() -> None:
    start = datetime(2026, 3, 28, 12, 0, tzinfo=ZONE)
    assert fires("30 8 * * *", start, 2) == ["Sun 29 08:30", "Mon 30 08:30"]


def test_named_schedules_are_known() -> None:
    assert fires("@daily", SUNDAY, 1) == ["Mon 23 00:00"]


@pytest.mark.parametrize("expression", ["* * * *", "* * * * 8", "61 * * * *", "* * * * foo", "* * * * 1/0", ""])
def test_what_is_not_cron_is_refused_in_words(expression: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        cron.trigger(expression, ZONE)
