"""A process that stores and settles until it is killed, and says on stdout what was acknowledged to it.

Each source stores batches of five records; batch ``n`` also edits what batch ``n - 1`` stored. Lines:
``stored SOURCE BATCH`` and ``delivered KEY VERSION``, each written only after the commit returned.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from datetime import timedelta
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from cgsync.api import Record
from cgsync.clock import SystemClock
from cgsync.ledger import Instant, Ledger, checkpoints, outbox, sources
from cgsync.model import Activity, Again, Delivered, Due, Intake, MappedRecord, Outcome, Refused, Result

CLOCK = SystemClock()
SIZE = 5


def say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def mapped(source: str, number: int, body: str) -> MappedRecord:
    reference = f"{source}-{number}"
    content = msgspec.json.encode({"reference": reference, "text": body})
    activity = Activity(reference=reference, body=content, digest=blake2b(content, digest_size=16).digest())
    record = Record(key=str(number), data={"id": number}, position=f"record {number}")
    return MappedRecord(record=record, activities=[activity])


async def read(ledger: Ledger, source: str, settling: asyncio.Queue[Due]) -> None:
    """Go on where the cursor stands, for ever."""
    await ledger.write(partial(sources.register, name=source, plugin="files", now=Instant.of(CLOCK)))
    batch: Any = (await ledger.read(partial(checkpoints.load, source=source))).get("batch", 0)
    while True:
        first = batch * SIZE
        edited = [mapped(source, number, "edited") for number in range(max(0, first - SIZE), first)]
        fresh = [mapped(source, number, "new") for number in range(first, first + SIZE)]
        batch += 1
        intake = Intake(
            source=source,
            read=len(edited) + SIZE,
            mapped=[*edited, *fresh],
            cursor={"batch": batch},
            done=[f"batch {batch}"],
            mapping_version="m1",
        )
        stored = await ledger.write(partial(outbox.store, intake=intake, now=Instant.of(CLOCK)))
        say(f"stored {source} {batch}")
        for due in stored.due:
            settling.put_nowait(due)


async def settle(ledger: Ledger, settling: asyncio.Queue[Due], choose: random.Random) -> None:
    """Settle what was stored, in small groups, with every kind of outcome."""
    outcomes: list[Outcome] = [
        Delivered(status=200, data={"id": 1}),
        Delivered(status=200, data={"id": 1}),
        Refused(status=422, reasons={"account": "unknown"}),
        Again(reason="timeout", doubt=True),
    ]
    while True:
        dues = [await settling.get()]
        while not settling.empty() and len(dues) < 8:
            dues.append(settling.get_nowait())
        results = [Result(due=due, outcome=choose.choice(outcomes)) for due in dues]
        work = partial(outbox.settle, results=results, now=Instant.of(CLOCK), settle_time=timedelta(seconds=120))
        await ledger.write(work)
        for result in results:
            if isinstance(result.outcome, Delivered):
                say(f"delivered {result.due.key} {result.due.version}")


async def work(state: Path, seed: int) -> None:
    ledger = Ledger.open(state, receiver="r", clock=CLOCK)
    settling: asyncio.Queue[Due] = asyncio.Queue()
    tasks = [read(ledger, name, settling) for name in ("a", "b", "c")]
    await asyncio.gather(*tasks, settle(ledger, settling, random.Random(seed)))


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), int(sys.argv[2])))
