"""What may break between a request and its answer: one class, so that nobody above sees a client library."""

from __future__ import annotations

import asyncio
import ssl
from datetime import timedelta
from enum import StrEnum

from cgsync.errors import CgsyncError


class Kind(StrEnum):
    """What broke. The first four happen before anything was sent."""

    DNS = "dns"
    REFUSED = "refused"
    CERTIFICATE = "certificate"
    TLS = "tls"
    TIMEOUT = "timeout"
    RESET = "reset"
    PROTOCOL = "protocol"
    LOGIN = "login"
    """the token endpoint refused us: client id, secret, region"""
    LOGIN_BUSY = "login busy"
    """the token endpoint answers 429"""
    LOGIN_DOWN = "login down"
    """the token endpoint cannot be reached, or does not answer with a token"""
    REDIRECT = "redirect"
    PROXY = "proxy"
    """the proxy refuses us: user, password, or where we want to go"""


class Broken(CgsyncError):
    """There is no answer. ``sent``: the first byte may have left, so the request may have been executed.

    ``after`` is what the other side asked us to wait, if it did. The words never hold a header or a body.
    """

    def __init__(self, kind: Kind, words: str, *, sent: bool = False, after: timedelta | None = None) -> None:
        super().__init__(words)
        self.kind = kind
        self.sent = sent
        self.after = after


class TooLarge(CgsyncError):
    """A body passed its cap, compressed or expanded."""


def translate(error: Exception, *, host: str, sent: bool) -> Broken:
    """The client library's error (or the system's) as ours; its own text may show headers and is not used."""
    kind = _kind(error)
    return Broken(kind, f"{host}: {_WORDS[kind]}{_system(error)}", sent=sent)


def _kind(error: Exception) -> Kind:
    import aiohttp  # a quarter of a second: paid by those who already hold one of its errors

    if isinstance(error, aiohttp.ClientHttpProxyError):
        return Kind.PROXY if error.status < 500 else Kind.REFUSED
    kinds: tuple[tuple[type[Exception] | tuple[type[Exception], ...], Kind], ...] = (
        ((aiohttp.ClientConnectorCertificateError, ssl.SSLCertVerificationError), Kind.CERTIFICATE),
        ((aiohttp.ClientSSLError, aiohttp.ServerFingerprintMismatch, ssl.SSLError), Kind.TLS),
        (aiohttp.ClientConnectorDNSError, Kind.DNS),
        (aiohttp.ClientConnectorError, Kind.REFUSED),
        (asyncio.TimeoutError, Kind.TIMEOUT),
        ((aiohttp.ClientConnectionError, OSError), Kind.RESET),
    )
    return next((kind for classes, kind in kinds if isinstance(error, classes)), Kind.PROTOCOL)


def _system(error: Exception) -> str:
    """The operating system's own words: they name no secret, and they are what an operator searches for."""
    import aiohttp

    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f": the proxy answered {error.status}"
    proxy = " to the proxy" if isinstance(error, aiohttp.ClientProxyConnectionError) else ""
    cause = getattr(error, "os_error", None) or error
    text = getattr(cause, "strerror", None)
    return f"{proxy}: {text}" if isinstance(text, str) and text else proxy


_WORDS = {
    Kind.DNS: "the name does not resolve",
    Kind.REFUSED: "no connection",
    Kind.CERTIFICATE: "the certificate is not trusted",
    Kind.TLS: "no secure connection",
    Kind.TIMEOUT: "no answer in time",
    Kind.RESET: "the connection was cut",
    Kind.PROTOCOL: "what came back is not HTTP",
    Kind.PROXY: "the proxy refuses us",
}
