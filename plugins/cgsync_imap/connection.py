"""One connection: its own thread for commands, and IDLE parked on the event loop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, IMAPClientReadOnlyError, ProtocolError

from cgsync.api import SourceUnavailable
from cgsync_imap.client import Client, cut, hang_up
from cgsync_imap.errors import garbled, is_logged_out, lost, refused

T = TypeVar("T")

GOODBYE = 2.0
"""Seconds that a server gets for its answer to LOGOUT."""
NOT_UNDERSTOOD = (ValueError, LookupError, TypeError, AttributeError)
"""What IMAPClient raises for answers that are no IMAP."""


class Connection:
    """A connection that lasts until it is closed or lost; ``lost`` ones are of no further use, ``idling`` ones in IDLE.

    Commands are given one at a time. A command that is cancelled costs the connection; an IDLE does not.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="imap")
        self._client: Client | None = None
        self.idling = False
        self.lost = False

    async def open(self, dial: Callable[[], Client]) -> None:
        """Connect. Raises what ``dial`` raises. Whoever gives up does not wait for the rest of it."""
        future = asyncio.get_running_loop().run_in_executor(self._thread, self._dial, dial)
        future.add_done_callback(_heeded)
        await asyncio.shield(future)

    def _dial(self, dial: Callable[[], Client]) -> None:
        """In the thread, where :meth:`_drop` comes after it, whoever has given up meanwhile."""
        self._client = dial()

    def _drop(self) -> None:
        if self._client is not None:
            hang_up(self._client)

    async def run(self, work: Callable[[Client], T]) -> T:
        """What ``work`` returns, in the thread of this connection; an IDLE is ended before.

        Raises :class:`cgsync_imap.errors.Refused` for a NO, after which the connection is as good as before, else
        :class:`SourceUnavailable`, after which it is lost.
        """
        if self.idling:
            await self._command(_stop_idling)
            self.idling = False
        return await self._command(work)

    async def idle(self, refresh: timedelta) -> None:
        """Return when the server says that a message came; after each ``refresh`` of silence it is asked.

        Once it was entered, a cancelled one leaves the connection in IDLE, which the next command ends.
        """
        news = await self._command(_heard if self.idling else _begun)
        self.idling = True
        while not news:
            spoken = await self._readable(refresh)
            self.idling = False  # until it has gone well
            news = await self._command(_listened if spoken else _asked_anew)
            self.idling = True

    async def close(self) -> None:
        """Say goodbye, if the server listens, and end the thread."""
        try:
            if self._client is not None and not self.lost:
                with contextlib.suppress(SourceUnavailable, TimeoutError):
                    async with asyncio.timeout(GOODBYE):
                        await self.run(Client.logout)
        finally:
            self.lost = True
            dropped = asyncio.wrap_future(self._thread.submit(self._drop))
            self._thread.shutdown(wait=False)
            if self._client is not None:  # the next one is not to come before this one is gone
                await asyncio.wait([dropped], timeout=GOODBYE)

    async def _command(self, work: Callable[[Client], T]) -> T:
        client = self._client
        if client is None or self.lost:
            raise SourceUnavailable(f"{self._where}: there is no connection")
        future = asyncio.get_running_loop().run_in_executor(self._thread, work, client)
        kept = False
        try:
            result = await asyncio.shield(future)
            kept = True
        except asyncio.CancelledError:
            cut(client)
            await asyncio.wait([future])
            future.exception()  # whatever it was, nobody asks any more
            raise
        except IMAPClientReadOnlyError as error:  # said of a folder, although it is a kind of abort
            kept = True
            raise refused(self._where, error) from error
        except (IMAPClientAbortError, ProtocolError, OSError) as error:
            raise lost(self._where, error) from error
        except IMAPClientError as error:
            if is_logged_out(error):
                raise lost(self._where, error) from error
            kept = True
            raise refused(self._where, error) from error
        except NOT_UNDERSTOOD as error:
            raise garbled(self._where, error) from error
        finally:
            self.lost = not kept
        return result

    async def _readable(self, patience: timedelta) -> bool:
        """Whether the server said something within that time."""
        loop, spoken = asyncio.get_running_loop(), asyncio.Event()
        assert self._client is not None
        handle = self._client.socket().fileno()
        loop.add_reader(handle, spoken.set)
        try:
            async with asyncio.timeout(patience.total_seconds()):
                await spoken.wait()
        except TimeoutError:
            return False
        finally:
            loop.remove_reader(handle)
        return True


def _heeded(future: asyncio.Future[None]) -> None:
    """What came of an attempt that was given up is nobody's concern."""
    if not future.cancelled():
        future.exception()


def _stop_idling(client: Client) -> None:
    client.idle_done()


def _begun(client: Client) -> bool:
    client.announced()
    client.idle()
    return client.announced() is not None or _heard(client)


def _heard(client: Client) -> bool:
    return any(map(is_news, client.idle_check(0)))


def _listened(client: Client) -> bool:
    """What was said. Nothing, although there was something to read: it may be the end of the connection."""
    said = client.idle_check(0)
    return any(map(is_news, said)) if said else _asked_anew(client)


def _asked_anew(client: Client) -> bool:
    """Leave IDLE and enter it again, which a connection that is dead does not survive."""
    _, before = client.idle_done()
    _, between = client.noop()
    return _begun(client) or any(map(is_news, [*before, *between]))


def is_news(response: Sequence[Any]) -> bool:
    """Whether an untagged response means that a message may have come."""
    return len(response) > 1 and response[1] == b"EXISTS"
