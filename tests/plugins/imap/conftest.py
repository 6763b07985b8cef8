"""One Dovecot for all tests of a run; a mailbox of its own for each."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from tests.plugins.imap.dovecot import Dovecot, available, dovecot
from tests.plugins.imap.mailbox import Mailbox

NUMBERS = count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[Dovecot]:
    if not available():
        pytest.skip("no Dovecot 2.3 here: apt-get install dovecot-imapd openssl")
    with dovecot() as running:
        yield running


@pytest.fixture
def mailbox(server: Dovecot) -> Mailbox:
    return Mailbox(server, f"user{next(NUMBERS)}")
