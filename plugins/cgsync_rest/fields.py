"""Fields of a record, by a name or by a path with dots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def field_of(record: Any, name: str) -> Any:
    """The value; ``None`` where there is none."""
    if isinstance(record, Mapping) and name in record:
        return record[name]
    for step in name.split("."):
        if not isinstance(record, Mapping) or step not in record:
            return None
        record = record[step]
    return record
