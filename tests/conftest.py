"""What all tests share: a receiver, a source's part of the core; and where CI runs, nothing is skipped or drawn."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator, Generator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from cgsync.sandbox import Sandbox
from tests.rig import Rig, rig

HERE = Path(__file__).parent
LONG = ("faults", "systemd", "e2e")
CI = bool(os.environ.get("CI"))

# How long an example takes says more of the machine than of the code. CI repeats the examples that it had; whoever runs
# the tests by hand has new ones each time.
hypothesis.settings.register_profile(
    "cgsync",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    **({"derandomize": True, "database": None} if CI else {}),
)
hypothesis.settings.load_profile("cgsync")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Generator[None, Any, Any]:
    report = yield
    if report.skipped and CI:
        report.outcome = "failed"
        report.longrepr = f"skipped, which must not happen in CI: {report.longrepr}"
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first: at the end, one worker would be left with it."""
    items.sort(key=lambda item: LONG.index(folder) if (folder := _folder(item)) in LONG else len(LONG))


def pytest_collection_finish() -> None:
    """Thousands of tests and what they import stay: to look through all that again and again is a tenth of the work."""
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


def _folder(item: pytest.Item) -> str:
    return item.path.relative_to(HERE).parts[0]


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes go by the name of their argument: packed ones hold the time, and would be another test each time."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    async with Sandbox() as running:
        yield running


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rig(tmp_path) as made:
        yield made
