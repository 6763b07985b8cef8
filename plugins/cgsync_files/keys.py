"""What tells one record of a file from another, and which of two versions is the newer one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

MISSING = object()


def key_of(data: Mapping[str, Any], fields: Sequence[str]) -> str:
    """The values of ``fields``, joined by colons. Raises ``ValueError`` in words for one that cannot be a key."""
    if len(fields) == 1:
        return _text(data, fields[0])
    # escaped, so that ("a:b", "c") and ("a", "b:c") stay two keys
    return ":".join(_text(data, field).replace("\\", "\\\\").replace(":", "\\:") for field in fields)


def row_key(data: Mapping[str, Any], row: int) -> str:
    """A hash of content and row number: the same row of the same export, whatever the file is called."""
    content = msgspec.json.encode(data, order="deterministic")
    return hashlib.blake2b(content + b"\0%d" % row, digest_size=16).hexdigest()


def revision_of(data: Mapping[str, Any], field: str) -> int | datetime:
    """An integer or a time in UTC. Raises ``ValueError`` in words."""
    value = look_up(data, field)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = value.strip() if isinstance(value, str) else ""
    if text.lstrip("+-").isdecimal() and len(text) < 20:
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"the revision {field!r} is neither an integer nor an ISO 8601 time") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def look_up(data: Mapping[str, Any], field: str) -> Any:
    """The value of a field, or by a path with dots of one inside it; ``MISSING`` when there is none."""
    if field in data:
        return data[field]
    value: Any = data
    for name in field.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return MISSING
        value = value[name]
    return value


def _text(data: Mapping[str, Any], field: str) -> str:
    value = look_up(data, field)
    if value is MISSING:
        raise ValueError(f"there is no field {field!r}, which is the key")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"the key {field!r} is neither text nor an integer")  # noqa: TRY004 - words of a reject
    if value == "":
        raise ValueError(f"the key {field!r} is empty")
    return str(value)
