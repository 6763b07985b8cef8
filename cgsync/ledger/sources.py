"""The sources that the ledger knows: the uid that all their state hangs on, under whatever name they go now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from cgsync.errors import ConfigError, ControlError
from cgsync.ledger import backfills, freshness, outbox
from cgsync.ledger.instant import Instant, moment
from cgsync.ledger.schema import checkpoint, reject, settlement, source


class PluginChanged(ConfigError):
    """Another plugin stands under a name whose state the ledger holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A source. ``removed``: it is not in the configuration any more, but its state is still here."""

    uid: str
    name: str
    plugin: str
    paused: bool
    removed: bool
    since: datetime
    guard: str | None = None
    """why a run of it is held"""


def register(conn: Connection, name: str, plugin: str, now: Instant) -> str:
    """The uid of the source with that name; a new one gets its first name as uid.

    Raises :class:`PluginChanged` when the name stands for another plugin: its cursor would mean nothing to this one.
    """
    known = conn.execute(select(source).where(source.c.name == name)).one_or_none()
    if known is None:
        return _add(conn, name, plugin, now)
    if known.plugin != plugin:
        raise PluginChanged(
            f"sources.{name}: was read by the plugin {known.plugin} so far, now it is {plugin}",
            hint=f"give it another name, or forget what is stored of it with `cgsync source drop {name}`",
        )
    if known.removed:
        conn.execute(update(source).where(source.c.uid == known.uid).values(removed=False))
    return str(known.uid)


def register_all(conn: Connection, plugins: Mapping[str, str], now: Instant) -> Sequence[Known]:
    """Make sure that these names, each with its plugin, are known; returns every source. Raises as :func:`register`."""
    for name, plugin in plugins.items():
        register(conn, name, plugin, now)
    return list_sources(conn)


def retain(conn: Connection, names: Collection[str]) -> None:
    """Say which sources the configuration has; the others are marked as removed."""
    for known in list_sources(conn):
        if known.removed != (known.name not in names):
            conn.execute(update(source).where(source.c.uid == known.uid).values(removed=known.name not in names))


def rename(conn: Connection, old: str, new: str) -> None:
    """Let the source go on under another name, with its cursor, its references and its history."""
    uid = _known(conn, old)
    if uid_of(conn, new) is not None:
        raise ControlError(
            f"there is a source {new!r} already",
            hint=f"if nothing of it is needed: `cgsync source drop {new}`, then rename again",
        )
    conn.execute(update(source).where(source.c.uid == uid).values(name=new))


def pause(conn: Connection, name: str, *, paused: bool = True) -> None:
    """Keep a source from being polled, also over restarts, or let it go on."""
    conn.execute(update(source).where(source.c.uid == _known(conn, name)).values(paused=paused))


def drop(conn: Connection, name: str, now: Instant) -> int:
    """Forget cursor, rejects and what is undelivered of a source; returns how many versions were given up.

    What was delivered stays known, so that the source can come back without sending it again; its references are
    free for other sources.
    """
    uid = _known(conn, name)
    dropped = outbox.drop_source(conn, uid)
    backfills.stop(conn, uid, now)
    freshness.forget(conn, uid)
    for table in (checkpoint, settlement, reject):
        conn.execute(delete(table).where(table.c.source == uid))
    conn.execute(delete(source).where(source.c.uid == uid))
    return dropped


def uid_of(conn: Connection, name: str) -> str | None:
    """The uid of the source with that name now."""
    return conn.execute(select(source.c.uid).where(source.c.name == name)).scalar_one_or_none()


def list_sources(conn: Connection) -> Sequence[Known]:
    """Every source whose state is here, by name."""
    return [
        Known(
            uid=row.uid,
            name=row.name,
            plugin=row.plugin,
            paused=row.paused,
            removed=row.removed,
            since=moment(row.since_at),
            guard=row.guard,
        )
        for row in conn.execute(select(source).order_by(source.c.name))
    ]


def _add(conn: Connection, name: str, plugin: str, now: Instant) -> str:
    uid = next(uid for uid in _candidates(name) if not _is_taken(conn, uid))
    conn.execute(
        insert(source).values(uid=uid, name=name, plugin=plugin, paused=False, removed=False, since_at=now.stamp)
    )
    return uid


def _candidates(name: str) -> Sequence[str]:
    return [name, *(f"{name}~{number}" for number in range(2, 1000))]


def _is_taken(conn: Connection, uid: str) -> bool:
    """Whether a source that was renamed since has that uid: its default references are made of it."""
    return conn.execute(select(source.c.uid).where(source.c.uid == uid)).first() is not None


def _known(conn: Connection, name: str) -> str:
    uid = uid_of(conn, name)
    if uid is None:
        raise ControlError(f"nothing is stored of a source {name!r}", hint="`cgsync status` lists those that are known")
    return uid
