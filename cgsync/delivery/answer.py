"""What one PUT leads to: an answer, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cgsync.http import Broken, Kind

__all__ = ["Answer", "Broken", "Kind"]

KEPT = 2_000
"""Bytes of a body that are kept for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Status, headers (any case) and body. ``too_large``: the body passed its cap and was dropped.

    ``generation`` is that of the token the request was sent with, ``seconds`` the time from first byte to last.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = b""
    seconds: float = 0.0
    generation: int = 0
    too_large: bool = False

    @property
    def text(self) -> str:
        """The start of the body, for people, in one line."""
        return " ".join(self.body[:KEPT].decode("utf-8", "replace").split())
