"""The terms that the options are written in."""

from __future__ import annotations

from typing import Any

DURATION = {"$ref": "cgsync:duration"}
SIZE = {"$ref": "cgsync:size"}
TEXT = {"type": "string", "minLength": 1}
SECRET = {"type": "string", "minLength": 1, "x-secret": True}
FILE = {"type": "string", "pattern": "^/"}
TEXTS = {"type": "object", "additionalProperties": {"type": "string"}}
URL = {"type": "string", "pattern": "^https?://"}
RATE = {"type": "string", "pattern": r"^[0-9]{1,6}(\.[0-9]{1,3})?/[smhd]$"}


def options(description: str, *, required: tuple[str, ...] = (), properties: dict[str, Any]) -> dict[str, Any]:
    """An object with these properties and no others."""
    return {
        "type": "object",
        "description": description,
        "required": list(required),
        "additionalProperties": False,
        "properties": properties,
    }
