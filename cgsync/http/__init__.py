"""The second public door: HTTP with auth, pace, limits and honest errors, for sources and for the sender.

Importing this is cheap: aiohttp, a quarter of a second, is imported when a session is opened.
"""

from __future__ import annotations

from cgsync.http.auth import Auth, Credential, Header, basic, bearer
from cgsync.http.broken import Broken, Kind, TooLarge
from cgsync.http.limits import Quota, quota, retry_after
from cgsync.http.pace import Pace
from cgsync.http.session import Caps, Http, Response, open_http
from cgsync.http.token import ClientCredentials

__all__ = [
    "Auth",
    "Broken",
    "Caps",
    "ClientCredentials",
    "Credential",
    "Header",
    "Http",
    "Kind",
    "Pace",
    "Quota",
    "Response",
    "TooLarge",
    "basic",
    "bearer",
    "open_http",
    "quota",
    "retry_after",
]
