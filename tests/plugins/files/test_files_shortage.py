"""When the machine lacks something, files wait in their order: a later one never comes before an earlier one."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cgsync_files.drop import Drop
from cgsync_files.settings import Settings

from cgsync.api import Batch, Cursor, SourceUnavailable
from cgsync.testing import FakeClock, MemoryLog
from cgsync.testing.driving import Driver

Over = Callable[..., Driver]


@contextmanager
def descriptors_left(count: int) -> Iterator[None]:
    """For a while the process may open only so many more files."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.open("/dev/null", os.O_RDONLY)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free + count, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture
def fetch(over: Over, drop: Path) -> Callable[[int, Cursor], list[str] | str]:
    """What a fetch with so many descriptors left brings: keys, or the words of what it lacks."""
    for number, name in enumerate(("a.csv", "below/b.csv", "c.csv")):
        (drop / name).parent.mkdir(exist_ok=True)
        (drop / name).write_text(f"no\n{number}\n")
    settings = Settings.of(over(recursive=True).options)
    source = Drop(settings, FakeClock(), MemoryLog())
    source.fetch({}, wanted=lambda: True)  # so that all is imported
    source.forget()

    def fetched(left: int, cursor: Cursor) -> list[str] | str:
        source.forget()
        try:
            with descriptors_left(left):
                answer = source.fetch(cursor, wanted=lambda: True)
        except SourceUnavailable as error:
            return str(error)
        assert isinstance(answer, Batch)
        return [record.key for record in answer.records]

    return fetched


def test_with_any_number_of_descriptors_files_come_in_their_order(
    fetch: Callable[[int, Cursor], list[str] | str],
) -> None:
    found = [fetch(left, {}) for left in range(8)]
    assert found[-1] == ["0", "1", "2"]
    keys = [each for each in found if isinstance(each, list)]
    assert all(each == ["0", "1", "2"][: len(each)] and each for each in keys)
    lacking = [each for each in found if isinstance(each, str)]
    assert lacking
    assert all("Too many open files" in each for each in lacking)
