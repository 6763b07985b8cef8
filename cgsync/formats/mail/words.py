"""The text of a header: encoded words (RFC 2047), and what is sent instead of them."""

from __future__ import annotations

import binascii
import re

from cgsync.formats.mail.charsets import as_text
from cgsync.formats.mail.transfer import base64

WORD = re.compile(r"=\?([^?\s]{1,75})\?([bBqQ])\?([^?]*)\?=")
UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def header_text(value: bytes) -> str:
    """The words of a header's value, on one line."""
    return shown(decoded(as_text(value)))


def shown(text: str) -> str:
    """The text on one line: what encoded words hide may be an end of line, or worse."""
    return UNSHOWN.sub(" ", text).strip()


def decoded(text: str) -> str:
    """The text with its encoded words decoded; what only looks like one stays."""
    pieces: list[str] = []
    at, charset, pending = 0, "", b""
    for match in WORD.finditer(text):
        between = text[at : match.start()]
        apart = at == 0 or bool(between.strip())
        if apart or match[1].lower() != charset:  # a character may be cut in two by the words around it
            pieces += [as_text(pending, charset), between if apart else ""]
            charset, pending = match[1].lower(), b""
        pending += _content(match[2], match[3])
        at = match.end()
    return "".join([*pieces, as_text(pending, charset.partition("*")[0]), text[at:]])


def _content(encoding: str, text: str) -> bytes:
    raw = text.encode()
    return base64(raw) if encoding in "bB" else binascii.a2b_qp(raw, header=True)
