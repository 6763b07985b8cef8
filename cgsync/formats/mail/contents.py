"""What the parts of a message hold: a text to read, its HTML, and what is attached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from cgsync.formats.mail.attachments import attachment, attachment_in, name_of
from cgsync.formats.mail.model import MailLimits
from cgsync.formats.mail.prose import Prose, prose_of
from cgsync.formats.mail.structure import Part
from cgsync.formats.mail.transfer import decoded
from cgsync.formats.mail.uuencode import taken_out

TEXTS = ("text/plain", "text/html", "multipart/")
"""What is read; a multipart that has come so far has no parts."""
SHORT = 40
"""Characters of a plain text that may stand for "your program cannot show HTML"."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file of the message: what is told of it, and what is in it."""

    about: dict[str, Any]
    content: bytes


@dataclass(slots=True)
class Contents:
    """``text`` and ``html`` are as long as they may be; ``cut`` names what was longer."""

    text: str = ""
    html: str = ""
    attachments: list[dict[str, Any]] = field(default_factory=list)
    cut: set[str] = field(default_factory=set)


def contents_of(parts: Sequence[Part], limits: MailLimits) -> Contents:
    """All texts in their order; of alternatives the plain one, unless it says next to nothing."""
    contents = Contents()
    prose: list[Prose] = []
    for piece in pieces_of(parts):
        if isinstance(piece, Attached):
            contents.attachments.append(piece.about)
        else:
            prose.append(prose_of(*piece))
    prose = list(_shortened(prose, limits.html, contents.cut))
    contents.html = "\n".join(each.content for each in prose if each.html)[: limits.html]
    text = "\n".join(filter(None, (each.text.strip("\n") for each in _to_read(prose))))
    if len(text) > limits.text:
        contents.cut.add("text")
    contents.text = text[: limits.text]
    return contents


def pieces_of(parts: Sequence[Part]) -> Iterator[Attached | tuple[Part, bytes]]:
    """Files, and texts as bytes, one by one: together they may be large."""
    for part in parts:
        content = decoded(part.body, part.headers.word("content-transfer-encoding"))
        if _is_attached(part, alone=len(parts) == 1):
            yield Attached(attachment(part, content), content)
        else:
            content, files = taken_out(content)
            yield from (Attached(attachment_in(file), file.content) for file in files)
            yield part, content


def _is_attached(part: Part, *, alone: bool) -> bool:
    """Whether it is a file beside the text: it is called so, has a name, or is no text. A lone text may have a name."""
    if part.opaque or part.headers.word("content-disposition") == "attachment":
        return True
    if "/" in part.kind.word and not part.kind.word.startswith(TEXTS):
        return True
    return not alone and bool(name_of(part))


def _shortened(prose: Iterable[Prose], longest: int, cut: set[str]) -> Iterator[Prose]:
    """With at most so many characters of HTML in all of them together."""
    for each in prose:
        if each.html:
            if len(each.content) > longest:
                cut.add("html")
                each = replace(each, content=each.content[:longest])
            longest -= len(each.content)
        yield each


def _to_read(prose: Sequence[Prose]) -> Iterator[Prose]:
    """The texts that a person would be shown."""
    by_choice: dict[int, list[Prose]] = {}
    for each in prose:
        by_choice.setdefault(each.choice, []).append(each)
    html = {choice: _html_says_more(each) for choice, each in by_choice.items() if choice}
    return (each for each in prose if each.html == html.get(each.choice, each.html))


def _html_says_more(alternatives: Sequence[Prose]) -> bool:
    plain = "".join(each.text for each in alternatives if not each.html).strip()
    if len(plain) >= SHORT:
        return False
    return sum(len(each.text) for each in alternatives if each.html) > 4 * len(plain)
