"""What is asked for once each."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

WHOLE = "all"
"""The part of the cursor of a source without partitions."""
LONGEST = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """``value`` and ``parent`` are what templates see; ``included`` stands in each record, under ``parent``."""

    part: str = WHOLE
    value: Any = None
    parent: Mapping[str, Any] = field(default_factory=dict)
    included: Mapping[str, Any] | None = None

    def variables(self) -> Mapping[str, Any]:
        return {"partition": self.value, "parent": self.parent}


def part_of(value: object) -> str:
    """The part of the cursor for a partition: its own name, as long as that is short and fit to print."""
    name = str(value)
    if name.isprintable() and 0 < len(name) <= LONGEST:
        return name
    return hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
