"""The second public door: HTTP with auth, pace, limits and honest errors, for sources and for the sender.

Importing this is cheap: aiohttp, a quarter of a second, is imported when a session is opened.
"""

from __future__ import annotations

from cgsync.http.auth import Auth, Connects, Credential, Fixed, api_key, basic, bearer
from cgsync.http.broken import Broken, Kind, TooLarge
from cgsync.http.budgets import Budgets
from cgsync.http.cassette import Cassette, Recording, Replaying
from cgsync.http.circuit import Circuits
from cgsync.http.limits import Quota, quota, retry_after
from cgsync.http.login import Inject, Login
from cgsync.http.messages import Judge, Request, Response, Verdict, Wire, usual
from cgsync.http.oauth2 import OAuth2, client_credentials
from cgsync.http.options import http_arguments
from cgsync.http.pace import Pace
from cgsync.http.redaction import Redaction
from cgsync.http.schema import AUTH_SCHEMA, HTTP_PROPERTIES
from cgsync.http.session import Http, Wrap, open_http
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
    "open_http",
    "quota",
    "retry_after",
    "usual",
]
