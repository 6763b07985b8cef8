"""An answer before it becomes HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

JSON = {"Content-Type": "application/json"}

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A status, the bytes, and the headers."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)

    @classmethod
    def of(cls, status: int, value: Any, headers: Mapping[str, str] | None = None) -> Reply:
        """A JSON answer."""
        return cls(status=status, body=_encode(value), headers={**JSON, **headers} if headers else JSON)
