"""One JSON document that is read whole, and what is wrong with it in words."""

from __future__ import annotations

from typing import Any

import msgspec

from cgsync.formats.encoding import as_utf8, readable
from cgsync.formats.records import Malformed
from cgsync.formats.seen import HEAD, ending, evident, seen, unexpected
from cgsync.formats.strictjson import BRACKETS, parse

STARTS = '{["-0123456789tfn'
CONTAINERS = 1_000_000
"""Objects and lists: each costs some hundred bytes, however small it is in the text."""


def read(content: bytes, *, encoding: str | None, depth: int) -> tuple[Any, int]:
    """The value, and how many characters were removed because no store takes them. Raises :class:`Malformed`."""
    try:
        raw = as_utf8(content, encoding)
        _refuse_too_many(raw)
        return parse(raw, depth=depth)
    except ValueError as error:
        raise _malformed(content, str(error)) from None


def is_json(content: bytes) -> bool:
    """Whether it is one JSON object or list, and nothing else."""
    return content.lstrip()[:1] in (b"{", b"[") and _complaint(content) == ""


def _refuse_too_many(raw: bytes) -> None:
    if raw.count(b"{") + raw.count(b"[") <= CONTAINERS:
        return
    if sum(raw[match.start()] in b"{[" for match in BRACKETS.finditer(raw)) > CONTAINERS:
        raise ValueError(f"it has more than {CONTAINERS} objects and lists")


def _malformed(content: bytes, reason: str) -> Malformed:
    start = readable(content[:HEAD]).lstrip()[:1]
    if evident(content) or not start or start not in STARTS:
        return unexpected("JSON", content)
    if "truncated" in _complaint(content):
        hint = "was it cut short on its way?"
        return Malformed(f'the JSON ends in the middle, after "{ending(content)}"', raw=content, hint=hint)
    begins = f"; it begins {seen(content)}" if reason.startswith("not JSON") else ""
    return Malformed(reason + begins, raw=content)


def _complaint(content: bytes) -> str:
    """What the fast decoder says, or ``""``; it builds nothing on the way."""
    try:
        msgspec.json.decode(content, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return str(error)
    return ""
