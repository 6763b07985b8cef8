"""The second public door: HTTP with auth, pace, limits and honest errors, for sources and for the sender.

Importing this is cheap: each part is imported when it is first asked for, and aiohttp, a quarter of a second, when a
session is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cgsync.http.address import is_loopback
    from cgsync.http.auth import Auth, Connects, Credential, Fixed, api_key, basic, bearer
    from cgsync.http.broken import Broken, Kind, TooLarge
    from cgsync.http.budgets import Budgets
    from cgsync.http.cassette import Cassette, Recording, Replaying
    from cgsync.http.circuit import Circuits
    from cgsync.http.limits import Quota, quota, retry_after
    from cgsync.http.login import Inject, Login
    from cgsync.http.messages import Judge, Request, Response, Verdict, Wire, usual
    from cgsync.http.oauth2 import OAuth2, client_credentials
    from cgsync.http.opening import Wrap, open_http
    from cgsync.http.options import http_arguments
    from cgsync.http.pace import Pace
    from cgsync.http.redaction import Redaction
    from cgsync.http.schema import AUTH_SCHEMA, HTTP_PROPERTIES
    from cgsync.http.session import Http
    from cgsync.http.settings import Caps, CircuitBreaker, Retry, Tls, Trace
    from cgsync.http.signing import Assertion, SignedJwt, Signer
    from cgsync.http.token import Issued, Issuer, Tokens
    from cgsync.http.tokenfile import TokenFile
    from cgsync.http.watched import Exchange, Watched

__all__ = [
    "AUTH_SCHEMA",
    "HTTP_PROPERTIES",
    "Assertion",
    "Auth",
    "Broken",
    "Budgets",
    "Caps",
    "Cassette",
    "CircuitBreaker",
    "Circuits",
    "Connects",
    "Credential",
    "Exchange",
    "Fixed",
    "Http",
    "Inject",
    "Issued",
    "Issuer",
    "Judge",
    "Kind",
    "Login",
    "OAuth2",
    "Pace",
    "Quota",
    "Recording",
    "Redaction",
    "Replaying",
    "Request",
    "Response",
    "Retry",
    "SignedJwt",
    "Signer",
    "Tls",
    "TokenFile",
    "Tokens",
    "TooLarge",
    "Trace",
    "Verdict",
    "Watched",
    "Wire",
    "Wrap",
    "api_key",
    "basic",
    "bearer",
    "client_credentials",
    "http_arguments",
    "is_loopback",
    "open_http",
    "quota",
    "retry_after",
    "usual",
]

HOMES = {
    "address": ("is_loopback",),
    "auth": (
        "Auth",
        "Connects",
        "Credential",
        "Fixed",
        "api_key",
        "basic",
        "bearer",
    ),
    "broken": (
        "Broken",
        "Kind",
        "TooLarge",
    ),
    "budgets": ("Budgets",),
    "cassette": (
        "Cassette",
        "Recording",
        "Replaying",
    ),
    "circuit": ("Circuits",),
    "limits": (
        "Quota",
        "quota",
        "retry_after",
    ),
    "login": (
        "Inject",
        "Login",
    ),
    "messages": (
        "Judge",
        "Request",
        "Response",
        "Verdict",
        "Wire",
        "usual",
    ),
    "oauth2": (
        "OAuth2",
        "client_credentials",
    ),
    "opening": (
        "Wrap",
        "open_http",
    ),
    "options": ("http_arguments",),
    "pace": ("Pace",),
    "redaction": ("Redaction",),
    "schema": (
        "AUTH_SCHEMA",
        "HTTP_PROPERTIES",
    ),
    "session": ("Http",),
    "settings": (
        "Caps",
        "CircuitBreaker",
        "Retry",
        "Tls",
        "Trace",
    ),
    "signing": (
        "Assertion",
        "SignedJwt",
        "Signer",
    ),
    "token": (
        "Issued",
        "Issuer",
        "Tokens",
    ),
    "tokenfile": ("TokenFile",),
    "watched": (
        "Exchange",
        "Watched",
    ),
}
"""Which module has which names."""


def __getattr__(name: str) -> Any:
    """Import on first use: a check of the configuration needs the options alone."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    home = next(module for module, names in HOMES.items() if name in names)
    found = globals()[name] = getattr(import_module(f"{__name__}.{home}"), name)
    return found
