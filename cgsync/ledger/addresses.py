"""E-mail addresses, wherever they stand in data: a person is known by theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

ADDRESS = re.compile(r"[^\s<>()\[\],;:\"\\@]+@\w[\w-]*(?:\.\w[\w-]*)+")
BORDER = re.compile(r"[^\w.+-]")
"""Within what looks like an address, another one may begin behind such a character: ``to=anna@example.com``."""


def is_address(text: str) -> bool:
    """Whether all of the text is one address."""
    return ADDRESS.fullmatch(text) is not None


def addresses_in(content: Any) -> set[str]:
    """Every e-mail address in the texts of JSON-like data, in lower case."""
    return {address for text in _texts(content) if "@" in text for address in _addresses(text)}


def _addresses(text: str) -> Iterator[str]:
    for match in ADDRESS.findall(text):
        address = match.casefold()
        yield address
        local = address.index("@")
        yield from (address[border.end() :] for border in BORDER.finditer(address, 0, local) if border.end() < local)


def _texts(content: Any) -> Iterator[str]:
    match content:
        case str():
            yield content
        case bytes():
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
