"""Cron expressions with the meaning that crontab(5) gives them, on APScheduler's triggers.

APScheduler 3 counts weekdays from Monday = 0 and wants day of month *and* day of week to match; cron counts from
Sunday = 0 (and 7) and, when both are restricted, takes *either*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from apscheduler.triggers.base import BaseTrigger

WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
NAMED = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}


def trigger(expression: str, zone: ZoneInfo) -> BaseTrigger:
    """The trigger of a five-field cron expression; raises :class:`ValueError` in words."""
    from apscheduler.triggers.combining import OrTrigger

    fields = NAMED.get(expression.strip(), expression).lower().split()
    if len(fields) != 5:
        raise ValueError(f"five fields are wanted (minute hour day month weekday), not {len(fields)}")
    minute, hour, day, month, weekday = fields
    weekday = _weekdays(weekday)
    both = day != "*" and weekday != "*"
    days = [(day, "*"), ("*", weekday)] if both else [(day, weekday)]
    triggers = [_cron(zone, minute=minute, hour=hour, day=d, month=month, day_of_week=w) for d, w in days]
    return triggers[0] if len(triggers) == 1 else OrTrigger(triggers)


def _cron(zone: ZoneInfo, **fields: Any) -> BaseTrigger:
    from apscheduler.triggers.cron import CronTrigger

    return CronTrigger(timezone=zone, **fields)


def _weekdays(field: str) -> str:
    """The field in names, each day spelled out, since ``sun-tue`` runs backwards for APScheduler."""
    if field == "*":
        return field
    days = {day for part in field.split(",") for day in _part(part)}
    return ",".join(WEEKDAYS[day] for day in sorted(days))


def _part(part: str) -> list[int]:
    span, _, step = part.partition("/")
    if step and not (step.isdecimal() and int(step) > 0):
        raise ValueError(f"weekday {part!r}: the step is a number from 1 on")
    first, dash, last = ("0", "-", "6") if span == "*" else span.partition("-")
    low, high = _day(first), _day(last if dash else ("6" if step else first))
    if high < low:
        high += 7
    return [day % 7 for day in range(low, high + 1, int(step or 1))]


def _day(text: str) -> int:
    if text in WEEKDAYS:
        return WEEKDAYS.index(text)
    if text.isdecimal() and int(text) <= 7:
        return int(text)
    raise ValueError(f"weekday {text!r}: 0 to 7 (0 and 7 are Sunday) or sun, mon, tue, wed, thu, fri, sat")
