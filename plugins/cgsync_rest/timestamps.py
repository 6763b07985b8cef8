"""Times as APIs write them, and as they want them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cgsync.api import SourceMisconfigured

NUMBER = re.compile(r"-?[0-9]{1,17}(\.[0-9]{1,9})?")
MILLISECONDS_FROM = 100_000_000_000
"""An epoch time from here on (the year 5138 in seconds) is one of milliseconds."""
NOW = re.compile(r"now(?:\s*-\s*([0-9]{1,6})\s*([smhdw]))?")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Timestamps:
    """Reads times in any of ``formats`` and writes them in ``written``. Without an offset they are in ``zone``."""

    def __init__(self, formats: Sequence[str], written: str, zone: ZoneInfo) -> None:
        self._formats = tuple(formats)
        self._written = written
        self._zone = zone

    def read(self, value: Any) -> datetime:
        """In UTC. Raises ``ValueError`` in words."""
        for form in self._formats if isinstance(value, str | int | float) else ():
            try:
                moment = _READERS[form](value) if form in _READERS else datetime.strptime(value, form)  # noqa: DTZ007 - zone follows
                zoned = moment if moment.tzinfo else moment.replace(tzinfo=self._zone)
                return zoned.astimezone(UTC)
            except (ValueError, TypeError, OverflowError, OSError):
                continue
        raise ValueError(f"{str(value)[:60]!r} is no time as {', '.join(self._formats)}")

    def write(self, moment: datetime) -> str | int:
        """What a request says; never later than ``moment``."""
        if self._written in _WRITERS:
            return _WRITERS[self._written](moment.astimezone(UTC))
        return moment.astimezone(self._zone).strftime(self._written)


def zone_of(name: str) -> ZoneInfo:
    """Raises :class:`SourceMisconfigured` for a zone that does not exist."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SourceMisconfigured(f"incremental: timezone: there is no {name!r}", hint="as Europe/Berlin") from None


def start_of(text: str, now: datetime, read: Callable[[Any], datetime]) -> datetime:
    """``2024-01-01``, ``now``, ``now-30d``. Raises ``ValueError``."""
    found = NOW.fullmatch(text.strip())
    if not found:
        return read(text)
    return now - timedelta(**{UNITS[found[2]]: int(found[1])}) if found[1] else now


def _iso(value: Any) -> datetime:
    return datetime.fromisoformat(str(value).strip())


def _epoch(value: Any) -> datetime:
    number = _number(value)
    return datetime.fromtimestamp(number / 1000 if abs(number) >= MILLISECONDS_FROM else number, UTC)


def _epoch_ms(value: Any) -> datetime:
    return datetime.fromtimestamp(_number(value) / 1000, UTC)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not NUMBER.fullmatch(str(value)):
        raise ValueError("not a number")
    return float(value)


_READERS: Mapping[str, Callable[[Any], datetime]] = {
    "iso": _iso,
    "epoch": _epoch,
    "epoch_ms": _epoch_ms,
    "rfc5322": lambda value: parsedate_to_datetime(str(value)),
}
_WRITERS: Mapping[str, Callable[[datetime], str | int]] = {
    "iso": lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
    "epoch": lambda moment: int(moment.timestamp()),
    "epoch_ms": lambda moment: int(moment.timestamp() * 1000),
}
