"""Whom we trust and who we are, as TLS has it."""

from __future__ import annotations

import ssl
from pathlib import Path

from cgsync.errors import SourceMisconfigured
from cgsync.http.settings import Tls


def trust(tls: Tls) -> ssl.SSLContext | bool:
    """The system's trust or that of ``ca``, and our certificate; :class:`SourceMisconfigured` names a bad file.

    ``True`` is the system's trust, which aiohttp has at hand; reading it once more takes 50 ms and 2 MB.
    """
    if tls == Tls():
        return True
    context = _trusting(tls.ca)
    if tls.cert is not None:
        _identify(context, tls.cert, tls.key)
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _trusting(ca: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=None if ca is None else str(ca))
    except OSError as error:  # ssl.SSLError is one
        raise SourceMisconfigured(f"{ca} holds no certificates: {_words(error)}", hint="PEM is wanted") from None


def _identify(context: ssl.SSLContext, cert: Path, key: Path | None) -> None:
    try:
        # without an answer at hand, OpenSSL would ask the terminal
        context.load_cert_chain(cert, key, password=lambda: b"")
    except OSError as error:
        reason = f"{cert}{f' and {key}' if key else ''} cannot be used: {_words(error)}"
        raise SourceMisconfigured(reason, hint="PEM is wanted, and the key without a password") from None


def _words(error: OSError) -> str:
    return (error.reason if isinstance(error, ssl.SSLError) else error.strerror) or type(error).__name__
