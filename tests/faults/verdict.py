"""What a campaign says in the end: one line, and a failure for a finding or for too little done."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

LEAST_APPLIED = 1_000
"""Records that the receiver must have applied over a campaign, else it proves nothing."""


def count(*, tests: int, faults: int) -> int:
    """How much of a campaign is run: ``tests`` by `make test`, ``faults`` by `make faults`."""
    return faults if thorough() else tests


def thorough() -> bool:
    """Whether this is `make faults`."""
    return os.environ.get("CGSYNC_FAULTS") == "full"


@dataclass(slots=True, kw_only=True)
class Verdict:
    """The sum of a campaign. ``findings`` begin with the seed or the point that repeats them."""

    name: str
    runs: int = 0
    applied: int = 0
    findings: list[str] = field(default_factory=list)
    more: Mapping[str, int] = field(default_factory=dict)

    def pronounce(self) -> None:
        """Print the line, keep it where `make faults` collects them, and fail for what is wrong."""
        words = [f"{self.applied} applied", *(f"{value} {name}" for name, value in self.more.items())]
        line = f"{self.name}: {self.runs} runs, {', '.join(words)}, {len(self.findings)} findings"
        print(line, *self.findings[:20], sep="\n  ")
        if table := os.environ.get("CGSYNC_FAULTS_TABLE"):
            with Path(table).open("a") as lines:
                lines.write(f"| {self.name} | {self.runs} | {', '.join(words)} | {len(self.findings)} |\n")
        assert not self.findings, "\n".join([line, *self.findings])
        assert self.applied >= LEAST_APPLIED, f"{line}: too little was applied for this to prove anything"
