"""What the user may not read is a problem of that part, and nothing of it is forgotten."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cgsync.api import Cursor, SourceUnavailable
from cgsync.testing.driving import Driver, Step, keys

Over = Callable[..., Driver]
NOBODY = 65534


@contextmanager
def as_somebody() -> Iterator[None]:
    """Root may read everything, so it becomes somebody else for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_drop() -> Iterator[Path]:
    """A folder that can be reached by anybody."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    (folder / "below").chmod(0o700)
    shutil.rmtree(folder)


@pytest.fixture
def below(open_drop: Path) -> Path:
    folder = open_drop / "below"
    folder.mkdir()
    (folder / "b.csv").write_text("no\n2\n")
    (open_drop / "a.csv").write_text("no\n1\n")
    return folder


async def read(driver: Driver, cursor: Cursor) -> list[Step]:
    with as_somebody():
        return await driver.reopened(cursor)


def problems(steps: list[Step]) -> dict[str, str]:
    return {problem.part: problem.reason for step in steps for problem in step.batch.problems}


async def test_a_folder_that_cannot_be_listed_is_told_once_and_keeps_its_state(
    over: Over, open_drop: Path, below: Path
) -> None:
    driver = over(path=str(open_drop), recursive=True)
    cursor = (await read(driver, {}))[-1].behind
    below.chmod(0)
    steps = await read(driver, cursor)
    assert problems(steps) == {"below/": "below cannot be listed: Permission denied"}
    assert "below/b.csv" in steps[-1].behind
    assert await read(driver, steps[-1].behind) == []
    below.chmod(0o755)
    steps = await read(driver, steps[-1].behind)
    assert sorted(steps[-1].behind) == ["a.csv", "below/b.csv"]


async def test_a_file_that_cannot_be_read_is_told_once_and_read_when_it_can_be(
    over: Over, open_drop: Path, below: Path
) -> None:
    (open_drop / "a.csv").chmod(0)
    driver = over(path=str(open_drop), recursive=True)
    steps = await read(driver, {})
    assert keys(steps) == ["2"]
    assert list(problems(steps)) == ["a.csv"]
    assert "Permission denied (give the user" in problems(steps)["a.csv"]
    cursor = steps[-1].behind
    assert await read(driver, cursor) == []
    (open_drop / "a.csv").chmod(0o644)
    assert keys(await read(driver, cursor)) == ["1"]


async def test_a_folder_that_may_not_be_entered_is_unavailable(over: Over, open_drop: Path, below: Path) -> None:
    open_drop.chmod(0o000)
    with pytest.raises(SourceUnavailable, match="Permission denied"):
        await read(over(path=str(open_drop)), {})
    open_drop.chmod(0o755)


async def test_a_file_that_may_not_be_moved_stays_to_be_tried_again(over: Over, open_drop: Path, below: Path) -> None:
    driver = over(path=str(open_drop), after="delete")
    with as_somebody():
        async with driver.open() as source:
            steps = await driver.drain(source, {})
            with pytest.raises(SourceUnavailable, match=r"a.csv cannot be deleted: Permission denied"):
                await source.settle(steps[0].batch.done)
    assert (open_drop / "a.csv").exists()
