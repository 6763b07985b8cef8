"""Backfills in the ledger: their own cursor, their own lane, their own counts, and nothing of them is settled."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cgsync.api import Window
from cgsync.ledger import backfills, checkpoints, outbox, settlements, sources
from cgsync.ledger.backfills import Backfill, Progress
from cgsync.model import Intake, Lane

MAY = Window(start=datetime(2026, 5, 1, tzinfo=UTC), end=datetime(2026, 6, 1, tzinfo=UTC))


def store(desk: Any, number: int, *references: str, **more: Any) -> None:
    mapped = [desk.record(reference) for reference in references]
    backfills.store(desk.conn, number, Intake(source="s", read=len(mapped), mapped=mapped, **more), desk.now)


def got(desk: Any, number: int) -> Backfill:
    found = backfills.get(desk.conn, number)
    assert found is not None
    return found


@pytest.fixture
def begun(desk: Any) -> int:
    return backfills.start(desk.conn, "s", MAY, desk.now)


def test_what_was_asked_for_runs_until_it_is_finished(desk: Any, begun: int) -> None:
    backfill = backfills.unfinished(desk.conn, "s")
    assert backfill is not None
    assert (backfill.id, backfill.name, backfill.window, backfill.state) == (begun, "s", MAY, Progress.RUNNING)
    assert backfills.unfinished(desk.conn, "t") is None
    backfills.finish(desk.conn, begun, Progress.FAILED, desk.now, "ZeroDivisionError")
    assert backfills.unfinished(desk.conn, "s") is None
    assert (got(desk, begun).state, got(desk, begun).error) == (Progress.FAILED, "ZeroDivisionError")


def test_of_several_the_first_comes_first_and_the_last_is_listed_first(desk: Any, begun: int) -> None:
    second = backfills.start(desk.conn, "s", MAY, desk.now)
    unfinished = backfills.unfinished(desk.conn, "s")
    assert unfinished is not None
    assert unfinished.id == begun
    assert [each.id for each in backfills.list_backfills(desk.conn)] == [second, begun]


def test_its_cursor_is_its_own_and_ends_with_it(desk: Any, begun: int) -> None:
    """A part of a plugin may be called anything, also what we would call the part of a backfill."""
    desk.store(cursor={"p": "live", f"backfill/{begun}/p": "a folder of that name"})
    store(desk, begun, "a", cursor={"p": 7, "q": 8})
    store(desk, begun, "b", cursor={"q": None})
    assert backfills.cursor(desk.conn, begun) == {"p": 7}
    assert checkpoints.load(desk.conn, "s") == {"p": "live", f"backfill/{begun}/p": "a folder of that name"}
    backfills.finish(desk.conn, begun, Progress.DONE, desk.now)
    assert backfills.cursor(desk.conn, begun) == {}
    assert checkpoints.load(desk.conn, "s")["p"] == "live"


def test_nothing_of_it_is_settled(desk: Any, begun: int) -> None:
    store(desk, begun, "a", done=["a.csv"])
    assert settlements.pending(desk.conn) == []


def test_it_goes_behind_what_is_live_and_balances(desk: Any, begun: int) -> None:
    store(desk, begun, "old", "older")
    desk.store(desk.record("new"))
    rows = outbox.due(desk.conn, desk.now, 10)
    assert [(row.reference, row.lane) for row in rows] == [
        ("new", Lane.LIVE), ("old", Lane.BACKFILL), ("older", Lane.BACKFILL),
    ]  # fmt: skip
    assert backfills.waiting(desk.conn, "s") == 2
    desk.settle(rows[1])
    assert backfills.waiting(desk.conn, "s") == 1
    assert desk.balanced()


def test_its_counts_grow_with_its_batches_and_a_batch_ends_its_trouble(desk: Any, begun: int) -> None:
    store(desk, begun, "a", "b")
    backfills.stumble(desk.conn, begun, "the help desk does not answer")
    assert got(desk, begun).error == "the help desk does not answer"
    store(desk, begun, "b", "c")
    assert got(desk, begun).error == ""
    assert got(desk, begun).counts == {"read": 4, "mapped": 4, "activities": 4, "new": 3, "unchanged": 1}


def test_dropping_a_source_ends_its_backfills(desk: Any, begun: int) -> None:
    backfills.start(desk.conn, "s", MAY, desk.now)
    store(desk, begun, "a", cursor={"p": 7})
    sources.drop(desk.conn, "s", desk.now)
    assert {each.state for each in backfills.list_backfills(desk.conn)} == {Progress.STOPPED}
    assert backfills.cursor(desk.conn, begun) == {}
