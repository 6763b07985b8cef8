"""Ways to show who we are; a session sends them to one origin only."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, runtime_checkable

from cgsync.secrets import Secret

if TYPE_CHECKING:
    from cgsync.http.messages import Wire
    from cgsync.http.redaction import Redaction

Place: TypeAlias = Literal["header", "query", "body"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A header, a parameter or a field of the body. ``generation`` tells those apart that one source has issued."""

    value: Secret
    name: str = "Authorization"
    place: Place = "header"
    generation: int = 0


class Auth(Protocol):
    """Where a session gets its credential from."""

    async def credential(self) -> Credential:
        """The credential to send now; may ask a token endpoint, then raises :class:`cgsync.http.Broken`."""

    def invalidate(self, generation: int) -> bool:
        """That credential got a 401. True when another one can be had."""


@runtime_checkable
class Connects(Protocol):
    """An :class:`Auth` that asks somebody, over the wire of the session that it is used in."""

    def connect(self, wire: Wire, redaction: Redaction) -> None:
        """Called once, when the session is opened. What was issued is to be added to ``redaction``."""

    async def aclose(self) -> None:
        """The session ends."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A credential that does not change: an API key, a bearer token."""

    name: str
    value: Secret
    place: Place = field(default="header", kw_only=True)

    async def credential(self) -> Credential:
        return Credential(name=self.name, value=self.value, place=self.place)

    def invalidate(self, generation: int) -> bool:  # noqa: ARG002 - there is but one
        return False


def basic(username: str, password: Secret) -> Fixed:
    """HTTP basic authentication."""
    pair = f"{username}:{password.reveal()}".encode()
    return Fixed("Authorization", Secret(f"Basic {base64.b64encode(pair).decode()}"))


def bearer(token: Secret) -> Fixed:
    """A token that does not change."""
    return Fixed("Authorization", Secret(f"Bearer {token.reveal()}"))


def api_key(name: str, value: Secret, place: Place = "header") -> Fixed:
    """A key under a name of the API's choice."""
    return Fixed(name, value, place=place)
