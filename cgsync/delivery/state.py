"""How the sender stands, for people: `status`, `top`, metrics."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

GateWord: TypeAlias = Literal["open", "throttled", "breaker", "paused", "halted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderState:
    """How the sender stands. ``gate`` is open, throttled, breaker, paused or halted; ``cause`` (a word) and ``words``
    say why, ``hint`` what to do.

    ``next_probe`` is in seconds from now, ``None`` when there will be none, ``rate`` in PUTs a second over the last
    minute, ``pace`` what is allowed now; ``generation`` counts the tokens issued so far.
    """

    gate: GateWord
    cause: str
    words: str
    hint: str
    since: datetime | None
    next_probe: float | None
    waiting: int
    in_flight: int
    unsettled: int
    puts: int
    delivered: int
    refused: int
    again: int
    rate: float
    pace: float
    generation: int

    @property
    def paused(self) -> bool:
        """It takes somebody to go on: the set-up is wrong, or sending was halted."""
        return self.gate in {"paused", "halted"}
