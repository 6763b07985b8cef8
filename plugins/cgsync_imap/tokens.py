"""Access tokens for a mailbox, from the token endpoint that the operator named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlsplit

from cgsync.api import Context, Secret, SourceMisconfigured, SourceUnavailable
from cgsync.http import Broken, Kind
from cgsync.http import Tokens as Issued
from cgsync.http.identity import identity

SCHEME = "Bearer "
FINAL = (Kind.LOGIN, Kind.CERTIFICATE, Kind.REDIRECT, Kind.PROXY)
"""Nothing that waiting would mend."""
HERE = ("localhost", "127.0.0.1", "::1")


class Tokens:
    """One token, renewed before it ends; a refresh token that was rotated is kept in ``context.secrets``."""

    def __init__(self, option: Mapping[str, Any], context: Context) -> None:
        """Raises :class:`SourceMisconfigured` for options that do not go together, or an address without TLS."""
        self._url: str = option["token_url"]
        address = urlsplit(self._url)
        if address.scheme != "https" and address.hostname not in HERE:
            raise SourceMisconfigured(f"oauth2.token_url: {self._url} is not encrypted", hint="https://…")
        self._context = context
        self._issued = cast("Issued", identity({"oauth2": option}, context))
        self._generation = 0

    async def token(self) -> Secret:
        """The one to show now."""
        async with self._context.http(origin=self._url, auth=self._issued):
            try:
                credential = await self._issued.credential()
            except Broken as broken:
                if broken.kind in FINAL:
                    raise SourceMisconfigured(broken.message, hint="correct `oauth2:`") from broken
                raise SourceUnavailable(broken.message, retry_after=broken.after) from broken
        self._generation = credential.generation
        return Secret(credential.value.reveal().removeprefix(SCHEME))

    def refuse(self) -> None:
        """The server did not take the last one."""
        self._issued.invalidate(self._generation)
