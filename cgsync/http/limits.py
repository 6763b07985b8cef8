"""What an answer says about waiting: Retry-After and the limit headers, in all the ways they are written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

LONGEST = timedelta(hours=1)
"""The ceiling for what the other side may make us wait."""
EPOCH_FROM = 1_000_000_000
"""Seconds: from here on a reset is a point in time, not a span."""
FAMILIES = tuple(
    (prefix + "remaining", prefix + "reset", prefix + "limit")
    for prefix in ("x-ratelimit-", "ratelimit-", "x-rate-limit-")
)

Headers = Mapping[str, str]
"""Header names in lower case, or a mapping that does not care."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """``remaining`` requests of ``limit`` until ``reset`` from now."""

    remaining: int
    reset: timedelta
    limit: int | None = None


def retry_after(headers: Headers, *, now: datetime) -> timedelta | None:
    """Seconds, or a date relative to the answer's own ``Date``, between 0 and one hour; ``None`` if there is none."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    if _NUMBER.fullmatch(text):
        return _bounded(float(text))
    at = _date(text)
    return None if at is None else _bounded((at - _sent_at(headers, now)).total_seconds())


def quota(headers: Headers, *, now: datetime) -> Quota | None:
    """Remaining and reset (a span, or a time since 1970) of a family of headers, if both can be read."""
    for family in FAMILIES:
        if family[0] not in headers:  # the usual case, and asked for every answer
            continue
        remaining, reset, limit = (_number(headers.get(name)) for name in family)
        if remaining is not None and reset is not None:
            span = reset - _sent_at(headers, now).timestamp() if reset > EPOCH_FROM else reset
            return Quota(remaining=int(remaining), reset=_bounded(span), limit=None if limit is None else int(limit))
    return _single(headers) if "ratelimit" in headers else None


def _single(headers: Headers) -> Quota | None:
    """``RateLimit: "default";r=50;t=30`` with its policy, or ``limit=100, remaining=50, reset=30``."""
    said = headers.get("ratelimit", "") + ";" + headers.get("ratelimit-policy", "")
    remaining, reset, limit = (each.search(said) for each in _SINGLE)
    if remaining is None or reset is None:
        return None
    return Quota(
        remaining=int(remaining[1]),
        reset=_bounded(float(reset[1])),
        limit=None if limit is None else int(limit[1]),
    )


def _sent_at(headers: Headers, now: datetime) -> datetime:
    # the other side's clock may differ from ours: only differences by its own clock mean something
    return _date(headers.get("date", "")) or now


def _date(text: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


_SINGLE = tuple(
    re.compile(rf"(?:^|[;,\s])(?:{names})=([0-9]{{1,15}})") for names in ("r|remaining", "t|reset", "q|limit")
)
_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,9})?")


def _number(text: str | None) -> float | None:
    """The first number of ``100, 100;w=60``."""
    found = _NUMBER.match((text or "").strip())
    return float(found[0]) if found else None


def _bounded(seconds: float) -> timedelta:
    return min(timedelta(seconds=min(max(seconds, 0.0), 1e9)), LONGEST)
