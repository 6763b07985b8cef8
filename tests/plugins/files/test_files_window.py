"""A backfill's window over a drop folder: the files that were last changed within it, the end not included."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cgsync.api import Window
from cgsync.testing.driving import Driver, keys
from tests.plugins.files.conftest import Over

MAY = datetime(2026, 5, 1, tzinfo=UTC)
JUNE = datetime(2026, 6, 1, tzinfo=UTC)


def put(drop: Path, name: str, key: str, changed: float) -> None:
    (drop / name).write_text(f"no\n{key}\n")
    os.utime(drop / name, (changed, changed))


def within(driver: Driver, start: datetime, end: datetime) -> Driver:
    return replace(driver, context=replace(driver.context, window=Window(start=start, end=end)))


async def test_the_files_of_the_window_are_read_and_no_others(drop: Path, over: Over) -> None:
    put(drop, "a.csv", "before", MAY.timestamp() - 1)
    put(drop, "b.csv", "first", MAY.timestamp())
    put(drop, "c.csv", "last", JUNE.timestamp() - 1)
    put(drop, "d.csv", "after", JUNE.timestamp())
    assert keys(await over().reopened({})) == ["before", "first", "last", "after"]
    assert keys(await within(over(), MAY, JUNE).reopened({})) == ["first", "last"]
