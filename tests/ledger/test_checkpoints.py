"""Cursors, what is to be settled, and runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from cgsync.ledger import checkpoints, runs, settlements, sources
from cgsync.ledger.instant import moment
from cgsync.ledger.schema import run

json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=6,
)
cursors = st.dictionaries(st.sampled_from(["a", "b", "c"]), json, max_size=3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(changes=st.lists(cursors, max_size=5))
def test_a_cursor_is_the_sum_of_its_changes(desk: Any, changes: list[dict[str, Any]]) -> None:
    checkpoints.reset(desk.conn, "s")
    expected: dict[str, Any] = {}
    for change in changes:
        desk.store(cursor=change)
        expected = {part: value for part, value in {**expected, **change}.items() if value is not None}
    assert checkpoints.load(desk.conn, "s") == expected


def test_each_source_has_its_own_parts(desk: Any) -> None:
    desk.store(cursor={"p": 1})
    desk.store(cursor={"p": 2}, source="t")
    assert (checkpoints.load(desk.conn, "s"), checkpoints.load(desk.conn, "t")) == ({"p": 1}, {"p": 2})


def test_parts_are_set_and_forgotten_by_hand(desk: Any) -> None:
    checkpoints.set_part(desk.conn, "s", "p", {"offset": 7}, desk.now)
    checkpoints.set_part(desk.conn, "s", "q", 1, desk.now)
    checkpoints.set_part(desk.conn, "s", "q", None, desk.now)
    assert checkpoints.load(desk.conn, "s") == {"p": {"offset": 7}}
    assert checkpoints.reset(desk.conn, "s", "nothing") == 0
    assert checkpoints.reset(desk.conn, "s") == 1


def test_parts_are_listed_under_the_name_of_their_source(desk: Any) -> None:
    desk.store(cursor={"p": 1})
    sources.rename(desk.conn, "s", "orders")
    [part] = checkpoints.list_parts(desk.conn)
    assert (part.source, part.name, part.part, part.value) == ("s", "orders", "p", 1)
    assert part.stored_at == desk.clock.now()
    assert checkpoints.list_parts(desk.conn, "t") == []


def test_items_stay_until_they_are_settled(desk: Any) -> None:
    desk.store(done=[{"move": "a"}, {"move": "b"}])
    first, second = settlements.pending(desk.conn, "s")
    settlements.fail(desk.conn, [first.id, second.id], "the folder is gone")
    settlements.finish(desk.conn, [first.id])
    [left] = settlements.pending(desk.conn, "s")
    assert (left.value, left.attempts, left.error) == ({"move": "b"}, 1, "the folder is gone")


def test_items_come_in_the_order_in_which_they_were_stored(desk: Any) -> None:
    desk.store(done=list(range(20)))
    assert [item.value for item in settlements.pending(desk.conn, "s", limit=10)] == list(range(10))


def kept(desk: Any, source: str) -> Sequence[Any]:
    """The runs of that source, the newest first."""
    return desk.conn.execute(select(run).where(run.c.source == source).order_by(run.c.id.desc())).all()


def test_a_run_keeps_what_was_counted_and_how_long_it_took(desk: Any) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(3):
        started = start + timedelta(minutes=number)
        runs.record(desk.conn, "s", started, started + timedelta(seconds=2), {"read": number, "new": 0}, "")
    newest, *_ = kept(desk, "s")
    assert msgspec.json.decode(newest.counts) == {"read": 2}
    assert moment(newest.finished_at) - moment(newest.started_at) == timedelta(seconds=2)


def test_only_the_last_runs_of_each_source_are_kept(desk: Any) -> None:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    runs.record(desk.conn, "t", moment, moment, {"read": 1})
    for number in range(runs.KEPT + 5):
        runs.record(desk.conn, "s", moment, moment, {"read": number + 1})
    assert len(kept(desk, "s")) == runs.KEPT
    assert len(kept(desk, "t")) == 1
