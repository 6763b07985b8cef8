"""In which fields two bodies differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


def differences(before: bytes, after: bytes) -> dict[str, Mapping[str, Any]]:
    """The fields in which two bodies differ, by their path: ``old`` and ``new``, ``None`` where there is none."""
    old, new = _leaves(msgspec.json.decode(before)), _leaves(msgspec.json.decode(after))
    names = sorted({*old, *new})
    return {name: {"old": old.get(name), "new": new.get(name)} for name in names if old.get(name) != new.get(name)}


def _leaves(body: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in body.items():
        found |= _leaves(value, f"{path}{name}.") if isinstance(value, dict) else {f"{path}{name}": value}
    return found
