"""One walk through the pages of a window, and what it learns of order and height on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self

from cgsync.api import Json
from cgsync_rest.loopguard import LoopGuard
from cgsync_rest.scales import Scale
from cgsync_rest.turns import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What is asked for: from ``since`` (included) to ``end`` (not included); ``last``: there is none behind it yet.

    For an opaque position ``since`` is the token.
    """

    since: Any = None
    end: Any = None
    last: bool = True


@dataclass(slots=True, kw_only=True)
class Walk:
    """``date``: the server's time when the walk began; ``highest``: the highest value up to that.

    ``reached``: with an API that sorts, all before it is stored. ``resumed``: it goes on with the token of an earlier
    run. ``partway``: it began at what an earlier run had reached. ``begun`` is the first value of the page at hand,
    ``following`` the turn behind it.
    """

    span: Span
    turn: Turn | None
    date: datetime | None = None
    highest: Any = None
    reached: Any = None
    previous: Any = None
    begun: Any = None
    following: Turn | None = None
    sorted: bool = True
    resumed: bool = False
    partway: bool = False
    batches: int = 0
    pages: int = 0
    token: Json = None
    guard: LoopGuard = field(default_factory=LoopGuard)

    def follow(self, value: Any, *, descending: bool = False) -> None:
        """The next record's value, in the order in which the API gives them."""
        if value is None:
            return
        if self.previous is not None and (value > self.previous if descending else value < self.previous):
            self.sorted = False
        self.previous = value

    def store(self, value: Any, scale: Scale, date: datetime) -> None:
        """A record with that value is being stored."""
        if value is None or not scale.is_believable(value, self.date or date):
            return
        self.highest = value if self.highest is None else max(self.highest, value)
        self.reached = self.highest

    def as_json(self, shape: str, scale: Scale | None, *, ascending: bool) -> dict[str, Json]:
        """What lets the walk go on after a restart; ``batches`` alone sets it apart from the one before."""

        def told(value: Any) -> Json:
            written: Json = value if value is None or scale is None else scale.as_json(value)
            return written

        whole: dict[str, Json] = {"shape": shape, "batches": self.batches, "since": told(self.span.since)}
        whole |= {"end": told(self.span.end), "last": self.span.last, "token": self.token}
        if self.turn is not None and self.turn.keeps:
            whole |= {"next": self.turn.as_json(), "highest": told(self.highest)}
            whole |= {"date": self.date.isoformat() if self.date else None}
        if ascending and self.sorted:
            whole["reached"] = told(self.reached)
        return {name: value for name, value in whole.items() if value is not None}

    @classmethod
    def from_json(cls, value: Mapping[str, Any], shape: str, read: Any, first: Turn) -> Self | None:
        """``None`` when that walk cannot go on: its pages do not last, or it asked for something else."""
        if value.get("shape") != shape or not ({"next", "reached"} & value.keys()):
            return None

        def untold(name: str) -> Any:
            return None if value.get(name) is None else read(value[name])

        try:
            span = Span(since=untold("since"), end=untold("end"), last=bool(value.get("last", True)))
            if "next" not in value:
                reached = untold("reached")
                span = replace(span, since=reached)
                return cls(span=span, turn=first, reached=reached, highest=reached, partway=True)
            return cls(
                span=span,
                turn=Turn.from_json(value["next"]),
                date=datetime.fromisoformat(value["date"]).astimezone(UTC) if value.get("date") else None,
                highest=untold("highest"),
                reached=untold("reached"),
                resumed=True,
                token=value.get("token"),
            )
        except (KeyError, TypeError, ValueError):
            return None
