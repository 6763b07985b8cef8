"""Which files are read, and when: globs, special files, readiness."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cgsync_files.names import matcher, part_of, path_of
from hypothesis import given
from hypothesis import strategies as st

from cgsync.api import Batch, Later
from cgsync.testing import FakeClock
from cgsync.testing.driving import Driver, keys

Over = Callable[..., Driver]


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("*.csv", "a.csv", True),
        ("*.csv", "below/a.csv", True),
        ("*.csv", "a.csv.bak", False),
        ("orders/*.csv", "orders/a.csv", True),
        ("orders/*.csv", "orders/2024/a.csv", False),
        ("orders/*.csv", "x/orders/a.csv", False),
        ("**/*.csv", "a.csv", True),
        ("**/*.csv", "x/y/a.csv", True),
        ("x/**", "x/y/a.csv", True),
        ("a?.csv", "ab.csv", True),
        ("a[0-9].csv", "a7.csv", True),
        ("a[!0-9].csv", "a7.csv", False),
        ("a.csv", "aXcsv", False),
        ("*", "a\nb", True),
    ],
)
def test_globs(pattern: str, path: str, fits: bool) -> None:
    assert matcher([pattern])(path) is fits


@given(pattern=st.text(alphabet="*?[]!a/.\\^-", max_size=12), path=st.text(alphabet="ab/.", max_size=12))
def test_any_pattern_is_a_glob(pattern: str, path: str) -> None:
    assert matcher([pattern])(path) in (True, False)


@given(name=st.binary(min_size=1).map(os.fsdecode))
def test_a_part_leads_back_to_its_path(name: str) -> None:
    assert path_of(part_of(name)) == name
    assert part_of(name).isprintable()


async def test_only_included_and_finished_names_are_read(over: Over, drop: Path) -> None:
    names = ["a.csv", "b.tsv", "c.csv.tmp", ".d.csv", "~$e.csv", "f.csv.filepart", "old-g.csv"]
    for number, name in enumerate(names):
        (drop / name).write_text(f"no\n{number}\n")
    assert keys(await over(include="*.csv", exclude="old-*").reopened({})) == ["0"]


async def test_folders_are_read_when_asked_for(over: Over, drop: Path) -> None:
    (drop / "x" / "y").mkdir(parents=True)
    (drop / "a.csv").write_text("no\n1\n")
    (drop / "x" / "a.csv").write_text("no\n2\n")
    (drop / "x" / "y" / "a.csv").write_text("no\n3\n")
    assert keys(await over().reopened({})) == ["1"]
    assert keys(await over(recursive=True).reopened({})) == ["1", "2", "3"]
    assert keys(await over(recursive=True, depth=1).reopened({})) == ["1", "2"]
    assert keys(await over(include="x/*.csv").reopened({})) == ["2"]


async def test_links_pipes_and_devices_are_never_opened(over: Over, drop: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("no\n1\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "b.csv").write_text("no\n2\n")
    (drop / "a.csv").symlink_to(tmp_path / "secret.csv")
    (drop / "below").symlink_to(tmp_path / "folder")
    os.mkfifo(drop / "c.csv")
    assert await over(recursive=True).reopened({}) == []
    async with over().open() as source:
        assert "3 not regular, ignored" in await source.check()


async def test_a_file_is_ready_when_it_has_rested(over: Over, drop: Path, clock: FakeClock) -> None:
    (drop / "a.csv").write_text("no\n1\n")
    async with over(readiness={"stable": "5s"}).open() as source:
        assert isinstance(await source.fetch({}), Later)
        clock.advance(timedelta(seconds=5))
        assert isinstance(await source.fetch({}), Batch)


async def test_an_old_date_does_not_make_a_copy_ready(over: Over, drop: Path) -> None:
    """What a copier sets is the mtime; the ctime tells when it did."""
    (drop / "a.csv").write_text("no\n1\n")
    os.utime(drop / "a.csv", (0, 0))
    async with over(readiness={"stable": "5s"}).open() as source:
        assert isinstance(await source.fetch({}), Later)


async def test_a_date_in_the_future_does_not_hold_a_file_back_for_ever(
    over: Over, drop: Path, clock: FakeClock
) -> None:
    (drop / "a.csv").write_text("no\n1\n")
    os.utime(drop / "a.csv", (time.time() + 1e6, time.time() + 1e6))
    async with over(readiness={"stable": "5s"}).open() as source:
        assert isinstance(await source.fetch({}), Later)
        clock.advance(timedelta(seconds=6))
        assert isinstance(await source.fetch({}), Batch)


async def test_a_file_waits_for_the_one_before_it_but_not_for_ever(over: Over, drop: Path, clock: FakeClock) -> None:
    """Else what is older would be read after what is newer."""
    (drop / "b.csv").write_text("no\n2\n")
    clock.advance(timedelta(seconds=10))
    os.utime(drop / "b.csv")
    (drop / "a.csv").write_text("no\n1\n")
    os.utime(drop / "a.csv", (clock.now().timestamp(), clock.now().timestamp()))
    async with over(readiness={"stable": "5s"}).open() as source:
        assert isinstance(await source.fetch({}), Later)
        for _ in range(20):
            clock.advance(timedelta(seconds=4))
            os.utime(drop / "a.csv", (clock.now().timestamp(), clock.now().timestamp()))
            answer = await source.fetch({})
        assert isinstance(answer, Batch)
        assert [record.key for record in answer.records] == ["2"]


async def test_with_revisions_no_file_waits_for_another(over: Over, drop: Path, clock: FakeClock) -> None:
    (drop / "b.csv").write_text("no,at\n2,1\n")
    clock.advance(timedelta(seconds=10))
    (drop / "a.csv").write_text("no,at\n1,1\n")
    os.utime(drop / "a.csv", (clock.now().timestamp(), clock.now().timestamp()))
    async with over(readiness={"stable": "5s"}, revision="at").open() as source:
        answer = await source.fetch({})
    assert isinstance(answer, Batch)
    assert [record.key for record in answer.records] == ["2"]


@pytest.mark.parametrize(("template", "marker"), [("{name}.done", "a.csv.done"), ("{stem}.ok", "a.ok")])
async def test_a_done_file_makes_it_ready(over: Over, drop: Path, template: str, marker: str) -> None:
    (drop / "a.csv").write_text("no\n1\n")
    driver = over(readiness={"done_file": template})
    assert await driver.reopened({}) == []
    (drop / marker).touch()
    assert keys(await driver.reopened({})) == ["1"]


async def test_wait_returns_when_a_file_arrives(over: Over, drop: Path) -> None:
    async with over().open() as source:
        assert await source.fetch({}) is None
        (drop / "a.csv").write_text("no\n1\n")
        await source.wait()
        assert isinstance(await source.fetch({}), Batch)


async def test_wait_sees_what_came_while_nobody_waited(over: Over, drop: Path) -> None:
    async with over().open() as source:
        assert await source.fetch({}) is None
        (drop / ".a").touch()
        await source.wait()
        await source.fetch({})
        (drop / "a.csv").write_text("no\n1\n")
        await source.wait()


async def test_wait_returns_for_a_name_that_is_no_text_and_goes_on_watching(over: Over, drop: Path) -> None:
    async with over().open() as source:
        for name in (b"\xff.csv", b"\xfe.csv", b"a.csv"):
            await source.fetch({})
            (drop / os.fsdecode(name)).write_text("no\n1\n")
            async with asyncio.timeout(60):
                await source.wait()
        assert isinstance(await source.fetch({}), Batch)


async def test_check_tells_what_the_newest_file_holds(over: Over, drop: Path) -> None:
    (drop / "a.csv").write_text("no;name\n1;x\n")
    async with over().open() as source:
        words = await source.check()
    assert words == f"1 file in {drop}, 1 ready; the newest, a.csv, begins with no, name"


async def test_samples_come_from_the_newest_file_first(over: Over, drop: Path) -> None:
    for age, name in enumerate(["new", "old"]):
        (drop / f"{name}.csv").write_text(f"no\n{name}1\n{name}2\n")
        os.utime(drop / f"{name}.csv", (1000 - age, 1000 - age))
    async with over().open() as source:
        assert [record.key for record in await source.sample(3)] == ["new1", "new2", "old1"]
