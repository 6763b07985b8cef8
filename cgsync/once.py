"""``run --once``: poll every source until it is dry, deliver, and say how that went."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from cgsync.bounds import is_ending
from cgsync.engine import Engine
from cgsync.errors import LedgerError, SourceError
from cgsync.ledger import outbox
from cgsync.model import rejected


@dataclass(slots=True, kw_only=True)
class Tally:
    """How a single run went: what was counted, what failed, what still waits and why."""

    counts: Counter[str] = field(default_factory=Counter)
    failed: dict[str, str] = field(default_factory=dict)
    waiting: int = 0
    why: str = ""
    ended: bool = False
    """false when a signal came first"""

    @property
    def rejected(self) -> int:
        return rejected(self.counts) + self.counts["refused"]

    @property
    def exit_status(self) -> int:
        if self.waiting or self.failed or not self.ended:
            return 1
        return 3 if self.rejected else 0


async def run(engine: Engine, tally: Tally) -> None:
    """Drain all sources side by side, then wait until nothing is due any more."""
    await asyncio.gather(*(_drain(engine, name, tally) for name in engine.sources))
    await engine.watch.look()
    for name, broken in engine.config.broken.items():
        tally.failed[name] = broken.reason
    await engine.sender.idle()
    state = engine.sender.state()
    tally.counts["delivered"] += state.delivered
    tally.counts["refused"] += state.refused
    tally.waiting = await engine.ledger.read(outbox.pending_count)
    tally.why = state.words
    tally.ended = True


async def _drain(engine: Engine, name: str, tally: Tally) -> None:
    try:
        drained = await engine.sources.drain(name)
    except LedgerError:
        raise
    except SourceError as error:
        tally.failed[name] = str(error)
    except BaseException as error:
        if is_ending():
            raise asyncio.CancelledError from error
        tally.failed[name] = f"{type(error).__name__}: {error}"
    else:
        tally.counts.update(drained.counts)
        tally.failed.update({f"{name}: {part}": reason for part, reason in drained.problems.items()})
        if drained.later:
            tally.failed[name] = f"something is not ready yet, and asks for {drained.later.total_seconds():.0f} s more"
