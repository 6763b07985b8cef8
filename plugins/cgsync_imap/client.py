"""IMAPClient as it is used here: what runs in the connection's thread to get one that is logged in."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Any

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import CapabilityError, IMAPClientError

from cgsync.api import Secret
from cgsync_imap.settings import Server

KEEPALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
"""Seconds of silence before the other side is tried, between two tries, and how many of them may fail."""
LARGEST_LITERAL = 256 * 1024 * 1024
"""Bytes of one answer. Nothing is asked for that could be longer."""


class Client(IMAPClient):  # type: ignore[misc]  # it comes without types
    """One connection; used by one thread at a time."""

    def _poll_socket(self, sock: Any, timeout: float | None = None) -> list[Any]:  # noqa: ARG002 - as it is overridden
        """Have ``idle_check`` read always: what came with an earlier answer lies in a buffer that no poll sees."""
        return [sock]

    def idle(self) -> None:
        """As IMAPClient has it, but other responses may come before the one that says that it has begun."""
        if not self.has_capability("IDLE"):  # asked for now: in the middle of an IDLE would be too late
            raise CapabilityError("the server has no IDLE")
        tag = self._idle_tag = self._imap._command("IDLE")
        while self._imap._get_response() is not None:
            if answer := self._imap.tagged_commands.pop(tag, None):
                raise IMAPClientError(f"IDLE failed: {answer[1][-1]!r}")

    def announced(self) -> int | None:
        """How many messages there are, by what the server said of its own accord since this was last asked."""
        _, said = self._imap.response("EXISTS")
        return None if said[-1] is None else int(said[-1])


class Expecting:
    """A trust that wants one name in the certificate, whichever was dialled."""

    def __init__(self, trust: ssl.SSLContext, name: str) -> None:
        self._trust = trust
        self._name = name

    def wrap_socket(self, sock: socket.socket, *, server_hostname: str) -> ssl.SSLSocket:  # noqa: ARG002 - IMAPClient gives it
        return self._trust.wrap_socket(sock, server_hostname=self._name)


def dialled(server: Server, trust: ssl.SSLContext) -> Client:
    """A connection that is encrypted as configured; raises what IMAPClient and the system raise."""
    expecting = Expecting(trust, server.name)
    client = Client(
        server.host,
        server.port,
        ssl=server.encryption == "implicit",
        ssl_context=expecting,
        timeout=SocketTimeout(server.connect.total_seconds(), server.read.total_seconds()),
    )
    try:
        _prepare(client)
        if server.encryption == "starttls":
            client.starttls(expecting)
    except BaseException:
        hang_up(client)
        raise
    return client


def _prepare(client: Client) -> None:
    client.normalise_times = False  # times with their zone
    imap = client._imap
    imap.debug = 0  # else each line is made printable for a log that nobody reads
    imap.read = bounded(imap.read)
    imap.readline = whole(imap.readline)
    connection = client.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEPALIVE.items():
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def bounded(read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """A server that announces more than anyone asked for is not believed."""

    def at_most(size: int) -> bytes:
        if size > LARGEST_LITERAL:
            raise OSError(f"the server announces an answer of {size} bytes")
        return read(size)

    return at_most


def whole(readline: Callable[[], bytes]) -> Callable[[], bytes]:
    """A line that is too long ends the connection: what is left of it would be taken for the next answer."""

    def at_once() -> bytes:
        try:
            return readline()
        except IMAPClientError as error:
            raise OSError(str(error)) from error

    return at_once


def log_in(client: Client, username: str, password: Secret) -> None:
    """With AUTHENTICATE PLAIN, which can say every password, where the server has it; else with LOGIN."""
    if client.has_capability("AUTH=PLAIN"):
        client.plain_login(username, password.reveal())
    else:
        client.login(username, password.reveal())


def show_token(client: Client, username: str, token: Secret, mechanism: str) -> None:
    """Log in with an access token."""
    if mechanism == "oauthbearer":
        client.oauthbearer_login(username, token.reveal())
    else:
        client.oauth2_login(username, token.reveal())


def hang_up(client: Client) -> None:
    """Close it without a word; what is left of it is of no interest."""
    with contextlib.suppress(OSError, ValueError):
        client.shutdown()


def cut(client: Client) -> None:
    """Make whatever the connection's thread waits for fail at once; the one thing another thread may do.

    ``SSLSocket.shutdown`` and ``close`` would wait for that thread.
    """
    with contextlib.suppress(OSError):
        socket.socket.shutdown(client.socket(), socket.SHUT_RDWR)
