"""Tokens that we sign ourselves: JWT by PyJWT, which is imported when the first one is made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

from cgsync.api import Clock
from cgsync.errors import SourceMisconfigured
from cgsync.http.auth import Credential
from cgsync.http.messages import Wire
from cgsync.http.redaction import Redaction
from cgsync.http.token import Issued
from cgsync.secrets import Secret

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_TTL = timedelta(minutes=5)
SKEW = timedelta(seconds=10)
"""Their clock may be that much behind ours: a token from the future is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A key and what it signs with; raises :class:`SourceMisconfigured` when they do not go together."""

    algorithm: str
    key: Secret
    headers: Mapping[str, str] = field(default_factory=dict)
    place: str = "the key"

    def __post_init__(self) -> None:
        self.sign({})

    def sign(self, claims: Mapping[str, Any]) -> str:
        import warnings

        import jwt  # with its cryptography 60 ms: paid by those who sign

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", jwt.warnings.InsecureKeyLengthWarning)  # the API chose the key
                return jwt.encode(dict(claims), self.key.reveal(), algorithm=self.algorithm, headers=dict(self.headers))
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            reason = f"{self.place}: does not go with {self.algorithm} ({type(error).__name__})"
            raise SourceMisconfigured(
                reason, hint="HS… takes a shared secret, the others a private key as PEM"
            ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedJwt:
    """An :class:`cgsync.http.Issuer` that asks nobody: ``iat`` and ``exp`` are added to the ``claims``."""

    signer: Signer
    clock: Clock
    claims: Mapping[str, Any] = field(default_factory=dict)
    ttl: timedelta = ASSERTION_TTL
    scheme: str = "Bearer"
    url: str = "our own signature"

    async def issue(self, wire: Wire, redaction: Redaction, generation: int) -> Issued:  # noqa: ARG002 - asks nobody
        value = self.signer.sign({**_span(self.clock, self.ttl), **self.claims})
        header = f"{self.scheme} {value}" if self.scheme else value
        return Issued(
            credential=Credential(value=Secret(header), generation=generation), lifetime=self.ttl.total_seconds()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Assertion:
    """What is signed for a token endpoint (RFC 7523). ``audience``: default that endpoint."""

    signer: Signer
    audience: str = ""
    unique: Callable[[], str] = field(default=lambda: uuid4().hex, repr=False)

    def form(self, client_id: str, token_url: str, clock: Clock) -> dict[str, str]:
        """How a client shows who it is by ``private_key_jwt``, as fields of the form."""
        signed = self.signed({"iss": client_id, "sub": client_id}, token_url, clock)
        return {"client_assertion_type": ASSERTION, "client_assertion": signed}

    def signed(self, claims: Mapping[str, str], token_url: str, clock: Clock) -> str:
        """These claims, for one use within the next minutes."""
        use = {"aud": self.audience or token_url, "jti": self.unique(), **_span(clock, ASSERTION_TTL)}
        return self.signer.sign({**claims, **use})


def _span(clock: Clock, ttl: timedelta) -> dict[str, int]:
    now = clock.now()
    return {"iat": int((now - SKEW).timestamp()), "exp": int((now + ttl).timestamp())}
