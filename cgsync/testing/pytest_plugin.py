"""Fixtures for tests of plugins: what the core lends to a source, made of stand-ins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from cgsync.api import Context
    from cgsync.testing.fakes import FakeClock, MemoryLog, MemorySecrets


def pytest_configure() -> None:
    """Let the assertions of the conformance class explain themselves."""
    pytest.register_assert_rewrite("cgsync.testing.conformance")


@pytest.fixture
def cgsync_clock() -> FakeClock:
    """A clock that stands still until somebody sleeps on it or advances it."""
    from cgsync.testing.fakes import FakeClock

    return FakeClock()


@pytest.fixture
def cgsync_log() -> MemoryLog:
    """A log that remembers."""
    from cgsync.testing.fakes import MemoryLog

    return MemoryLog()


@pytest.fixture
def cgsync_secrets() -> MemorySecrets:
    """A store of secrets in memory."""
    from cgsync.testing.fakes import MemorySecrets

    return MemorySecrets()


@pytest.fixture
def cgsync_context(cgsync_clock: FakeClock, cgsync_log: MemoryLog, cgsync_secrets: MemorySecrets) -> Context:
    """What the core lends to an open source, with real HTTP and real templates."""
    from cgsync.testing.fakes import context

    return context(clock=cgsync_clock, log=cgsync_log, secrets=cgsync_secrets)
