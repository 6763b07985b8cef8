"""A batch while it fills."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from cgsync.api import MAX_RECORDS, Batch, Json, Problem, Record, Unreadable

MOST_BYTES = 16 * 1024 * 1024
"""Bytes of mail behind one batch, so that 500 large records do not stand in memory together."""


@dataclass(slots=True, kw_only=True)
class Gathering:
    """Collects until it is full; ``until`` is monotonic seconds."""

    until: float
    records: list[Record] = field(default_factory=list)
    rejects: list[Unreadable] = field(default_factory=list)
    filtered: Counter[str] = field(default_factory=Counter)
    cursor: dict[str, Json] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    done: list[Json] = field(default_factory=list)
    size: int = 0

    def is_due(self, now: float) -> bool:
        """Whether it is to be handed over, full or not. One that moves nothing is of no use, however long it took."""
        return self.room() <= 0 or (now >= self.until and bool(self.cursor))

    def room(self) -> int:
        """How many messages it may still take."""
        return 0 if self.size >= MOST_BYTES else MAX_RECORDS - max(len(self.records), len(self.rejects))

    def batch(self) -> Batch | None:
        if not self.cursor:
            return None
        return Batch(
            records=self.records,
            rejects=self.rejects,
            filtered=dict(self.filtered),
            cursor=self.cursor,
            problems=self.problems,
            done=self.done,
        )
