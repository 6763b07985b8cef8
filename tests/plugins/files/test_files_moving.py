"""Putting files away: once, never over another file, never one that nobody read."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from cgsync_files import moving

from cgsync.api import Json, SourceUnavailable
from cgsync.testing import FakeClock
from cgsync.testing.driving import Driver

Over = Callable[..., Driver]


def below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


async def read_and_settle(driver: Driver, times: int = 1) -> Sequence[Json]:
    async with driver.open() as source:
        done = [item for step in await driver.drain(source, {}) for item in step.batch.done]
        for _ in range(times):
            await source.settle(done)
    return done


async def test_a_file_moves_to_a_folder_by_date(over: Over, drop: Path, clock: FakeClock) -> None:
    (drop / "x").mkdir()
    (drop / "x" / "a.csv").write_text("no\n1\n")
    await read_and_settle(over(recursive=True, after={"move": "archive/%Y/%m/"}), times=2)
    assert below(drop) == [f"archive/{clock.now():%Y/%m}/x/a.csv"]


@pytest.mark.parametrize("move", ["archive/{stem}.read", "archive/{name}.old"])
async def test_a_file_may_get_another_name(over: Over, drop: Path, move: str) -> None:
    (drop / "a.csv").write_text("no\n1\n")
    await read_and_settle(over(after={"move": move}))
    assert below(drop) == [move.format(stem="a", name="a.csv")]


@pytest.mark.parametrize("move", ["../archive", "{tmp}/archive"])
async def test_the_archive_may_lie_elsewhere(over: Over, drop: Path, tmp_path: Path, move: str) -> None:
    (drop / "a.csv").write_text("no\n1\n")
    await read_and_settle(over(after={"move": move.format(tmp=tmp_path)}), times=2)
    assert below(tmp_path) == ["archive/a.csv"]


async def test_nothing_in_the_archive_is_overwritten(over: Over, drop: Path) -> None:
    for number in range(3):
        (drop / "a.csv").write_text(f"no\n{number}\n")
        await read_and_settle(over(after={"move": "archive"}), times=2)
    assert below(drop) == ["archive/a.1.csv", "archive/a.2.csv", "archive/a.csv"]
    assert (drop / "archive" / "a.csv").read_text() == "no\n0\n"


async def test_what_came_under_the_same_name_since_stays(over: Over, drop: Path) -> None:
    (drop / "a.csv").write_text("no\n1\n")
    driver = over(after="delete")
    async with driver.open() as source:
        steps = await driver.drain(source, {})
        (drop / "a.csv").unlink()
        (drop / "a.csv").write_text("no\n2\n")
        await source.settle(steps[0].batch.done)
    assert (drop / "a.csv").read_text() == "no\n2\n"


async def test_a_file_is_deleted_when_asked_for(over: Over, drop: Path) -> None:
    (drop / "a.csv").write_text("no\n1\n")
    await read_and_settle(over(after="delete"), times=2)
    assert below(drop) == []


async def test_kept_files_are_not_touched(over: Over, drop: Path) -> None:
    (drop / "a.csv").write_text("no\n1\n")
    assert await read_and_settle(over()) == []
    assert below(drop) == ["a.csv"]


async def test_the_done_file_goes_with_it(over: Over, drop: Path) -> None:
    (drop / "a.csv").write_text("no\n1\n")
    (drop / "a.csv.done").touch()
    driver = over(readiness={"done_file": "{name}.done"}, after={"move": "archive"})
    await read_and_settle(driver, times=2)
    assert below(drop) == ["archive/a.csv", "archive/a.csv.done"]


async def test_a_done_file_left_over_by_a_crash_is_put_away(over: Over, drop: Path) -> None:
    (drop / "a.csv").write_text("no\n1\n")
    (drop / "a.csv.done").touch()
    driver = over(readiness={"done_file": "{name}.done"}, after="delete")
    async with driver.open() as source:
        steps = await driver.drain(source, {})
        (drop / "a.csv").unlink()
        await source.settle(steps[0].batch.done)
    assert below(drop) == []


async def test_a_bad_file_goes_to_its_own_folder(over: Over, drop: Path) -> None:
    (drop / "a.json").write_text('[{"no":1}')
    await read_and_settle(over(after="delete"))
    assert below(drop) == ["failed/a.json"]


async def test_what_was_archived_is_not_read_again(over: Over, drop: Path) -> None:
    (drop / "a.csv").write_text("no\n1\n")
    driver = over(recursive=True, after={"move": str(drop / "archive")})
    await read_and_settle(driver)
    assert await driver.reopened({}) == []


async def test_a_link_in_place_of_the_archive_leads_nowhere(over: Over, drop: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (drop / "archive").symlink_to(tmp_path / "elsewhere")
    (drop / "a.csv").write_text("no\n1\n")
    with pytest.raises(SourceUnavailable, match="cannot be moved"):
        await read_and_settle(over(after={"move": "archive"}))
    assert below(tmp_path) == ["drop/a.csv"]


@pytest.fixture
def half_done(over: Over, drop: Path) -> Driver:
    (drop / "a.csv").write_text("no\n1\n")
    return over(after={"move": "archive"})


async def test_a_crash_between_link_and_unlink_leaves_one_copy(half_done: Driver, drop: Path) -> None:
    (drop / "archive").mkdir()
    os.link(drop / "a.csv", drop / "archive" / "a.csv")
    await read_and_settle(half_done)
    assert below(drop) == ["archive/a.csv"]


class TestWithoutLinks:
    """Another file system, or a file that belongs to somebody else: it is copied."""

    SHARED = Path("/dev/shm")

    @pytest.fixture
    def elsewhere(self, tmp_path: Path) -> Path:
        if not self.SHARED.is_dir() or self.SHARED.stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("there is no second file system here")
        folder = self.SHARED / f"cgsync-test-{os.getpid()}"
        folder.mkdir()
        return folder

    @pytest.fixture(autouse=True)
    def _clean(self, elsewhere: Path) -> object:
        yield
        for path in sorted(elsewhere.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        elsewhere.rmdir()

    async def test_a_file_is_copied_with_its_date(self, over: Over, drop: Path, elsewhere: Path) -> None:
        (drop / "a.csv").write_text("no\n1\n")
        os.utime(drop / "a.csv", (1000, 1000))
        await read_and_settle(over(after={"move": str(elsewhere)}), times=2)
        assert below(drop) == []
        assert below(elsewhere) == ["a.csv"]
        assert (elsewhere / "a.csv").stat().st_mtime == 1000

    async def test_a_copy_overwrites_nothing(self, over: Over, drop: Path, elsewhere: Path) -> None:
        for number in range(2):
            (drop / "a.csv").write_text(f"no\n{number}\n")
            await read_and_settle(over(after={"move": str(elsewhere)}))
        assert below(elsewhere) == ["a.1.csv", "a.csv"]

    async def test_a_crash_after_the_copy_leaves_one_copy(self, over: Over, drop: Path, elsewhere: Path) -> None:
        for _ in range(2):
            (drop / "a.csv").write_text("no\n1\n")
            await read_and_settle(over(after={"move": str(elsewhere)}))
        assert below(elsewhere) == ["a.csv"]


def test_the_reasons_for_a_copy_are_those_of_link() -> None:
    assert {errno.EXDEV, errno.EPERM} <= moving.NO_LINK
