"""How a source gets a connection that is logged in: dial, show a password or a token, once more with a fresh token."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from functools import partial

from imapclient.exceptions import IMAPClientAbortError, IMAPClientError, LoginError

from cgsync.api import Secret, SourceMisconfigured, SourceUnavailable
from cgsync.http.trust import trust
from cgsync_imap.client import Client, dialled, hang_up, log_in, show_token
from cgsync_imap.connection import NOT_UNDERSTOOD, Connection
from cgsync_imap.errors import lost, overloaded, turned_away, unreachable, words
from cgsync_imap.settings import Settings
from cgsync_imap.tokens import Tokens

WRONG_PASSWORD = "correct `username:` and `password:`; some servers want a password for applications"  # noqa: S105 - words, no secret
WRONG_TOKEN = "the token was issued, but not for this mailbox: see the README for the rights that it needs"  # noqa: S105 - as above


class Access:
    """Opens connections for one account. ``tokens`` stand instead of a password."""

    def __init__(self, settings: Settings, tokens: Tokens | None) -> None:
        self._settings = settings
        self._tokens = tokens
        self._trust: ssl.SSLContext | None = None

    async def connect(self) -> Connection:
        """Raises :class:`SourceUnavailable` or :class:`SourceMisconfigured` in words for the operator."""
        if self._tokens is None:
            return await self._connected(self._with_password(), WRONG_PASSWORD)
        token = await self._tokens.token()
        try:
            return await self._connected(self._with(token), WRONG_TOKEN)
        except SourceMisconfigured:
            self._tokens.refuse()
        return await self._connected(self._with(await self._tokens.token()), WRONG_TOKEN)

    def _with_password(self) -> Callable[[Client], None]:
        password = self._settings.password
        assert password is not None, "the schema asks for a password or for oauth2"
        return lambda client: log_in(client, self._settings.username, password)

    def _with(self, token: Secret) -> Callable[[Client], None]:
        return lambda client: show_token(client, self._settings.username, token, self._settings.mechanism)

    async def _connected(self, show: Callable[[Client], None], hint: str) -> Connection:
        connection = Connection(str(self._settings.server))
        try:
            await connection.open(partial(self._dial, show, hint))
        except BaseException:
            await connection.close()
            raise
        return connection

    def _dial(self, show: Callable[[Client], None], hint: str) -> Client:
        """In the thread of the connection."""
        server = self._settings.server
        try:
            client = dialled(server, self._trusted())
        except OSError as error:
            raise unreachable(server, error) from error
        except IMAPClientAbortError as error:
            raise lost(str(server), error) from error
        except IMAPClientError as error:
            raise overloaded(server, error) from error
        try:
            show(client)
        except LoginError as error:
            hang_up(client)
            raise self._turned_away(error, hint) from None
        except (OSError, IMAPClientError, *NOT_UNDERSTOOD) as error:
            hang_up(client)
            raise lost(str(server), error) from error
        return client

    def _turned_away(self, error: LoginError, hint: str) -> SourceUnavailable | SourceMisconfigured:
        """IMAPClient calls it a failed login, too, when the connection ends before there is an answer."""
        server, said = self._settings.server, self._concealed(words(error))
        if isinstance(error.__context__, IMAPClientAbortError):
            return lost(str(server), IMAPClientAbortError(said))
        return turned_away(server, self._settings.username, said, hint)

    def _concealed(self, said: str) -> str:
        """A server may repeat what it was told."""
        password = self._settings.password
        return said.replace(password.reveal(), "********") if password else said

    def _trusted(self) -> ssl.SSLContext:
        """Made once: reading the system's certificates takes its time."""
        if self._trust is None:
            found = trust(self._settings.server.tls)
            self._trust = found if isinstance(found, ssl.SSLContext) else ssl.create_default_context()
        return self._trust
