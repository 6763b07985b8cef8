"""A batch on its way: fetched within limits, mapped and checked, committed whole, and only then anything else."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cgsync.api import MAX_RAW, Batch, Later, Record, Unreadable, Window
from cgsync.clock import SystemClock
from cgsync.contract import Contract
from cgsync.drained import Drained
from cgsync.errors import LedgerError, PluginError, SourceUnavailable
from cgsync.intake import SHORTEST_LATER, SLICE
from cgsync.ledger import Instant, backfills, books, outbox
from cgsync.model import Stored
from cgsync.preparation import Plan
from tests.rig import ACTIVITY, Rig, Script, batch, record, rig


async def nothing(_: Stored) -> None:
    pass


async def drain(desk: Rig, source: Script, **changes: Any) -> Drained:
    return await desk.intake(**changes).drain(source, after=nothing)


async def test_a_drain_goes_on_from_the_stored_cursor_until_there_is_nothing_more(desk: Rig) -> None:
    source = Script(batch("1", "2"), batch("3"), None, batch("4"))
    drained = await drain(desk, source)
    assert (drained.batches, drained.counts["read"], drained.counts["new"]) == (2, 3, 3)
    await drain(desk, source)
    assert source.cursors == [{}, {"p": "2"}, {"p": "3"}, {"p": "3"}, {"p": "4"}]
    assert await desk.waiting() == ["t-1", "t-2", "t-3", "t-4"]
    assert (await desk.ledger.read(books.audit)).ok


async def test_activities_rejects_cursor_and_what_to_settle_are_committed_before_anything_is_offered(
    desk: Rig,
) -> None:
    """At the moment of the offer another connection sees everything of the batch."""
    seen: list[Any] = []

    def offer(rows: Any, _: Any) -> None:
        with closing(sqlite3.connect(f"file:{desk.ledger.file}?mode=ro", uri=True)) as other:
            stored = {
                table: other.execute(f"select count(*) from {table}").fetchone()[0]
                for table in ("activity", "reject", "checkpoint", "settlement")
            }
        seen.append(([row.reference for row in rows], stored))

    taken = Batch(
        records=[record("1"), record("2", account="")],
        rejects=[Unreadable(position="desk line 3", raw=b"\xff", reason="not UTF-8")],
        cursor={"p": 3},
        done=["file.csv"],
    )
    await drain(desk, Script(taken), offer=offer)
    assert seen == [(["t-1"], {"activity": 1, "reject": 2, "checkpoint": 1, "settlement": 1})]
    assert [reject.kind for reject in await desk.rejects()] == ["unreadable", "invalid"]
    assert (await desk.cursor(), await desk.unsettled()) == ({"p": 3}, ["file.csv"])


async def test_settling_comes_after_the_commit_of_each_batch(desk: Rig) -> None:
    stood: list[Any] = []

    async def settle(_: Stored) -> None:
        stood.append((await desk.cursor(), await desk.unsettled(), len(desk.offered)))

    source = Script(batch("1", done=["a"]), batch("2", done=["b"]))
    await desk.intake().drain(source, after=settle)
    assert stood == [({"p": "1"}, ["a"], 1), ({"p": "2"}, ["a", "b"], 2)]


async def test_a_batch_that_cannot_be_stored_leaves_nothing_behind_and_offers_nothing(desk: Rig) -> None:
    desk.ledger.close()
    with pytest.raises(LedgerError):
        await desk.intake().take(batch("1"))
    assert desk.offered == []


async def test_a_batch_whose_parts_do_not_all_fit_is_not_stored_at_all(desk: Rig) -> None:
    intake = await desk.intake().map(batch("1", done=["a"]))
    unstorable = replace(intake, done=[object()])
    with pytest.raises(TypeError):
        await desk.ledger.write(partial(outbox.store, intake=unstorable, now=Instant.of(desk.clock)))
    assert (await desk.cursor(), await desk.unsettled(), await desk.waiting()) == ({}, [], [])


async def test_what_the_source_says_of_itself_is_passed_on(desk: Rig) -> None:
    drained = await drain(desk, Script(Later(after=timedelta(seconds=7))))
    assert (drained.batches, drained.later) == (0, timedelta(seconds=7))


@pytest.mark.parametrize("after", [timedelta(0), timedelta(seconds=-5), timedelta(microseconds=1)])
async def test_a_later_of_no_time_does_not_make_the_daemon_spin(desk: Rig, after: timedelta) -> None:
    assert (await drain(desk, Script(Later(after=after)))).later == SHORTEST_LATER


async def test_a_slow_fetch_is_cut_off_and_tried_again_later(desk: Rig) -> None:
    ended = asyncio.Event()

    async def forever(cursor: Any) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(SourceUnavailable, match=r"fetch took longer than 0\.01 s"):
        await drain(desk, Script(forever), time_limit=timedelta(milliseconds=10))
    assert ended.is_set()


async def test_a_timeout_of_the_plugins_own_is_its_bug(desk: Rig) -> None:
    with pytest.raises(TimeoutError, match="mine"):
        await drain(desk, Script(TimeoutError("mine")))


@pytest.mark.parametrize("answer", [[], {}, "batch", 7, object()])
async def test_what_is_no_answer_is_said_to_be_none(desk: Rig, answer: Any) -> None:
    with pytest.raises(PluginError, match="not a Batch, a Later or None"):
        await drain(desk, Script(answer))


async def test_the_same_batch_twice_in_a_row_is_refused_after_it_was_stored_once(desk: Rig) -> None:
    same = Batch(records=[record("1")])
    with pytest.raises(PluginError, match="the same batch twice in a row"):
        await drain(desk, Script(same, same))
    assert await desk.waiting() == ["t-1"]


async def test_a_batch_without_records_has_to_move_a_part(desk: Rig) -> None:
    drained = await drain(desk, Script(batch("1"), Batch(cursor={"q": 1})))
    assert drained.batches == 2
    with pytest.raises(PluginError, match="without records that moves no part"):
        await drain(desk, Script(Batch(cursor={"q": 1})))


@pytest.mark.parametrize("value", ["\ud800", "a\0b", float("nan"), b"\xff", {1, 2}, 10**400], ids=repr)
async def test_a_hostile_value_costs_its_record_and_no_other(desk: Rig, value: Any) -> None:
    """Whatever a stranger's field holds, it is stored with the reject and can be shown and mapped again."""
    bad = record("1", account="", data={"odd": value})
    drained = await drain(desk, Script(Batch(records=[bad, record("2")], cursor={"p": 1})))
    assert (drained.counts["invalid"], drained.counts["new"]) == (1, 1)
    [reject] = await desk.rejects()
    assert msgspec.json.decode(reject.record)["id"] == "1"


