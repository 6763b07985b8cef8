"""The headers of a message or of a part: found in the bytes, unfolded, and not yet decoded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cgsync.formats.mail.parameters import Parameters, parameters
from cgsync.formats.mail.words import header_text

FIELD = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")
"""How a line begins that is a header's first."""


@dataclass(frozen=True, slots=True)
class Headers:
    """Names in lower case with their raw values, in the order in which they stand. ``cut``: a value was too long."""

    fields: Sequence[tuple[str, bytes]] = ()
    cut: bool = False

    def first(self, name: str) -> bytes:
        return next(self.every(name), b"")

    def every(self, name: str) -> Iterator[bytes]:
        return (value for each, value in self.fields if each == name)

    def text(self, name: str) -> str:
        return header_text(self.first(name))

    def word(self, name: str) -> str:
        """What stands before any parameter or comment, in lower case."""
        return re.split(r"[;\s(]", self.text(name), maxsplit=1)[0].lower()

    def parameters(self, name: str) -> Parameters:
        return parameters(self.first(name))


def headers_of(head: bytes, longest: int) -> Headers:
    """Lines that are neither a header nor the continuation of one are passed over."""
    unfolded: list[tuple[str, list[bytes]]] = []
    for line in head.split(b"\n"):
        if line[:1] in (b" ", b"\t"):
            if unfolded:
                unfolded[-1][1].append(line)
        elif begun := FIELD.match(line):
            unfolded.append((begun[1].decode("ascii").lower(), [line[begun.end() :]]))
    fields = [(name, b" ".join(line.strip() for line in lines).strip()) for name, lines in unfolded]
    cut = any(len(value) > longest for _, value in fields)
    return Headers([(name, value[:longest]) for name, value in fields], cut)
