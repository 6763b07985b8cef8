"""OAuth2 without a person: client credentials, a refresh token that may rotate, or a service account."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal, TypeAlias
from urllib.parse import quote_plus, urlencode

from cgsync.api import Clock, SecretStore
from cgsync.http import replies
from cgsync.http.alone import Alone
from cgsync.http.auth import Credential
from cgsync.http.broken import Broken, Kind
from cgsync.http.credentials import FORM
from cgsync.http.messages import Request, Response, Wire
from cgsync.http.redaction import Redaction
from cgsync.http.serviceaccount import ServiceAccount
from cgsync.http.settings import Caps, Line, Tls
from cgsync.http.signing import Assertion
from cgsync.http.token import Issued, Tokens
from cgsync.secrets import Redactor, Secret

ClientAuth: TypeAlias = 'Literal["basic", "post"] | Assertion'
REPLY = Caps(received=64 * 1024, expanded=64 * 1024)
REMEMBERED = "refresh_token"
"""The name under which the rotated one is kept."""
SIGNED = ("assertion", "client_assertion")
"""Fields that an endpoint may repeat when it refuses them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth2:
    """A token endpoint; an :class:`cgsync.http.Issuer`.

    With a ``refresh_token``, the grant is that one: what takes its place is kept in ``store`` durably before the
    access token that came with it is used. A kept one that is refused gives way to the configured one. With a
    ``service_account`` the grant is signed by its key, and ``client_id`` is its name.
    """

    url: str
    client_id: str
    clock: Clock
    client_secret: Secret = field(default_factory=lambda: Secret(""))
    client_auth: ClientAuth = "post"
    refresh_token: Secret | None = None
    store: SecretStore | None = None
    service_account: ServiceAccount | None = None
    scope: str = ""
    audience: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    access_token_path: str = "access_token"  # noqa: S105 - a name
    expires_in_path: str = "expires_in"

    async def issue(self, wire: Wire, redaction: Redaction, generation: int) -> Issued:
        redaction.publish(self.client_secret.reveal())
        response = await self._granted(wire, redaction)
        document = replies.document(response)
        value = replies.token(replies.reach(document, self.access_token_path), response, self.access_token_path)
        redaction.publish(value)
        return Issued(
            credential=Credential(value=Secret(f"Bearer {value}"), generation=generation),
            lifetime=replies.seconds(replies.reach(document, self.expires_in_path)),
        )

    async def _granted(self, wire: Wire, redaction: Redaction) -> Response:
        if self.service_account is not None:
            grant = self.service_account.form(self.client_id, self.scope, self.url, self.clock)
            return await self._ask(wire, redaction, grant)
        if self.refresh_token is None:
            return await self._ask(wire, redaction, {"grant_type": "client_credentials", **self._client()})
        kept = self._kept()
        try:
            return await self._refreshed(wire, redaction, kept or self.refresh_token)
        except Broken as broken:
            if broken.kind is not Kind.LOGIN or kept in (None, self.refresh_token):
                raise
            return await self._refreshed(wire, redaction, self.refresh_token)

    async def _refreshed(self, wire: Wire, redaction: Redaction, used: Secret) -> Response:
        redaction.publish(used.reveal())
        form = {"grant_type": "refresh_token", "refresh_token": used.reveal(), **self._client()}
        response = await self._ask(wire, redaction, form)
        document = replies.document(response)
        fresh = document.get("refresh_token") if isinstance(document, Mapping) else None
        await self._keep(Secret(fresh) if isinstance(fresh, str) and fresh else used, redaction)
        return response

    async def _keep(self, token: Secret, redaction: Redaction) -> None:
        redaction.publish(token.reveal())
        if self.store is None or token == (self._kept() or self.refresh_token):
            return
        try:
            await self.store.put(REMEMBERED, token.reveal())
        except OSError as error:
            raise Broken(Kind.LOGIN_DOWN, f"the new refresh token cannot be kept: {error.strerror}") from None

    def _kept(self) -> Secret | None:
        return None if self.store is None else self.store.get(REMEMBERED)

    async def _ask(self, wire: Wire, redaction: Redaction, grant: Mapping[str, str]) -> Response:
        for name in SIGNED:
            redaction.conceal(grant.get(name, ""))
        form = {**grant, **({"audience": self.audience} if self.audience else {}), **self.extra}
        headers = {"Accept": "application/json", "Content-Type": FORM, **self._authorization()}
        request = Request(method="POST", url=self.url, headers=headers, body=urlencode(form).encode(), login=True)
        return await replies.ask(wire, request, redaction, now=self.clock.now())

    def _client(self) -> dict[str, str]:
        """What it asks for, and who it is."""
        return {**({"scope": self.scope} if self.scope else {}), **self._identity()}

    def _identity(self) -> dict[str, str]:
        if isinstance(self.client_auth, Assertion):
            return {"client_id": self.client_id, **self.client_auth.form(self.client_id, self.url, self.clock)}
        if self.client_auth == "basic":
            return {}
        secret = self.client_secret.reveal()
        return {"client_id": self.client_id, **({"client_secret": secret} if secret else {})}

    def _authorization(self) -> dict[str, str]:
        if self.client_auth != "basic":
            return {}
        # RFC 6749, 2.3.1: both are form-encoded first
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret.reveal())}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


def client_credentials(
    token_url: str,
    client_id: str,
    client_secret: Secret,
    *,
    clock: Clock,
    redactor: Redactor | None = None,
    ca_file: Path | None = None,
    timeout: timedelta = timedelta(seconds=30),
    user_agent: str = "cgsync",
) -> Tokens:
    """Tokens outside of a session, over connections of their own."""
    issuer = OAuth2(url=token_url, client_id=client_id, client_secret=client_secret, clock=clock)
    wire = Alone(Line(timeout=timeout, caps=REPLY, connections=1, tls=Tls(ca=ca_file), user_agent=user_agent))
    return Tokens(issuer, clock=clock, wire=wire, redaction=Redaction(redactor))
