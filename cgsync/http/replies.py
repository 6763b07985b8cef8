"""What a login answers: the token in it, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from cgsync.errors import SourceUnavailable
from cgsync.http import limits
from cgsync.http.broken import Broken, Kind
from cgsync.http.messages import Request, Response, Wire
from cgsync.http.redaction import Redaction
from cgsync.http.token import LIFETIME

SAYING = ("error", "error_description", "message")
LONGEST = 500
"""Characters of a reason."""


async def ask(wire: Wire, request: Request, redaction: Redaction, *, now: datetime) -> Response:
    """The 2xx that a login request gets; anything else is :class:`Broken` of one of the kinds of a login."""
    redaction.notice(request)
    try:
        response = await wire.exchange(request)
    except Broken as broken:
        broken.sent = False  # a login that was cut is no request of the caller's
        raise
    except SourceUnavailable as error:
        raise Broken(Kind.LOGIN_DOWN, error.message) from None
    if not 200 <= response.status < 300:
        raise _refusal(response, redaction, now)
    return response


def document(response: Response) -> Any:
    """The JSON of a reply; an empty object when it is none."""
    try:
        return msgspec.json.decode(response.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}


def reach(node: Any, path: str) -> Any:
    """What stands at ``data.tokens.0.value``, or ``None``."""
    for step in path.split("."):
        if isinstance(node, Mapping):
            node = node.get(step)
        elif isinstance(node, list) and step.isdecimal() and int(step) < len(node):
            node = node[int(step)]
        else:
            return None
    return node


def token(value: object, response: Response, name: str) -> str:
    """The value, if a header can hold it; else :class:`Broken`."""
    if isinstance(value, str) and value and value.isprintable() and value.isascii():
        return value
    raise Broken(Kind.LOGIN_DOWN, f"{response.url}: the answer holds no {name}")


def seconds(value: object) -> float:
    """A lifetime, which some servers send as text."""
    try:
        life = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return LIFETIME
    return life if 0 < life < 1e9 else LIFETIME


def _refusal(response: Response, redaction: Redaction, now: datetime) -> Broken:
    reply = document(response)
    said = [str(reply[key]) for key in SAYING if reply.get(key)] if isinstance(reply, Mapping) else []
    words = redaction(" ".join(said)[:LONGEST]) or "no reason given"
    text = f"{response.url} answered {response.status}: {words}"
    after = limits.retry_after(response.headers, now=now)
    if response.status == 429:
        return Broken(Kind.LOGIN_BUSY, text, after=after)
    if response.status in (408, 425) or response.status >= 500:
        return Broken(Kind.LOGIN_DOWN, text, after=after)
    return Broken(Kind.REDIRECT if response.status < 400 else Kind.LOGIN, text)
