"""When a message says that it was written."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST = 100


def date_of(text: str) -> tuple[str | None, str | None]:
    """ISO 8601 with offset, or ``None`` and why there is none. A date without offset is one of UTC."""
    if not text:
        return None, "there is no Date"
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        with suppress(ValueError, TypeError, IndexError, OverflowError):
            date = read(text[:LONGEST])
            return (date if date.tzinfo else date.replace(tzinfo=UTC)).isoformat(), None
    return None, f"the Date cannot be read: {text[:LONGEST]}"
