"""Addresses as they stand in From, To and Cc, whoever wrote them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from cgsync.formats.mail.charsets import as_text
from cgsync.formats.mail.words import decoded, shown

TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"?|<([^<>]*)>?|([,;:()])|\\(.)|[^",;:()<\\]+|.', re.DOTALL)
ESCAPE = re.compile(r"\\(.)", re.DOTALL)
MOST = 1000
LONGEST = 320
"""Characters of an address; the longest that mail knows has 254."""

Address: TypeAlias = Mapping[str, str | None]


@dataclass(slots=True)
class Entry:
    """What was read since the last comma."""

    words: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    address: str = ""

    def plain(self) -> str:
        return "".join(self.words).strip()


def addresses(value: bytes) -> list[Address]:
    """At most 1,000. A comma in a name that nobody quoted does not make two of one; of a group only its members."""
    found: list[Address] = []
    name = ""
    for entry in _entries(as_text(value)):
        address = _address(entry, name)
        if address is None:
            name = f"{name}{entry.plain()}, " if entry.plain() else name
        else:
            found.append(address)
            name = ""
        if len(found) == MOST:
            break
    return found


def first(value: bytes) -> Address:
    """The first of them, or one of which nothing is known but perhaps a name."""
    nobody = {"name": shown(decoded(as_text(value))) or None, "address": None, "domain": None}
    return next(iter(addresses(value)), nobody)


def _entries(text: str) -> list[Entry]:
    entries = [Entry()]
    depth = 0
    for token in TOKEN.finditer(text):
        sign, entry = token[3], entries[-1]
        if sign in ("(", ")"):
            depth = depth + 1 if sign == "(" else max(depth - 1, 0)
        elif depth:
            entry.comments.append(token[0])
        elif sign == ":":
            entries[-1] = Entry()  # the name of a group
        elif sign:
            entries.append(Entry())
        elif token[2] is not None:
            entry.address = token[2]
        else:
            entry.words.append(token[0] if token[1] is None else ESCAPE.sub(r"\1", token[1]))
    return entries


def _address(entry: Entry, before: str) -> Address | None:
    """``before``: what stood before the comma, and has no address."""
    name = entry.plain()
    address = entry.address
    if not address and "@" in name:
        *names, address = name.split()
        name = " ".join(names) or "".join(entry.comments)
    address = shown(address.rpartition(":")[2]).replace(" ", "")
    if "@" not in address or len(address) > LONGEST:
        return None
    domain = address.rpartition("@")[2].rstrip(".").lower()
    return {"name": shown(decoded(before + name)) or None, "address": address, "domain": domain or None}
