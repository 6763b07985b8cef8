"""How things stand: each source, the outbox, the sender, and what is wrong with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cgsync.engine import Engine
from cgsync.freshness import limit
from cgsync.health import FINE, Condition, Health
from cgsync.ledger import books, freshness, outbox, rejects, retention, sources
from cgsync.ledger.backfills import Progress
from cgsync.ledger.freshness import Kept
from cgsync.ledger.sources import Known
from cgsync.metrics import Metrics
from cgsync.operations.backfills import list_backfills
from cgsync.operations.core import Core
from cgsync.running import Running

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What the ledger holds, all of one instant; by the uid of the source where it is a mapping."""

    known: Sequence[Known]
    counters: Mapping[str, Mapping[str, int]]
    states: Mapping[str, Mapping[str, int]]
    rejected: Mapping[str, int]
    kept: Mapping[str, Kept]
    without_body: int


def _stored(conn: Connection) -> Stored:
    known = sources.list_sources(conn)
    return Stored(
        known=known,
        counters=books.counters(conn),
        states=books.states(conn),
        rejected=rejects.counts(conn),
        kept={each.uid: freshness.load(conn, each.uid) for each in known},
        without_body=retention.without_body(conn),
    )


async def status(core: Core) -> Mapping[str, Any]:
    stored = await core.ledger.read(_stored)
    rows = [
        {
            **_source(core, each, stored.counters.get(each.uid, {}), stored.states.get(each.uid, {})),
            **_freshness(core, each, stored.kept[each.uid]),
            "rejected": stored.rejected.get(each.uid, 0),
        }
        for each in stored.known
    ]
    return {
        "summary": await summary(core.engine) if core.running else "no daemon runs; this is what is stored",
        "sources": rows,
        "outbox": _totals(stored.states),
        "backfills": [each for each in await list_backfills(core) if each["state"] == Progress.RUNNING],
        "without_body": stored.without_body,
        "sender": _sender(core.engine) if core.running else {},
        "trouble": _guarded(stored.known, stored.states)
        + (_trouble(core) if core.running else _broken(core) + _alarmed(core, stored.known, stored.kept)),
    }


async def metrics(core: Core) -> str:
    return await Metrics(core.engine, running=core.running).text()


async def summary(engine: Engine) -> str:
    """One line, what an operator reads first: ``3 sources, 2 ok; tickets unavailable since 14:02 (…); outbox 17``."""
    parts = [f"{len(engine.sources)} sources, {sum(_fine(running) for running in engine.sources.values())} ok"]
    for name, running in engine.sources.items():
        if running.paused:
            parts.append(f"{name} is paused")
        elif not _fine(running):
            health = running.poller.health
            since = _clock(health.outlook_since, engine.host.clock.now())
            parts.append(f"{name} {health.outlook} since {since} ({health.words})")
    parts.extend(f"{name} broken ({broken.reason})" for name, broken in engine.config.broken.items())
    sender = engine.sender.state()
    if sender.gate != "open":
        parts.append(f"sender {sender.gate} ({sender.words})")
    parts.append(f"outbox {await engine.ledger.read(outbox.pending_count)}")
    return "; ".join(parts)


def _fine(running: Running) -> bool:
    return running.poller.health.outlook in FINE


def _clock(moment: datetime, now: datetime) -> str:
    """With its day, when that is not today."""
    local = moment.astimezone()
    return f"{local:%H:%M}" if local.date() == now.astimezone().date() else f"{local:%Y-%m-%d %H:%M}"


def _source(core: Core, known: Known, counters: Mapping[str, int], states: Mapping[str, int]) -> Mapping[str, Any]:
    name = known.name
    health = core.engine.sources[name].poller.health if core.running and name in core.engine.sources else None
    return {
        "source": name,
        "uid": known.uid,
        "condition": health.outlook if health else _condition(core, known),
        "since": health.outlook_since if health else None,
        "last_success": health.last_success if health else None,
        "read": counters.get("read", 0),
        "delivered": counters.get("delivered", 0),
        "pending": states.get("pending", 0),
        "problems": health.problems if health else {},
    }


