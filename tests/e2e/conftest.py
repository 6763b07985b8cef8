"""What end-to-end tests share: a site of their own with a sandbox of its own; a mailbox of a Dovecot."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.installation import Site
from tests.e2e.installation import site as made
from tests.e2e.launching import forked
from tests.plugins.imap.conftest import mailbox, server

__all__ = ["mailbox", "server", "site"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with made(tmp_path, launch=forked) as running:
        yield running
