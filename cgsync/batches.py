"""A batch against what a source promises of it, and where the cursor stands after it."""

from __future__ import annotations

import json

from cgsync.api import MAX_CURSOR_PART, MAX_RECORDS, Batch, Cursor, Json
from cgsync.errors import PluginError


def check(batch: Batch, cursor: Cursor, previous: Batch | None) -> None:
    """Raise :class:`PluginError` for what would loop for ever or could never be stored."""
    if len(batch.records) > MAX_RECORDS:
        raise PluginError(f"fetch returned {len(batch.records)} records, at most {MAX_RECORDS} are allowed")
    if batch == previous:
        raise PluginError("fetch returned the same batch twice in a row")
    moved = any(cursor.get(part) != value for part, value in batch.cursor.items())
    if not moved and not batch.records and not batch.rejects:
        raise PluginError("fetch returned a batch without records that moves no part of the cursor")
    for part, value in batch.cursor.items():
        _check_json(value, f"part {part!r} of the cursor")
    for item in batch.done:
        _check_json(item, "an item of done")


def advanced(cursor: Cursor, changes: Cursor) -> Cursor:
    """The cursor after ``changes``; a part that became ``None`` is forgotten."""
    return {part: value for part, value in {**cursor, **changes}.items() if value is not None}


def _check_json(value: Json, what: str) -> None:
    try:
        # json, since msgspec makes text of times, bytes and sets without a word, which would not come back as such
        size = len(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode())
    except (TypeError, ValueError) as error:
        raise PluginError(f"{what} is not JSON: {error}") from None
    if size > MAX_CURSOR_PART:
        raise PluginError(f"{what} takes {size} bytes, at most {MAX_CURSOR_PART} are allowed")
