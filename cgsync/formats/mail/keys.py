"""The identity of a message, out of its raw bytes alone.

No option and no parser has a part in it, since a key that changes makes every message that was ever read a new one.
Received and what else is added on the way does not count; nor does how headers are folded, or how lines end.
"""

from __future__ import annotations

import re
from hashlib import blake2b

BLANK = re.compile(rb"^\r*\n", re.MULTILINE)
COUNTED = (b"message-id", b"from", b"date", b"subject")
HEADER = re.compile(rb"^(message-id|from|date|subject)[ \t]*:((?:.*\n[ \t])*.*)", re.MULTILINE | re.IGNORECASE)
READABLE_ID = re.compile(rb"<([!-;=?-~]{1,160})>")


def key_of(raw: bytes) -> str:
    """``message-id:hash``, or ``:hash`` where there is no usable Message-ID: the hash alone tells them apart, too."""
    end = BLANK.search(raw)
    head, body = (raw[: end.start()], raw[end.end() :]) if end else (raw, b"")
    found: dict[bytes, bytes] = {}
    for name, value in HEADER.findall(head):
        found.setdefault(name.lower(), b" ".join(value.split()))
    digest = blake2b(digest_size=16)
    for name in COUNTED:
        value = found.get(name, b"")
        digest.update(b"%d:" % len(value) + value)
    digest.update(body.replace(b"\r\n", b"\n").rstrip())
    readable = READABLE_ID.search(found.get(b"message-id", b""))
    return f"{readable[1].decode() if readable else ''}:{digest.hexdigest()}"
