"""Points in time as strangers write them; what is ambiguous or impossible is refused, never guessed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Literal

from cgsync.mapping.values import Unfit, kind, shown

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST = 64
"""Characters of the longest text that is looked at."""
FIRST_YEAR = 1901
"""Systems that know no date write 0001-01-01 or 1900-01-01; strptime fills in 1900 where a format has no year."""
SECONDS = range(10**8, 10**10)
"""1973 to 2286"""
MILLISECONDS = range(10**11, 10**13)
"""1973 to 2286"""
NAMED_FORMATS = ("iso", "rfc5322", "epoch", "epoch_ms")

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
ZONES = {
    "UT": 0, "UTC": 0, "GMT": 0, "Z": 0,
    "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7,
}  # fmt: skip
_PARTS = ("year", "month", "day", "hour", "minute", "second")
RFC_5322 = re.compile(
    r"(?:[A-Za-z]{3}, ?)?(\d{1,2}) ([A-Za-z]{3}) (\d{2}|\d{4}) (\d{1,2}):(\d{2})(?::(\d{2}))? "
    r"([+-]\d{4}|[A-Z]{1,3})(?: ?\([^()]*\))?",
    re.ASCII,
)


def read_time(value: object, zone: tzinfo, *, form: str | None = None) -> datetime:
    """The aware datetime that ``value`` means; what has no offset is read in ``zone``.

    Takes ISO 8601, RFC 5322, ``Y-m-d H:i:s`` with or without an offset, epoch seconds or milliseconds, or the format
    ``form`` (strptime's, or one of ``iso``, ``rfc5322``, ``epoch``, ``epoch_ms``). Raises :class:`Unfit`.
    """
    try:
        moment = _read(value) if form is None else _read_as(value, form)
        return _located(moment, zone)
    except OverflowError as error:
        raise Unfit(f"{shown(value)} is out of the range of dates") from error


def api_time(moment: datetime, timestamps: Literal["utc", "offset"]) -> str:
    """The point in time as the API takes it, in UTC: ``2024-05-01 10:00:00`` and, if asked for, `` +0000``."""
    stamp = moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "seconds")
    return stamp if timestamps == "utc" else f"{stamp} +0000"


def _read(value: object) -> datetime:
    if isinstance(value, str):
        return _from_text(value.strip())
    if isinstance(value, datetime):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _from_epoch(value, value)
    str(value)  # what is missing raises here, in its own words
    raise Unfit(f"{kind(value)}, not a point in time")


def _from_text(text: str) -> datetime:
    if len(text) > LONGEST:
        raise Unfit(f"{shown(text, 40)} is not a date")
    if (number := _decimal(text)) is not None:
        return _from_digits(text, number)
    if text[4:5] == "-" or text[8:9] in {"T", "t"}:
        return _iso(text)
    return _rfc_5322(text)


def _decimal(text: str) -> float | int | None:
    whole, dot, fraction = text.partition(".")
    if not (whole.isascii() and whole.isdigit()):
        return None
    if not dot:
        return int(whole)
    return float(text) if fraction.isascii() and fraction.isdigit() else None


def _from_digits(text: str, number: float) -> datetime:
    if len(text) == 12 and _is_compact(text):
        raise Unfit(f"{text} may be a date or milliseconds; name its format: | datetime('%Y%m%d%H%M') or ('epoch_ms')")
    return _from_epoch(number, text)


def _is_compact(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y%m%d%H%M")  # noqa: DTZ007 - only whether it could be one
    except ValueError:
        return False
    return True


def _from_epoch(number: float, value: object) -> datetime:
    if number != number or abs(number) > 10**15:
        raise Unfit(f"{shown(value)} is not a point in time")
    if int(number) in SECONDS:
        return EPOCH + timedelta(seconds=number)
    if int(number) in MILLISECONDS:
        return EPOCH + timedelta(milliseconds=number)
    raise Unfit(f"{shown(value)} is ambiguous; name its format: | datetime('epoch'), ('epoch_ms'), ('%Y%m%d')")


def _iso(text: str) -> datetime:
    # fromisoformat takes any character between date and time
    if text[10:11] in {"", "T", " "} or text[8:9] == "T":
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass  # it may still be tidied up
    try:
        return datetime.fromisoformat(_tidied(text.upper()))
    except ValueError as error:
        raise Unfit(f"{shown(text)} is not a date: {_last_words(error)}") from error


def _tidied(text: str) -> str:
    """ISO 8601 out of what is nearly that: `` +0530`` apart from the time, ``UTC`` spelt out."""
    stamp, space, offset = text.rpartition(" ")
    if not space or len(stamp) < len("2024-05-01T10"):
        stamp, offset = text, ""
    if offset in {"UTC", "GMT", "Z"}:
        offset = "+00:00"
    if stamp[10:11] not in {"", "T", " "} or (offset and offset[0] not in "+-"):
        raise ValueError("neither ISO 8601 nor nearly so")
    return stamp + offset


def _last_words(error: ValueError) -> str:
    # the calendar's own words ("day is out of range for month") are better than ours, the parser's are not
    words = str(error)
    return words if "range" in words or words.startswith(_PARTS) else "name its format: | datetime('…')"


def _rfc_5322(text: str) -> datetime:
    found = RFC_5322.fullmatch(" ".join(text.split()))
    if found is None:
        raise Unfit(f"{shown(text)} is not a date that is understood; name its format: | datetime('%d.%m.%Y %H:%M')")
    day, month, year, hour, minute, second, zone = found.groups()
    try:
        return datetime(
            _full_year(year), _month(month), int(day), int(hour), int(minute), int(second or 0), tzinfo=_zone(zone)
        )
    except ValueError as error:
        raise Unfit(f"{shown(text)} is not a date: {error}") from error


def _full_year(digits: str) -> int:
    if len(digits) == 4:
        return int(digits)
    return int(digits) + (2000 if int(digits) < 50 else 1900)  # RFC 5322, 4.3


def _month(name: str) -> int:
    if name.lower() not in MONTHS:
        raise ValueError(f"there is no month {name}")
    return MONTHS.index(name.lower()) + 1


def _zone(name: str) -> tzinfo:
    if name[0] in "+-":
        minutes = int(name[1:3]) * 60 + int(name[3:])
        return timezone(timedelta(minutes=-minutes if name[0] == "-" else minutes))
    if name not in ZONES:
        raise ValueError(f"the zone {name} is not known; write an offset")
    return timezone(timedelta(hours=ZONES[name]))


def _read_as(value: object, form: str) -> datetime:
    if isinstance(value, datetime):
        return value
    if form in {"epoch", "epoch_ms"}:
        return _epoch_as(value, form)
    if not isinstance(value, (str, int)) or isinstance(value, bool):
        raise Unfit(f"{kind(value)}, not a point in time")
    text = str(value).strip()
    if len(text) > LONGEST:
        raise Unfit(f"{shown(text, 40)} is not a date")
    if form in NAMED_FORMATS:
        return _iso(text) if form == "iso" else _rfc_5322(text)
    return _by_format(text, form)


def _epoch_as(value: object, form: str) -> datetime:
    number = _decimal(value.strip()) if isinstance(value, str) and len(value) <= LONGEST else value
    if isinstance(number, bool) or not isinstance(number, (int, float)) or not abs(number) < 10**15:
        raise Unfit(f"{shown(value)} is not a number of {'seconds' if form == 'epoch' else 'milliseconds'}")
    return EPOCH + (timedelta(seconds=number) if form == "epoch" else timedelta(milliseconds=number))


def _by_format(text: str, form: str) -> datetime:
    if "%Z" in form:
        raise Unfit("%Z reads the name of a zone and then ignores it; use %z, or datetime(…, timezone='…')")
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007 - its zone is found by _located
    except ValueError as error:
        raise Unfit(f"{shown(text)} does not fit the format {form}") from error


def _located(moment: datetime, zone: tzinfo) -> datetime:
    if moment.year < FIRST_YEAR:
        raise Unfit(f"{moment.date()} is what systems write that know no date")
    if moment.tzinfo is not None:
        moment.astimezone(UTC)  # raises where the offset leads out of the calendar
        return moment
    # datetime never checks this by itself: where the clock is set, one local time exists twice or not at all
    first, second = moment.replace(tzinfo=zone, fold=0), moment.replace(tzinfo=zone, fold=1)
    before, after = first.utcoffset(), second.utcoffset()
    if before is not None and after is not None and before != after:
        why = "does not exist" if before < after else "exists twice"
        raise Unfit(f"{moment} {why} in {zone}, where the clock is set then; the source must give an offset")
    first.astimezone(UTC)
    return first
