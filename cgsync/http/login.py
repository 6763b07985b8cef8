"""A login session: one request that hands out a token, which then goes along with each other one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, TypeAlias
from urllib.parse import urlencode

from cgsync.api import Clock
from cgsync.http import replies
from cgsync.http.auth import Credential
from cgsync.http.credentials import FORM
from cgsync.http.messages import Request, Response, Wire
from cgsync.http.redaction import Redaction
from cgsync.http.token import Issued
from cgsync.secrets import Secret

Injected: TypeAlias = Literal["header", "query", "body", "cookie"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inject:
    """How a token is sent; ``format`` is the text around it."""

    place: Injected = "header"
    name: str = "Authorization"
    format: str = "Bearer {token}"

    def credential(self, token: str, generation: int) -> Credential:
        value = self.format.replace("{token}", token)
        if self.place == "cookie":
            return Credential(name="Cookie", value=Secret(f"{self.name}={value}"), generation=generation)
        return Credential(name=self.name, value=Secret(value), place=self.place, generation=generation)


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """An :class:`cgsync.http.Issuer`. The token stands at ``token_path`` of the JSON, or in ``token_header``."""

    request: Request
    clock: Clock
    secrets: tuple[str, ...] = field(default=(), repr=False)
    token_path: str = ""
    token_header: str = ""
    expires_after: timedelta = timedelta(hours=1)
    inject: Inject = field(default_factory=Inject)

    @property
    def url(self) -> str:
        return self.request.url.partition("?")[0]

    async def issue(self, wire: Wire, redaction: Redaction, generation: int) -> Issued:
        for secret in self.secrets:
            redaction.publish(secret)
        response = await replies.ask(wire, self.request, redaction, now=self.clock.now())
        token = replies.token(self._found(response), response, self.token_header or self.token_path)
        redaction.publish(token)
        credential = self.inject.credential(token, generation)
        return Issued(credential=credential, lifetime=self.expires_after.total_seconds())

    def _found(self, response: Response) -> Any:
        if self.token_header:
            return response.headers.get(self.token_header)
        return replies.reach(replies.document(response), self.token_path)


def login_request(options: Mapping[str, Any]) -> tuple[Request, tuple[str, ...]]:
    """The request that the options describe, and the secrets that are in it."""
    secrets: list[str] = []
    headers = {"Accept": "application/json", **_revealed(options.get("headers", {}), secrets)}
    body = None
    if "json" in options:
        headers["Content-Type"] = "application/json"
        body = json.dumps(_revealed(options["json"], secrets)).encode()
    elif "form" in options:
        headers["Content-Type"] = FORM
        body = urlencode(_revealed(options["form"], secrets)).encode()
    method = options.get("method", "POST")
    return Request(method=method, url=options["url"], headers=headers, body=body, login=True), tuple(secrets)


def _revealed(node: Any, found: list[str]) -> Any:
    if isinstance(node, Secret):
        found.append(node.reveal())
        return node.reveal()
    if isinstance(node, Mapping):
        return {key: _revealed(each, found) for key, each in node.items()}
    if isinstance(node, list | tuple):
        return [_revealed(each, found) for each in node]
    return node
