"""One Dovecot for all tests of a run; a mailbox of its own for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import count
from typing import Any, TypeAlias

import pytest
from cgsync_imap import cgsync_source_types
from cgsync_imap.client import Client

from cgsync.api import Window
from cgsync.clock import SystemClock
from cgsync.testing import MemoryLog, as_opened, context
from cgsync.testing.driving import Driver
from tests.plugins.imap.dovecot import PASSWORD, Dovecot, available, dovecot
from tests.plugins.imap.mailbox import Mailbox

NUMBERS = count(1)
KIND = cgsync_source_types()[0]
Over: TypeAlias = "Callable[..., Driver]"
Given: TypeAlias = "Callable[..., Mapping[str, Any]]"


@pytest.fixture(scope="session")
def server() -> Iterator[Dovecot]:
    if not available():
        pytest.skip("no Dovecot 2.3 here: apt-get install dovecot-imapd openssl")
    with dovecot() as running:
        yield running


@pytest.fixture
def mailbox(server: Dovecot) -> Mailbox:
    return Mailbox(server, f"user{next(NUMBERS)}")


@pytest.fixture
def given(mailbox: Mailbox) -> Given:
    """The options that read this mailbox from its beginning, as a source gets them, with others laid over."""

    def options(**changes: Any) -> Mapping[str, Any]:
        return as_opened(KIND, {**basic(mailbox), **changes})

    return options


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


@pytest.fixture
def over(given: Given, log: MemoryLog) -> Over:
    """A source over this mailbox."""

    def build(window: tuple[datetime, datetime] | None = None, **options: Any) -> Driver:
        span = Window(start=window[0], end=window[1]) if window else None
        lent = context(clock=SystemClock(), log=log, window=span)
        return Driver(kind=KIND, options=given(**options), context=lent)

    return build


@pytest.fixture
def without_move(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that has UIDPLUS, but no MOVE."""
    has = Client.has_capability
    monkeypatch.setattr(Client, "has_capability", lambda client, name: name != "MOVE" and has(client, name))


def basic(mailbox: Mailbox) -> dict[str, Any]:
    """As an operator writes them."""
    return {
        "host": "127.0.0.1",
        "port": mailbox.server.tls,
        "tls": {"ca": str(mailbox.server.ca)},
        "username": mailbox.user,
        "password": PASSWORD,
        "start": "all",
    }
