"""One source of a running daemon: its intake, the task that polls it, the task that works at its backfills."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from cgsync.api import Log
from cgsync.backfill import Backfiller
from cgsync.config import SourceConfig
from cgsync.contract import Contract
from cgsync.freshness import Freshness
from cgsync.health import Condition
from cgsync.hosting import Host
from cgsync.intake import Offer, SourceIntake
from cgsync.ledger import Instant, Ledger
from cgsync.ledger.freshness import Kept
from cgsync.ledger.sources import Known
from cgsync.mapping import compile_mapping
from cgsync.poller import Poller
from cgsync.preparation import Plan
from cgsync.retrial import Retrial
from cgsync.schedule import Bell

FETCH_LIMIT = timedelta(minutes=5)
LONGEST_HALT = timedelta(seconds=10)
POLLER, BACKFILLER = "poller", "backfiller"
TROUBLED = frozenset({Condition.HELD, Condition.MISCONFIGURED, Condition.UNAVAILABLE})


@dataclass(slots=True, kw_only=True)
class Running:
    """A source and its tasks. While it is ``paused``, because an operator wants it to rest, it has none."""

    config: SourceConfig
    uid: str
    plan: Plan
    intake: SourceIntake
    retrial: Retrial
    poller: Poller
    freshness: Freshness
    backfiller: Backfiller
    paused: bool
    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    @property
    def at_work(self) -> bool:
        """Whether it polls, or may do so at any moment."""
        return self.poller.draining or self._lives(POLLER)

    @property
    def troubled(self) -> bool:
        """Whether it gave up, or waits for better times: a reload tries it at once."""
        return self.poller.health.condition in TROUBLED

    def launch(self, watched: Callable[..., asyncio.Task[None]]) -> None:
        """Start what does not run, each task by ``watched``; a source that is paused only says so."""
        if self.paused:
            self.poller.pause()
            return
        for part, run in ((POLLER, self.poller.run), (BACKFILLER, self.backfiller.run)):
            if not self._lives(part):
                self.tasks[part] = watched(run(), f"{part} of {self.config.name}")

    async def halt(self, *parts: str) -> bool:
        """End the tasks (all, or these). False when the plugin swallows its cancel: that must hold nobody else up."""
        living = [self.tasks[part] for part in parts or self.tasks if self._lives(part)]
        for task in living:
            task.cancel()
        left = (await asyncio.wait(living, timeout=LONGEST_HALT.total_seconds()))[1] if living else set()
        return not left

    def _lives(self, part: str) -> bool:
        return part in self.tasks and not self.tasks[part].done()


def plan_of(source: SourceConfig, uid: str, contract: Contract) -> Plan:
    """How the records of that source become activities."""
    return Plan(
        uid=uid,
        mapper=compile_mapping(source.mapping),
        contract=contract,
        shared=source.shared,
        forgeable_keys=source.type.forgeable_keys,
        new_accounts=source.limits.new_accounts,
    )


def running(
    source: SourceConfig,
    known: Known,
    kept: Kept,
    *,
    contract: Contract,
    ledger: Ledger,
    host: Host,
    offer: Offer,
    random: Callable[[], float],
    log: Log,
) -> Running:
    """The parts of a source; nothing runs yet. ``offer`` takes rows that were just committed."""
    plan = plan_of(source, known.uid, contract)
    intake = SourceIntake(plan, ledger, offer=offer, clock=host.clock, time_limit=FETCH_LIMIT)
    retrial = Retrial(plan, intake, ledger, offer=offer, clock=host.clock, log=log)
    opens = partial(host.open, source.type, source.options, name=source.name, uid=known.uid, log=log)
    freshness = Freshness(
        source.freshness,
        source.schedule,
        name=source.name,
        rhythm=kept.rhythm,
        known=known.since,
        longest_look=FETCH_LIMIT,
        now=Instant.of(host.clock),
    )
    poller = Poller(
        opens,
        intake,
        ledger,
        uid=known.uid,
        bell=Bell(source.schedule, clock=host.clock, random=random),
        freshness=freshness,
        clock=host.clock,
        random=random,
        log=log,
        before=retrial.run,
    )
    poller.health.alarm = kept.alarm
    backfiller = Backfiller(
        lambda window: opens(window=window),
        intake,
        ledger,
        uid=known.uid,
        clock=host.clock,
        random=random,
        log=log,
    )
    return Running(
        config=source,
        uid=known.uid,
        plan=plan,
        intake=intake,
        retrial=retrial,
        poller=poller,
        freshness=freshness,
        backfiller=backfiller,
        paused=known.paused,
    )