async def test_what_could_not_be_decoded_is_kept_up_to_a_cap(desk: Rig) -> None:
    item = Unreadable(position="line 1", raw=b"x" * (MAX_RAW + 1), reason="too long")
    await drain(desk, Script(Batch(rejects=[item], cursor={"p": 1})))
    [reject] = await desk.rejects()
    assert len(reject.record) == MAX_RAW


async def test_all_activities_of_a_record_are_stored_or_none(tmp_path: Path) -> None:
    second = {**ACTIVITY, "reference": "u-{{ record.id }}", "account": "{{ record.other }}"}
    async with rig(tmp_path, activity=[dict(ACTIVITY), second]) as desk:
        whole = record("1", data={"other": "Ltd"})
        half = record("2", data={"other": "x" * 1000})
        await drain(desk, Script(Batch(records=[whole, half], cursor={"p": 1})))
        assert await desk.waiting() == ["t-1", "u-1"]
        assert [reject.identity for reject in await desk.rejects()] == ["2"]


async def test_what_the_condition_leaves_out_is_counted(tmp_path: Path) -> None:
    async with rig(tmp_path, when="{{ record.id != '1' }}") as desk:
        drained = await drain(desk, Script(batch("1", "2", filtered={"spam": 3})))
        assert (drained.counts["read"], drained.counts["filtered"], drained.counts["skipped"]) == (2, 1, 3)
        assert (await desk.ledger.read(books.audit)).ok


async def test_a_record_that_is_left_out_takes_its_reject_away(tmp_path: Path) -> None:
    async with rig(tmp_path, when="{{ record.spam is not true }}") as desk:
        await drain(desk, Script(Batch(records=[record("1", account="")], cursor={"p": 1})))
        assert [each.identity for each in await desk.rejects()] == ["1"]
        spam = record("1", account="", data={"spam": True})
        drained = await drain(desk, Script(Batch(records=[spam], cursor={"p": 2})))
        assert drained.counts["filtered"] == 1
        assert await desk.rejects() == []


async def test_a_record_that_passes_takes_its_reject_away(desk: Rig) -> None:
    await drain(desk, Script(Batch(records=[record("1", account="")], cursor={"p": 1})))
    assert len(await desk.rejects()) == 1
    await drain(desk, Script(Batch(records=[record("1")], cursor={"p": 2})))
    assert await desk.rejects() == []


async def test_mapping_lets_others_have_their_turn(desk: Rig) -> None:
    """A mapping that takes a second stops nobody for much longer than its slice."""
    clock = SystemClock()

    class Slow:
        version = "0"

        def judge(self) -> str:
            return self.version

        def map(self, item: Record, uid: str) -> Any:
            end = clock.monotonic() + SLICE / 4
            while clock.monotonic() < end:
                pass
            return ()

    plan = Plan(uid="desk", mapper=Slow(), contract=Contract())  # type: ignore[arg-type]  # whatever maps will do
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    task = asyncio.create_task(other())
    await desk.intake(plan=plan, clock=clock).map(batch(*map(str, range(40))))
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert turns >= 5


async def test_a_remapped_batch_is_counted_apart_from_what_was_read(desk: Rig) -> None:
    stored = await desk.intake().take(Batch(records=[record("1")]), remapped=True)
    assert (stored.counts["remapped"], "read" in stored.counts) == (1, False)
    assert (await desk.ledger.read(books.audit)).ok


async def test_a_backfill_does_not_bring_back_what_a_poll_read_meanwhile(desk: Rig) -> None:
    window = Window(start=datetime(2026, 1, 1, tzinfo=UTC), end=datetime(2026, 2, 1, tzinfo=UTC))
    begin = partial(backfills.start, source="desk", window=window, now=Instant.of(desk.clock))
    number = await desk.ledger.write(begin)
    intake = desk.intake()

    async def slow(_: object) -> Batch:
        page = Batch(records=[record("1", account="Old"), record("2")], cursor={"q": 1})
        await intake.drain(Script(Batch(records=[record("1", account="New")], cursor={"p": 1})), after=nothing)
        return page

    drained = await intake.catch_up(Script(slow), backfill=number, after=nothing)
    assert (drained.counts["read"], drained.counts["skipped"]) == (1, 1)
    assert [msgspec.json.decode(row.body)["account"] for row in desk.offered] == ["New", "Acme"]
