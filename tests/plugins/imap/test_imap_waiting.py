"""The server's word that something came, and what happens when it stays silent or away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from cgsync.api import SourceUnavailable
from cgsync.testing import MemoryLog
from tests.plugins.imap.conftest import Over
from tests.plugins.imap.dovecot import Dovecot, dovecot
from tests.plugins.imap.mailbox import Mailbox, letter
from tests.plugins.imap.polling import SOON, Polling, cancelled
from tests.plugins.imap.proxy import Proxy, proxied


@pytest.fixture
async def proxy(mailbox: Mailbox) -> AsyncIterator[Proxy]:
    async with proxied(mailbox.server.tls) as between:
        yield between


@pytest.fixture
async def polling(over: Over, proxy: Proxy) -> AsyncIterator[Polling]:
    """An open source that has read all there is, over a wire that a test can cut."""
    driver = over(port=proxy.port, timeout={"read": "3s"})
    async with driver.open() as source:
        made = Polling(source)
        await made.drain()
        yield made


async def test_a_message_wakes_a_source_that_waits(mailbox: Mailbox, polling: Polling) -> None:
    for number in range(1, 4):
        waiting = await polling.parked()
        await asyncio.to_thread(mailbox.put, letter(number))
        await waiting
        await polling.drain()
        assert polling.uids[-1] == number


async def test_a_message_that_came_between_fetch_and_wait_wakes_it_at_once(mailbox: Mailbox, polling: Polling) -> None:
    mailbox.put(letter(1))
    await polling.until_woken()
    await polling.drain()
    assert polling.uids == [1]


async def test_a_cancelled_wait_goes_on_over_the_same_connection(
    mailbox: Mailbox, polling: Polling, proxy: Proxy
) -> None:
    for number in range(1, 4):
        waiting = await polling.parked()
        await cancelled(waiting)
        mailbox.put(letter(number))
        await polling.drain()
    assert polling.uids == [1, 2, 3]
    assert proxy.connections == 1


async def test_a_connection_that_is_cut_while_it_waits_is_replaced(
    mailbox: Mailbox, polling: Polling, proxy: Proxy
) -> None:
    waiting = await polling.parked()
    mailbox.put(letter(1))
    proxy.cut()
    await waiting
    await polling.drain()
    assert polling.uids == [1]
    assert proxy.connections == 2


async def test_a_half_open_connection_is_replaced_by_the_next_poll(
    mailbox: Mailbox, polling: Polling, proxy: Proxy
) -> None:
    """Nobody tells that it is dead: the schedule's poll gets no answer, and asks once more over a new one."""
    waiting = await polling.parked()
    proxy.stall()
    mailbox.put(letter(1))
    await cancelled(waiting)
    polled = asyncio.create_task(polling.drain())
    await opened_again(proxy)
    proxy.flow()
    await polled
    assert polling.uids == [1]


async def opened_again(proxy: Proxy) -> None:
    async with asyncio.timeout(SOON):
        while proxy.connections < 2:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)


async def test_a_server_that_stays_away_is_unavailable_and_nothing_is_lost(
    mailbox: Mailbox, polling: Polling, proxy: Proxy
) -> None:
    waiting = await polling.parked()
    await proxy.refuse()
    proxy.cut()
    await waiting
    with pytest.raises(SourceUnavailable, match="Connection refused"):
        await polling.drain()
    await polling.until_woken()
    mailbox.put(letter(1))
    await proxy.accept()
    await polling.drain()
    assert polling.uids == [1]


@pytest.mark.parametrize("passed", [0, 40, 700, 1500, 2500, 4000])
async def test_a_fetch_that_is_cut_anywhere_loses_and_doubles_nothing(
    mailbox: Mailbox, over: Over, proxy: Proxy, passed: int
) -> None:
    mailbox.put(*(letter(number) for number in range(1, 6)))
    driver = over(port=proxy.port)
    proxy.left = passed
    async with driver.open() as source:
        polling = Polling(source)
        while not polling.uids:
            try:
                await polling.drain()
            except SourceUnavailable:
                proxy.left = None
    assert polling.uids == [1, 2, 3, 4, 5]


async def test_without_idle_only_the_schedule_wakes(mailbox: Mailbox, over: Over) -> None:
    driver = over(idle=False)
    async with driver.open() as source:
        polling = Polling(source)
        await polling.drain()
        mailbox.put(letter(1))
        waiting = asyncio.create_task(polling.source.wait())
        assert not (await asyncio.wait([waiting], timeout=0.5))[0]
        await cancelled(waiting)
        await polling.drain()
    assert polling.uids == [1]


async def test_closing_a_source_that_waits_takes_no_time(polling: Polling, proxy: Proxy) -> None:
    waiting = await polling.parked()
    await cancelled(waiting)
    proxy.stall()
    started = time.monotonic()
    await polling.source.hang_up()
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(("policy", "expected"), [("dedupe", [1, 1, 2]), ("restart", [1, 1, 2]), ("stop", [1])])
async def test_a_folder_that_is_numbered_anew_while_it_waits_is_read_as_the_policy_says(
    mailbox: Mailbox, over: Over, log: MemoryLog, policy: str, expected: list[int]
) -> None:
    mailbox.put(letter(1))
    async with over(uidvalidity=policy).open() as source:
        polling = Polling(source)
        await polling.drain()
        waiting = await polling.parked()
        mailbox.server.change_uidvalidity(mailbox.user)
        mailbox.deliver(2)
        await cancelled(waiting)
        await polling.drain()
    assert polling.uids == expected
    assert "folder was numbered anew" in log.text
    assert ("trouble" in polling.cursor["INBOX"]) == (policy == "stop")


@pytest.fixture(scope="module")
def mortal(server: Dovecot) -> Any:
    """A server of these tests' own, to be killed."""
    with dovecot() as running:
        yield running


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_a_server_that_dies_and_comes_back_is_read_on(mortal: Dovecot, over: Over, end: str) -> None:
    mailbox = Mailbox(mortal, f"user-{end}")
    mailbox.put(letter(1))
    driver = over(port=mortal.tls, tls={"ca": str(mortal.ca)}, username=mailbox.user)
    async with driver.open() as source:
        polling = Polling(source)
        await polling.drain()
        waiting = await polling.parked()
        await asyncio.to_thread(getattr(mortal, end))
        await waiting
        with pytest.raises(SourceUnavailable):
            await polling.drain()
        mailbox.deliver(2)
        await asyncio.to_thread(mortal.start)
        await polling.drain()
    assert polling.uids == [1, 2]
