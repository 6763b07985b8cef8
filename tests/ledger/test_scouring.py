"""What was deleted is in no file any more, whoever reads meanwhile."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from cgsync.errors import LedgerError
from cgsync.ledger import Ledger, forgetting, outbox, scouring, sources
from cgsync.ledger.database import uri
from cgsync.ledger.instant import Instant
from cgsync.model import Intake
from tests.ledger.conftest import HandClock, record

ANNA = "anna@example.com"


async def fill(ledger: Ledger, clock: HandClock, random: Random) -> None:
    """Rows of many sizes that grow and shrink, so that pages are split and cells moved."""

    def store(conn: Any) -> None:
        now = Instant.of(clock)
        for start in range(0, 2_000, 100):
            names = [(n, ANNA if n % 40 == 7 else "bob@example.com") for n in range(start, start + 100)]
            mapped = [
                record(f"{random.randrange(9)}-{n}/{who}", who + "x" * random.randrange(3_000)) for n, who in names
            ]
            outbox.store(conn, Intake(source="s", read=100, mapped=mapped, mapping_version="m"), now)

    await ledger.write(lambda conn: sources.register(conn, "s", "files", Instant.of(clock)))
    for _ in range(2):
        await ledger.write(store)


async def forget(ledger: Ledger, clock: HandClock) -> None:
    who = await ledger.read(partial(forgetting.person, name=ANNA))
    found, _ = await ledger.read(partial(forgetting.look, who=who, after=0))
    await ledger.write(partial(forgetting.remove, found=found, now=Instant.of(clock)))


def traces(folder: Path) -> int:
    return sum(path.read_bytes().count(ANNA.encode()) for path in folder.iterdir())


async def test_nothing_of_what_was_deleted_is_in_the_files(ledger: Ledger, clock: HandClock) -> None:
    await fill(ledger, clock, Random(1))
    await forget(ledger, clock)
    assert traces(ledger.file.parent), "deleting alone leaves what stood in pages that were split, and the log"
    await ledger.scour()
    assert traces(ledger.file.parent) == 0
    assert ledger.file.with_name(f"{ledger.file.name}-wal").stat().st_size == 0
    assert await ledger.read(outbox.pending_count) > 1_900


async def test_who_reads_an_old_state_is_waited_for(open_ledger: Callable[..., Ledger]) -> None:
    class Closing(HandClock):
        async def sleep(self, seconds: float) -> None:
            backup.close()
            await super().sleep(seconds)

    clock = Closing()
    ledger = open_ledger(clock=clock)
    await fill(ledger, clock, Random(1))
    backup = sqlite3.connect(uri(ledger.file, "ro"), uri=True, isolation_level=None)
    backup.execute("BEGIN")
    backup.execute("SELECT count(*) FROM activity").fetchone()
    await forget(ledger, clock)
    await ledger.scour()
    assert traces(ledger.file.parent) == 0


async def test_without_room_for_another_copy_the_file_stays_as_it_is(ledger: Ledger, clock: HandClock) -> None:
    ledger.disk.reserve = 2**62
    before = ledger.file.read_bytes()
    with pytest.raises(LedgerError, match="cannot be written anew") as failed:
        await ledger.scour()
    assert failed.value.hint == "make room, and say it again"
    assert ledger.file.read_bytes() == before


def test_the_log_of_a_file_that_is_read_is_not_cut(tmp_path: Path) -> None:
    """And the writer waits for others as long as before."""
    file = tmp_path / "some.sqlite3"
    writer = sqlite3.connect(file, isolation_level=None, timeout=3.0)
    writer.execute("PRAGMA journal_mode = WAL").close()
    writer.execute("CREATE TABLE t (x)").close()
    reader = sqlite3.connect(file, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM t").fetchone()
    writer.execute("INSERT INTO t VALUES (1)").close()
    assert not scouring.empty_log(writer)
    assert writer.execute("PRAGMA busy_timeout").fetchone() == (3000,)
    reader.close()
    assert scouring.empty_log(writer)
    writer.close()
