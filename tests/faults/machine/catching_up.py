"""The backfills as the judge follows them: each on a way of its own, from one durable batch to the next."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from cgsync.api import Window
from tests.faults.machine.origin import LOG, Origin, Served

CURSORS = "SELECT source, value FROM checkpoint WHERE part = ?"
BACKFILLS = "SELECT id, source, since_at, state FROM backfill"


def cursors(link: sqlite3.Connection) -> dict[str, int]:
    """Uid of a source, or name of a backfill → the number of its last durable batch."""
    return {place: int(msgspec.json.decode(value)) for place, value in link.execute(CURSORS, (LOG,))}


@dataclass(frozen=True, slots=True)
class Backfill:
    """One as it is in the file."""

    number: int
    source: str
    since: str
    state: str

    @property
    def place(self) -> str:
        """Under which its cursor is kept."""
        return f"backfill {self.number}"


@dataclass(slots=True)
class CatchingUp:
    """What was asked for: window → the keys that stood at the source then."""

    asked: dict[datetime, frozenset[str]] = field(default_factory=dict)
    finished: set[int] = field(default_factory=set)

    def all(self, link: sqlite3.Connection) -> list[Backfill]:
        """Every backfill; none is looked for before one was asked for."""
        return [Backfill(*row) for row in link.execute(BACKFILLS)] if self.asked else []

    def of(self, link: sqlite3.Connection, window: Window) -> Backfill:
        """The one that reads that window: no two read the same."""
        return next(each for each in self.all(link) if datetime.fromisoformat(each.since) == window.start)

    def left_out(self, backfills: list[Backfill], read: Mapping[str, list[Served]]) -> Iterator[str]:
        """Words for each that says that it is done, and did not read all."""
        for each in backfills:
            if each.state == "done" and each.number not in self.finished:
                self.finished.add(each.number)
                found = {item.key for batch in read[each.place] for item in batch.items}
                if missing := self.asked[datetime.fromisoformat(each.since)] - found:
                    yield f"{each.place} of {each.source} is done without {sorted(missing)}"


def overtaken(origin: Origin, batch: Served, polled: Mapping[str, int]) -> set[str]:
    """Keys of a backfill's batch that a poll brought which was answered later, and stored before."""
    return {item.key for item in batch.items if polled.get(item.key, 0) > batch.number}
