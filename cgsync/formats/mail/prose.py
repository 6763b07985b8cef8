"""One of the texts that a message has, plain or HTML."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from cgsync.formats.mail.charsets import as_text
from cgsync.formats.mail.flowed import unflowed
from cgsync.formats.mail.structure import Part
from cgsync.markup import text_of

META = re.compile(rb"<meta[^>]{1,200}charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
HEAD = 2048
"""Bytes of HTML in which it may name its charset."""


@dataclass(frozen=True)  # no slots: it remembers what it has made of HTML
class Prose:
    """``choice``: of the texts that have the same number, if it is not 0, one is to be read."""

    content: str
    html: bool
    choice: int

    @cached_property
    def text(self) -> str:
        return text_of(self.content) if self.html else self.content


def prose_of(part: Part, content: bytes) -> Prose:
    """``content``: of the part, decoded. Lines end with a line feed."""
    html = part.kind.word == "text/html"
    charset = part.kind.get("charset") or (_named_within(content) if html else "")
    text = as_text(content, charset).replace("\r\n", "\n").replace("\r", "\n")
    if not html and part.kind.get("format").lower() == "flowed":
        text = unflowed(text, delete_space=part.kind.get("delsp").lower() == "yes")
    return Prose(text, html, part.choice)


def _named_within(content: bytes) -> str:
    named = META.search(content, 0, HEAD)
    return named[1].decode("ascii", "replace") if named else ""
