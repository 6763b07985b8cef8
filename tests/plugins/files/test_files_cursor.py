"""What the cursor remembers of files: where each stands, until it is gone."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cgsync.api import Batch, Later, Settles, SourceUnavailable
from cgsync.testing import FakeClock
from cgsync.testing.driving import Driver, keys

Over = Callable[..., Driver]


def write(path: Path, *numbers: int, text: str = "x") -> None:
    path.write_text("no,text\n" + "".join(f"{number},{text}\n" for number in numbers))


async def test_a_restart_goes_on_at_the_next_record(over: Over, drop: Path) -> None:
    write(drop / "a.csv", *range(700))
    async with over().open() as source:
        first = await source.fetch({})
    assert isinstance(first, Batch)
    assert len(first.records) == 500
    stored = msgspec.json.decode(msgspec.json.encode(first.cursor))
    assert keys(await over().reopened(stored)) == [str(number) for number in range(500, 700)]


async def test_a_file_that_is_through_is_not_read_again(over: Over, drop: Path) -> None:
    write(drop / "a.csv", 1)
    steps = await over().reopened({})
    assert steps[-1].behind["a.csv"]["outcome"] == "done"
    assert await over().reopened(steps[-1].behind) == []


async def test_a_file_that_is_gone_is_forgotten(over: Over, drop: Path) -> None:
    write(drop / "a.csv", 1)
    write(drop / "b.csv", 2)
    steps = await over().reopened({})
    (drop / "a.csv").unlink()
    steps = await over().reopened(steps[-1].behind)
    assert list(steps[-1].behind) == ["b.csv"]


async def test_a_folder_that_is_missing_loses_no_state(over: Over, drop: Path) -> None:
    write(drop / "a.csv", 1)
    cursor = (await over().reopened({}))[-1].behind
    drop.rename(drop.with_name("away"))
    with pytest.raises(SourceUnavailable, match="does not exist"):
        await over().reopened(cursor)


async def test_an_empty_folder_may_be_one_that_is_not_mounted(over: Over, drop: Path) -> None:
    write(drop / "a.csv", 1)
    cursor = (await over().reopened({}))[-1].behind
    drop.rename(drop.with_name("away"))
    drop.mkdir()
    assert await over().reopened(cursor) == []


async def test_a_folder_that_is_emptied_on_purpose_leaves_no_state(over: Over, drop: Path) -> None:
    """Else the cursor would grow with each export for as long as the daemon runs."""
    write(drop / "a.csv", 1)
    driver = over(after="delete")
    async with driver.open() as source:
        steps = await driver.drain(source, {})
        assert isinstance(source, Settles)
        await source.settle([item for step in steps for item in step.batch.done])
    assert not list(drop.iterdir())
    steps = await driver.reopened(steps[-1].behind)
    assert steps[-1].behind == {}


async def test_a_file_that_was_not_read_to_its_end_is_remembered_in_an_empty_folder(over: Over, drop: Path) -> None:
    write(drop / "a.csv", *range(700))
    async with over(after="delete").open() as source:
        first = await source.fetch({})
    assert isinstance(first, Batch)
    drop.rename(drop.with_name("away"))
    drop.mkdir()
    assert await over(after="delete").reopened(first.cursor) == []


async def test_new_content_under_an_old_name_is_read(over: Over, drop: Path) -> None:
    write(drop / "a.csv", 1)
    cursor = (await over().reopened({}))[-1].behind
    write(drop / "a.csv", 2)
    assert keys(await over().reopened(cursor)) == ["2"]


async def test_a_change_in_the_middle_of_a_large_file_is_read(over: Over, drop: Path) -> None:
    """Both ends and the size stay as they were."""
    write(drop / "a.csv", *range(100_000, 130_000))
    cursor = (await over().reopened({}))[-1].behind
    content = (drop / "a.csv").read_bytes()
    (drop / "a.csv").write_bytes(content.replace(b"115000,x", b"115000,y"))
    os.utime(drop / "a.csv", ns=(0, 1))
    assert len(keys(await over().reopened(cursor))) == 30_000


async def test_a_file_that_was_only_touched_is_not_read_again(over: Over, drop: Path) -> None:
    write(drop / "a.csv", 1)
    cursor = (await over().reopened({}))[-1].behind
    os.utime(drop / "a.csv", ns=(0, 1))
    steps = await over().reopened(cursor)
    assert keys(steps) == []
    assert await over().reopened(steps[-1].behind) == []


async def test_a_file_that_is_renamed_half_way_is_followed(over: Over, drop: Path) -> None:
    write(drop / "a.csv", *range(700))
    async with over().open() as source:
        first = await source.fetch({})
    assert isinstance(first, Batch)
    (drop / "a.csv").rename(drop / "b.csv")
    steps = await over().reopened(first.cursor)
    assert len(keys(steps)) == 200
    assert list(steps[-1].behind) == ["b.csv"]


async def test_the_same_small_content_under_another_name_is_skipped_or_read(over: Over, drop: Path) -> None:
    write(drop / "a.csv", 1)
    write(drop / "b.csv", 1)
    assert keys(await over().reopened({})) == ["1"]
    assert keys(await over(same_content="read").reopened({})) == ["1", "1"]


async def test_a_file_written_to_while_it_is_read_starts_over(over: Over, drop: Path) -> None:
    write(drop / "a.csv", *range(700))
    async with over().open() as source:
        first = await source.fetch({})
        assert isinstance(first, Batch)
        write(drop / "a.csv", *range(800), text="new")
        steps = await over().drain(source, first.cursor)
    assert keys(steps) == [str(number) for number in range(800)]
    assert {record.data["text"] for step in steps for record in step.batch.records} == {"new"}


async def test_a_part_of_the_cursor_that_makes_no_sense_means_from_the_start(over: Over, drop: Path) -> None:
    write(drop / "a.csv", 1)
    assert keys(await over().reopened({"a.csv": {"at": "noon"}})) == ["1"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("ümlaut.csv", "ümlaut.csv"),
        ("a\nb.csv", r"a\x0ab.csv"),
        ("100%.csv", "100%.csv"),
        (os.fsdecode(b"\xff.csv"), r"\xff.csv"),
    ],
)
async def test_any_file_name_is_a_part_and_is_shown_so_that_it_can_be_found(
    over: Over, drop: Path, name: str, shown: str
) -> None:
    write(drop / name, 1)
    steps = await over().reopened({})
    assert keys(steps) == ["1"]
    assert await over().reopened(msgspec.json.decode(msgspec.json.encode(steps[-1].behind))) == []
    assert [record.position for step in steps for record in step.batch.records] == [f"{shown} line 2"]


async def test_many_small_files_share_a_batch(over: Over, drop: Path) -> None:
    for number in range(300):
        write(drop / f"{number:03}.csv", number)
    steps = await over().reopened({})
    assert len(steps) == 1
    assert keys(steps) == [str(number) for number in range(300)]


async def test_large_records_do_not_stand_in_memory_together(over: Over, drop: Path) -> None:
    """500 records of the largest size would be 500 MB."""
    (drop / "a.csv").write_text("no,text\n" + "".join(f"{n},{'x' * 100_000}\n" for n in range(300)))
    steps = await over().reopened({})
    assert len(keys(steps)) == 300
    assert max(len(step.batch.records) for step in steps) < 100


async def test_files_are_read_in_order(over: Over, drop: Path) -> None:
    for place, name in enumerate(["c", "a", "b"]):
        write(drop / f"{name}.csv", place)
        os.utime(drop / f"{name}.csv", (place, place))
    assert keys(await over().reopened({})) == ["1", "2", "0"]
    assert keys(await over(order="mtime").reopened({})) == ["0", "1", "2"]


async def test_it_waits_without_being_asked_again_and_again(over: Over, drop: Path) -> None:
    write(drop / "a.csv", 1)
    async with over(readiness={"stable": "10s"}).open() as source:
        answer: Any = await source.fetch({})
    assert isinstance(answer, Later)
    assert 9 < answer.after.total_seconds() <= 10


class SlowDisk(FakeClock):
    """Each look at the clock finds that the disk took three more seconds."""

    def monotonic(self) -> float:
        self.advance(timedelta(seconds=3))
        return super().monotonic()


@pytest.mark.parametrize("clock", [SlowDisk()])
async def test_a_disk_slower_than_a_batch_may_take_moves_on_all_the_same(over: Over, drop: Path) -> None:
    """Else a fetch would return what it began with, for which a source is held."""
    write(drop / "a.csv", *range(3))
    steps = await over().reopened({})
    assert keys(steps) == ["0", "1", "2"]
    assert all(step.before != step.behind for step in steps)
    assert keys(await over().reopened(steps[0].behind)) == ["1", "2"]
