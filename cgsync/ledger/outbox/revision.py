"""Revisions of records as the ledger compares them: numbers with numbers, times with times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

ZERO = datetime(1970, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)


def encode(revision: int | datetime | None) -> str | None:
    """A revision as text: ``n`` and the number, or ``t`` and the microseconds since 1970 of an aware time."""
    match revision:
        case None:
            return None
        case datetime():
            return f"t{(revision - ZERO) // TICK}"
        case _:
            return f"n{revision}"


def older(one: str | None, other: str | None) -> bool:
    """Whether ``one`` is lower than ``other``; what cannot be compared is not."""
    if one is None or other is None or one == other or one[0] != other[0]:
        return False
    return int(one[1:]) < int(other[1:])
