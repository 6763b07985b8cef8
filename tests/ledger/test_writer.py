"""One thread commits together what gathered, and each function stands or falls alone."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from cgsync.errors import LedgerError, UnknownCommit
from cgsync.ledger import database
from cgsync.ledger.writer import Writer
from cgsync.state import folder


class Counted:
    """A writer on a table of its own, and how often it committed."""

    def __init__(self, file: Path) -> None:
        folder.guard(file)
        engine = database.writer(file, patience=0.1)
        with engine.begin() as conn:
            conn.exec_driver_sql("CREATE TABLE line (words TEXT)")
        self.commits = 0
        event.listen(engine, "commit", self._count)
        self.writer = Writer(engine, file)
        self.file = file

    def _count(self, _: Any) -> None:
        self.commits += 1

    def lines(self) -> list[str]:
        link = sqlite3.connect(self.file)
        try:
            return [words for (words,) in link.execute("SELECT words FROM line ORDER BY rowid")]
        finally:
            link.close()


@pytest.fixture
def counted(tmp_path: Path) -> Iterator[Counted]:
    counted = Counted(tmp_path / "lines.sqlite3")
    yield counted
    counted.writer.close()


def add(words: str) -> Any:
    return lambda conn: conn.exec_driver_sql("INSERT INTO line VALUES (?)", (words,)).rowcount


class Stall:
    """A function that keeps the writer busy until it is let go."""

    def __init__(self) -> None:
        self.entered, self.go = threading.Event(), threading.Event()

    def __call__(self, conn: Connection) -> None:
        self.entered.set()
        assert self.go.wait(10)


async def gathered(counted: Counted, *works: Any) -> list[Any]:
    """Hand all of them in while the writer is busy; what each returned or raised."""
    stall = Stall()
    first = asyncio.ensure_future(counted.writer.write(stall))
    await asyncio.to_thread(stall.entered.wait, 10)
    rest = [asyncio.ensure_future(counted.writer.write(work)) for work in works]
    await asyncio.sleep(0)  # each has handed in its function by then
    stall.go.set()
    _, *outcomes = await asyncio.gather(first, *rest, return_exceptions=True)
    return outcomes


async def test_what_gathers_while_the_writer_is_busy_is_one_commit(counted: Counted) -> None:
    assert await gathered(counted, *[add(str(number)) for number in range(50)]) == [1] * 50
    assert counted.commits == 1
    assert counted.lines() == [str(number) for number in range(50)]


async def test_what_raises_is_rolled_back_alone(counted: Counted) -> None:
    def fail(conn: Connection) -> None:
        add("lost")(conn)
        raise KeyError("no such thing")

    before, failed, after = await gathered(counted, add("before"), fail, add("after"))
    assert (before, type(failed), after) == (1, KeyError, 1)
    assert counted.lines() == ["before", "after"]


async def test_what_the_database_says_comes_out_in_words(counted: Counted) -> None:
    with pytest.raises(LedgerError, match="no such table"):
        await counted.writer.write(lambda conn: conn.exec_driver_sql("DELETE FROM nowhere"))
    assert await counted.writer.write(add("goes on")) == 1


async def test_who_waits_is_told_after_the_commit(counted: Counted) -> None:
    await counted.writer.write(add("a"))
    assert counted.lines() == ["a"]


async def test_who_waits_is_told_in_the_order_of_the_functions(counted: Counted) -> None:
    told: list[str] = []

    async def tell(words: str) -> None:
        await counted.writer.write(add(words))
        told.append(words)

    stall = Stall()
    first = asyncio.ensure_future(counted.writer.write(stall))
    await asyncio.to_thread(stall.entered.wait, 10)
    rest = [asyncio.ensure_future(tell(str(number))) for number in range(20)]
    await asyncio.sleep(0)
    stall.go.set()
    await asyncio.gather(first, *rest)
    assert told == [str(number) for number in range(20)]


async def test_a_caller_who_goes_away_does_not_stop_the_work(counted: Counted) -> None:
    stall = Stall()
    first = asyncio.ensure_future(counted.writer.write(stall))
    await asyncio.to_thread(stall.entered.wait, 10)
    gone = asyncio.ensure_future(counted.writer.write(add("kept")))
    await asyncio.sleep(0)
    gone.cancel()
    stall.go.set()
    await first
    await counted.writer.write(add("after"))
    assert counted.lines() == ["kept", "after"]


async def test_a_full_file_fails_what_needs_more_room_and_nothing_else(counted: Counted) -> None:
    await counted.writer.write(lambda conn: conn.exec_driver_sql("PRAGMA max_page_count = 10").scalar_one())
    with pytest.raises(LedgerError, match="the disk is full") as caught:
        await counted.writer.write(add("x" * 100_000))
    assert not isinstance(caught.value, UnknownCommit)
    assert await counted.writer.write(add("small")) == 1
    assert counted.lines() == ["small"]


async def test_a_commit_that_fails_fails_its_group_and_all_that_comes_later(tmp_path: Path) -> None:
    """A foreign key that is checked at the commit is a real way for one to fail."""
    file = tmp_path / "broken.sqlite3"
    folder.guard(file)
    engine = database.writer(file)

    @event.listens_for(engine, "connect")
    def check_keys(link: sqlite3.Connection, _: Any) -> None:
        link.execute("PRAGMA foreign_keys = ON")

    with engine.begin() as conn:
        conn.exec_driver_sql("CREATE TABLE line (words TEXT PRIMARY KEY)")
        conn.exec_driver_sql("CREATE TABLE child (words TEXT REFERENCES line DEFERRABLE INITIALLY DEFERRED)")
    writer = Writer(engine, file)
    with pytest.raises(UnknownCommit):
        await writer.write(lambda conn: conn.exec_driver_sql("INSERT INTO child VALUES ('nobody')"))
    with pytest.raises(UnknownCommit):
        await writer.write(add("later"))
    writer.close()


async def test_a_function_that_ends_the_transaction_fails_its_group_and_no_other(counted: Counted) -> None:
    def end(conn: Connection) -> None:
        conn.connection.driver_connection.rollback()

    outcomes = await gathered(counted, add("first"), end)
    assert [type(outcome) for outcome in outcomes] == [LedgerError, LedgerError]
    assert await counted.writer.write(add("next")) == 1
    assert counted.lines() == ["next"]


async def test_what_is_queued_is_committed_before_it_closes(counted: Counted) -> None:
    futures = [counted.writer.submit(add(str(number))) for number in range(10)]
    await asyncio.to_thread(counted.writer.close)
    assert [future.result(0) for future in futures] == [1] * 10
    with pytest.raises(LedgerError, match="closed"):
        await counted.writer.write(add("late"))


async def test_another_program_that_holds_the_file_is_named_as_such(
    counted: Counted,
) -> None:
    other = sqlite3.connect(counted.file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(LedgerError, match="another program holds the file"):
            await counted.writer.write(add("waits"))
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert await counted.writer.write(add("goes on")) == 1


# Between transactions.


async def test_what_runs_apart_runs_between_two_commits_in_its_turn(counted: Counted) -> None:
    stall = Stall()
    first = asyncio.ensure_future(counted.writer.write(stall))
    await asyncio.to_thread(stall.entered.wait)
    before = asyncio.ensure_future(counted.writer.write(add("before")))
    apart = asyncio.ensure_future(counted.writer.write_apart(lines_and_transaction))
    after = asyncio.ensure_future(counted.writer.write(add("after")))
    await asyncio.sleep(0)
    stall.go.set()
    await asyncio.gather(first, before, after)
    assert await apart == (["before"], False)
    assert counted.lines() == ["before", "after"]


def lines_and_transaction(link: sqlite3.Connection) -> tuple[list[str], bool]:
    return [words for (words,) in link.execute("SELECT words FROM line")], link.in_transaction


async def test_what_fails_apart_fails_alone(counted: Counted) -> None:
    with pytest.raises(LedgerError, match="no such table"):
        await counted.writer.write_apart(lambda link: link.execute("SELECT * FROM missing"))
    with pytest.raises(ValueError, match="of its own"):
        await counted.writer.write_apart(fail)
    await counted.writer.write(add("one"))
    assert counted.lines() == ["one"]


def fail(_: sqlite3.Connection) -> None:
    raise ValueError("of its own")


async def test_what_waits_apart_runs_before_the_end(counted: Counted) -> None:
    stall = Stall()
    first = asyncio.ensure_future(counted.writer.write(stall))
    await asyncio.to_thread(stall.entered.wait)
    apart = asyncio.ensure_future(counted.writer.write_apart(lines_and_transaction))
    await asyncio.sleep(0)
    stall.go.set()
    await asyncio.to_thread(counted.writer.close)
    await first
    assert await apart == ([], False)
    with pytest.raises(LedgerError, match="closed"):
        await counted.writer.write_apart(lines_and_transaction)
