"""How things stand, as Prometheus reads it. Labels are names of sources and words of ours, never data of a record."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import cgsync
from cgsync.custody import aside
from cgsync.engine import Engine
from cgsync.health import Condition
from cgsync.ledger import Instant, figures
from cgsync.ledger.counters import OPEN
from cgsync.ledger.figures import Figures
from cgsync.ledger.freshness import Kind

if TYPE_CHECKING:
    from prometheus_client import Metric

PATIENCE = 50
"""Counting may take a fiftieth of the time: what was counted is told again that much longer than it took."""
GATES = ("open", "throttled", "breaker", "paused", "halted")


class Metrics:
    """Tells how an engine stands; without ``running`` only what its ledger holds."""

    def __init__(self, engine: Engine, *, running: bool = True) -> None:
        self._engine = engine
        self._running = running
        self._figures: Figures | None = None
        self._good_until = 0.0

    async def text(self) -> str:
        """Everything, in the text format of Prometheus."""
        from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest  # here: 1 MB, often unused

        counted = await self._counted()
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Collected(list(self._families(counted))))
        if self._running:
            ProcessCollector(registry=registry)
        return generate_latest(registry).decode()

    async def _counted(self) -> Figures:
        started = time.monotonic()
        if self._figures is None or started >= self._good_until:
            now = Instant.of(self._engine.host.clock)
            ledger = self._engine.ledger
            self._figures = await aside(lambda _: ledger.read_apart(partial(figures.take, now=now)))
            ended = time.monotonic()
            self._good_until = ended + PATIENCE * (ended - started)
        return self._figures

    def _families(self, counted: Figures) -> Iterator[Metric]:
        yield _gauge("build_info", "Which version this is.", {("version",): {(cgsync.__version__,): 1}})
        yield from _of_ledger(counted)
        yield from self._of_safety()
        if self._running:
            yield _gauge(
                "tasks", "Tasks of the event loop; a number that only grows is a leak.", len(asyncio.all_tasks())
            )
            yield from self._of_sources()
            yield from self._of_sender()

    def _of_safety(self) -> Iterator[Metric]:
        ledger, copies = self._engine.ledger, self._engine.custody.copies
        size, disk = ledger.size, ledger.disk
        yield _gauge("ledger_size_bytes", "The ledger's file and its log.", size)
        yield _gauge("disk_free_bytes", "What the ledger's disk still takes.", disk.free)
        yield _gauge("disk_room", "0: ample; 1: nothing is read; 2: nothing is sent either.", int(disk.look().room))
        yield _gauge("backup_failed", "Whether the last try to copy the ledger failed.", int(bool(copies.failure)))
        if copies.newest is not None:
            yield _gauge("backup_timestamp_seconds", "When the newest copy was begun.", copies.newest.at.timestamp())
            yield _gauge("backup_size_bytes", "The newest copy of the ledger.", copies.newest.size)

    def _of_sources(self) -> Iterator[Metric]:
        health = {name: running.poller.health for name, running in self._engine.sources.items()}
        conditions = {(name, word): int(each.outlook is word) for name, each in health.items() for word in Condition}
        yield _gauge("source_condition", "1 for the condition it is in.", {("source", "condition"): conditions})
        fresh = {(name,): each.last_success.timestamp() for name, each in health.items() if each.last_success}
        yield _gauge("source_last_success_timestamp_seconds", "The last poll without a failure.", {("source",): fresh})
        yield from self._of_freshness()
        problems = {(name,): len(each.problems) for name, each in health.items()}
        yield _gauge("source_problems", "Parts of it that fail.", {("source",): problems})

    def _of_freshness(self) -> Iterator[Metric]:
        running = self._engine.sources
        standing = {name: source.poller.health.alarm for name, source in running.items()}
        alarms = {
            (name, kind): int(alarm is not None and alarm.kind is kind)
            for name, alarm in standing.items()
            for kind in Kind
        }
        yield _gauge("source_alarm", "1: no look succeeds, or nothing new comes.", {("source", "alarm"): alarms})
        newest = {
            (name,): last.timestamp() for name, source in running.items() if (last := source.freshness.rhythm.last)
        }
        yield _gauge("source_last_new_timestamp_seconds", "When something new last came.", {("source",): newest})
        limits = {
            (name,): limit.total_seconds() for name, source in running.items() if (limit := source.freshness.limit)
        }
        yield _gauge("source_freshness_seconds", "For how long nothing new may come.", {("source",): limits})

    def _of_sender(self) -> Iterator[Metric]:
        state = self._engine.sender.state()
        gates = {(word,): int(state.gate == word) for word in GATES}
        yield _gauge("sender_gate", "1 for how the sender's gate is.", {("gate",): gates})
        yield _gauge("sender_rate", "PUTs a second over the last minute.", state.rate)
        yield _gauge("sender_pace", "PUTs a second that are allowed now.", state.pace)
        yield _gauge("sender_in_flight", "PUTs on the wire.", state.in_flight)
        yield _gauge("sender_rows", "Rows in memory that wait for their PUT.", state.waiting)
        yield _counter("sender_puts", "PUTs since the start or the last change of the receiver.", state.puts)
        outcomes = {(word,): getattr(state, word) for word in ("delivered", "refused", "again")}
        yield _counter("sender_outcomes", "What they came to.", {("outcome",): outcomes})
        yield _counter("sender_tokens", "Tokens that were issued to us.", state.generation)


def _of_ledger(counted: Figures) -> Iterator[Metric]:
    def name(uid: str) -> str:
        return counted.names.get(uid, uid)

    entries = {
        (name(uid), entry): value
        for uid, values in counted.counters.items()
        for entry, value in values.items()
        if entry not in OPEN
    }
    yield _counter("books", "What was counted in the books, by source and entry.", {("source", "entry"): entries})
    uneven = {(name(each.source) or "all", each.name): each.difference for each in counted.equations}
    yield _gauge("books_difference", "Anything but 0 is an alarm.", {("source", "equation"): uneven})
    states = {
        (name(uid), state): values.get(state, 0) for uid, values in counted.counters.items() if uid for state in OPEN
    }
    yield _gauge("outbox", "Versions that are not delivered, by state.", {("source", "state"): states})
    lanes = {(name(uid), lane): count for (uid, lane), count in counted.lanes.items()}
    yield _gauge("outbox_waiting", "Versions that wait for their PUT, by lane.", {("source", "lane"): lanes})
    yield _gauge("outbox_overdue_seconds", "For how long the oldest has been due.", counted.overdue or 0.0)
    kinds = {(name(uid), kind): count for (uid, kind), count in counted.rejects.items()}
    yield _gauge("rejects", "Open rejects.", {("source", "kind"): kinds})


Value = float | Mapping[tuple[str, ...], Mapping[Any, float]]
"""A number, or by the names of its labels: their values → a number."""


def _gauge(name: str, words: str, value: Value) -> Metric:
    from prometheus_client.core import GaugeMetricFamily

    return _filled(GaugeMetricFamily, name, words, value)


def _counter(name: str, words: str, value: Value) -> Metric:
    from prometheus_client.core import CounterMetricFamily

    return _filled(CounterMetricFamily, name, words, value)


def _filled(kind: Any, name: str, words: str, value: Value) -> Metric:
    if isinstance(value, Mapping):
        [(labels, values)] = value.items()
    else:
        labels, values = (), {(): value}
    family = kind(f"cgsync_{name}", words, labels=labels)
    for of, number in values.items():
        family.add_metric(of, number)
    made: Metric = family
    return made


class _Collected:
    """What was gathered, as the library wants to be given it."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families
