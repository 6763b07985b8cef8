"""OAuth2 by a key that signs its own grant (RFC 7523, 2.1): what Google calls a service account."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cgsync.api import Clock
from cgsync.errors import SourceMisconfigured
from cgsync.http.signing import Assertion
from cgsync.secrets import Secret

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
MEANT = "the JSON of a service account's key, as its console hands it out"
CALLED = {
    "client_id": "client_email",
    "private_key": "private_key",
    "token_url": "token_uri",
    "key_id": "private_key_id",
}
"""Our options by the names in that file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceAccount:
    """Acts for ``subject``, or for itself where that is empty. The scope is part of what is signed."""

    assertion: Assertion
    subject: str = ""

    def form(self, client_id: str, scope: str, token_url: str, clock: Clock) -> dict[str, str]:
        """The grant, as fields of the form."""
        claims = {"iss": client_id, "sub": self.subject, "scope": scope}
        said = {name: value for name, value in claims.items() if value}
        return {"grant_type": GRANT, "assertion": self.assertion.signed(said, token_url, clock)}


def unfolded(option: Mapping[str, Any]) -> Mapping[str, Any]:
    """``oauth2:`` with what ``service_account_key`` says and it does not. Raises :class:`SourceMisconfigured`."""
    if "service_account_key" not in option:
        return option
    document = _read(option["service_account_key"])
    found = {name: document[called] for name, called in CALLED.items() if _is_text(document.get(called))}
    if lacking := [CALLED[name] for name in CALLED if name != "key_id" and name not in found]:
        raise SourceMisconfigured(f"oauth2: service_account_key: it lacks {', '.join(lacking)}", hint=f"put in {MEANT}")
    return {**found, **option}


def _read(key: Secret) -> Mapping[str, Any]:
    try:
        document = json.loads(key.reveal())
    except (ValueError, RecursionError):
        raise SourceMisconfigured("oauth2: service_account_key: it is no JSON", hint=f"put in {MEANT}") from None
    return document if isinstance(document, Mapping) else {}


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)
