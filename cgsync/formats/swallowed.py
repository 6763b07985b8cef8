"""Whether a row that spans lines is text with line breaks, or whole rows swallowed by a stray quote."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import Any


def swallowed(lines: Sequence[str], values: Sequence[str], columns: Sequence[str], dialect: dict[str, Any]) -> bool:
    """Whether most of the further lines are whole rows by themselves.

    Prose rarely has the table's number of delimiters in a line, and where it does, a blank follows one of them. The
    last line says nothing when the quoted field is the first one: then it ends with the rest of its own row.
    """
    further = [line for line in (lines[1:-1] if "\n" in values[0] else lines[1:]) if line.strip()]
    spaced = any(name.startswith(" ") for name in columns)
    whole = sum(whole_row(line, len(columns), dialect, spaced=spaced) for line in further)
    return len(columns) > 1 and 2 * whole > len(further)


def whole_row(line: str, width: int, dialect: dict[str, Any], *, spaced: bool) -> bool:
    """Whether the line alone is a row. ``spaced``: in this file blanks follow all delimiters, so they say nothing."""
    try:
        row = next(csv.reader([line], **dialect), [])
    except csv.Error:
        return False
    further = [field for field in row[1:] if field]
    return len(row) == width and bool(further) and (spaced or not any(field.startswith(" ") for field in further))
