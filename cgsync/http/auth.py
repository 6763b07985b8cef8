"""Ways to show who we are; a session sends them to one origin only."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Protocol

from cgsync.secrets import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A header for one request. ``generation`` tells credentials apart that a source of them has issued."""

    header: str = "Authorization"
    value: Secret
    generation: int = 0


class Auth(Protocol):
    """Where a session gets its credential from."""

    async def credential(self) -> Credential:
        """The credential to send now; may ask a token endpoint, then raises :class:`cgsync.http.Broken`."""

    def invalidate(self, generation: int) -> bool:
        """That credential got a 401. True when another one can be had."""


@dataclass(frozen=True, slots=True)
class Header:
    """A fixed header: an API key, a bearer token."""

    name: str
    value: Secret

    async def credential(self) -> Credential:
        return Credential(header=self.name, value=self.value)

    def invalidate(self, generation: int) -> bool:  # noqa: ARG002 - there is but one
        return False


def basic(username: str, password: Secret) -> Header:
    """HTTP basic authentication."""
    pair = f"{username}:{password.reveal()}".encode()
    return Header("Authorization", Secret(f"Basic {base64.b64encode(pair).decode()}"))


def bearer(token: Secret) -> Header:
    """A token that does not change."""
    return Header("Authorization", Secret(f"Bearer {token.reveal()}"))
