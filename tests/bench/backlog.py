"""What a long queue costs: start, claim, settle and the unchanged check with 1 and with 10 million rows of each kind.

``python tests/bench/backlog.py [FOLDER [MILLIONS]]``: the two ledgers are made in FOLDER (about 15 GB for ten million
pending and ten million delivered) and kept there, so that a second run measures at once. Wanted: at most 1.5 times
the cost of a tenth of the rows, and a start within 2 s with a million pending.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from cgsync.api import Record  # noqa: E402 - a program: its folder comes first
from cgsync.clock import SystemClock  # noqa: E402 - the same
from cgsync.ledger import SETTLE_TIME, Instant, Ledger, outbox, sources  # noqa: E402 - the same
from cgsync.model import Activity, Delivered, Intake, MappedRecord, Result  # noqa: E402 - the same

MILLION = 1_000_000
SOURCES = 4
BATCH = 500
ROUNDS = 40
CLOCK = SystemClock()
BODY = '{"account":"Company","additional_information_object":{"note":"' + "n" * 300 + '"},"type":"Order"}'

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i < :last)"
ROWS = f"""
{NUMBERS}
INSERT INTO activity (seq, "key", reference, digest, version, state, due, queued, attempts, retries, lane, owner,
  owner_record, source, record, position, mapping, first_at, stored_at, delivered_version, delivered_at, answer)
SELECT i, printf('order-%012d', i), printf('order-%012d', i), CAST(printf('%016d', i) AS BLOB), 1, :state, :due,
  0, 0, 0, 'live', 's' || i % :sources, i, 's' || i % :sources, i, 'orders.csv line ' || i, '0123456789ab',
  '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', :version, :at, :answer FROM n
"""
PAYLOADS = f"{NUMBERS} INSERT INTO payload SELECT i, CAST(:body AS BLOB), CAST(:body AS BLOB) FROM n"
COUNTERS = "INSERT INTO counter SELECT source, state, count(*) FROM activity GROUP BY 1, 2"


async def make(folder: Path, count: int) -> Path:
    """A ledger with ``count`` pending and ``count`` delivered rows, the bodies of the latter long gone."""
    if (folder / "made").exists():
        return folder
    ledger = Ledger.open(folder, receiver="bench", clock=CLOCK)
    for number in range(SOURCES):
        await ledger.write(partial(sources.register, name=f"s{number}", plugin="files", now=Instant.of(CLOCK)))
    ledger.close(clean=True)
    link = sqlite3.connect(folder / "ledger.sqlite3")
    link.execute("PRAGMA synchronous = OFF")
    delivered = {"state": "delivered", "due": None, "version": 1, "at": "2026-01-02T00:00:00.000Z", "answer": "{}"}
    pending = {"state": "pending", "due": 0.0, "version": None, "at": None, "answer": None}
    link.execute(ROWS, {"first": 1, "last": count, "sources": SOURCES, **delivered})
    link.execute(ROWS, {"first": count + 1, "last": 2 * count, "sources": SOURCES, **pending})
    link.execute(PAYLOADS, {"first": count + 1, "last": 2 * count, "body": BODY})
    link.execute(COUNTERS)
    link.commit()
    link.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    link.close()
    (folder / "made").touch()
    return folder


async def start(folder: Path) -> Ledger:
    """Open it and hand out the first rows, as a daemon does."""
    ledger = Ledger.open(folder, receiver="bench", clock=CLOCK)
    rows = await ledger.read(partial(outbox.due, now=Instant.of(CLOCK), limit=BATCH))
    assert len(rows) == BATCH
    return ledger


async def claim(ledger: Ledger) -> None:
    assert len(await ledger.read(partial(outbox.due, now=Instant.of(CLOCK), limit=BATCH))) == BATCH


async def settle(ledger: Ledger) -> Callable[[], Awaitable[object]]:
    rows = await ledger.read(partial(outbox.due, now=Instant.of(CLOCK), limit=BATCH))
    results = [Result(due=row, outcome=Delivered(status=200, data={"id": 1})) for row in rows]
    work = partial(outbox.settle, results=results, now=Instant.of(CLOCK), settle_time=SETTLE_TIME)
    return partial(ledger.write, work)


def unchanged(ledger: Ledger, count: int) -> Callable[[], Awaitable[object]]:
    numbers = [number for number in random.sample(range(1, count), SOURCES * BATCH) if number % SOURCES == 0][:BATCH]
    mapped = [_known(number) for number in numbers]
    intake = Intake(source="s0", read=len(mapped), mapped=mapped, mapping_version="0123456789ab")
    return partial(ledger.write, partial(outbox.store, intake=intake, now=Instant.of(CLOCK)))


def _known(number: int) -> MappedRecord:
    record = Record(key=str(number), data={}, position=f"orders.csv line {number}")
    one = Activity(reference=f"order-{number:012d}", body=BODY.encode(), digest=f"{number:016d}".encode())
    return MappedRecord(record=record, activities=[one])


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds."""
    started = time.perf_counter()
    await work()
    return (time.perf_counter() - started) * 1000


async def main(folder: Path, millions: float) -> None:
    counts = [int(millions * MILLION / 10), int(millions * MILLION)]
    folders = [await make(folder / f"{count}", count) for count in counts]
    figures: dict[str, list[list[float]]] = {}
    for _ in range(3):
        for place, each in enumerate(folders):
            started = time.perf_counter()
            ledger = await start(each)
            _note(figures, "start and first claim", place, (time.perf_counter() - started) * 1000)
            ledger.close(clean=True)
    ledgers = [await start(each) for each in folders]
    for _ in range(ROUNDS):
        for place, ledger in enumerate(ledgers):
            _note(figures, f"claim {BATCH}", place, await timed(partial(claim, ledger)))
            _note(figures, f"settle {BATCH}", place, await timed(await settle(ledger)))
            _note(figures, f"{BATCH} unchanged", place, await timed(unchanged(ledger, counts[place])))
    for ledger in ledgers:
        ledger.close(clean=True)
    for what, (small, large) in figures.items():
        least, most = statistics.median(small), statistics.median(large)
        print(f"{what}: {least:.1f} ms with {counts[0]:,} rows of each kind, {most:.1f} ms with {counts[1]:,}: "
              f"{most / least:.2f} times (wanted ≤ 1.5)")  # fmt: skip


def _note(figures: dict[str, list[list[float]]], what: str, place: int, milliseconds: float) -> None:
    figures.setdefault(what, [[], []])[place].append(milliseconds)


if __name__ == "__main__":
    millions = float(sys.argv[2]) if len(sys.argv) > 2 else 10
    if len(sys.argv) > 1:
        asyncio.run(main(Path(sys.argv[1]), millions))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            asyncio.run(main(Path(scratch), millions))
