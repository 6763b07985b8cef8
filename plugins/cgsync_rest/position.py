"""One part of the cursor: how far a partition is read, and where in a window an interrupted run stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from cgsync.api import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """``at``: everything up to here is stored, in whatever order it came; it moves when a window is complete.

    ``run`` is there while a window is not (see :class:`cgsync_rest.walk.Walk`), ``seen`` is what is not to be stored
    again, ``runs`` counts complete runs where nothing else moves, ``problem`` is why the last try failed. All are
    JSON, as they stand in the cursor.
    """

    at: Json = None
    run: Mapping[str, Json] | None = None
    seen: Json = None
    runs: int = 0
    problem: str = ""

    def as_json(self) -> Json:
        """``None`` when there is nothing to say."""
        whole: dict[str, Json] = {
            "at": self.at,
            "run": self.run,
            "seen": self.seen,
            "runs": self.runs,
            "problem": self.problem,
        }
        return {name: value for name, value in whole.items() if value or (name == "at" and value == 0)} or None

    @classmethod
    def from_json(cls, value: Any) -> Self:
        """An operator may set a bare time, number or token. What cannot be read starts from the beginning."""
        if isinstance(value, str | int) and not isinstance(value, bool):
            return cls(at=value)
        if not isinstance(value, Mapping):
            return cls()
        run, runs = value.get("run"), value.get("runs", 0)
        return cls(
            at=value.get("at"),
            run=run if isinstance(run, Mapping) else None,
            seen=value.get("seen"),
            runs=runs if isinstance(runs, int) else 0,
            problem=str(value.get("problem", "")),
        )
