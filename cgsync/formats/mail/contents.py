"""What the parts of a message hold: a text to read, its HTML, and what is attached."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cgsync.formats.mail.charsets import as_text
from cgsync.formats.mail.flowed import unflowed
from cgsync.formats.mail.structure import Part
from cgsync.formats.mail.transfer import decoded
from cgsync.markup import text_of

TEXTS = frozenset(("", "text", "text/plain", "text/html"))
META = re.compile(rb"<meta[^>]{1,200}charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
HEAD_OF_HTML = 2048
SHORT = 40
"""Characters of a plain text that may stand for "your program cannot show HTML"."""
LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class Prose:
    """A text in a message. ``choice``: of the texts with the same number, if it is not 0, one is to be read."""

    text: str
    html: bool
    choice: int

    def plain(self) -> str:
        return text_of(self.text) if self.html else self.text


@dataclass(frozen=True, slots=True)
class Contents:
    """``text`` and ``html`` are as long as they are allowed to; ``cut`` names what was longer."""

    text: str
    html: str
    attachments: Sequence[dict[str, Any]]
    cut: frozenset[str]


def contents_of(parts: Sequence[Part], *, longest_text: int, longest_html: int) -> Contents:
    """All texts in their order; of alternatives the plain one, unless it says next to nothing."""
    attached = [part for part in parts if is_attached(part)]
    prose = [_prose(part) for part in parts if not is_attached(part)]
    html = "\n".join(each.text for each in prose if each.html)
    shortened = [Prose(each.text[:longest_html], each.html, each.choice) for each in prose]
    text = "\n".join(filter(None, (each.strip("\n") for each in _read(shortened))))
    cut = {
        name for name, value, most in (("text", text, longest_text), ("html", html, longest_html)) if len(value) > most
    }
    attachments = [_attachment(part) for part in attached]
    return Contents(text[:longest_text], html[:longest_html], attachments, frozenset(cut))


def is_attached(part: Part) -> bool:
    """Whether it is a file beside the text: it has a name, is called so, or is no text."""
    disposition = part.headers.parameters("content-disposition")
    named = disposition.get("filename") or part.kind.get("name")
    is_text = part.kind.word in TEXTS or part.kind.word.startswith("multipart/")
    return not is_text or disposition.word == "attachment" or bool(named)


def _content(part: Part) -> bytes:
    return decoded(part.body, part.headers.word("content-transfer-encoding"))


def _prose(part: Part) -> Prose:
    raw = _content(part)
    html = part.kind.word == "text/html"
    charset = part.kind.get("charset")
    if html and not charset and (meta := META.search(raw, 0, HEAD_OF_HTML)):
        charset = meta[1].decode("ascii", "replace")
    text = as_text(raw, charset).replace("\r\n", "\n").replace("\r", "\n")
    if part.kind.get("format").lower() == "flowed" and not html:
        text = unflowed(text, delete_space=part.kind.get("delsp").lower() == "yes")
    return Prose(text, html, part.choice)


def _read(prose: Sequence[Prose]) -> Iterable[str]:
    """The texts that a person would be shown, as plain text."""
    preferred = {
        choice: _html_is_better([each for each in prose if each.choice == choice])
        for choice in {each.choice for each in prose}
    }
    return (each.plain() for each in prose if not each.choice or each.html == preferred[each.choice])


def _html_is_better(alternatives: Sequence[Prose]) -> bool:
    plain = "".join(each.text for each in alternatives if not each.html).strip()
    if len(plain) >= SHORT:
        return False
    shown = sum(len(each.plain()) for each in alternatives if each.html)
    return shown > 4 * len(plain)


def _attachment(part: Part) -> dict[str, Any]:
    disposition = part.headers.parameters("content-disposition")
    content = _content(part)
    return {
        "name": _base_name(disposition.get("filename") or part.kind.get("name")),
        "type": part.kind.word or "text/plain",
        "size": len(content),
        "sha256": sha256(content).hexdigest(),
        "inline": disposition.word == "inline",
        "content_id": part.headers.text("content-id").strip("<> ") or None,
    }


def _base_name(name: str) -> str | None:
    """The name without any folder: it is a label, and never a place."""
    return re.split(r"[/\\]", name)[-1].strip()[:LONGEST_NAME] or None
