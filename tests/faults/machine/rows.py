"""The rows of the outbox as another connection sees them, and the order of their versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ROWS = (
    "SELECT a.key, a.reference, a.version, a.state, a.lane, a.due, a.queued, a.doubt, a.attempts, a.delivered_version, "
    "p.body FROM activity a LEFT JOIN payload p ON p.seq = a.seq"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the outbox, as it is in the file."""

    key: str
    reference: str
    version: int
    state: str
    lane: str
    due: float | None
    queued: float
    doubt: float | None
    attempts: int
    delivered_version: int | None
    body: bytes

    def in_doubt(self, stopped_at: float, until: float) -> float:
        """Until when it waits for an abandoned request: on its own, or as all that an unclean stop left undone."""
        left = self.queued <= stopped_at and (self.state != "delivered" or self.doubt is not None)
        return max(self.doubt or 0.0, until if left else 0.0)

    @property
    def source(self) -> str:
        return self.reference.partition("-")[0]


def reference(source: str, key: str) -> str:
    """The reference of a record of that source."""
    return f"{source}-{key}"


def advance(at: dict[str, int], name: str, body: bytes, known: Sequence[tuple[int, bytes]]) -> bool:
    """Go on to the first version with that body that is not older than where we were; false when there is none."""
    version = next((number for number, content in known if content == body and number >= at.get(name, 0)), None)
    if version is None:
        return False
    at[name] = version
    return True
