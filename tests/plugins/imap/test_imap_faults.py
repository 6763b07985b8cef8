"""Whatever befalls the connection, whenever: each message is read once, done with once, and nothing waits for ever."""

from __future__ import annotations

import asyncio
import re
import socket
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from cgsync.api import SourceUnavailable
from tests.plugins.imap.conftest import Over
from tests.plugins.imap.mailbox import Mailbox
from tests.plugins.imap.polling import Polling, cancelled
from tests.plugins.imap.proxy import Proxy, Strike, proxied

SHORT = {"connect": "500ms", "read": "400ms"}
HOWS = ["rst", "fin", "stall", "half-open"]
WORDS = re.compile(r"127\.0\.0\.1:\d+: (no answer in time|the connection was lost: \S|no connection: \S)")
"""Who, and what."""
FLAG, MOVE, DELETE = {"flag": ["$cgsync"]}, {"move": "Done"}, "delete"
LAST = 3 * len(HOWS)
IN_A_LETTER = 250
"""Bytes of the answer to a FETCH, in the middle of its literal."""


async def a_day(mailbox: Mailbox, polling: Polling, proxy: Proxy, first: int, parked: str) -> None:
    """All that a source ever says to a server. What ``parked`` names befalls the connection while it waits."""
    mailbox.deliver(first)
    await polling.persist(polling.drain)
    await polling.persist(polling.settle)
    waiting = await polling.parked()
    if parked:
        proxy.strike_now(parked)
    await cancelled(waiting)
    mailbox.deliver(first + 1)
    await polling.persist(polling.drain)
    await polling.persist(polling.settle)
    await polling.persist(polling.source.hang_up)
    mailbox.deliver(first + 2)
    await polling.persist(polling.drain)


@pytest.mark.parametrize(
    ("command", "passed", "after"),
    [
        ("", 0, FLAG),
        ("", 300, FLAG),
        ("CAPABILITY", 0, FLAG),
        ("AUTHENTICATE", 0, FLAG),
        ("LIST", 0, FLAG),
        ("EXAMINE", 0, FLAG),
        ("NOOP", 0, FLAG),
        ("UID SEARCH", 0, FLAG),
        ("UID FETCH", IN_A_LETTER, FLAG),
        ("IDLE", 0, FLAG),
        ("parked", 0, FLAG),
        ("DONE", 0, FLAG),
        ("SELECT", 0, FLAG),
        ("UID STORE", 0, FLAG),
        ("UID MOVE", 0, MOVE),
        ("UID STORE", 0, DELETE),
        ("UID EXPUNGE", 0, DELETE),
        ("LOGOUT", 0, FLAG),
    ],
)
async def test_a_connection_may_end_or_fall_silent_at_any_command(
    mailbox: Mailbox, over: Over, command: str, passed: int, after: Any
) -> None:
    await bad_days(mailbox, over, Strike(command, "", passed), after)
    all_but_the_last_are_done_with(mailbox, after)


@pytest.mark.usefixtures("without_move")
@pytest.mark.parametrize("command", ["UID COPY", "UID STORE", "UID EXPUNGE"])
async def test_without_move_a_message_may_be_copied_twice_and_none_is_lost(
    mailbox: Mailbox, over: Over, command: str
) -> None:
    mailbox.create("Done")
    await bad_days(mailbox, over, Strike(command, ""), MOVE)
    assert mailbox.flags() == {LAST: set()}
    assert set(mailbox.subjects("Done")) == {f"Question {number}" for number in range(1, LAST)}


async def bad_days(mailbox: Mailbox, over: Over, strike: Strike, after: Any) -> None:
    """A day for each way in which a connection comes to its end, all of one source."""
    mailbox.uids()  # so that it is there
    async with proxied(mailbox.server.plain) as proxy:
        options = {"port": proxy.port, "encryption": "none", "after": after, "timeout": SHORT, "relist": "1ms"}
        async with over(**options).open() as source:
            polling = Polling(source)
            for day, how in enumerate(HOWS):
                parked = strike.command == "parked"
                proxy.strike = today = replace(strike, how=how, hit=parked)
                await a_day(mailbox, polling, proxy, 3 * day + 1, how if parked else "")
                assert today.hit, how
                assert polling.uids == list(range(1, 3 * day + 4)), how
    assert [words for words in polling.complaints if not WORDS.match(words)] == []


def all_but_the_last_are_done_with(mailbox: Mailbox, after: Any) -> None:
    """Each once, and nobody has read any."""
    flagged = {uid: {b"$cgsync"} for uid in range(1, LAST)} if after == FLAG else {}
    assert mailbox.flags() == {**flagged, LAST: set()}
    if after == MOVE:
        assert mailbox.uids("Done") == list(range(1, LAST))


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("passed", [0, 300])
async def test_a_connection_may_end_or_fall_silent_while_it_is_encrypted(
    mailbox: Mailbox, over: Over, how: str, passed: int
) -> None:
    mailbox.uids()
    mailbox.deliver(1)
    async with proxied(mailbox.server.tls) as proxy:
        proxy.strike = strike = Strike("", how, passed)
        async with over(port=proxy.port, timeout=SHORT).open() as source:
            polling = Polling(source)
            await polling.persist(polling.drain)
    assert strike.hit
    assert polling.uids == [1]
    assert [words for words in polling.complaints if not WORDS.match(words)] == []


async def test_a_server_that_takes_no_connection_is_given_up_after_the_connect_timeout(over: Over) -> None:
    """Its queue is full, so that it lets the first packet of a connection fall."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=0)) as deaf, closing(socket.socket()) as first:
        first.connect(deaf.getsockname())
        async with over(port=deaf.getsockname()[1], timeout=SHORT).open() as source, asyncio.timeout(10):
            with pytest.raises(SourceUnavailable, match="no connection: no answer in time"):
                await source.fetch({})
