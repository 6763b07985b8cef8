"""What positions are measured by: times, or numbers that grow."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeAlias

from cgsync.api import Json
from cgsync_rest.timestamps import Timestamps, start_of

Value: TypeAlias = "datetime | int"
INTEGER = re.compile(r"[+-]?[0-9]{1,18}")


class Scale(Protocol):
    """All that is asked of the values of a field; all values of one scale can be compared."""

    def read(self, raw: Any) -> Any:
        """The value. Raises ``ValueError`` in words."""

    def write(self, value: Any) -> str | int:
        """As a request says it; never later than ``value``."""

    def start(self, text: str, now: datetime) -> Any:
        """Raises ``ValueError`` in words."""

    def as_json(self, value: Any) -> Json: ...

    def is_believable(self, value: Any, date: datetime) -> bool:
        """Whether the position may follow it: a time ahead of the server's own would hide what comes before it."""


class TimeScale:
    """Times in UTC."""

    def __init__(self, stamps: Timestamps) -> None:
        self._stamps = stamps

    def read(self, raw: Any) -> datetime:
        return self._stamps.read(raw)

    def write(self, value: datetime) -> str | int:
        return self._stamps.write(value)

    def start(self, text: str, now: datetime) -> datetime:
        """In ISO 8601, as positions are written, else as the records write it."""
        try:
            return start_of(text, now, self.read if text.isdecimal() else _iso)
        except ValueError:
            return self.read(text)

    def as_json(self, value: datetime) -> Json:
        return value.astimezone(UTC).isoformat()

    def is_believable(self, value: datetime, date: datetime) -> bool:
        return value <= date


class IntegerScale:
    """Whole numbers."""

    def read(self, raw: Any) -> int:
        if isinstance(raw, bool) or not INTEGER.fullmatch(str(raw).strip()):
            raise ValueError(f"{str(raw)[:60]!r} is no whole number")
        return int(raw)

    def write(self, value: int) -> str | int:
        return value

    def start(self, text: str, now: datetime) -> int:  # noqa: ARG002 - a number is the same at all times
        return self.read(text)

    def as_json(self, value: int) -> Json:
        return value

    def is_believable(self, value: int, date: datetime) -> bool:  # noqa: ARG002 - as above
        return True


def _iso(text: Any) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def before(value: Any, distance: timedelta | int) -> Any:
    """``value`` less ``distance``; the earliest there is where that would be before it."""
    try:
        return value - distance
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)