def _freshness(core: Core, known: Known, kept: Kept) -> Mapping[str, Any]:
    """When something new last came, for how many seconds none may come, and the alarm that stands."""
    source = core.config.sources.get(known.name)
    running = core.engine.sources.get(known.name) if core.running else None
    rhythm = running.freshness.rhythm if running else kept.rhythm
    longest = limit(source.freshness, rhythm) if source else None
    return {
        "last_new": rhythm.last,
        "freshness": longest.total_seconds() if longest else None,
        "alarm": running.poller.health.alarm if running else kept.alarm,
    }


def _condition(core: Core, known: Known) -> str:
    if known.name in core.config.broken:
        return "broken"
    if known.name not in core.config.sources:
        return "removed"
    return Condition.PAUSED if known.paused else "stopped"


def _totals(states: Mapping[str, Mapping[str, int]]) -> Mapping[str, int]:
    totals: dict[str, int] = {}
    for counts in states.values():
        for state, count in counts.items():
            totals[state] = totals.get(state, 0) + count
    return totals


def _sender(engine: Engine) -> Mapping[str, Any]:
    state = engine.sender.state()
    return {
        "state": state.gate,
        "because": state.words,
        "next probe": state.next_probe,
        "in flight": state.in_flight,
        "rate": f"{state.rate:.1f}/s of {engine.config.receiver.rate_limit:g}/s",
    }


def _trouble(core: Core) -> list[Mapping[str, str]]:
    """What is wrong now, each with a hint."""
    found = _broken(core)
    for name, running in core.engine.sources.items():
        health = running.poller.health
        if not running.paused:
            found.extend(_of_health(name, health))
        found.extend(
            {"what": f"source {name}: {part}", "words": words, "hint": ""} for part, words in health.problems.items()
        )
    copies = core.engine.custody.copies
    if copies.failure:
        found.append({"what": "backup", "words": copies.failure, "hint": copies.hint})
    state = core.engine.sender.state()
    if state.paused:
        found.append({"what": "sender", "words": state.words, "hint": state.hint})
    return found


def _of_health(name: str, health: Health) -> Iterator[Mapping[str, str]]:
    if health.outlook not in FINE and health.outlook is health.condition:
        yield {"what": f"source {name}", "words": health.error, "hint": health.hint}
    if health.alarm:
        yield {"what": f"source {name}", "words": str(health.alarm), "hint": health.alarm.hint}


def _alarmed(core: Core, known: Sequence[Known], kept: Mapping[str, Kept]) -> list[Mapping[str, str]]:
    """The alarms that stood when a daemon last ran."""
    return [
        {"what": f"source {each.name}", "words": f"was {alarm}", "hint": alarm.hint}
        for each in known
        if (alarm := kept[each.uid].alarm) and each.name in core.config.sources and not each.paused
    ]


def _guarded(known: Sequence[Known], states: Mapping[str, Mapping[str, int]]) -> list[Mapping[str, str]]:
    """The sources of which a run is held until somebody has looked at it."""
    return [
        {
            "what": f"source {each.name}",
            "words": f"{states.get(each.uid, {}).get('held', 0)} activities are held: {each.guard}",
            "hint": f"`cgsync outbox list --source {each.name} --state held` shows them; "
            f"`cgsync outbox release --source {each.name}` sends them",
        }
        for each in known
        if each.guard
    ]


def _broken(core: Core) -> list[Mapping[str, str]]:
    return [
        {
            "what": f"source {name}",
            "words": f"plugin {broken.name} of {broken.distribution} {broken.version} is broken: {broken.reason}",
            "hint": "repair or remove the plugin, then restart",
        }
        for name, broken in core.config.broken.items()
    ]
