"""The second public door: HTTP with auth, pace, limits and honest errors, for sources and for the sender.

Importing this is cheap: aiohttp, a quarter of a second, is imported when a session is opened.
"""

from __future__ import annotations

from cgsync.http.auth import Auth, Connects, Credential, Fixed, api_key, basic, bearer
from cgsync.http.broken import Broken, Kind, TooLarge
from cgsync.http.limits import Quota, quota, retry_after
from cgsync.http.messages import Judge, Request, Response, Verdict, Wire, usual
from cgsync.http.pace import Pace
from cgsync.http.redaction import Redaction
from cgsync.http.schema import AUTH_SCHEMA, HTTP_PROPERTIES
from cgsync.http.session import Http, open_http
from cgsync.http.settings import Caps, CircuitBreaker, Retry, Tls, Trace
from cgsync.http.token import ClientCredentials

__all__ = [
    "AUTH_SCHEMA",
    "HTTP_PROPERTIES",
    "Auth",
    "Broken",
    "Caps",
    "CircuitBreaker",
    "ClientCredentials",
    "Connects",
    "Credential",
    "Fixed",
    "Http",
    "Judge",
    "Kind",
    "Pace",
    "Quota",
    "Redaction",
    "Request",
    "Response",
    "Retry",
    "Tls",
    "TooLarge",
    "Trace",
    "Verdict",
    "Wire",
    "api_key",
    "basic",
    "bearer",
    "open_http",
    "quota",
    "retry_after",
    "usual",
]
