"""JSON-like values as a row of small frames, so that whoever puts one together never holds the loop for long.

Decoding 50 MB of JSON in one call keeps all threads waiting until it is done; 250 kB are done in a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

import msgspec

PIECE = 256 * 1024
"""Bytes of JSON in one frame; only a single string or number may have more."""

Frame: TypeAlias = tuple[bytes, bytes]
"""One letter for its kind, and what it holds."""

VALUE, LIST, MAPPING, KEY, SOME, END = b"V", b"L", b"M", b"K", b"S", b"E"


def cut(value: Any, *, piece: int = PIECE) -> Iterator[Frame]:
    """The frames of a value, about ``piece`` bytes each. Raises ``TypeError`` for what is not JSON-like."""
    yield from _cut(value, msgspec.json.encode(value), piece)


def assembled(frames: Callable[[], Frame]) -> Any:
    """The value whose frames come one at a time."""
    return _assembled(*frames(), frames)


def _cut(value: Any, raw: bytes, piece: int) -> Iterator[Frame]:
    if len(raw) > piece and isinstance(value, dict):
        yield MAPPING, b""
        yield from _members(((msgspec.json.encode(str(name)), item) for name, item in value.items()), piece)
    elif len(raw) > piece and isinstance(value, list):
        yield LIST, b""
        yield from _members(((b"", item) for item in value), piece)
    else:
        yield VALUE, raw


def _members(members: Iterable[tuple[bytes, Any]], piece: int) -> Iterator[Frame]:
    """Small members together, as ``1,2`` or ``"a":1,"b":2``; each large one by itself."""
    small: list[bytes] = []
    size = 0
    for name, item in members:
        raw = msgspec.json.encode(item)
        if size + len(raw) > piece and small:
            yield SOME, b",".join(small)
            small, size = [], 0
        if len(raw) > piece:
            if name:
                yield KEY, name
            yield from _cut(item, raw, piece)
        else:
            small.append(name + b":" + raw if name else raw)
            size += len(name) + len(raw)
    if small:
        yield SOME, b",".join(small)
    yield END, b""


def _assembled(kind: bytes, raw: bytes, frames: Callable[[], Frame]) -> Any:
    if kind == LIST:
        return _list(frames)
    if kind == MAPPING:
        return _mapping(frames)
    return msgspec.json.decode(raw)


def _list(frames: Callable[[], Frame]) -> list[Any]:
    items: list[Any] = []
    while (frame := frames())[0] != END:
        kind, raw = frame
        if kind == SOME:
            items += msgspec.json.decode(b"[" + raw + b"]")
        else:
            items.append(_assembled(kind, raw, frames))
    return items


def _mapping(frames: Callable[[], Frame]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    while (frame := frames())[0] != END:
        kind, raw = frame
        if kind == SOME:
            members |= msgspec.json.decode(b"{" + raw + b"}")
        else:
            members[msgspec.json.decode(raw)] = _assembled(*frames(), frames)
    return members
