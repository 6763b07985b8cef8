"""Access tokens for a mailbox, from the token endpoint that the operator named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from cgsync.api import Context, Secret, SourceMisconfigured, SourceUnavailable
from cgsync.http import Broken, Kind, is_loopback
from cgsync.http import Tokens as Issued
from cgsync.http.address import address
from cgsync.http.identity import identity

SCHEME = "Bearer "
FINAL = (Kind.LOGIN, Kind.CERTIFICATE, Kind.REDIRECT, Kind.PROXY)
"""Nothing that waiting would mend."""


class Tokens:
    """One token, renewed before it ends; a refresh token that was rotated is kept in ``context.secrets``."""

    def __init__(self, option: Mapping[str, Any], username: str, context: Context) -> None:
        """Raises :class:`SourceMisconfigured` for options that do not go together, or an address without TLS.

        A service account acts for ``username`` unless ``subject`` names another one.
        """
        self._context = context
        self._issued = cast("Issued", identity({"oauth2": {"subject": username, **option}}, context))
        self._url = self._issued.url
        where = address(self._url)
        if where.scheme != "https" and not is_loopback(where.host or ""):
            raise SourceMisconfigured(f"oauth2: token_url: {where.with_query(None)} is not encrypted", hint="https://…")
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
