"""A batch while it fills: records, rejects and what they move, with a way back."""

from __future__ import annotations

from dataclasses import dataclass, field

from cgsync.api import MAX_RECORDS, Batch, Json, Problem, Record, Unreadable

MOST_BYTES = 8 * 1024 * 1024
"""Bytes of files behind one batch, so that 500 large records do not stand in memory together."""


@dataclass(slots=True, kw_only=True)
class Gathering:
    """Collects until it is full. ``size`` counts bytes of the files; ``until`` is monotonic seconds."""

    until: float
    records: list[Record] = field(default_factory=list)
    rejects: list[Unreadable] = field(default_factory=list)
    cursor: dict[str, Json] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    done: list[Json] = field(default_factory=list)
    size: int = 0
    cleaned: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.records or self.rejects or self.cursor)

    def has_room(self) -> bool:
        return len(self.records) < MAX_RECORDS and len(self.rejects) < MAX_RECORDS and self.size < MOST_BYTES

    def mark(self) -> tuple[int, int]:
        return len(self.records), len(self.rejects)

    def back_to(self, mark: tuple[int, int]) -> None:
        """Forget what was added since: it was read from a file that changed meanwhile."""
        del self.records[mark[0] :], self.rejects[mark[1] :]

    def batch(self) -> Batch | None:
        if not self.cursor:
            return None
        return Batch(
            records=self.records, rejects=self.rejects, cursor=self.cursor, problems=self.problems, done=self.done
        )
