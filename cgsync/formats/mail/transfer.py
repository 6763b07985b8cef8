"""Content-Transfer-Encoding: from what was sent to the bytes that were meant; only what is broken is lost."""

from __future__ import annotations

import binascii

from cgsync.formats.mail.uuencode import uudecoded

BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
NOT_BASE64 = bytes(set(range(256)) - set(BASE64))


def decoded(body: bytes, encoding: str) -> bytes:
    """The content; an encoding that nobody knows is none."""
    if encoding == "base64":
        return base64(body)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(body)
    if encoding in ("x-uuencode", "uuencode", "x-uue", "uue"):
        return uuencoded(body)
    return body


def base64(body: bytes) -> bytes:
    """Strangers among the letters are passed over; one letter too many is left out."""
    try:
        return binascii.a2b_base64(body)
    except binascii.Error:
        letters = body.translate(None, NOT_BASE64)
        return binascii.a2b_base64(letters[: len(letters) - (len(letters) % 4 == 1)] + b"==")


def uuencoded(body: bytes) -> bytes:
    """What stands below the line with ``begin``, or all of the body where there is none."""
    lines = body.splitlines()
    begin = next((number for number, line in enumerate(lines) if line.startswith(b"begin ")), None)
    return body if begin is None else uudecoded(lines[begin + 1 :])
