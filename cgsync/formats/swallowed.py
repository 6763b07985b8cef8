"""Whether a row that spans lines is text with line breaks, or whole rows swallowed by a stray quote."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import Any


def swallowed(lines: Sequence[str], width: int, dialect: dict[str, Any], values: Sequence[str]) -> bool:
    """Whether most of the further lines are whole rows by themselves.

    Prose rarely has the table's number of delimiters in a line, and where it does, blanks follow them. The last
    line says nothing when the quoted field is the first one: then it ends with the rest of its own row.
    """
    further = [line for line in (lines[1:-1] if "\n" in values[0] else lines[1:]) if line.strip()]
    return width > 1 and 2 * sum(whole_row(line, width, dialect) for line in further) > len(further)


def whole_row(line: str, width: int, dialect: dict[str, Any]) -> bool:
    try:
        row = next(csv.reader([line], **dialect), [])
    except csv.Error:
        return False
    return len(row) == width and not all(field.startswith(" ") for field in row[1:] if field)
