"""The client-credentials endpoint: who gets a token, and which tokens are good."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping

from cgsync.sandbox.reply import Reply


class Tokens:
    """Issues and checks bearer tokens. ``lifetime`` is in seconds, ``now`` a clock that never steps."""

    def __init__(self, client_id: str, client_secret: str, *, lifetime: float, now: Callable[[], float]) -> None:
        self._client = f"{client_id}\n{client_secret}".encode()
        self._lifetime = lifetime
        self._now = now
        self._ends: dict[str, float] = {}
        self.issued = 0

    def answer(self, form: Mapping[str, str]) -> Reply:
        """What the endpoint says to a form."""
        if form.get("grant_type") != "client_credentials":
            return Reply.of(400, {"error": "unsupported_grant_type"})
        if not self._knows(form.get("client_id", ""), form.get("client_secret", "")):
            return Reply.of(401, {"error": "invalid_client"})
        token = {"access_token": self.issue(), "token_type": "Bearer", "expires_in": int(self._lifetime)}
        return Reply.of(200, token, {"Cache-Control": "no-store"})

    def issue(self) -> str:
        """A new token; those that ended are forgotten."""
        now, token = self._now(), secrets.token_urlsafe(24)
        self._ends = {each: end for each, end in self._ends.items() if end > now}
        self._ends[token] = now + self._lifetime
        self.issued += 1
        return token

    def accepts(self, authorization: str) -> bool:
        """Whether this ``Authorization`` header carries a token that has not ended."""
        return self._ends.get(authorization.removeprefix("Bearer "), 0.0) > self._now()

    def revoke(self) -> None:
        """Forget every token."""
        self._ends.clear()

    def _knows(self, client_id: str, client_secret: str) -> bool:
        given = f"{client_id}\n{client_secret}".encode()
        return hmac.compare_digest(given, self._client)
