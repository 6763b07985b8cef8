"""What is remembered of how fresh a source is, over every restart: its rhythm, and the alarm that stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import msgspec
from sqlalchemy import Connection

from cgsync.ledger import meta
from cgsync.rhythm import Rhythm


class Kind(StrEnum):
    """Blind: no look succeeds. Silent: they do, and find nothing new."""

    BLIND = "blind"
    SILENT = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """What is wrong with a source that does not say so itself. ``words``: why; ``hint``: what to do."""

    kind: Kind
    since: datetime
    words: str
    hint: str = ""

    @property
    def began(self) -> str:
        """Since when, as people read it."""
        return f"{self.since.astimezone():%Y-%m-%d %H:%M}"

    def __str__(self) -> str:
        return f"{self.kind} since {self.began}: {self.words}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """All of it. The alarm is as it was when it began."""

    rhythm: Rhythm = field(default_factory=Rhythm)
    alarm: Alarm | None = None


def load(conn: Connection, uid: str) -> Kept:
    """What is remembered of that source."""
    rhythm, alarm = (meta.get(conn, name) for name in (_rhythm(uid), _alarm(uid)))
    return Kept(
        rhythm=msgspec.json.decode(rhythm, type=Rhythm) if rhythm else Rhythm(),
        alarm=msgspec.json.decode(alarm, type=Alarm) if alarm else None,
    )


def keep_rhythm(conn: Connection, uid: str, rhythm: Rhythm) -> None:
    meta.put(conn, _rhythm(uid), msgspec.json.encode(rhythm).decode())


def keep_alarm(conn: Connection, uid: str, alarm: Alarm | None) -> None:
    if alarm is None:
        meta.forget(conn, _alarm(uid))
    else:
        meta.put(conn, _alarm(uid), msgspec.json.encode(alarm).decode())


def forget(conn: Connection, uid: str) -> None:
    """Know nothing of that source any more."""
    meta.forget(conn, _rhythm(uid))
    meta.forget(conn, _alarm(uid))


def _rhythm(uid: str) -> str:
    return f"rhythm of {uid}"


def _alarm(uid: str) -> str:
    return f"alarm of {uid}"
