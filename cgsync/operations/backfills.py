"""Reading a span of time of a source again, beside what it reads anyway."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from cgsync.api import Window
from cgsync.config import SourceConfig
from cgsync.errors import ControlError, NoDaemon
from cgsync.ledger import backfills
from cgsync.ledger.backfills import Backfill, Progress
from cgsync.model import rejected
from cgsync.operations.core import Core
from cgsync.running import BACKFILLER


async def start(core: Core, source: str, since: str, until: str | None = None) -> Mapping[str, Any]:
    """Begin one; ``since`` and ``until`` are ISO 8601, what has no offset is read in the source's time zone."""
    configured = core.source(source)
    if not core.running:
        raise NoDaemon("a backfill is the daemon's work, and none runs", hint="start it with `cgsync run`")
    if not configured.type.windows:
        raise ControlError(
            f"source {source}: the plugin {configured.plugin} cannot read a span of time",
            hint=f"to read all of it: `cgsync pause {source}`, `checkpoint reset {source}`, `resume {source}`",
        )
    end = moment(until, configured) if until else core.engine.host.clock.now()
    window = Window(start=moment(since, configured), end=end)
    if window.start >= window.end:
        raise ControlError(f"the span from {window.start} to {window.end} is empty", hint="--to is the later one")
    return {"id": await core.engine.sources[source].backfiller.start(window)}


async def list_backfills(core: Core) -> list[Mapping[str, Any]]:
    """The last ones, newest first, with how far each is."""
    found = await core.ledger.read(backfills.list_backfills)
    return [await _shown(core, each) for each in found]


async def show(core: Core, number: int) -> Mapping[str, Any]:
    return {**await _shown(core, await _get(core, number)), "sender": _gate(core)}


async def stop(core: Core, number: int) -> Mapping[str, Any]:
    """End one that runs; what it stored is still sent."""
    found = await _get(core, number)
    if found.state is not Progress.RUNNING:
        raise ControlError(f"backfill {number} is {found.state} already")
    async with core.engine.sources.halted(found.name, BACKFILLER):
        end = partial(backfills.finish, number=number, state=Progress.STOPPED, now=core.now())
        await core.ledger.write(end)
    return await show(core, number)


async def _get(core: Core, number: int) -> Backfill:
    found = await core.ledger.read(partial(backfills.get, number=number))
    if found is None:
        raise ControlError(f"there is no backfill {number}", hint="`cgsync backfill` lists them")
    return found


async def _shown(core: Core, backfill: Backfill) -> Mapping[str, Any]:
    counts = backfill.counts
    stored = counts.get("new", 0) + counts.get("changed", 0)
    waiting = await core.ledger.read(partial(backfills.waiting, source=backfill.source)) if stored else 0
    return {
        "id": backfill.id,
        "source": backfill.name,
        "from": backfill.window.start,
        "to": backfill.window.end,
        "state": backfill.state,
        "paused": _is_paused(core, backfill),
        "read": counts.get("read", 0) + counts.get("unreadable", 0),
        "stored": stored,
        "waiting": min(waiting, stored),
        "rejected": rejected(counts),
        "counts": counts,
        "error": backfill.error,
        "started": backfill.started,
        "finished": backfill.finished,
    }


def _is_paused(core: Core, backfill: Backfill) -> bool:
    source = core.engine.sources.get(backfill.name)
    return backfill.state is Progress.RUNNING and source is not None and source.paused


def _gate(core: Core) -> str:
    """Why nothing is sent now, in words; empty when it is."""
    return core.engine.sender.state().words if core.running else "no daemon runs"


def moment(text: str, source: SourceConfig) -> datetime:
    """A time in ISO 8601; what has no offset is read in the source's time zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ControlError(f"{text!r} is no time", hint="for instance 2024-05-01, or 2024-05-01T08:00+02:00") from None
    return found if found.tzinfo else found.replace(tzinfo=source.timezone)
