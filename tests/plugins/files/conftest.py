"""A drop folder and a source over it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from cgsync_files import cgsync_source_types

from cgsync.testing import FakeClock, MemoryLog, as_opened, context
from cgsync.testing.driving import Driver

Over: TypeAlias = Callable[..., Driver]


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def over(drop: Path, clock: FakeClock, log: MemoryLog) -> Over:
    """A source over the drop folder whose files are ready at once, unless told otherwise."""

    def build(**options: Any) -> Driver:
        kind = cgsync_source_types()[0]
        given = {"path": str(drop), "key": "no", "readiness": {"rename": True}, **options}
        return Driver(kind=kind, options=as_opened(kind, given), context=context(clock=clock, log=log))

    return build
