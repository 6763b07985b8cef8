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


def decode(text: str | None) -> int | datetime | None:
    """The revision that :func:`encode` made the text of."""
    if text is None:
        return None
    return ZERO + int(text[1:]) * TICK if text[0] == "t" else int(text[1:])


def older(one: str | None, other: str | None) -> bool:
    """Whether ``one`` is lower than ``other``; what cannot be compared is not."""
    if one is None or other is None or one == other or one[0] != other[0]:
        return False
    return int(one[1:]) < int(other[1:])
