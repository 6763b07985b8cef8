"""Content-Transfer-Encoding: from what was sent to the bytes that were meant; only what is broken is lost."""

from __future__ import annotations

import binascii

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
    """The lines between ``begin`` and ``end``, or all of the body where none begins."""
    lines = body.splitlines()
    begin = next((number for number, line in enumerate(lines) if line.startswith(b"begin ")), None)
    if begin is None:
        return body
    content = []
    for line in lines[begin + 1 :]:
        if line.strip() in (b"end", b"`"):
            break
        content.append(_uuencoded_line(line))
    return b"".join(content)


def _uuencoded_line(line: bytes) -> bytes:
    if not line:
        return b""
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:  # some encoders fill the last group with what does not count
        size = (((line[0] - 32) & 63) * 4 + 5) // 3
        try:
            return binascii.a2b_uu(line[:size])
        except binascii.Error:
            return b""
