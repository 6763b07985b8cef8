"""What an edit of the mapping would change at the receiver, told from the records that were kept; and doing it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from cgsync.api import Batch
from cgsync.contract import Contract
from cgsync.errors import ControlError
from cgsync.intake import SourceIntake
from cgsync.ledger import Instant, accounts, kept, outbox
from cgsync.ledger.kept import Kept
from cgsync.ledger.outbox import Foreseen
from cgsync.model import Due, Intake
from cgsync.operations.core import Core, source_of
from cgsync.operations.foresight import Foresight
from cgsync.running import FETCH_LIMIT, Running, plan_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

MOST_ACCOUNTS = 1_000
"""New accounts that are named; all of them are counted."""
COUNTS = ("records", "created", "updated", "left alone", "no longer mapped", "rejected", "held until released",
          "without record")  # fmt: skip


async def plan(core: Core, source: str, limit: int = 20) -> Mapping[str, Any]:
    """Map the records that were kept by the configuration as it is on disk now, and compare with what is wanted."""
    config = await core.on_disk()
    uid = await core.uid(source)
    rules = plan_of(source_of(config, source), uid, Contract(config.overlay))
    intake = SourceIntake(rules, core.ledger, offer=_nobody, clock=core.engine.host.clock, time_limit=FETCH_LIMIT)
    found = Foresight(limit=limit)
    async for some in _kept(core, uid):
        mapped = await intake.map(Batch(records=some.records), remapped=True)
        foreseen, fresh = await core.ledger.read(partial(_foresee, intake=mapped, now=core.now()))
        found.add(some, foreseen)
        found.accounts |= fresh
    return _told(source, rules.mapper.version, found)


async def apply(core: Core, source: str) -> Mapping[str, Any]:
    """Map the records that were kept again, and send what that changes. The configuration was taken just before."""
    await core.assemble()
    core.source(source)
    uid = await core.uid(source)
    newest = await core.ledger.read(kept.newest)
    walk = _Walk(uid=uid, until=newest)
    counts: Counter[str] = Counter()
    while walk.after is not None:
        counts.update((await _running(core, source).intake.remap(walk)).counts)
    counts.update(await _running(core, source).retrial.run())
    structlog.get_logger().info("applied", source=source, **counts)
    return {"counts": counts, "without_record": walk.lost}


@dataclass(slots=True, kw_only=True)
class _Walk:
    """Goes through the records of a source's activities; ``after`` is where it is, ``None`` at the end."""

    uid: str
    until: int
    after: int | None = 0
    lost: int = 0

    def __call__(self, conn: Connection) -> Batch:
        """The next of them."""
        some = kept.of_activities(conn, self.uid, self.after or 0, self.until)
        self.after = some.next
        self.lost += some.lost
        return Batch(records=some.records)


def _running(core: Core, name: str) -> Running:
    """The source at work, looked up each time: another reload may have replaced it."""
    if name not in core.engine.sources:
        raise ControlError(f"source {name} was taken out of the configuration meanwhile", hint="`cgsync plan` it again")
    return core.engine.sources[name]


async def _kept(core: Core, uid: str) -> AsyncIterator[Kept]:
    """All that was kept of a source, some at a time: the records of its activities, then those of its rejects."""
    newest = await core.ledger.read(kept.newest)
    for look in (partial(kept.of_activities, uid=uid, until=newest), partial(kept.of_rejects, uid=uid)):
        after: int | None = 0
        while after is not None:
            some: Kept = await core.ledger.read(partial(look, after=after))
            yield some
            after = some.next


def _foresee(conn: Connection, intake: Intake, now: Instant) -> tuple[Foreseen, Mapping[str, str]]:
    """What storing would change, and the accounts that it would make new."""
    foreseen = outbox.foresee(conn, intake, now)
    return foreseen, accounts.unknown(conn, (change.activity.account for change in foreseen.changes))


def _nobody(_: Sequence[Due], __: Collection[str]) -> None:
    """Nothing is stored, so there is nothing to send."""


def _told(source: str, version: str, found: Foresight) -> Mapping[str, Any]:
    counts = {name: found.counts[name] for name in COUNTS}
    return {
        "source": source,
        "mapping": version,
        "counts": {**counts, "new accounts": len(found.accounts)},
        "fields": dict(found.fields.most_common()),
        "new_accounts": sorted(found.accounts.values())[:MOST_ACCOUNTS],
        "rejected": [{"cause": cause, **more} for cause, more in found.causes.items()],
        "changes": found.changes,
    }
