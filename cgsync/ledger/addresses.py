"""E-mail addresses, wherever they stand in data: a person is known by theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

LONGEST = 254
"""Characters of an address on either side of its ``@``."""
LOCAL = re.compile(r"[^\s<>()\[\],;:\"\\@]+")
DOMAIN = re.compile(r"\w[\w-]*(?:\.\w[\w-]*)+")
BORDER = re.compile(r"[^\w.+-]")
"""Within what looks like an address, another one may begin behind such a character: ``to=anna@example.com``."""


def is_address(text: str) -> bool:
    """Whether all of the text is one address."""
    return text.casefold() in _addresses(text)


def addresses_in(content: Any) -> set[str]:
    """Every e-mail address in the texts of JSON-like data, in lower case."""
    return {address for text in _texts(content) if "@" in text for address in _addresses(text)}


def _addresses(text: str) -> Iterator[str]:
    """Sought from each ``@`` to both sides: a pattern for all of it takes for ever with a long text without spaces."""
    at = text.find("@")
    while at >= 0:
        before, after = text[max(0, at - LONGEST) : at], text[at + 1 : at + 1 + LONGEST]
        local, domain = LOCAL.match(before[::-1]), DOMAIN.match(after)
        if local and domain:
            yield from _spellings(local[0][::-1].casefold(), domain[0].casefold())
        at = text.find("@", at + 1)


def _spellings(local: str, domain: str) -> Iterator[str]:
    yield f"{local}@{domain}"
    yield from (f"{local[border.end() :]}@{domain}" for border in BORDER.finditer(local) if border.end() < len(local))


def _texts(content: Any) -> Iterator[str]:
    match content:
        case str():
            yield content
        case bytes() if b"@" in content:
            yield from _texts(_decoded(content))
        case Mapping():
            for name, value in content.items():
                yield from _texts(name)
                yield from _texts(value)
        case list() | tuple() | set() | frozenset():
            for value in content:
                yield from _texts(value)


def _decoded(content: bytes) -> Any:
    """JSON, or for what never was any, text."""
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return content.decode("utf-8", "replace")
