"""The home of a session: the one origin that its credential and its headers go to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from cgsync.http.address import address
from cgsync.http.auth import Auth, Credential
from cgsync.http.credentials import harmless, overlaid, signed
from cgsync.http.messages import Request
from cgsync.http.redaction import Redaction


class Home:
    """Dresses what goes there. Without ``origin`` there is no credential, and the headers go everywhere."""

    def __init__(
        self, origin: str | None, *, auth: Auth | None, headers: Mapping[str, str], redaction: Redaction
    ) -> None:
        if auth is not None and origin is None:
            raise ValueError("a credential needs the origin that it belongs to")
        self._origin = address(origin).origin() if origin else None
        self._auth = auth
        self._headers = headers
        self._redaction = redaction
        self._concealed: Credential | None = None

    async def credential(self, request: Request) -> Credential | None:
        """What that request has to show, concealed from now on; ``None`` where it goes elsewhere."""
        if self._auth is None or not self._holds(request.url):
            return None
        credential = await self._auth.credential()
        if credential is not self._concealed:
            self._redaction.conceal(credential.value, name=credential.name)
            self._concealed = credential
        return credential

    def renews(self, credential: Credential) -> bool:
        """That credential has ended. Whether another one can be had."""
        return self._auth is not None and self._auth.invalidate(credential.generation)

    def dressed(self, request: Request, credential: Credential | None) -> Request:
        """With what belongs to the origin, if it goes there; without anything that could be a key, if it does not."""
        if self._origin is not None and not self._holds(request.url):
            return replace(request, headers=harmless(request.headers))
        if credential is not None:
            request = signed(request, credential)
        return replace(request, headers=overlaid(self._headers, request.headers))

    def _holds(self, url: str) -> bool:
        return self._origin is not None and address(url).origin() == self._origin
