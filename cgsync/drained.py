"""What one poll took in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from cgsync.api import Batch
from cgsync.model import Stored


@dataclass(slots=True, kw_only=True)
class Drained:
    """What one poll took in. ``later`` is set when the source has something that is not ready yet."""

    counts: dict[str, int] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    """part → why it failed"""
    moved: set[str] = field(default_factory=set)
    """parts whose cursor changed, so that an older problem of theirs is over"""
    batches: int = 0
    later: timedelta | None = None
    held: str = ""
    """why the rest of it is held until an operator releases it"""

    def add(self, stored: Stored, batch: Batch) -> None:
        self.batches += 1
        self.held = stored.allowance.held if stored.allowance else ""
        self.moved |= batch.cursor.keys()
        self.problems |= {problem.part: problem.reason for problem in batch.problems}
        self._count(stored.counts)

    def follow(self, before: Drained) -> None:
        """Take over what an earlier poll of the same run took in."""
        self.batches += before.batches
        self.moved |= before.moved
        self.problems = before.problems | self.problems
        self._count(before.counts)

    def _count(self, counts: Mapping[str, int]) -> None:
        for name, count in counts.items():
            self.counts[name] = self.counts.get(name, 0) + count
