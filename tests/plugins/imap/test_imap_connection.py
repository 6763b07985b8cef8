"""One connection: commands in its thread, IDLE on the loop; a dead one is noticed and never used again."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from typing import Any, TypeAlias

import pytest
from cgsync_imap.access import Access
from cgsync_imap.client import Client
from cgsync_imap.connection import Connection
from cgsync_imap.errors import Refused
from cgsync_imap.settings import Settings

from cgsync.api import SourceMisconfigured, SourceUnavailable
from tests.plugins.imap.conftest import Given
from tests.plugins.imap.mailbox import Mailbox, letter
from tests.plugins.imap.proxy import Proxy, proxied

LONG = timedelta(minutes=5)
SOON = 20.0
Connected: TypeAlias = "Callable[..., AbstractAsyncContextManager[Connection]]"


@pytest.fixture
def connected(given: Given) -> Connected:
    """A connection with INBOX selected, with these options changed."""

    @asynccontextmanager
    async def connect(**options: Any) -> AsyncIterator[Connection]:
        connection = await Access(Settings.of(given(**options)), None).connect()
        try:
            await connection.run(inbox)
            yield connection
        finally:
            await connection.close()

    return connect


@pytest.fixture
async def proxy(mailbox: Mailbox) -> AsyncIterator[Proxy]:
    async with proxied(mailbox.server.tls) as between:
        yield between


def inbox(client: Client) -> int:
    return int(client.select_folder("INBOX", readonly=True)[b"EXISTS"])


async def parked(connection: Connection) -> None:
    """Return once the connection waits on the loop."""
    async with asyncio.timeout(SOON):
        while not connection.idling:  # noqa: ASYNC110 - what is waited for tells no event
            await asyncio.sleep(0.01)


async def within(seconds: float, work: Any) -> Any:
    async with asyncio.timeout(seconds):
        return await work


@pytest.mark.parametrize("encryption", ["implicit", "starttls", "none"])
async def test_it_logs_in_over_each_kind_of_encryption(mailbox: Mailbox, connected: Connected, encryption: str) -> None:
    mailbox.put(letter(1))
    port = mailbox.server.tls if encryption == "implicit" else mailbox.server.plain
    async with connected(encryption=encryption, port=port) as connection:
        assert await connection.run(inbox) == 1


async def test_a_command_that_is_refused_leaves_the_connection_usable(connected: Connected) -> None:
    async with connected() as connection:
        with pytest.raises(Refused, match="Mailbox doesn't exist"):
            await connection.run(lambda client: client.select_folder("Nowhere"))
        assert await connection.run(inbox) == 0


async def test_commands_run_in_one_thread_that_ends_with_the_connection(connected: Connected) -> None:
    async with connected() as connection:
        names = {await connection.run(lambda _: threading.current_thread().name) for _ in range(3)}
        (name,) = names
    await within(SOON, gone(name))


async def gone(name: str) -> None:
    while name in {thread.name for thread in threading.enumerate()}:  # noqa: ASYNC110 - threads tell no event
        await asyncio.sleep(0.01)


async def test_idle_returns_when_a_message_comes_and_not_before(mailbox: Mailbox, connected: Connected) -> None:
    async with connected() as connection:
        waiting = asyncio.create_task(connection.idle(LONG))
        assert not (await asyncio.wait([waiting], timeout=0.5))[0]
        await asyncio.to_thread(mailbox.put, letter(1))
        await within(SOON, waiting)
        assert await connection.run(inbox) == 1


async def test_idle_does_not_return_for_what_is_no_new_message(mailbox: Mailbox, connected: Connected) -> None:
    mailbox.put(letter(1), letter(2))
    async with connected() as connection:
        waiting = asyncio.create_task(connection.idle(LONG))
        with mailbox.client() as other:
            other.select_folder("INBOX")
            other.add_flags([1], ["\\Seen"])
            other.delete_messages([2])
            other.uid_expunge([2])
        assert not (await asyncio.wait([waiting], timeout=1.5))[0]
        waiting.cancel()
        await asyncio.wait([waiting])


async def test_what_came_together_with_the_answer_to_idle_is_not_overlooked(
    mailbox: Mailbox, connected: Connected
) -> None:
    """The server announces it with the answer, so that it lies in a buffer and the socket has nothing to say."""
    async with connected() as connection:
        for number in range(3):
            await asyncio.to_thread(mailbox.put, letter(number))
            await within(SOON, connection.idle(LONG))
            await connection.run(inbox)


async def test_a_cancelled_idle_leaves_the_connection_usable(mailbox: Mailbox, connected: Connected) -> None:
    async with connected() as connection:
        waiting = asyncio.create_task(connection.idle(LONG))
        await parked(connection)
        waiting.cancel()
        await asyncio.wait([waiting])
        mailbox.put(letter(1))
        assert not connection.lost
        assert await connection.run(inbox) == 1


async def test_a_silent_idle_goes_on_after_each_refresh(mailbox: Mailbox, connected: Connected, proxy: Proxy) -> None:
    async with connected(port=proxy.port) as connection:
        waiting = asyncio.create_task(connection.idle(timedelta(milliseconds=50)))
        assert not (await asyncio.wait([waiting], timeout=0.5))[0]
        await asyncio.to_thread(mailbox.put, letter(1))
        await within(SOON, waiting)
    assert proxy.connections == 1


async def test_an_idle_that_is_cut_fails_at_once(connected: Connected, proxy: Proxy) -> None:
    async with connected(port=proxy.port) as connection:
        waiting = asyncio.create_task(connection.idle(LONG))
        await parked(connection)
        proxy.cut()
        with pytest.raises(SourceUnavailable, match="the connection was lost"):
            await within(SOON, waiting)
        assert connection.lost


async def test_a_half_open_idle_is_noticed_by_the_refresh(connected: Connected, proxy: Proxy) -> None:
    async with connected(port=proxy.port, timeout={"read": "700ms"}) as connection:
        proxy.stall()
        with pytest.raises(SourceUnavailable, match="no answer in time"):
            await within(SOON, connection.idle(timedelta(milliseconds=100)))
        assert connection.lost


async def test_a_stalled_command_fails_after_the_read_timeout(connected: Connected, proxy: Proxy) -> None:
    async with connected(port=proxy.port, timeout={"read": "700ms"}) as connection:
        proxy.stall()
        with pytest.raises(SourceUnavailable, match="no answer in time"):
            await within(SOON, connection.run(Client.noop))
        with pytest.raises(SourceUnavailable, match="there is no connection"):
            await connection.run(Client.noop)


async def test_a_command_that_is_cancelled_ends_at_once_and_costs_the_connection(
    connected: Connected, proxy: Proxy
) -> None:
    async with connected(port=proxy.port) as connection:
        proxy.stall()
        command = asyncio.create_task(connection.run(Client.noop))
        await asyncio.wait([command], timeout=0.2)
        started = time.monotonic()
        command.cancel()
        await asyncio.wait([command])
        assert time.monotonic() - started < 1.0
        assert connection.lost


async def test_a_connect_that_is_given_up_does_not_wait(given: Given, proxy: Proxy) -> None:
    proxy.stall()
    connecting = asyncio.create_task(Access(Settings.of(given(port=proxy.port)), None).connect())
    await asyncio.wait([connecting], timeout=0.2)
    started = time.monotonic()
    connecting.cancel()
    await asyncio.wait([connecting])
    assert time.monotonic() - started < 1.0


async def test_a_server_that_says_nothing_is_given_up_after_the_connect_timeout(given: Given, proxy: Proxy) -> None:
    proxy.stall()
    options = given(port=proxy.port, timeout={"connect": "300ms"})
    with pytest.raises(SourceUnavailable, match="no connection: no answer in time"):
        await within(SOON, Access(Settings.of(options), None).connect())


async def test_a_wrong_password_needs_a_person_and_does_not_show_it(given: Given) -> None:
    with pytest.raises(SourceMisconfigured, match=r"login of user.* refused") as caught:
        await Access(Settings.of(given(password="not-the-password")), None).connect()
    assert "not-the-password" not in str(caught.value)


async def test_a_certificate_of_another_needs_a_person(given: Given) -> None:
    with pytest.raises(SourceMisconfigured, match="the certificate is not trusted"):
        await Access(Settings.of(given(tls={})), None).connect()


@pytest.mark.parametrize("encryption", ["implicit", "starttls"])
async def test_a_certificate_of_another_name_is_trusted_once_that_is_said(
    given: Given, mailbox: Mailbox, encryption: str
) -> None:
    port = mailbox.server.tls if encryption == "implicit" else mailbox.server.plain
    trust = {"ca": str(mailbox.server.ca)}
    reached = {"host": "127.1", "port": port, "encryption": encryption}  # an address, in a form that no certificate has
    with pytest.raises(SourceMisconfigured, match=r"not valid for '127\.1'.*tls: { server_name: NAME }"):
        await Access(Settings.of(given(**reached, tls=trust)), None).connect()
    with pytest.raises(SourceMisconfigured, match=r"not valid for 'other\.example'"):
        await Access(Settings.of(given(**reached, tls={**trust, "server_name": "other.example"})), None).connect()
    connection = await Access(Settings.of(given(**reached, tls={**trust, "server_name": "localhost"})), None).connect()
    await connection.close()


async def test_a_port_without_tls_needs_a_person(given: Given, mailbox: Mailbox) -> None:
    with pytest.raises(SourceMisconfigured, match="`port:` and `encryption:` must agree"):
        await Access(Settings.of(given(port=mailbox.server.plain)), None).connect()


async def test_a_server_that_is_not_there_is_unavailable(given: Given, proxy: Proxy) -> None:
    await proxy.refuse()
    with pytest.raises(SourceUnavailable, match="no connection: Connection refused"):
        await Access(Settings.of(given(port=proxy.port)), None).connect()
