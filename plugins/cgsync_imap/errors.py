"""What a server, a network or a library says, in the words of the core."""

from __future__ import annotations

import re
import socket
import ssl
from datetime import timedelta

from cgsync.api import SourceMisconfigured, SourceUnavailable
from cgsync_imap.settings import Server

BACKOFF = re.compile(r"backoff time:? *(\d+)", re.IGNORECASE)
"""Exchange says in milliseconds how long it wants to be left alone."""
PASSING = re.compile(
    r"UNAVAILABLE|INUSE|LIMIT|SERVERBUG|THROTTLED|OVERQUOTA|too many|simultaneous|temporar|try again|backoff",
    re.IGNORECASE,
)
"""A login that was refused for another reason than who we are."""
LOGGED_OUT = re.compile(
    r"\[(EXPIRED|AUTHENTICATIONFAILED)\b|TokenExpired|invalid state|not authenticated", re.IGNORECASE
)
"""A command that was refused since the login no longer counts: only a new connection helps."""
LONGEST = 300
ENCRYPTION = "`port:` and `encryption:` must agree: usually 993 with implicit, 143 with starttls"

MISMATCHES = (62, 64)
"""OpenSSL's X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH."""
OTHER_NAME = "correct `host:`, or say which name the certificate has: `tls: { server_name: NAME }`"
OTHER_AUTHORITY = "name the authority that signed it: `tls: { ca: FILE }`"


class Refused(SourceUnavailable):
    """The server said NO to one command; the connection is as good as before."""


class Overloaded(SourceUnavailable):
    """The server does not want anybody from here now; it has not heard yet who we are."""


def overloaded(server: Server, error: Exception) -> Overloaded:
    said = words(error)
    return Overloaded(f"{server}: {said}", retry_after=asked_for(said))


def refused(where: str, error: Exception) -> Refused:
    said = words(error)
    return Refused(f"{where}: {said}", retry_after=asked_for(said))


def is_logged_out(error: Exception) -> bool:
    return LOGGED_OUT.search(str(error)) is not None


def lost(where: str, error: Exception) -> SourceUnavailable:
    said = words(error)
    what = "no answer in time" if isinstance(error, TimeoutError) else f"the connection was lost: {said}"
    return SourceUnavailable(f"{where}: {what}", retry_after=asked_for(said))


def garbled(where: str, error: Exception) -> SourceUnavailable:
    return SourceUnavailable(f"{where}: the answer cannot be understood: {type(error).__name__}: {words(error)}")


def unreachable(server: Server, error: OSError) -> SourceUnavailable | SourceMisconfigured:
    """There is no connection."""
    if isinstance(error, ssl.SSLCertVerificationError):
        hint = OTHER_NAME if error.verify_code in MISMATCHES else OTHER_AUTHORITY
        return SourceMisconfigured(f"{server}: the certificate is not trusted: {error.verify_message}", hint=hint)
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return SourceMisconfigured(f"{server}: no TLS: {error.reason}", hint=ENCRYPTION)
    if isinstance(error, socket.gaierror):
        return SourceUnavailable(f"{server}: the name does not resolve: {error.strerror}", hint="correct `host:`")
    what = "no answer in time" if isinstance(error, TimeoutError) else error.strerror or words(error)
    return SourceUnavailable(
        f"{server}: no connection: {what}", hint="is it that `host:` and `port:`, and no firewall?"
    )


def turned_away(server: Server, username: str, said: str, hint: str) -> SourceUnavailable | SourceMisconfigured:
    """A login that failed: for a reason that passes, or one for a person."""
    if PASSING.search(said):
        return SourceUnavailable(f"{server}: login put off: {said}", retry_after=asked_for(said))
    return SourceMisconfigured(f"{server}: login of {username} refused: {said}", hint=hint)


def asked_for(said: str) -> timedelta | None:
    found = BACKOFF.search(said)
    return timedelta(milliseconds=int(found[1])) if found else None


def words(error: Exception) -> str:
    """What it says, in one line."""
    text = " ".join(str(error).split()) or type(error).__name__
    return "".join(sign for sign in text if sign.isprintable())[:LONGEST]
